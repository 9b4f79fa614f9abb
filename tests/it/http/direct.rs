//! Direct rooms: one for each pair of people, whoever opens it.

use serde_json::json;

use crate::support::client_id;
use crate::support::process::Server;

#[tokio::test]
async fn two_people_have_one_direct_room() {
    let server = Server::start().await;
    let [anna, bert, carl] = server.people(["anna", "bert", "carl"]).await;
    let first = anna.rest.bare("PUT", &format!("/direct/{}", bert.id)).await.body(201);
    assert_eq!((&first["kind"], &first["visibility"]), (&json!("direct"), &json!("private")));
    assert_eq!(first["peer"]["id"], bert.id.as_str());
    assert_eq!(first["members"], 2);
    assert_eq!(anna.rest.bare("PUT", &format!("/direct/{}", bert.id)).await.body(200)["id"], first["id"]);
    let seen_by_bert = bert.rest.bare("PUT", &format!("/direct/{}", anna.id)).await.body(200);
    assert_eq!(seen_by_bert["id"], first["id"]);
    assert_eq!(seen_by_bert["peer"]["id"], anna.id.as_str());
    let room = first["id"].as_str().unwrap();
    carl.rest.get(&format!("/rooms/{room}")).await.refused(404, "not_found");
    anna.rest.bare("PUT", &format!("/direct/{}", client_id())).await.refused(404, "not_found");
    let myself = anna.rest.bare("PUT", &format!("/direct/{}", anna.id)).await;
    assert_eq!(myself.status, 400, "{myself:?}");
}

#[tokio::test]
async fn both_opening_at_once_get_the_same_room() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let (to_bert, to_anna) = (format!("/direct/{}", bert.id), format!("/direct/{}", anna.id));
    let calls = (0..8).map(|index| {
        let (who, path) = if index % 2 == 0 { (&anna, &to_bert) } else { (&bert, &to_anna) };
        who.rest.bare("PUT", path)
    });
    let answers = futures_util::future::join_all(calls).await;
    let created = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(created, 1, "one of them made it");
    let mut ids: Vec<String> = Vec::new();
    for answer in answers {
        let status = answer.status;
        assert!([200, 201].contains(&status), "{answer:?}");
        ids.push(answer.body(status)["id"].as_str().unwrap().to_owned());
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "{ids:?}");
}

#[tokio::test]
async fn a_direct_room_takes_no_third_and_loses_nobody() {
    let server = Server::start().await;
    let [anna, bert, carl] = server.people(["anna", "bert", "carl"]).await;
    let room = anna.direct(&bert).await;
    let add = anna.rest.put(&format!("/rooms/{room}/members/{}", carl.id), json!({})).await;
    assert!([400, 403].contains(&add.status), "{add:?}");
    let rename = anna.rest.patch(&format!("/rooms/{room}"), json!({"name": "us"})).await;
    assert!([400, 403].contains(&rename.status), "{rename:?}");
    let remove = anna.rest.delete(&format!("/rooms/{room}/members/{}", bert.id)).await;
    assert!([400, 403].contains(&remove.status), "{remove:?}");
    let seq = anna.post(&room, "hello").await;
    let mut reader = bert.resume(json!({room.as_str(): seq - 1})).await.0;
    assert_eq!(reader.event(&room, seq).await["body"], "hello");
    bert.post(&room, "hello yourself").await;
}
