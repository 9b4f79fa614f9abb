//! Files on several nodes: begun on one, sent to another, read on a third, whose link is good everywhere.

use serde_json::{Value, json};

use super::super::{
    node::Files,
    stores::{Stores, operator},
};
use super::nodes::turn;
use crate::support::{eventually, person::Person, process::Server, rest::send};

/// Two nodes that see the same objects.
async fn two(stores: &Stores) -> [Server; 2] {
    let files = Files::make("birds", &["n1", "n2"]);
    let first = stores.setup(&files, "n1").set("media.collect_seconds", 1);
    let folder = first.beside("objects").display().to_string();
    let first = first.set("media.folder", &folder).start().await;
    let seed = operator(&first).get("/nodes/n1").await.body(200)["address"].as_str().unwrap().to_owned();
    let second = stores.setup(&files, "n2").set("cluster.seeds", &seed).set("media.folder", &folder);
    let servers = [first, second.set("media.collect_seconds", 1).start().await];
    for admin in servers.iter().map(operator) {
        eventually("both nodes to take their part", || async {
            let shards = admin.list("/shards?limit=200").await;
            let owned = |node: &str| shards.iter().any(|shard| shard["owner"] == node);
            (owned("n1") && owned("n2")).then_some(())
        })
        .await;
    }
    servers
}

async fn put(who: &Person, path: &str, number: usize, part: &[u8]) {
    let request = who.rest.request("PUT", &format!("{path}/parts/{number}"));
    send(request.header("content-type", "application/octet-stream").body(part.to_vec())).await.body(204);
}

/// Takes a message back, however often its room must be asked.
async fn take_back(who: &Person, message: &str) {
    eventually("the message to be taken back", || async {
        let answer = who.rest.delete(message).await;
        assert!([204, 410, 503, 504].contains(&answer.status), "{answer:?}");
        [204, 410].contains(&answer.status).then_some(())
    })
    .await;
}

async fn text(who: &Person, path: &str) -> (u16, String) {
    let answer = who.rest.get(path).await;
    (answer.status, answer.text)
}

#[tokio::test]
async fn a_file_is_sent_attached_read_and_deleted_on_whichever_node() {
    let _turn = turn().await;
    let stores = Stores::new();
    let servers = two(&stores).await;
    let [anna, bert] = servers[0].people(["anna", "bert"]).await;
    let (anna_there, bert_there) = (anna.at(&servers[1]), bert.at(&servers[1]));
    // Rooms on either node.
    for name in ["tea", "coffee", "milk", "water"] {
        let room = anna.group(name, &[&bert]).await;
        let wish = json!({"name": "a.txt", "size": (4 << 20) + 3});
        let begun = anna.rest.post(&format!("/rooms/{room}/media"), wish).await.body(201);
        let path = format!("/media/{}", begun["id"].as_str().unwrap());
        put(&anna_there, &path, 0, &vec![b'a'; 4 << 20]).await;
        put(&anna, &path, 1, b"end").await;
        assert_eq!(anna_there.rest.get(&path).await.body(200)["parts"], json!([0, 1]));
        let ready = anna_there.rest.bare("POST", &format!("{path}/complete")).await.body(200);
        assert_eq!(ready["kind"], "file");
        let mut socket = anna.online().await;
        let mut reader = bert_there.online().await;
        let client_id = crate::support::client_id();
        let frame =
            json!({"type": "send", "room": room, "client_id": client_id, "body": "", "attachments": [begun["id"]]});
        let ack = socket.ask(frame.clone()).await;
        assert_eq!(ack["type"], "ack", "{ack}");
        let again = anna_there.online().await.ask(frame).await;
        assert_eq!((&again["seq"], &again["repeat"]), (&ack["seq"], &json!(true)));
        let event = reader.event(&room, ack["seq"].as_u64().unwrap()).await;
        assert_eq!(event["attachments"][0]["name"], "a.txt");
        let content = format!("{path}/content");
        let (status, whole) = text(&bert_there, &content).await;
        assert_eq!((status, whole.len(), whole.ends_with("aend")), (200, (4 << 20) + 3, true));
        let link: Value = bert.rest.bare("POST", &format!("{path}/links")).await.body(201);
        let url = link["url"].as_str().unwrap().trim_start_matches("/api/v1").to_owned();
        assert_eq!(servers[1].anonymous().get(&url).await.status, 200);
        let message = format!("/rooms/{room}/messages/{}", ack["seq"]);
        take_back(&anna_there, &message).await;
        for who in [&anna, &bert, &bert_there] {
            assert_eq!(text(who, &content).await.0, 404);
        }
        let folder = servers[0].setup().beside("objects").join(begun["id"].as_str().unwrap());
        eventually("its bytes to be gone", || async { (!folder.exists()).then_some(()) }).await;
    }
}

#[tokio::test]
async fn what_refers_to_files_is_healed_when_a_room_wakes_elsewhere() {
    let _turn = turn().await;
    let stores = Stores::new();
    let [one, other] = two(&stores).await;
    let [anna, bert] = other.people(["anna", "bert"]).await;
    let mut carried = Vec::new();
    for name in ["tea", "coffee", "milk", "water"] {
        let room = anna.group(name, &[&bert]).await;
        let file = anna.upload(&room, "a.txt", name.as_bytes()).await;
        let seq = anna.carry(&room, &[&file]).await;
        carried.push((name, room, file, seq));
    }
    // Whatever lived there wakes here, from the log; the objects stay.
    let _objects = one.setup().clone();
    drop(one);
    for (name, room, file, seq) in &carried {
        let path = format!("/media/{}/content", file["id"].as_str().unwrap());
        let message = format!("/rooms/{room}/messages/{seq}");
        assert_eq!(text(&bert, &path).await, (200, (*name).to_owned()));
        take_back(&anna, &message).await;
        assert_eq!(text(&bert, &path).await.0, 404);
    }
}
