//! Files in a bucket: the same as in a folder, over a server that speaks S3. `scripts/s3` starts one.

use futures_util::TryStreamExt as _;
use object_store::{ObjectStore as _, aws::AmazonS3Builder};
use serde_json::json;

use super::*;
use crate::support::eventually;
use crate::support::process::Setup;

const KEY: &str = "S3RVER";

fn endpoint() -> String {
    std::env::var("ROOKERY_TEST_S3").expect("this test needs a bucket: run it by `scripts/s3`")
}

fn setup(key: &str, secret: &str) -> Setup {
    Setup::new()
        .set("media.s3_bucket", "rookery")
        .set("media.s3_endpoint", endpoint())
        .set("media.s3_access_key", key)
        .set("media.s3_secret_key", secret)
        .set("media.collect_seconds", 1)
}

/// The objects of a file.
async fn objects(id: &str) -> Vec<String> {
    let bucket = AmazonS3Builder::new().with_bucket_name("rookery").with_region("us-east-1").with_endpoint(endpoint());
    let bucket = bucket.with_allow_http(true).with_access_key_id(KEY).with_secret_access_key(KEY).build().unwrap();
    let found = bucket.list(Some(&id.into())).try_collect::<Vec<_>>().await.unwrap();
    let mut names: Vec<String> = found.iter().map(|object| object.location.to_string()).collect();
    names.sort();
    names
}

#[tokio::test]
#[ignore = "needs a server that speaks S3: `scripts/s3`"]
async fn files_are_in_a_bucket_as_they_are_in_a_folder() {
    let server = setup(KEY, KEY).start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    let whole: Vec<u8> = (0..2 * PART + 1_000).map(|at| (at % 251) as u8).collect();
    let id = id_of(&begin(&anna, &room, "a.bin", whole.len()).await.body(201));
    put_part(&anna, &id, 2, whole[2 * PART..].to_vec()).await.body(204);
    assert_eq!(anna.rest.get(&format!("/media/{id}")).await.body(200)["parts"], json!([2]));
    put_all(&anna, &id, &whole).await;
    let file = complete(&anna, &id).await.body(200);
    let picture = upload(&anna, &room, "nest.png", &samples::png(600, 300, false)).await;
    let seq = carry(&anna, &room, &[&file, &picture]).await;
    let parts: Vec<String> = (0..3).map(|number| format!("{id}/parts/{number}")).collect();
    assert_eq!(objects(&id).await, parts);
    let anew = ["anew", "thumbnail"].map(|what| format!("{}/{what}/0", id_of(&picture)));
    assert_eq!(objects(&id_of(&picture)).await, anew, "what it was made from is gone");
    let path = format!("/media/{id}/content");
    assert!(bytes(&bert, &path).await.2 == whole);
    let range = format!("bytes={}-{}", PART - 5, PART + 4);
    let answer = bert.rest.request("GET", &path).header("range", range).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.bytes().await.unwrap().as_ref()), (206, &whole[PART - 5..PART + 5]));
    assert_eq!(bytes(&bert, &format!("/media/{}/thumbnail", id_of(&picture))).await.0, 200);
    anna.rest.delete(&format!("/rooms/{room}/messages/{seq}")).await.body(204);
    for id in [id, id_of(&picture)] {
        eventually("the objects to be gone", || async { objects(&id).await.is_empty().then_some(()) }).await;
    }
}

#[tokio::test]
#[ignore = "needs a server that speaks S3: `scripts/s3`"]
async fn a_bucket_that_refuses_is_told_to_who_asks_and_no_key_is_logged() {
    const WRONG: &str = "a-key-that-opens-nothing";
    let server = setup("nobody", WRONG).start().await;
    let anna = server.person("anna").await;
    let room = anna.group("tea", &[]).await;
    let id = id_of(&begin(&anna, &room, "a", 3).await.body(201));
    let answer = put_part(&anna, &id, 0, b"abc".to_vec()).await;
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(!answer.header("retry-after").is_empty());
    answer.refused(503, "unavailable");
    assert!(!server.log().contains(WRONG) && server.log().contains("a file could not be read or written"));
}
