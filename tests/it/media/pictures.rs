//! Security case 72: pictures that explode, and what stands in pictures besides what they show.

use serde_json::json;

use super::*;
use crate::support::process::Server;

async fn content(who: &Person, file: &Value, what: &str) -> (String, Vec<u8>) {
    let (status, headers, read) = bytes(who, &format!("/media/{}/{what}", id_of(file))).await;
    assert_eq!(status, 200);
    (header(&headers, "content-type").to_owned(), read)
}

#[tokio::test]
async fn pictures_are_made_anew_without_a_word_of_where_they_were_taken() {
    // 72
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    for (name, picture, media_type, size) in [
        ("a.png", samples::png(600, 300, false), "image/png", (600, 300)),
        ("b.png", samples::png(30, 20, true), "image/png", (30, 20)),
        ("c.gif", samples::gif(3), "image/gif", (2, 2)),
        ("d.jpg", samples::jpeg_on_its_side(), "image/jpeg", (8, 16)),
        ("e.webp", samples::moving_webp(), "image/webp", (16, 16)),
    ] {
        assert!(samples::holds(&picture, samples::SECRET), "{name}");
        let file = upload(&anna, &room, name, &picture).await;
        assert_eq!((&file["kind"], &file["type"]), (&json!("picture"), &json!(media_type)), "{file}");
        assert_eq!((&file["width"], &file["height"]), (&json!(size.0), &json!(size.1)), "{file}");
        assert!(file["blurhash"].is_string() && file["thumbnail"] == true, "{file}");
        let (shown_as, anew) = content(&anna, &file, "content").await;
        assert_eq!(shown_as, media_type);
        assert_eq!(file["size"], anew.len());
        let (_, small) = content(&anna, &file, "thumbnail").await;
        for bytes in [&anew, &small] {
            assert!(!samples::holds(bytes, samples::SECRET) && !samples::holds(bytes, "Exif"), "{name}");
        }
        let decoded = image::load_from_memory(&anew).expect("a picture");
        assert_eq!((decoded.width(), decoded.height()), size, "{name}");
        let decoded = image::load_from_memory(&small).expect("a picture");
        assert!(decoded.width().max(decoded.height()) <= 480, "{name}");
    }
}

#[tokio::test]
async fn a_picture_that_lies_on_its_side_is_turned_upright() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    let file = upload(&anna, &room, "a.jpg", &samples::jpeg_on_its_side()).await;
    let upright = image::load_from_memory(&content(&anna, &file, "content").await.1).unwrap().into_luma8();
    // What was to the left is above.
    assert!(upright.get_pixel(4, 1).0[0] < 60 && upright.get_pixel(4, 14).0[0] > 190);
}

#[tokio::test]
async fn what_is_transparent_stays_so_and_what_moves_goes_on_moving() {
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    let holes = upload(&anna, &room, "a.png", &samples::png(30, 20, true)).await;
    for what in ["content", "thumbnail"] {
        let (media_type, bytes) = content(&anna, &holes, what).await;
        assert_eq!(media_type, "image/png");
        let pixels = image::load_from_memory(&bytes).unwrap().into_rgba8();
        assert_eq!((pixels.get_pixel(0, 0).0[3], pixels.get_pixel(1, 0).0[3]), (0, 255), "{what}");
    }
    use image::AnimationDecoder as _;
    let gif = content(&anna, &upload(&anna, &room, "a.gif", &samples::gif(3)).await, "content").await.1;
    assert!(samples::holds(&gif, "NETSCAPE2.0"), "it goes on for ever");
    let frames = image::codecs::gif::GifDecoder::new(std::io::Cursor::new(gif)).unwrap().into_frames();
    let frames = frames.collect_frames().unwrap();
    assert_eq!(frames.len(), 3);
    assert_eq!(frames[2].delay().numer_denom_ms(), (50, 1));
    assert_eq!(frames[2].buffer().get_pixel(0, 1).0, [0, 0, 255, 255]);
    let webp = content(&anna, &upload(&anna, &room, "a.webp", &samples::moving_webp()).await, "content").await.1;
    let decoder = image::codecs::webp::WebPDecoder::new(std::io::Cursor::new(webp)).unwrap();
    assert_eq!(decoder.into_frames().collect_frames().unwrap().len(), 3);
}

#[tokio::test]
async fn pictures_that_explode_are_plain_files_and_cost_little() {
    // 72
    let server = Server::start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    upload(&anna, &room, "warm.png", &samples::png(600, 300, false)).await;
    let before = server.memory();
    let mut truncated = samples::png(600, 300, false);
    truncated.truncate(20_000);
    let mut jpeg = samples::jpeg_on_its_side();
    jpeg.truncate(300);
    for (name, picture) in [
        ("bomb.png", samples::bomb(50_000)),
        ("bomb.png", samples::bomb(u32::MAX / 2)),
        ("none.png", samples::bomb(0)),
        ("many.gif", samples::gif(100_000)),
        ("501.gif", samples::gif(501)),
        ("short.png", truncated),
        ("short.jpg", jpeg),
    ] {
        let file = upload(&anna, &room, name, &picture).await;
        assert_eq!((&file["kind"], &file["type"]), (&json!("file"), &json!("application/octet-stream")), "{name}");
        let (status, headers, read) = bytes(&anna, &format!("/media/{}/content", id_of(&file))).await;
        assert_eq!((status, header(&headers, "content-type")), (200, "application/octet-stream"), "{name}");
        assert!(read == picture, "{name} is as it was");
        let grown = server.memory().saturating_sub(before);
        assert!(grown < 64 << 20, "{name}: {grown} bytes more");
    }
    let file = upload(&anna, &room, "500.gif", &samples::gif(500)).await;
    assert_eq!(file["kind"], "picture");
}
