//! What is a handle and what is a password, and how logins fail (cases 54, 63 to 67).

use std::time::Instant;

use serde_json::json;

use crate::support::eventually;
use crate::support::person::PASSWORD;
use crate::support::process::{Server, Setup};
use crate::support::rest::Rest;

async fn register(rest: &Rest, handle: &str, password: &str) -> u16 {
    let answer = rest.post("/accounts", json!({"handle": handle, "password": password})).await;
    if answer.status != 201 {
        let pointer = if password == PASSWORD { "/handle" } else { "/password" };
        answer.refused_field(400, "bad_request", pointer);
        return 400;
    }
    201
}

#[tokio::test]
async fn handles_that_deceive_are_refused() {
    // 54
    let server = Server::start().await;
    let rest = server.anonymous();
    let long = "x".repeat(33);
    let bad = [
        "",
        "a",
        &long,
        " anna",
        "anna ",
        "an na",
        "anna\u{202e}",
        "an\u{200b}na",
        "an\u{200d}na",
        "\u{feff}anna",
        "аdmin",
        "admin",
        "system",
        "here",
        "ADMIN",
        "a/b",
        "a@b",
        "anna\n",
        "an\u{0}na",
        "\u{e0061}\u{e0062}",
        "🙂🙂",
    ];
    for handle in bad {
        assert_eq!(register(&rest, handle, PASSWORD).await, 400, "{handle:?} is refused");
    }
    for handle in ["ab", "anna.b-c_d", &"y".repeat(32), "søren", "анна", "花子さん"] {
        assert_eq!(register(&rest, handle, PASSWORD).await, 201, "{handle:?} is taken");
    }
}

