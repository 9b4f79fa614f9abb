//! Uploads: begun, sent in parts in any order, gone on with after a restart, completed once.

use serde_json::json;

use super::*;
use crate::support::process::{Server, Setup};

#[tokio::test]
async fn an_upload_is_begun_sent_in_parts_and_completed() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    let bytes: Vec<u8> = (0..PART + 1_000).map(|at| (at % 251) as u8).collect();
    let begun = begin(&anna, &room, "notes.bin", bytes.len()).await.body(201);
    let id = id_of(&begun);
    assert_eq!(begun["room"], room);
    assert_eq!((&begun["name"], &begun["size"]), (&json!("notes.bin"), &json!(bytes.len())));
    assert_eq!(
        (&begun["part_size"], &begun["parts"], &begun["state"]),
        (&json!(PART), &json!([]), &json!("uploading"))
    );
    // In any order, and again.
    put_part(&anna, &id, 1, bytes[PART..].to_vec()).await.body(204);
    let shown = anna.rest.get(&format!("/media/{id}")).await.body(200);
    assert_eq!(shown["parts"], json!([1]));
    let problem = complete(&anna, &id).await.refused_field(409, "conflict", "/parts");
    assert!(problem["detail"].as_str().unwrap().contains("parts 0 are missing"), "{problem}");
    for _ in 0..2 {
        put_part(&anna, &id, 0, bytes[..PART].to_vec()).await.body(204);
    }
    // Never other bytes: what is there may be being summed at this moment.
    put_part(&anna, &id, 0, vec![9; PART]).await.refused_field(409, "conflict", "/part");
    let ready = complete(&anna, &id).await.body(200);
    assert_eq!((&ready["state"], &ready["kind"]), (&json!("ready"), &json!("file")));
    assert_eq!(ready["type"], "application/octet-stream");
    assert_eq!(ready["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(complete(&anna, &id).await.body(200), ready, "once more says the same");
    put_part(&anna, &id, 0, bytes[..PART].to_vec()).await.refused(409, "conflict");
    assert_eq!(super::bytes(&anna, &format!("/media/{id}/content")).await.2, bytes);
}

#[tokio::test]
async fn an_upload_goes_on_where_it_was_after_a_restart() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    let bytes = vec![7; 2 * PART + 5];
    let id = id_of(&begin(&anna, &room, "a", bytes.len()).await.body(201));
    put_part(&anna, &id, 0, bytes[..PART].to_vec()).await.body(204);
    put_part(&anna, &id, 2, bytes[2 * PART..].to_vec()).await.body(204);
    let server = server.kill_and_restart().await;
    let anna = anna.on(&server.url);
    let shown = anna.rest.get(&format!("/media/{id}")).await.body(200);
    assert_eq!((&shown["parts"], &shown["state"]), (&json!([0, 2]), &json!("uploading")));
    put_part(&anna, &id, 1, bytes[PART..2 * PART].to_vec()).await.body(204);
    assert_eq!(complete(&anna, &id).await.body(200)["state"], "ready");
    let server = server.kill_and_restart().await;
    let anna = anna.on(&server.url);
    assert_eq!(super::bytes(&anna, &format!("/media/{id}/content")).await.2, bytes);
}

#[tokio::test]
async fn what_came_is_held_to_the_sum_that_was_announced() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    let sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    for (sent, good) in [("abc", true), ("abd", false)] {
        let wish = json!({"name": "abc", "size": 3, "sha256": sum});
        let id = id_of(&anna.rest.post(&format!("/rooms/{room}/media"), wish).await.body(201));
        put_all(&anna, &id, sent.as_bytes()).await;
        let answer = complete(&anna, &id).await;
        if good {
            assert_eq!(answer.body(200)["sha256"], sum);
            continue;
        }
        answer.refused_field(409, "conflict", "/sha256");
        complete(&anna, &id).await.refused_field(409, "conflict", "/sha256");
        assert_eq!(anna.rest.get(&format!("/media/{id}")).await.body(200)["state"], "refused");
        put_part(&anna, &id, 0, b"abc".to_vec()).await.refused(409, "conflict");
    }
}

