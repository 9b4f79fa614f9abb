//! Security case 71: files that are not what they are called, and names that lead elsewhere.

use serde_json::json;

use super::broken::files;
use super::*;
use crate::support::process::Server;

#[tokio::test]
async fn what_is_called_a_picture_is_what_it_is() {
    // 71
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    let mut picture_and_page = samples::png(4, 4, false);
    picture_and_page.extend(b"<html><script>alert(1)</script>");
    for (bytes, kind) in [
        (b"<!DOCTYPE html><script>alert(1)</script>".to_vec(), "file"),
        (b"<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\"><script/></svg>".to_vec(), "file"),
        (b"<svg xmlns=\"http://www.w3.org/2000/svg\"><foreignObject/></svg>".to_vec(), "file"),
        (b"%PDF-1.7 /JavaScript".to_vec(), "file"),
        (b"PK\x03\x04 a bomb".to_vec(), "file"),
        (b"\x1f\x8b\x08 a bomb".to_vec(), "file"),
        (picture_and_page, "picture"),
    ] {
        let file = upload(&anna, &room, "nest.png", &bytes).await;
        assert_eq!(file["kind"], kind, "{file}");
        let (status, headers, read) = super::bytes(&anna, &format!("/media/{}/content", id_of(&file))).await;
        assert_eq!(status, 200);
        assert_eq!(header(&headers, "x-content-type-options"), "nosniff");
        assert!(header(&headers, "content-security-policy").starts_with("sandbox"));
        if kind == "file" {
            assert_eq!(header(&headers, "content-type"), "application/octet-stream");
            assert!(header(&headers, "content-disposition").starts_with("attachment"));
        } else {
            assert!(!samples::holds(&read, "script"), "what stood behind the picture is gone");
        }
    }
}

#[tokio::test]
async fn names_that_deceive_are_refused_and_no_name_is_a_path() {
    // 71
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    let long = "x".repeat(300);
    for name in ["", "..", "../../x", "..\\x", "/etc/passwd", "C:\\x", "a\0.png", "a\u{202E}gnp.exe", "a\r\nb", &long] {
        let wish = json!({"name": name, "size": 3});
        let answer = anna.rest.post(&format!("/rooms/{room}/media"), wish).await;
        answer.refused_field(400, "bad_request", "/name");
    }
    for name in ["CON", "nest.jpg.exe", "a%00.png", "Grüße.pdf", ".profile"] {
        let file = upload(&anna, &room, name, b"abc").await;
        assert_eq!(file["name"], name);
    }
    for path in files(&server.data().join("media")) {
        let inside = path.rsplit("/media/").next().unwrap();
        let plain = inside.bytes().all(|byte| byte.is_ascii_hexdigit() || b"-/parts".contains(&byte));
        assert!(plain, "{path}");
    }
}
