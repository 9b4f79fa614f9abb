//! Files that messages carry: section 1 of the wire contract about them, and section F of the security cases.

mod attach;
mod broken;
mod bucket;
mod collect;
mod names;
mod pictures;
mod read;
mod samples;
mod size;
mod upload;

use serde_json::{Value, json};

use crate::support::person::Person;
use crate::support::rest::{Answer, send};

/// Bytes of each part but the last, as the contract says.
const PART: usize = 4 << 20;

/// Begins an upload.
async fn begin(who: &Person, room: &str, name: &str, size: usize) -> Answer {
    who.rest.post(&format!("/rooms/{room}/media"), json!({"name": name, "size": size})).await
}

async fn put_part(who: &Person, id: &str, number: usize, bytes: Vec<u8>) -> Answer {
    let request = who.rest.request("PUT", &format!("/media/{id}/parts/{number}"));
    send(request.header("content-type", "application/octet-stream").body(bytes)).await
}

async fn complete(who: &Person, id: &str) -> Answer {
    who.rest.bare("POST", &format!("/media/{id}/complete")).await
}

/// Uploads all of a file that was begun.
async fn put_all(who: &Person, id: &str, bytes: &[u8]) {
    for (number, part) in bytes.chunks(PART).enumerate() {
        put_part(who, id, number, part.to_vec()).await.body(204);
    }
}

/// A file that can be attached.
async fn upload(who: &Person, room: &str, name: &str, bytes: &[u8]) -> Value {
    who.upload(room, name, bytes).await
}

fn id_of(media: &Value) -> String {
    media["id"].as_str().expect("an id").to_owned()
}

async fn carry(who: &Person, room: &str, files: &[&Value]) -> u64 {
    who.carry(room, files).await
}

/// The bytes of an answer that is no text.
async fn bytes(who: &Person, path: &str) -> (u16, reqwest::header::HeaderMap, Vec<u8>) {
    let answer = crate::support::within(path, who.rest.request("GET", path).send()).await.expect("an answer");
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let bytes = crate::support::within(path, answer.bytes()).await.expect("its bytes");
    (status, headers, bytes.to_vec())
}

fn header<'h>(headers: &'h reqwest::header::HeaderMap, name: &str) -> &'h str {
    headers.get(name).map_or("", |value| value.to_str().expect("text"))
}
