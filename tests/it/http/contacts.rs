//! Contacts and blocks.

use serde_json::json;

use crate::support::process::Server;

#[tokio::test]
async fn an_invitation_is_made_seen_accepted_and_ended() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let to_bert = format!("/contacts/{}", bert.id);
    let to_anna = format!("/contacts/{}", anna.id);
    let invited = anna.rest.bare("PUT", &to_bert).await.body(201);
    assert_eq!((&invited["state"], &invited["user"]["id"]), (&json!("invited"), &json!(bert.id)));
    assert!(invited["since"].is_string(), "{invited}");
    assert_eq!(bert.rest.get(&to_anna).await.body(200)["state"], "asking");
    assert_eq!(anna.rest.bare("PUT", &to_bert).await.body(200)["state"], "invited", "asking twice changes nothing");
    let accepted = bert.rest.bare("PUT", &to_anna).await;
    assert!([200, 201].contains(&accepted.status), "{accepted:?}");
    for (who, path) in [(&anna, &to_bert), (&bert, &to_anna)] {
        assert_eq!(who.rest.get(path).await.body(200)["state"], "contact");
        let list = who.rest.list("/contacts").await;
        assert_eq!(list.len(), 1);
        assert_eq!(list[0]["state"], "contact");
    }
    anna.rest.delete(&to_bert).await.body(204);
    bert.rest.get(&to_anna).await.refused(404, "not_found");
    assert!(anna.rest.list("/contacts").await.is_empty());
}

#[tokio::test]
async fn an_invitation_can_be_cancelled_and_refused() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let to_bert = format!("/contacts/{}", bert.id);
    let to_anna = format!("/contacts/{}", anna.id);
    for (who, path) in [(&anna, &to_bert), (&bert, &to_anna)] {
        anna.rest.bare("PUT", &to_bert).await.body(201);
        who.rest.delete(path).await.body(204);
        anna.rest.get(&to_bert).await.refused(404, "not_found");
        bert.rest.get(&to_anna).await.refused(404, "not_found");
    }
    let nobody = format!("/contacts/{}", crate::support::client_id());
    anna.rest.bare("PUT", &nobody).await.refused(404, "not_found");
    let myself = anna.rest.bare("PUT", &to_anna).await;
    assert!([400, 409].contains(&myself.status), "nobody is their own contact: {myself:?}");
}

#[tokio::test]
async fn who_is_blocked_starts_no_direct_room_and_writes_in_none() {
    let server = Server::start().await;
    let [anna, bert, carl] = server.people(["anna", "bert", "carl"]).await;
    let old = bert.direct(&anna).await;
    bert.post(&old, "hello").await;
    let block = format!("/blocks/{}", bert.id);
    anna.rest.get(&block).await.refused(404, "not_found");
    let made = anna.rest.bare("PUT", &block).await;
    assert!([200, 201, 204].contains(&made.status), "{made:?}");
    assert_eq!(anna.rest.get(&block).await.status, 200);
    assert_eq!(anna.rest.list("/blocks").await.len(), 1);
    assert!(bert.rest.list("/blocks").await.is_empty(), "who is blocked does not see it listed");
    let message = json!({"client_id": crate::support::client_id(), "body": "hello?"});
    bert.rest.post(&format!("/rooms/{old}/messages"), message).await.refused(403, "blocked");
    let mut socket = bert.online().await;
    let id = crate::support::client_id();
    socket.refused(json!({"type": "send", "room": old, "client_id": id, "body": "hello?"}), "blocked").await;
    anna.rest.bare("PUT", &format!("/blocks/{}", carl.id)).await;
    carl.rest.bare("PUT", &format!("/direct/{}", anna.id)).await.refused(403, "blocked");
    anna.rest.delete(&block).await.body(204);
    bert.post(&old, "thank you").await;
}
