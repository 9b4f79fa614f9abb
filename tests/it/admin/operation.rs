//! The overview, the configuration, the audit log and the metrics.

use serde_json::{Value, json};

use crate::support::process::{Server, Setup};
use crate::support::rest::Rest;
use crate::support::{client_id, within};

#[tokio::test]
async fn the_overview_counts_what_is_here() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let mut socket = anna.online().await;
    socket.say(&room, "hello").await;
    let overview = server.administrator().get("/overview").await.body(200);
    assert_eq!((&overview["users"], &overview["rooms"], &overview["sessions"]), (&json!(2), &json!(1), &json!(1)));
    assert_eq!((&overview["rooms_awake"], &overview["quarantined"]), (&json!(1), &json!([])));
    assert_eq!(overview["version"], "0.1.0");
    assert!(overview["started_at"].is_string() && !overview["node"].is_null(), "{overview}");
    assert!(overview["sends_per_second"].is_number(), "{overview}");
    assert!(overview["store"]["state"].is_string() && overview["store"]["queue"].is_u64(), "{overview}");
}

async fn setting(admin: &Rest, key: &str) -> Value {
    let config = admin.get("/config").await.body(200);
    let items = config["items"].as_array().unwrap().clone();
    items.into_iter().find(|item| item["key"] == key).unwrap_or_else(|| panic!("{key} is in {config}"))
}

#[tokio::test]
async fn the_configuration_is_shown_with_its_origin_and_changed_while_running() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    let admin = server.administrator();
    let memory = setting(&admin, "auth.password_memory_kib").await;
    assert_eq!(memory["value"], 64);
    let idle = setting(&admin, "rooms.idle_seconds").await;
    assert_ne!(idle["origin"], memory["origin"], "a default is not a flag: {idle} {memory}");
    let changed = json!({"limits.sends_per_second": 1, "limits.send_burst": 2});
    admin.patch("/config", changed).await.body(200);
    assert_eq!(setting(&admin, "limits.sends_per_second").await["value"], 1);
    let mut socket = anna.online().await;
    within("the new limit to hold", async {
        loop {
            let frame = json!({"type": "send", "room": room, "client_id": client_id(), "body": "x"});
            if socket.ask(frame).await["code"] == "rate_limited" {
                return;
            }
        }
    })
    .await;
    admin.patch("/config", json!({"limits.colour": 1})).await.refused(400, "bad_request");
    admin.patch("/config", json!({"limits.send_burst": "many"})).await.refused(400, "bad_request");
    let fixed = setting(&admin, "server.data").await;
    assert_eq!(fixed["changeable"], false);
    admin.patch("/config", json!({"server.data": "/elsewhere"})).await.refused(400, "bad_request");
}

#[tokio::test]
async fn a_secret_setting_is_shown_nowhere() {
    // 78
    const SECRET: &str = "the-operators-own-secret";
    let server = Setup::new().environment("ROOKERY_AUTH__ADMIN_TOKEN", SECRET).start().await;
    let admin = Rest::new(&format!("{}/admin/v1", server.admin)).with_token(SECRET);
    let mut shown = Vec::new();
    for path in ["/overview", "/config", "/audit"] {
        let answer = admin.get(path).await;
        assert_eq!(answer.status, 200, "the token is that of the setting: {answer:?}");
        shown.push(answer.text);
    }
    let change = admin.patch("/config", json!({"auth.admin_token": SECRET})).await;
    assert_eq!(change.status, 400, "{change:?}");
    shown.push(change.text);
    shown.push(std::fs::read_to_string(format!("/proc/{}/cmdline", server.process_id())).unwrap());
    shown.push(server.log());
    shown.push(server.announced.join("\n"));
    for arguments in [&["config", "print"][..], &["--help"], &["serve", "--help"]] {
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_rookery"));
        let printed = program.args(arguments).env("ROOKERY_AUTH__ADMIN_TOKEN", SECRET).output().unwrap();
        assert!(printed.status.success(), "{printed:?}");
        shown.push(String::from_utf8(printed.stdout).unwrap() + &String::from_utf8(printed.stderr).unwrap());
    }
    assert!(shown.iter().all(|text| !text.contains(SECRET)), "{shown:?}");
}

#[tokio::test]
async fn every_change_is_in_the_audit_log() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let admin = server.administrator();
    admin.patch(&format!("/users/{}", bert.id), json!({"disabled": true})).await.body(200);
    admin.patch(&format!("/rooms/{room}"), json!({"archived": true})).await.body(200);
    admin.patch("/config", json!({"limits.send_burst": 99})).await.body(200);
    let secret = "given-by-the-admin-1";
    admin.patch(&format!("/users/{}", anna.id), json!({"password": secret})).await.body(200);
    admin.delete(&format!("/rooms/{room}")).await.body(204);
    let log = admin.list("/audit?limit=2").await;
    assert!(log.len() >= 5, "{log:?}");
    for line in &log {
        assert!(line["at"].is_string() && line["action"].is_string() && line["actor"].is_string(), "{line}");
    }
    let text = json!(log).to_string();
    for subject in [&bert.id, &anna.id, &room] {
        assert!(text.contains(subject.as_str()), "{subject} is in {text}");
    }
    assert!(!text.contains(secret), "no secrets: {text}");
    let server = server.kill_and_restart().await;
    assert!(server.administrator().list("/audit").await.len() >= log.len(), "it is kept");
}
