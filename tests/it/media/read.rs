//! Security case 74: who reads a file, how, and until when.

use serde_json::json;

use super::*;
use crate::support::process::{Server, Setup};

#[tokio::test]
async fn a_file_is_read_by_who_sees_a_message_that_carries_it_and_by_nobody_else() {
    let server = Server::start().await;
    let [anna, bert, late, stranger] = server.people(["anna", "bert", "late", "carl"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let file = upload(&anna, &room, "nest.png", &samples::png(600, 300, false)).await;
    let paths = ["content", "thumbnail"].map(|what| format!("/media/{}/{what}", id_of(&file)));
    let shown = format!("/media/{}", id_of(&file));
    let status = async |who: &Person, path: &str| bytes(who, path).await.0;
    for path in &paths {
        assert_eq!((status(&anna, path).await, status(&bert, path).await), (200, 404), "{path}");
    }
    let seq = carry(&anna, &room, &[&file]).await;
    anna.rest.put(&format!("/rooms/{room}/members/{}", late.id), json!({})).await.body(201);
    for path in paths.iter().chain([&shown]) {
        assert_eq!((status(&anna, path).await, status(&bert, path).await), (200, 200), "{path}");
        assert_eq!((status(&late, path).await, status(&stranger, path).await), (404, 404), "{path}");
    }
    assert_eq!(server.anonymous().get(&paths[0]).await.status, 401);
    anna.rest.delete(&format!("/rooms/{room}/members/{}", bert.id)).await.body(204);
    let tag = bytes(&anna, &paths[0]).await.1["etag"].to_str().unwrap().to_owned();
    for path in &paths {
        assert_eq!(status(&bert, path).await, 404, "{path}");
        let conditional = bert.rest.request("GET", path).header("if-none-match", &tag);
        send(conditional).await.refused(404, "not_found");
    }
    anna.rest.delete(&format!("/rooms/{room}/messages/{seq}")).await.body(204);
    for path in paths.iter().chain([&shown]) {
        assert_eq!(status(&anna, path).await, 404, "taken back: {path}");
    }
}

#[tokio::test]
async fn a_part_of_a_file_is_read_across_its_parts() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    let whole: Vec<u8> = (0..PART + 1_000).map(|at| (at % 251) as u8).collect();
    let file = upload(&anna, &room, "a.bin", &whole).await;
    let path = format!("/media/{}/content", id_of(&file));
    let size = whole.len();
    for (range, begin, end) in [
        ("bytes=0-0".to_owned(), 0, 1),
        (format!("bytes={}-{}", PART - 5, PART + 4), PART - 5, PART + 5),
        (format!("bytes={}-", size - 7), size - 7, size),
        ("bytes=-7".to_owned(), size - 7, size),
        (format!("bytes=5-{}", u64::MAX), 5, size),
    ] {
        let answer = anna.rest.request("GET", &path).header("range", &range).send().await.unwrap();
        assert_eq!(answer.status(), 206, "{range}");
        assert_eq!(header(answer.headers(), "content-range"), format!("bytes {begin}-{}/{size}", end - 1));
        assert_eq!(answer.bytes().await.unwrap(), &whole[begin..end], "{range}");
    }
    let many = format!("bytes={}", "0-0,".repeat(1_000));
    for range in [format!("bytes={size}-"), "bytes=0-1,5-6".to_owned(), many] {
        let answer = send(anna.rest.request("GET", &path).header("range", range)).await;
        assert_eq!(answer.header("content-range"), format!("bytes */{size}"));
        answer.refused(416, "bad_request");
    }
    let tag = bytes(&anna, &path).await.1["etag"].to_str().unwrap().to_owned();
    for (name, value, status) in [
        ("if-none-match", tag.clone(), 304),
        ("if-none-match", format!("\"other\", W/{tag}"), 304),
        ("if-none-match", "\"other\"".to_owned(), 206),
        ("if-range", tag, 206),
        ("if-range", "\"other\"".to_owned(), 200),
    ] {
        let asked = anna.rest.request("GET", &path).header("range", "bytes=0-3").header(name, &value);
        assert_eq!(asked.send().await.unwrap().status(), status, "{name}: {value}");
    }
    let head = anna.rest.request("HEAD", &path).send().await.unwrap();
    assert_eq!(header(head.headers(), "content-length"), size.to_string());
}

#[tokio::test]
async fn what_is_shown_runs_nothing_and_the_rest_is_saved() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    let picture = upload(&anna, &room, "nést \"1\".png", &samples::png(4, 4, false)).await;
    let page = upload(&anna, &room, "page.html", b"<html><script>alert(1)</script></html>").await;
    for (file, media_type, disposition) in [
        (&picture, "image/png", "inline; filename*=UTF-8''n%C3%A9st%20%221%22.png"),
        (&page, "application/octet-stream", "attachment; filename*=UTF-8''page.html"),
    ] {
        let (status, headers, _) = bytes(&anna, &format!("/media/{}/content", id_of(file))).await;
        assert_eq!(status, 200);
        for (name, value) in [
            ("content-type", media_type),
            ("content-disposition", disposition),
            ("x-content-type-options", "nosniff"),
            ("content-security-policy", "sandbox; default-src 'none'"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", "private, no-cache"),
        ] {
            assert_eq!(header(&headers, name), value, "{name}");
        }
    }
    let (status, ..) = bytes(&anna, &format!("/media/{}/thumbnail", id_of(&page))).await;
    assert_eq!(status, 404);
    // What asks for pictures takes no JSON.
    let asked = anna.rest.request("GET", &format!("/media/{}/content", id_of(&picture))).header("accept", "image/*");
    assert_eq!(asked.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_link_is_good_for_its_file_and_its_login_and_for_who_may_read_at_that_moment() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let (file, other) = (upload(&anna, &room, "a", b"abc").await, upload(&anna, &room, "b", b"abd").await);
    bert.rest.bare("POST", &format!("/media/{}/links", id_of(&file))).await.refused(404, "not_found");
    carry(&anna, &room, &[&file, &other]).await;
    let link = bert.rest.bare("POST", &format!("/media/{}/links", id_of(&file))).await.body(201);
    let url = link["url"].as_str().unwrap().trim_start_matches("/api/v1").to_owned();
    assert!(link["expires_at"].is_string());
    let anonymous = server.anonymous();
    for _ in 0..3 {
        let answer = anonymous.get(&url).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, "abc"));
    }
    let elsewhere = url.replace(&id_of(&file), &id_of(&other));
    anonymous.get(&elsewhere).await.refused(401, "unauthenticated");
    let mut changed = url.clone();
    let last = changed.pop().unwrap();
    anonymous.get(&format!("{changed}{}", if last == 'A' { 'B' } else { 'A' })).await.refused(401, "unauthenticated");
    anonymous.get(&format!("/media/{}/content?ticket=", id_of(&file))).await.refused(401, "unauthenticated");
    // A ticket opens the file and nothing else.
    let ticket = url.split_once("ticket=").unwrap().1;
    anonymous.with_token(ticket).get("/me").await.refused(401, "unauthenticated");
    // Who may not read it any more has no use of it, and in time nobody has.
    let here = server.login("bert").await;
    anna.rest.delete(&format!("/rooms/{room}/members/{}", bert.id)).await.body(204);
    anonymous.get(&url).await.refused(404, "not_found");
    anna.rest.put(&format!("/rooms/{room}/members/{}", bert.id), json!({})).await.body(201);
    carry(&anna, &room, &[&file]).await;
    assert_eq!(anonymous.get(&url).await.status, 200);
    here.rest.delete(&format!("/logins/{}", bert.device)).await.body(204);
    anonymous.get(&url).await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn a_file_whose_bytes_are_lost_is_said_to_be() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    let file = upload(&anna, &room, "a", b"abc").await;
    std::fs::remove_dir_all(server.data().join("media").join(id_of(&file))).unwrap();
    anna.rest.get(&format!("/media/{}/content", id_of(&file))).await.refused(503, "unavailable");
}

#[tokio::test]
async fn links_end_after_five_minutes() {
    let server = Setup::new().start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    let file = upload(&anna, &room, "a", b"abc").await;
    let link = anna.rest.bare("POST", &format!("/media/{}/links", id_of(&file))).await.body(201);
    let ends = time::OffsetDateTime::parse(
        link["expires_at"].as_str().unwrap(),
        &time::format_description::well_known::Rfc3339,
    );
    let left = ends.unwrap() - time::OffsetDateTime::now_utc();
    assert!((290.0..=300.0).contains(&left.as_seconds_f64()), "{left}");
}
