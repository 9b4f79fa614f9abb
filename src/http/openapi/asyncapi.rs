//! The AsyncAPI document: the frames of the WebSocket, made from the types of the core.

use rookery_core::frame::{client, server::ServerFrame};
use serde_json::{Map, Value, json};
use utoipa::{PartialSchema as _, ToSchema};

use super::{
    document::merge,
    operation::{collect, reference},
};

/// The whole document.
pub(super) fn document() -> Value {
    let mut schemas = Map::new();
    let mut messages = Map::new();
    let sent = client_frames(&mut schemas, &mut messages);
    let received = server_frames(&mut schemas, &mut messages);
    schemas.sort_keys();
    let refer = |names: &[String]| -> Vec<Value> {
        names.iter().map(|name| json!({ "$ref": format!("#/channels/socket/messages/{name}") })).collect()
    };
    let in_channel: Map<String, Value> = messages
        .keys()
        .map(|name| (name.clone(), json!({ "$ref": format!("#/components/messages/{name}") })))
        .collect();
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Rookery",
            "version": "1",
            "description": "The WebSocket of a Rookery server. What the frames mean, and in which order they come, is in protocol.md.",
            "license": { "name": "Apache-2.0" },
        },
        "defaultContentType": "application/json",
        "servers": { "here": {
            "host": "127.0.0.1:8080", "protocol": "ws", "security": [{ "$ref": "#/components/securitySchemes/token" }] } },
        "channels": { "socket": {
            "address": "/api/v1/ws",
            "description": "Subprotocol `rookery.v1.json`; one JSON object per text frame.",
            "messages": in_channel,
        } },
        "operations": {
            "ask": { "action": "receive", "channel": { "$ref": "#/channels/socket" }, "summary": "What clients say.",
                "messages": refer(&sent) },
            "tell": { "action": "send", "channel": { "$ref": "#/channels/socket" }, "summary": "What the server says.",
                "messages": refer(&received) },
        },
        "components": {
            "messages": messages,
            "schemas": schemas,
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
        },
    })
}

fn client_frames(schemas: &mut Map<String, Value>, messages: &mut Map<String, Value>) -> Vec<String> {
    let mut names = Vec::new();
    let mut add = |(word, message, collected): (&str, Value, Map<String, Value>)| {
        let name = format!("client_{word}");
        merge(schemas, collected);
        messages.insert(name.clone(), message);
        names.push(name);
    };
    add(client_frame::<client::Hello>("hello"));
    add(client_frame::<client::Send>("send"));
    add(client_frame::<client::Edit>("edit"));
    add(client_frame::<client::Delete>("delete"));
    add(client_frame::<client::React>("react"));
    add(client_frame::<client::Mark>("mark"));
    add(client_frame::<client::Typing>("typing"));
    add(client_frame::<client::Watch>("watch"));
    add(client_frame::<client::Sync>("sync"));
    add(client_frame::<client::Ping>("ping"));
    names
}

fn client_frame<T: ToSchema>(word: &'static str) -> (&'static str, Value, Map<String, Value>) {
    let mut schemas = Map::new();
    collect::<T>(&mut schemas);
    let payload =
        json!({ "allOf": [reference::<T>(), { "type": "object", "properties": { "type": { "const": word } } }] });
    let summary = schemas[T::name().as_ref()]["description"].clone();
    (word, json!({ "name": word, "summary": summary, "payload": payload }), schemas)
}

/// Each variant of the server's frames is a message; its word stands in the schema of its `type`.
fn server_frames(schemas: &mut Map<String, Value>, messages: &mut Map<String, Value>) -> Vec<String> {
    let mut names = Vec::new();
    let mut used = Map::new();
    collect::<ServerFrame<'_>>(&mut used);
    used.remove(ServerFrame::name().as_ref());
    merge(schemas, used);
    let all = serde_json::to_value(ServerFrame::schema()).unwrap();
    for variant in all["oneOf"].as_array().unwrap() {
        let word = word_of(variant).unwrap_or_else(|| panic!("no type in {variant}"));
        let summary = variant["description"].clone();
        let name = format!("server_{word}");
        messages.insert(name.clone(), json!({ "name": word, "summary": summary, "payload": variant }));
        names.push(name);
    }
    names
}

fn word_of(schema: &Value) -> Option<String> {
    let kind = &schema["properties"]["type"];
    let word = kind["const"].as_str().or_else(|| kind["enum"][0].as_str());
    let in_parts = || schema["allOf"].as_array()?.iter().find_map(word_of);
    word.map(ToOwned::to_owned).or_else(in_parts)
}
