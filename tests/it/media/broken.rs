//! Security case 73: uploads that are too long, too short, cut off, or more than there is room for.

use std::path::Path;

use serde_json::json;

use super::*;
use crate::support::eventually;
use crate::support::process::{Server, Setup};
use crate::support::raw::Raw;

/// The files below a folder.
pub(super) fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path.display().to_string());
        }
    }
    found
}

async fn raw_part(server: &Server, who: &Person, id: &str, headers: &str, body: &[u8]) -> Raw {
    let mut raw = Raw::tcp(server).await;
    let head = format!(
        "PUT /api/v1/media/{id}/parts/0 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/octet-stream\r\n{headers}\r\n\r\n",
        who.token
    );
    raw.write(head.as_bytes()).await;
    raw.try_write(body).await;
    raw
}

#[tokio::test]
async fn a_part_has_exactly_the_bytes_that_it_should_have() {
    // 73
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    let id = id_of(&begin(&anna, &room, "a", 1_000).await.body(201));
    for wrong in [0, 1, 999, 1_001, 100_000] {
        put_part(&anna, &id, 0, vec![0; wrong]).await.refused(400, "bad_request");
    }
    put_part(&anna, &id, 1, vec![0; 1_000]).await.refused_field(400, "bad_request", "/part");
    let request = anna.rest.request("PUT", &format!("/media/{id}/parts/99999999999999999999")).body("x");
    send(request).await.refused(404, "not_found");
    for media_type in ["application/json", "multipart/form-data", "text/plain"] {
        let request = anna.rest.request("PUT", &format!("/media/{id}/parts/0")).header("content-type", media_type);
        send(request.body(vec![0; 1_000])).await.refused(415, "bad_request");
    }
    // Chunks say no length in advance.
    for (length, status) in [(999, 400), (1_001, 400), (1_000, 204)] {
        let mut body = format!("{length:x}\r\n").into_bytes();
        body.extend(vec![7; length]);
        body.extend(b"\r\n0\r\n\r\n");
        let mut raw = raw_part(&server, &anna, &id, "Transfer-Encoding: chunked", &body).await;
        assert_eq!(raw.head().await.expect("an answer").status, status, "{length}");
    }
    assert_eq!(complete(&anna, &id).await.body(200)["state"], "ready");
}

#[tokio::test]
async fn uploads_that_break_off_leave_nothing_and_hold_nobody_up() {
    // 73
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    let id = id_of(&begin(&anna, &room, "a", 1_000).await.body(201));
    for _ in 0..20 {
        drop(raw_part(&server, &anna, &id, "Content-Length: 1000", &[0; 500]).await);
    }
    eventually("a place for a part", || async {
        (put_part(&anna, &id, 0, vec![1; 1_000]).await.status == 204).then_some(())
    })
    .await;
    let there = files(&server.data().join("media"));
    assert_eq!(there.len(), 1, "{there:?}");
    assert_eq!(complete(&anna, &id).await.body(200)["state"], "ready");
}

#[tokio::test]
async fn who_sends_slowly_leaves_places_for_others() {
    // 73
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let id = id_of(&begin(&anna, &room, "a", 1_000).await.body(201));
    let mut slow = Vec::new();
    for _ in 0..4 {
        slow.push(raw_part(&server, &anna, &id, "Content-Length: 1000", &[0; 500]).await);
    }
    // Three wait for the rest; one came too late, and is told so though it does not go on.
    let heads: Vec<_> = slow.iter_mut().map(|raw| Box::pin(raw.head())).collect();
    let (head, late, others) = futures_util::future::select_all(heads).await;
    drop(others);
    let head = head.expect("an answer");
    assert_eq!((head.status, head.header("retry-after")), (503, Some("1")), "{}", head.text);
    slow.remove(late);
    for raw in &mut slow {
        raw.write(&[0; 500]).await;
        assert_eq!(raw.head().await.expect("an answer").status, 204);
    }
    let mut slow = Vec::new();
    for _ in 0..3 {
        slow.push(raw_part(&server, &anna, &id, "Content-Length: 1000", &[0; 500]).await);
    }
    upload(&bert, &room, "b", b"abc").await;
}

#[tokio::test]
async fn a_thousand_parts_that_there_are_not_cost_nothing() {
    // 73
    let server = Setup::new().start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    let id = id_of(&begin(&anna, &room, "a", 2_147_483_648).await.body(201));
    for number in 0..1_000 {
        let answer = put_part(&anna, &id, number, vec![0; 10]).await;
        assert_eq!(answer.status, 400);
    }
    assert_eq!(files(&server.data().join("media")), Vec::<String>::new());
    let problem = complete(&anna, &id).await.refused_field(409, "conflict", "/parts");
    assert!(problem["detail"].as_str().unwrap().len() < 200, "{problem}");
    assert_eq!(anna.rest.get(&format!("/media/{id}")).await.body(200)["parts"], json!([]));
}
