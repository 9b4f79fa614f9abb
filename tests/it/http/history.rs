//! History both ways and around, the event log, and their pages.

use serde_json::{Value, json};

use crate::support::client_id;
use crate::support::person::Person;
use crate::support::process::Server;

async fn room_with(person: &Person, count: u64) -> (String, u64, u64) {
    let room = person.group("tea", &[]).await;
    let mut seqs = Vec::new();
    for index in 0..count {
        seqs.push(person.post(&room, &format!("message {index}")).await);
    }
    (room, seqs[0], *seqs.last().unwrap())
}

fn seqs(page: &Value) -> Vec<u64> {
    page["items"].as_array().unwrap().iter().map(|item| item["seq"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn history_is_paged_backwards_and_forwards_without_hole_or_repeat() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let (room, first, last) = room_with(&anna, 12).await;
    let path = format!("/rooms/{room}/messages");
    let newest = anna.rest.get(&format!("{path}?limit=5")).await.body(200);
    assert_eq!(seqs(&newest), (last - 4..=last).collect::<Vec<_>>(), "without any of the three: the newest, ascending");
    assert_eq!((&newest["head"], &newest["next"]), (&json!(last), &Value::Null));
    let mut back = seqs(&newest);
    let mut page = newest;
    while !page["prev"].is_null() {
        page = anna.rest.get(&format!("{path}?limit=5&before={}", page["prev"])).await.body(200);
        back.splice(0..0, seqs(&page));
    }
    assert_eq!(back, (first..=last).collect::<Vec<_>>());
    let mut forth = Vec::new();
    let mut page = anna.rest.get(&format!("{path}?limit=5&after=0")).await.body(200);
    loop {
        forth.extend(seqs(&page));
        if page["next"].is_null() {
            break;
        }
        page = anna.rest.get(&format!("{path}?limit=5&after={}", page["next"])).await.body(200);
    }
    assert_eq!(forth, back);
}

/// The seqs of what happened between the messages of a page.
fn notices(page: &Value) -> Vec<u64> {
    page["notices"].as_array().expect("notices").iter().map(|notice| notice["seq"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn what_happened_in_a_room_stands_between_its_messages_once_however_they_are_paged() {
    let server = Server::start().await;
    let [anna, bert, carl] = server.people(["anna", "bert", "carl"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let path = format!("/rooms/{room}/messages");
    let empty = anna.rest.get(&format!("{path}?notices=1")).await.body(200);
    assert!(seqs(&empty).is_empty() && !notices(&empty).is_empty(), "of a room without messages too: {empty}");
    for index in 0..4 {
        let seq = anna.post(&room, &format!("message {index}")).await;
        anna.rest.put(&format!("{path}/{seq}/reactions/👍"), json!({})).await;
        anna.rest.patch(&format!("/rooms/{room}"), json!({"topic": format!("topic {index}")})).await.body(200);
    }
    anna.rest.put(&format!("/rooms/{room}/members/{}", carl.id), json!({})).await.body(201);
    let log = anna.rest.get(&format!("/rooms/{room}/events?limit=200")).await.body(200);
    let is_notice = |event: &&Value| event["kind"] == "member" || event["kind"] == "room";
    let all: Vec<u64> =
        log["items"].as_array().unwrap().iter().filter(is_notice).map(|event| event["seq"].as_u64().unwrap()).collect();
    assert!(all.len() >= 6, "{log}");

    let mut page = anna.rest.get(&format!("{path}?limit=1&notices=1")).await.body(200);
    let mut back = notices(&page);
    while !page["prev"].is_null() {
        page = anna.rest.get(&format!("{path}?limit=1&notices=1&before={}", page["prev"])).await.body(200);
        back.splice(0..0, notices(&page));
    }
    assert_eq!(back, all, "backwards");
    let mut page = anna.rest.get(&format!("{path}?limit=2&notices=1&after=0")).await.body(200);
    let mut forth = notices(&page);
    while !page["next"].is_null() {
        page = anna.rest.get(&format!("{path}?limit=2&notices=1&after={}", page["next"])).await.body(200);
        forth.extend(notices(&page));
    }
    assert_eq!(forth, all, "forwards");

    let last = *all.last().unwrap();
    let late = carl.rest.get(&format!("{path}?notices=1&after=0")).await.body(200);
    assert_eq!(notices(&late), [last], "who came late sees nothing from before: {late}");
    let plain = anna.rest.get(&path).await.body(200);
    assert!(plain.get("notices").is_none(), "only who asks gets them: {plain}");
    anna.rest.get(&format!("{path}?notices=yes")).await.refused(400, "bad_request");
}

#[tokio::test]
async fn history_around_a_message_has_what_stands_beside_it() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let (room, first, last) = room_with(&anna, 15).await;
    let middle = first + 7;
    let page = anna.rest.get(&format!("/rooms/{room}/messages?around={middle}&limit=5")).await.body(200);
    let around = seqs(&page);
    assert!(around.len() <= 5 && around.contains(&middle), "{around:?}");
    assert!(around.contains(&(middle - 1)) && around.contains(&(middle + 1)), "{around:?}");
    assert!(around.windows(2).all(|pair| pair[0] < pair[1]), "{around:?}");
    assert!(!page["prev"].is_null() && !page["next"].is_null(), "{page}");
    let end = anna.rest.get(&format!("/rooms/{room}/messages?around={last}&limit=5")).await.body(200);
    assert!(seqs(&end).contains(&last) && end["next"].is_null(), "{end}");
}

#[tokio::test]
async fn the_event_log_is_numbered_from_one_and_has_everything() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.public_group("gardening").await;
    bert.rest.bare("PUT", &format!("/rooms/{room}/members/{}", bert.id)).await.body(201);
    let seq = anna.post(&room, "hello").await;
    anna.rest.patch(&format!("/rooms/{room}/messages/{seq}"), json!({"body": "hello!"})).await.body(200);
    let thumb = format!("/rooms/{room}/messages/{seq}/reactions/%F0%9F%91%8D");
    bert.rest.bare("PUT", &thumb).await.body(204);
    bert.rest.delete(&thumb).await.body(204);
    anna.rest.patch(&format!("/rooms/{room}"), json!({"topic": "leaves"})).await.body(200);
    anna.rest.delete(&format!("/rooms/{room}/messages/{seq}")).await.body(204);
    let log = anna.log(&room).await;
    let numbers: Vec<u64> = log.iter().map(|event| event["seq"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=log.len() as u64).collect::<Vec<_>>());
    assert_eq!((&log[0]["kind"], &log[0]["change"]), (&json!("room"), &json!("created")));
    let kinds: Vec<&str> = log.iter().map(|event| event["kind"].as_str().unwrap()).collect();
    let tail = ["message", "edit", "reaction", "reaction", "room", "delete"];
    assert_eq!(kinds[kinds.len() - 6..], tail);
    assert!(log.iter().all(|event| event["room"] == room.as_str() && event["at"].is_string()), "{log:?}");
    let taken_back = &log[log.len() - 3];
    assert_eq!((&taken_back["target"], &taken_back["remove"]), (&json!(seq), &json!(true)));
    assert_eq!(anna.head(&room).await, log.len() as u64);
}

#[tokio::test]
async fn the_event_log_is_paged_by_seq() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let (room, _, last) = room_with(&anna, 9).await;
    let page = anna.rest.get(&format!("/rooms/{room}/events?after=2&limit=4")).await.body(200);
    assert_eq!(seqs(&page), [3, 4, 5, 6]);
    assert_eq!((&page["next"], &page["head"]), (&json!(6), &json!(last)));
    let page = anna.rest.get(&format!("/rooms/{room}/events?after={last}")).await.body(200);
    assert_eq!((&page["items"], &page["next"]), (&json!([]), &Value::Null));
    let beyond = anna.rest.get(&format!("/rooms/{room}/events?after={}", last + 50)).await;
    if beyond.status == 200 {
        assert_eq!(beyond.body(200)["head"], last, "a cursor beyond the head is seen by the head");
    } else {
        beyond.refused(400, "bad_request");
    }
}

#[tokio::test]
async fn positions_that_make_no_sense_are_refused() {
    // 42, 43
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let (room, _, _) = room_with(&anna, 2).await;
    let path = format!("/rooms/{room}");
    let numbers = ["-1", "1.5", "1e3", "many", "", "18446744073709551616", "99999999999999999999999"];
    for number in numbers {
        for query in ["messages?before=", "messages?after=", "messages?around=", "events?after="] {
            anna.rest.get(&format!("{path}/{query}{number}")).await.refused(400, "bad_request");
        }
    }
    for query in ["messages?before=3&after=1", "messages?around=1&before=3", "messages?limit=0", "events?limit=201"] {
        anna.rest.get(&format!("{path}/{query}")).await.refused(400, "bad_request");
    }
    for seq in ["0", "-1", "x", "18446744073709551616"] {
        let answer = anna.rest.patch(&format!("{path}/messages/{seq}"), json!({"body": "x"})).await;
        assert!([400, 404].contains(&answer.status), "{seq}: {answer:?}");
    }
}

#[tokio::test]
async fn a_strangers_look_at_history_is_not_found() {
    let server = Server::start().await;
    let [anna, carl] = server.people(["anna", "carl"]).await;
    let (room, first, _) = room_with(&anna, 2).await;
    for path in ["messages", "events", "members", &format!("messages/{first}/reactions")] {
        let hidden = carl.rest.get(&format!("/rooms/{room}/{path}")).await.refused(404, "not_found");
        let absent = carl.rest.get(&format!("/rooms/{}/{path}", client_id())).await.refused(404, "not_found");
        assert_eq!((&hidden["title"], &hidden["detail"]), (&absent["title"], &absent["detail"]), "they look alike");
    }
}