#[tokio::test]
async fn who_may_not_write_may_not_upload() {
    let server = Server::start().await;
    let [anna, bert, stranger] = server.people(["anna", "bert", "carl"]).await;
    let room = anna.group("tea", &[&bert]).await;
    begin(&bert, &room, "a", 1).await.body(201);
    begin(&stranger, &room, "a", 1).await.refused(404, "not_found");
    let member = format!("/rooms/{room}/members/{}", bert.id);
    anna.rest.put(&member, json!({"role": "reader"})).await.body(200);
    begin(&bert, &room, "a", 1).await.refused(403, "forbidden");
    anna.rest.put(&member, json!({"role": "member"})).await.body(200);
    anna.rest.patch(&format!("/rooms/{room}"), json!({"archived": true})).await.body(200);
    begin(&bert, &room, "a", 1).await.refused(409, "archived");
    let direct = anna.rest.bare("PUT", &format!("/direct/{}", bert.id)).await.body(201);
    anna.rest.bare("PUT", &format!("/blocks/{}", bert.id)).await;
    begin(&bert, direct["id"].as_str().unwrap(), "a", 1).await.refused(403, "blocked");
}

#[tokio::test]
async fn only_the_uploader_sends_completes_and_deletes() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let id = id_of(&begin(&anna, &room, "a", 3).await.body(201));
    put_part(&bert, &id, 0, b"abc".to_vec()).await.refused(404, "not_found");
    complete(&bert, &id).await.refused(404, "not_found");
    bert.rest.get(&format!("/media/{id}")).await.refused(404, "not_found");
    bert.rest.delete(&format!("/media/{id}")).await.refused(404, "not_found");
    put_all(&anna, &id, b"abc").await;
    bert.rest.get(&format!("/media/{id}")).await.refused(404, "not_found");
    anna.rest.delete(&format!("/media/{id}")).await.body(204);
    anna.rest.get(&format!("/media/{id}")).await.refused(404, "not_found");
    complete(&anna, &id).await.refused(404, "not_found");
}

#[tokio::test]
async fn wrong_wishes_name_the_field() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    let voice = |duration: i64, waveform: Vec<u32>| json!({"duration_ms": duration, "waveform": waveform});
    for (wish, pointer) in [
        (json!({"size": 1}), "/name"),
        (json!({"name": "a"}), "/size"),
        (json!({"name": "a", "size": 0}), "/size"),
        (json!({"name": "a", "size": -1}), "/size"),
        (json!({"name": "a", "size": 1, "sha256": "ab"}), "/sha256"),
        (json!({"name": "a", "size": 1, "type": "image/png"}), "/type"),
        (json!({"name": "a", "size": 1, "voice": voice(86_400_001, vec![])}), "/voice/duration_ms"),
        (json!({"name": "a", "size": 1, "voice": voice(1, vec![0; 129])}), "/voice/waveform"),
        (json!({"name": "a", "size": 1, "voice": voice(1, vec![101])}), "/voice/waveform"),
    ] {
        anna.rest.post(&format!("/rooms/{room}/media"), wish).await.refused_field(400, "bad_request", pointer);
    }
    let wish = json!({"name": "a", "size": 2_147_483_649_u64});
    anna.rest.post(&format!("/rooms/{room}/media"), wish).await.refused_field(413, "too_large", "/size");
}

#[tokio::test]
async fn what_a_user_keeps_has_a_bound() {
    let server = Setup::new().set("media.quota", 1_000).start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    let first = id_of(&begin(&anna, &room, "a", 600).await.body(201));
    begin(&anna, &room, "b", 401).await.refused(413, "quota");
    anna.rest.delete(&format!("/media/{first}")).await.body(204);
    begin(&anna, &room, "b", 401).await.body(201);
    for _ in 0..15 {
        begin(&anna, &room, "c", 1).await.body(201);
    }
    let problem = begin(&anna, &room, "d", 1).await.refused(413, "quota");
    assert!(problem["detail"].as_str().unwrap().contains("16"), "{problem}");
}

#[tokio::test]
async fn the_same_key_begins_one_upload() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    let ask = || anna.rest.request("POST", &format!("/rooms/{room}/media")).header("idempotency-key", "one");
    let wish = json!({"name": "a", "size": 1});
    let first = send(ask().json(&wish)).await.body(201);
    let again = send(ask().json(&wish)).await;
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.body(201), first);
}
