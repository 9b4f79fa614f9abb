//! A room that panics: its room-mates notice a delay; one that panics again and again is put in quarantine.

use serde_json::{Value, json};

use crate::support::process::Setup;
use crate::support::{client_id, eventually};

fn message(room: &str, body: &str) -> Value {
    json!({"type": "send", "room": room, "client_id": client_id(), "body": body})
}

#[tokio::test]
async fn a_room_that_panics_once_is_restarted_and_nobody_loses_anything() {
    let server = Setup::new().broken("room-panics").start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let (mut sender, mut reader) = (anna.online().await, bert.online().await);
    let first = sender.say(&room, "before").await["seq"].as_u64().unwrap();
    for (index, body) in ["panic once", "between", "after"].into_iter().enumerate() {
        let ack = sender.ask(message(&room, body)).await;
        assert_eq!(ack["type"], "ack", "{body}: {ack}");
        assert_eq!(ack["seq"], first + 1 + index as u64, "{body}");
    }
    assert_eq!(reader.seqs(&room, 4).await, (first..first + 4).collect::<Vec<_>>(), "in order, once, without a hole");
    let seq = reader.say(&room, "from the other side").await["seq"].as_u64().unwrap();
    sender.event(&room, seq).await;
    let bodies = bert.bodies(&room).await;
    assert_eq!(bodies, ["before", "panic once", "between", "after", "from the other side"]);
    let overview = server.administrator().get("/overview").await.body(200);
    assert_eq!(overview["quarantined"], json!([]), "{overview}");
}

#[tokio::test]
async fn a_room_that_panics_again_and_again_is_quarantined_and_the_others_work() {
    let server = Setup::new().broken("room-panics").start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let (sick, sound) = (anna.group("tea", &[&bert]).await, anna.group("coffee", &[&bert]).await);
    let (mut sender, mut reader) = (anna.online().await, bert.online().await);
    sender.say(&sick, "before").await;
    let poison = message(&sick, "panic always");
    let admin = server.administrator();
    let nack = eventually("the quarantine", || {
        let mut again = poison.clone();
        again["client_id"] = json!(client_id());
        let (sick, admin, token) = (sick.clone(), admin.clone(), anna.clone());
        async move {
            let mut socket = token.online().await;
            let answer = socket.ask(again).await;
            assert_eq!(answer["type"], "nack", "what panics is not acked: {answer}");
            let overview = admin.get("/overview").await.body(200);
            overview["quarantined"].as_array().unwrap().contains(&json!(sick)).then_some(answer)
        }
    })
    .await;
    assert_eq!(nack["code"], "unavailable", "{nack}");
    sender.refused(message(&sick, "anybody there?"), "unavailable").await;
    let seq = sender.say(&sound, "here all is well").await["seq"].as_u64().unwrap();
    reader.event(&sound, seq).await;
    let room = admin.get(&format!("/rooms/{sick}")).await.body(200);
    assert_eq!(room["quarantined"], true, "{room}");
    let freed = admin.patch(&format!("/rooms/{sick}"), json!({"quarantined": false})).await.body(200);
    assert_eq!(freed["quarantined"], false);
    assert_eq!(sender.say(&sick, "free again").await["type"], "ack");
    assert!(!anna.bodies(&sick).await.contains(&"panic always".to_owned()));
}
