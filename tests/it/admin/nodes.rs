//! Nodes and shards of a server that is alone.

use serde_json::json;

use crate::support::process::{Server, rookery};

#[tokio::test]
async fn a_node_alone_is_a_cluster_of_one() {
    let server = Server::start().await;
    let [anna, bert] = server.people(["anna", "bert"]).await;
    let room = anna.group("tea", &[&bert]).await;
    anna.post(&room, "hello").await;
    let admin = server.administrator();
    let nodes = admin.get("/nodes").await.body(200);
    let [node] = &nodes["items"].as_array().unwrap()[..] else { panic!("one node: {nodes}") };
    assert_eq!((&node["here"], &node["answers"], &node["draining"]), (&json!(true), &json!(true), &json!(false)));
    assert_eq!((&node["rooms_awake"], &node["links"]), (&json!(1), &json!([])));
    assert_eq!(node["version"], admin.get("/overview").await.body(200)["version"]);
    let name = node["node"].as_str().unwrap();
    assert_eq!(admin.get(&format!("/nodes/{name}")).await.body(200)["node"], name);
    admin.get("/nodes/nobody").await.refused(404, "not_found");
    assert_eq!(admin.get("/overview").await.body(200)["nodes"][0]["node"], name);

    let shown = admin.get(&format!("/rooms/{room}")).await.body(200);
    assert_eq!((&shown["owner"], &shown["epoch"]), (&json!(name), &json!(1)));
    let shards = admin.list("/shards").await;
    assert_eq!(shards.len(), 1_024);
    for (number, shard) in shards.iter().enumerate() {
        assert_eq!((&shard["shard"], &shard["owner"]), (&json!(number), &json!(name)), "{shard}");
        let is_claimed = shown["shard"] == json!(number);
        assert_eq!(shard["holder"] == name && shard["epoch"] == 1, is_claimed, "{shard}");
        assert!(shard["why"].as_str().unwrap().starts_with("there is no other node"), "{shard}");
    }

    let digest = admin.get(&format!("/rooms/{room}/digest")).await.body(200);
    let seen = json!([{"node": name, "epoch": 1, "head": digest["head"], "digest": digest["digest"]}]);
    assert_eq!(digest["nodes"], seen);
}

#[tokio::test]
async fn a_node_alone_has_nobody_to_give_to() {
    let server = Server::start().await;
    let admin = server.administrator();
    let name = admin.get("/nodes").await.body(200)["items"][0]["node"].as_str().unwrap().to_owned();
    admin.post(&format!("/nodes/{name}/drain"), json!(null)).await.refused(409, "conflict");
    admin.post("/nodes/nobody/drain", json!(null)).await.refused(404, "not_found");
    admin.post("/shards/7/move", json!({"to": name, "dry_run": true})).await.refused(409, "conflict");
    admin.post("/shards/7/move", json!({"to": "nobody"})).await.refused(404, "not_found");
    admin.post("/shards/1024/move", json!({})).await.refused(404, "not_found");
    admin.post("/shards/7/move", json!({"where": name})).await.refused(400, "bad_request");
}

#[tokio::test]
async fn the_command_line_shows_nodes_and_shards() {
    let server = Server::start().await;
    let token = server.token_file.display().to_string();
    let run = async |arguments: &[&str]| {
        let all = [&["admin", "--admin-url", &server.admin, "--token-file", &token], arguments].concat();
        let (code, out, err) = rookery(&all, "").await;
        (code, out, err)
    };
    let (code, table, err) = run(&["nodes"]).await;
    assert!(code == 0 && table.starts_with("node ") && table.lines().count() == 2, "{table}{err}");
    let (code, table, err) = run(&["shards"]).await;
    assert!(code == 0 && table.lines().count() == 1_025, "all pages: {}{err}", table.lines().count());
    let (_, json, err) = run(&["shards", "--json"]).await;
    let json: serde_json::Value = serde_json::from_str(&json).expect(&err);
    assert_eq!(json["items"].as_array().map(Vec::len), Some(1_024));
    let (code, _, err) = run(&["drain", "nobody"]).await;
    assert!(code == 1 && err.contains("404"), "{code} {err}");
    let (code, _, err) = run(&["move", "7", "nobody", "--dry-run"]).await;
    assert!(code == 1 && err.contains("404"), "{code} {err}");
}
