//! The OpenAPI document: every route of the table with its description.

use serde_json::{Map, Value, json};

use super::{
    files,
    operation::{Operation, collect},
    operators, people, rooms,
};
use crate::http::{
    ProblemBody,
    access::{self, Access},
};

/// Every description.
pub(super) fn operations() -> Vec<Operation> {
    let mut all = people::operations();
    all.extend(rooms::operations());
    all.extend(files::operations());
    all.extend(operators::operations());
    all
}

/// The whole document.
pub(super) fn document() -> Value {
    let mut schemas = Map::new();
    collect::<ProblemBody<'_>>(&mut schemas);
    let mut paths = Map::new();
    let table: Vec<_> = access::public().into_iter().chain(access::operators()).collect();
    for Operation { method, path, mut json, schemas: used } in operations() {
        let route = table.iter().find(|route| route.method == method && route.path == path);
        let access = route.unwrap_or_else(|| panic!("{method} {path} is described and not there")).access;
        json["security"] = if access == Access::Open { json!([]) } else { json!([{ "token": [] }]) };
        json["tags"] = json!([tag(path, access)]);
        let item = paths.entry(path).or_insert_with(|| json!({}));
        let before = item.as_object_mut().unwrap().insert(method.as_str().to_lowercase(), json);
        assert!(before.is_none(), "{method} {path} is described twice");
        merge(&mut schemas, used);
    }
    schemas.sort_keys();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Rookery",
            "version": "1",
            "description": "REST of a Rookery server. The rules behind it, and the WebSocket, are in protocol.md and asyncapi.json.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
        },
    })
}

/// Adds schemas; two types of one name would hide each other.
pub(super) fn merge(schemas: &mut Map<String, Value>, used: Map<String, Value>) {
    for (name, schema) in used {
        let before = schemas.insert(name.clone(), schema.clone());
        assert!(before.is_none_or(|before| before == schema), "two types are called {name}");
    }
}

fn tag(path: &str, access: Access) -> &str {
    if access == Access::Admin {
        return "admin";
    }
    path.strip_prefix("/api/v1/").and_then(|rest| rest.split('/').next()).unwrap_or("server")
}
