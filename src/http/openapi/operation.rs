//! One operation as the OpenAPI document describes it.

use actix_web::http::Method;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// What a parameter of the query may be.
#[derive(Clone, Copy)]
pub(super) enum Parameter {
    /// `limit`
    Limit,
    /// `after`, a cursor
    Cursor,
    /// A position in a log.
    Seq(&'static str, &'static str),
    /// Words.
    Text(&'static str, &'static str),
    /// Words that must be there.
    Words(&'static str, &'static str),
    /// Whatever, as long as it is there.
    Given(&'static str, &'static str),
    /// 0 or 1
    Flag(&'static str, &'static str),
}

/// A page of a list.
pub(super) const PAGED: [Parameter; 2] = [Parameter::Limit, Parameter::Cursor];

/// One operation.
pub(super) struct Operation {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) json: Value,
    pub(super) schemas: Map<String, Value>,
}

/// An operation without parameters, body and answers.
pub(super) fn operation(method: Method, path: &'static str, summary: &str) -> Operation {
    let words = path.split(['/', '{', '}']).filter(|word| !word.is_empty() && *word != "api" && *word != "v1");
    let id = words.fold(method.as_str().to_lowercase(), |id, word| format!("{id}_{}", word.replace('.', "_")));
    let parameters: Vec<Value> =
        path.split('{').skip(1).filter_map(|rest| rest.split('}').next()).map(in_path).collect();
    let json = json!({
        "operationId": id,
        "summary": summary,
        "parameters": parameters,
        "responses": { "default": { "description": "What went wrong.", "content": {
            "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } } } },
    });
    Operation { method, path, json, schemas: Map::new() }
}

fn position() -> Value {
    json!({ "type": "integer", "format": "int64", "minimum": 0, "maximum": rookery_core::ids::MAX_SEQ })
}

fn in_path(name: &str) -> Value {
    let schema = match name {
        "seq" => position(),
        "part" => json!({ "type": "integer", "format": "int64", "minimum": 0, "maximum": 262_143 }),
        "shard" => {
            json!({ "type": "integer", "format": "int32", "minimum": 0, "maximum": rookery_core::ids::SHARDS - 1 })
        }
        "emoji" | "page" | "decision" | "node" => json!({ "type": "string" }),
        _ => json!({ "type": "string", "format": "uuid" }),
    };
    json!({ "name": name, "in": "path", "required": true, "schema": schema })
}

impl Operation {
    /// It takes this body.
    pub(super) fn takes<T: ToSchema>(self) -> Self {
        self.body::<T>(true)
    }

    /// It takes raw bytes.
    pub(super) fn takes_bytes(mut self) -> Self {
        let content = json!({ "application/octet-stream": { "schema": { "type": "string", "format": "binary" } } });
        self.json["requestBody"] = json!({ "required": true, "content": content });
        self
    }

    /// It may take this body.
    pub(super) fn may_take<T: ToSchema>(self) -> Self {
        self.body::<T>(false)
    }

    fn body<T: ToSchema>(mut self, required: bool) -> Self {
        collect::<T>(&mut self.schemas);
        self.json["requestBody"] =
            json!({ "required": required, "content": { "application/json": { "schema": reference::<T>() } } });
        self
    }

    /// It takes these parameters.
    pub(super) fn with(mut self, parameters: &[Parameter]) -> Self {
        let shown = parameters.iter().map(|parameter| in_query(*parameter));
        if let Some(list) = self.json["parameters"].as_array_mut() {
            list.extend(shown);
        }
        self
    }

    /// It takes an idempotency key.
    pub(super) fn repeatable(mut self) -> Self {
        let schema = json!({ "type": "string", "minLength": 1, "maxLength": 64 });
        let description = "The same key and body get the same answer for 24 hours.";
        let header = json!({ "name": "Idempotency-Key", "in": "header", "description": description, "schema": schema });
        if let Some(list) = self.json["parameters"].as_array_mut() {
            list.push(header);
        }
        self
    }

    /// It answers this.
    pub(super) fn gives<T: ToSchema>(mut self, status: u16, description: &str) -> Self {
        collect::<T>(&mut self.schemas);
        self.json["responses"][status.to_string()] = json!({
            "description": description, "content": { "application/json": { "schema": reference::<T>() } } });
        self
    }

    /// It may answer this instead, under the same status.
    pub(super) fn may_give<T: ToSchema>(mut self, status: u16) -> Self {
        collect::<T>(&mut self.schemas);
        self.json["responses"][status.to_string()]["content"]["application/json"] =
            json!({ "schema": reference::<T>() });
        self
    }

    /// It answers pages of these.
    pub(super) fn lists<T: ToSchema>(mut self) -> Self {
        collect::<T>(&mut self.schemas);
        let schema = json!({ "type": "object", "required": ["items", "next"], "properties": {
            "items": { "type": "array", "items": reference::<T>() },
            "next": { "type": ["string", "null"], "description": "The `after` to go on with." } } });
        self.json["responses"]["200"] =
            json!({ "description": "A page.", "content": { "application/json": { "schema": schema } } });
        self.with(&PAGED)
    }

    /// It answers something that is not JSON, or nothing.
    pub(super) fn says(mut self, status: u16, kind: Option<&str>, description: &str) -> Self {
        let mut answer = json!({ "description": description });
        if let Some(kind) = kind {
            answer["content"] = json!({ kind: { "schema": { "type": "string" } } });
        }
        self.json["responses"][status.to_string()] = answer;
        self
    }

    /// It is done.
    pub(super) fn done(self) -> Self {
        self.says(204, None, "It is done.")
    }
}

fn in_query(parameter: Parameter) -> Value {
    let (name, schema, description) = match parameter {
        Parameter::Limit => {
            ("limit", json!({ "type": "integer", "minimum": 1, "maximum": 200, "default": 50 }), "How many at most.")
        }
        Parameter::Cursor => ("after", json!({ "type": "string" }), "The `next` of the page before."),
        Parameter::Seq(name, words) => (name, position(), words),
        Parameter::Text(name, words) => (name, json!({ "type": "string", "maxLength": 256 }), words),
        Parameter::Words(name, words) => (name, json!({ "type": "string", "minLength": 1, "maxLength": 256 }), words),
        Parameter::Given(name, words) => (name, json!({ "type": "string" }), words),
        Parameter::Flag(name, words) => (name, json!({ "type": "string", "enum": ["0", "1"] }), words),
    };
    let required = matches!(parameter, Parameter::Words(..));
    json!({ "name": name, "in": "query", "required": required, "description": description, "schema": schema })
}

/// The schema of a type and of all that it is made of.
pub(super) fn collect<T: ToSchema>(schemas: &mut Map<String, Value>) {
    let mut found = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut found);
    for (name, schema) in found {
        let json = serde_json::to_value(schema).unwrap();
        let before = schemas.insert(name.clone(), json.clone());
        assert!(before.is_none_or(|before| before == json), "two types are called {name}");
    }
}

pub(super) fn reference<T: ToSchema>() -> Value {
    json!({ "$ref": format!("#/components/schemas/{}", T::name()) })
}
