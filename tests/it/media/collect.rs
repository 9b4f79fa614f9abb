//! What nobody uses any more is removed, with its bytes.

use serde_json::json;

use super::broken::files;
use super::*;
use crate::support::eventually;
use crate::support::process::{Server, Setup};

fn setup() -> Setup {
    Setup::new().set("media.collect_seconds", 1)
}

async fn gone(server: &Server, id: &str) {
    let folder = server.data().join("media").join(id);
    eventually("the bytes to be gone", || async { (!folder.exists()).then_some(()) }).await;
}

#[tokio::test]
async fn a_file_goes_with_the_message_that_carries_it() {
    let server = setup().start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let (twice, once) = (upload(&anna, &room, "a", b"abc").await, upload(&anna, &room, "b", b"abd").await);
    let first = carry(&anna, &room, &[&twice, &once]).await;
    carry(&anna, &room, &[&twice]).await;
    anna.rest.delete(&format!("/media/{}", id_of(&once))).await.refused(409, "conflict");
    anna.rest.delete(&format!("/rooms/{room}/messages/{first}")).await.body(204);
    gone(&server, &id_of(&once)).await;
    assert_eq!(bytes(&bert, &format!("/media/{}/content", id_of(&twice))).await.2, b"abc");
    let server = server.kill_and_restart().await;
    let bert = bert.on(&server.url);
    assert_eq!(bytes(&bert, &format!("/media/{}/content", id_of(&twice))).await.2, b"abc");
}

#[tokio::test]
async fn files_go_with_their_room_and_with_their_account() {
    let server = setup().start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let (room, other) = (anna.group("tea", &[&bert]).await, anna.group("coffee", &[&bert]).await);
    let here = upload(&anna, &room, "a", b"abc").await;
    let (theirs, mine) = (upload(&bert, &other, "b", b"abc").await, upload(&anna, &other, "c", b"abc").await);
    for (who, place, file) in [(&anna, &room, &here), (&bert, &other, &theirs), (&anna, &other, &mine)] {
        carry(who, place, &[file]).await;
    }
    anna.rest.delete(&format!("/rooms/{room}")).await.body(204);
    gone(&server, &id_of(&here)).await;
    let password = json!({"password": crate::support::person::PASSWORD});
    let erase = bert.rest.request("DELETE", "/me").json(&password);
    send(erase).await.body(204);
    gone(&server, &id_of(&theirs)).await;
    assert_eq!(bytes(&anna, &format!("/media/{}/content", id_of(&theirs))).await.0, 404);
    assert_eq!(bytes(&anna, &format!("/media/{}/content", id_of(&mine))).await.2, b"abc");
}

#[tokio::test]
async fn what_is_not_completed_and_what_is_not_attached_goes_after_its_time() {
    let server = setup().set("media.upload_seconds", 1).set("media.unused_seconds", 1).start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    let kept = upload(&anna, &room, "kept", b"abc").await;
    carry(&anna, &room, &[&kept]).await;
    let loose = upload(&anna, &room, "loose", b"abc").await;
    let unfinished = id_of(&begin(&anna, &room, "unfinished", PART + 1).await.body(201));
    put_part(&anna, &unfinished, 1, vec![0]).await;
    for id in [id_of(&loose), unfinished] {
        gone(&server, &id).await;
        anna.rest.get(&format!("/media/{id}")).await.refused(404, "not_found");
    }
    assert_eq!(bytes(&anna, &format!("/media/{}/content", id_of(&kept))).await.2, b"abc");
    assert_eq!(files(&server.data().join("media")).len(), 1);
}