#[tokio::test]
async fn passwords_have_8_to_1024_bytes_and_every_byte_counts() {
    // 67
    let server = Server::start().await;
    let rest = server.anonymous();
    let too_short = "seven-7";
    let too_long = "p".repeat(1025);
    for password in [too_short, "", &too_long, "password", "12345678"] {
        assert_eq!(register(&rest, "somebody", password).await, 400, "{password:?}");
    }
    let long = format!("{}a", "k3y-".repeat(255)) + "bcd";
    let good = ["eight-88", "with spaces in it", "пароль-пароль", "nul\u{0}byte-in-it", &long];
    for (index, password) in good.iter().enumerate() {
        assert!(password.len() >= 8 && password.len() <= 1024);
        let handle = format!("user{index}");
        assert_eq!(register(&rest, &handle, password).await, 201, "{password:?}");
        let login = json!({"login": handle, "password": password});
        rest.post("/logins", login).await.body(201);
        let mut cut = (*password).to_owned();
        cut.pop();
        let login = json!({"login": handle, "password": cut});
        rest.post("/logins", login).await.refused(401, "unauthenticated");
    }
    let same_72_bytes = format!("{}y", "a1-b2-c3".repeat(9));
    assert_eq!(register(&rest, "seventy", &same_72_bytes).await, 201);
    let login = json!({"login": "seventy", "password": format!("{}z", "a1-b2-c3".repeat(9))});
    rest.post("/logins", login).await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn an_unknown_user_and_a_wrong_password_look_the_same() {
    // 63, 64
    let server = Server::start().await;
    let rest = server.anonymous();
    assert_eq!(register(&rest, "user0", PASSWORD).await, 201);
    let mut bodies = Vec::new();
    for login in ["user0", "nobody-at-all"] {
        let attempt = json!({"login": login, "password": "wrong-password-1"});
        let mut problem = rest.post("/logins", attempt).await.refused(401, "unauthenticated");
        problem["request_id"] = json!(null);
        bodies.push(problem);
    }
    assert_eq!(bodies[0], bodies[1]);
}

/// How often a fair coin falls at least this far from the middle, by the normal distribution's tail (Chernoff).
fn chance_of(heads: usize, throws: usize) -> f64 {
    let away = (heads as f64 / throws as f64 - 0.5).abs();
    (2.0 * (-2.0 * throws as f64 * away * away).exp()).min(1.0)
}

#[tokio::test]
async fn how_long_a_refusal_takes_tells_nobody_who_exists() {
    // 63: a difference of 5 % in the median of 200 tries. What else the machine does shakes both alike, since the tries
    // alternate; a difference counts when it is too regular to be chance.
    const TRIES: usize = 200;
    let server = Setup::new().set("auth.password_memory_kib", 8_192).set("auth.password_passes", 2).start().await;
    let rest = server.anonymous();
    for index in 0..TRIES / 4 {
        assert_eq!(register(&rest, &format!("user{index}"), PASSWORD).await, 201);
    }
    let attempt = async |login: String| {
        let start = Instant::now();
        rest.post("/logins", json!({"login": login, "password": "wrong-password-1"}))
            .await
            .refused(401, "unauthenticated");
        start.elapsed().as_secs_f64()
    };
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for index in 0..TRIES {
        // Four failures of one name cost nothing yet.
        let (name, nobody) = (format!("user{}", index % (TRIES / 4)), format!("nobody{}", index % (TRIES / 4)));
        if index % 2 == 0 {
            known.push(attempt(name).await);
            unknown.push(attempt(nobody).await);
        } else {
            unknown.push(attempt(nobody).await);
            known.push(attempt(name).await);
        }
    }
    let longer = known.iter().zip(&unknown).filter(|(known, unknown)| known > unknown).count();
    let (known, unknown) = (median(known), median(unknown));
    let (difference, chance) = ((known / unknown - 1.0).abs(), chance_of(longer, TRIES));
    assert!(
        difference < 0.05 || chance > 0.000_1,
        "known {known:.5} s, unknown {unknown:.5} s, longer for a known name in {longer} of {TRIES}"
    );
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

#[tokio::test]
async fn repeated_wrong_passwords_back_off_but_a_device_that_is_in_stays_in() {
    // 65
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let rest = server.anonymous();
    let attempt = json!({"login": "anna", "password": "wrong-password-1"});
    let refused = eventually("the back-off", || async {
        let answer = rest.post("/logins", attempt.clone()).await;
        (answer.status != 401).then_some(answer)
    })
    .await;
    assert!(refused.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds >= 1), "{refused:?}");
    refused.refused(429, "rate_limited");
    anna.rest.get("/me").await.body(200);
    let other = json!({"login": "bert", "password": PASSWORD});
    rest.post("/accounts", json!({"handle": "bert", "password": PASSWORD})).await.body(201);
    rest.post("/logins", other).await.body(201);
}

#[tokio::test]
async fn the_back_off_of_an_account_survives_a_restart() {
    // 65
    let server = Server::start().await;
    server.person("anna").await;
    let rest = server.anonymous();
    let attempt = json!({"login": "anna", "password": "wrong-password-1"});
    // Long enough a wait that a restart does not outlast it.
    eventually("a long back-off", || async {
        let answer = rest.post("/logins", attempt.clone()).await;
        let wait: u64 = answer.header("retry-after").parse().unwrap_or(0);
        (wait >= 4).then_some(())
    })
    .await;
    let server = server.kill_and_restart().await;
    server.anonymous().post("/logins", attempt).await.refused(429, "rate_limited");
}

#[tokio::test]
async fn a_flood_of_logins_has_bounded_memory_and_leaves_the_chat_alone() {
    // 66
    let server = Setup::new().set("auth.password_memory_kib", 19_456).set("auth.password_passes", 2).start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let (mut sender, mut reader) = (anna.online().await, bert.online().await);
    let before = server.memory();
    let flood = tokio::spawn({
        let rest = server.anonymous();
        async move {
            let tries = (0..200).map(|index| {
                let rest = rest.clone();
                async move {
                    let attempt = json!({"login": format!("nobody{index}"), "password": "wrong-password-1"});
                    let answer = rest.post("/logins", attempt).await;
                    if answer.status != 401 {
                        assert!([429, 503].contains(&answer.status), "{answer:?}");
                        assert!(!answer.header("retry-after").is_empty(), "{answer:?}");
                    }
                }
            });
            futures_util::future::join_all(tries).await
        }
    });
    let mut peak = 0;
    while !flood.is_finished() {
        let seq = sender.say(&room, "still here").await["seq"].as_u64().unwrap();
        reader.event(&room, seq).await;
        peak = peak.max(server.memory());
    }
    flood.await.unwrap();
    let cores = std::thread::available_parallelism().map_or(2, usize::from) as u64;
    let allowed = before + cores * 19_456 * 1024 + 24 * 1024 * 1024;
    assert!(peak < allowed, "{peak} bytes at the peak, {before} before");
}

#[tokio::test]
async fn accounts_and_logins_are_limited_per_address() {
    // 14: the address is the peer's; what a header claims counts for nothing.
    let server = Setup::new().set("limits.anonymous_per_minute", 5).start().await;
    let rest = server.anonymous();
    let mut statuses = Vec::new();
    for index in 0..12 {
        let attempt = json!({"login": format!("nobody{index}"), "password": "wrong-password-1"});
        let claimed = format!("203.0.113.{index}");
        let request = rest.request("POST", "/logins").header("X-Forwarded-For", claimed).json(&attempt);
        let answer = crate::support::rest::send(request).await;
        if answer.status == 429 {
            assert!(!answer.header("retry-after").is_empty() && !answer.header("ratelimit").is_empty(), "{answer:?}");
        }
        statuses.push(answer.status);
    }
    assert!(statuses[..5].iter().all(|status| *status == 401), "{statuses:?}");
    assert!(statuses[10..].iter().all(|status| *status == 429), "{statuses:?}");
}
