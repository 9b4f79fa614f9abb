//! A small REST client: sends what it is told, and asserts on status, headers and the shape of problems.

use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;

/// A client of one base address, with or without a token.
#[derive(Clone)]
pub(crate) struct Rest {
    http: Client,
    pub(crate) base: String,
    pub(crate) token: Option<String>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    /// The request that it answers, for messages.
    asked: String,
}

impl Rest {
    pub(crate) fn new(base: &str) -> Self {
        let http = Client::builder().no_proxy().build().expect("an http client");
        Rest::over(http, base)
    }

    pub(crate) fn over(http: Client, base: &str) -> Self {
        Rest { http, base: base.to_owned(), token: None }
    }

    pub(crate) fn with_token(&self, token: &str) -> Self {
        Rest { token: Some(token.to_owned()), ..self.clone() }
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        send(self.request("GET", path)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        send(self.request("DELETE", path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        send(self.request("POST", path).json(&body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        send(self.request("PUT", path).json(&body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        send(self.request("PATCH", path).json(&body)).await
    }

    /// A POST or PUT that has no body.
    pub(crate) async fn bare(&self, method: &str, path: &str) -> Answer {
        send(self.request(method, path)).await
    }

    /// All pages of a list, one after the other.
    pub(crate) async fn list(&self, path: &str) -> Vec<Value> {
        let joint = if path.contains('?') { '&' } else { '?' };
        let mut items = Vec::new();
        let mut next = String::new();
        loop {
            let page = self.get(&format!("{path}{next}")).await.body(200);
            items.extend(page["items"].as_array().expect("items").iter().cloned());
            match &page["next"] {
                Value::Null => return items,
                cursor => next = format!("{joint}after={}", plain(cursor)),
            }
        }
    }
}

/// A cursor as it goes into a query: a string without its quotes, a number as it is.
pub(crate) fn plain(cursor: &Value) -> String {
    cursor.as_str().map_or_else(|| cursor.to_string(), str::to_owned)
}

/// Sends the request; a failed connection fails the test.
pub(crate) async fn send(request: RequestBuilder) -> Answer {
    let (client, request) = request.build_split();
    let request = request.expect("a request");
    let asked = format!("{} {}", request.method(), request.url());
    let answer =
        super::within(&asked, client.execute(request)).await.unwrap_or_else(|error| panic!("{asked}: {error:?}"));
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let text = super::within(&asked, answer.text()).await.unwrap_or_else(|error| panic!("{asked}: {error:?}"));
    Answer { status, headers, text, asked }
}

impl Answer {
    /// The body, after asserting the status. An empty body is null.
    #[track_caller]
    pub(crate) fn body(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}: {}", self.asked, self.text);
        if self.text.is_empty() {
            return Value::Null;
        }
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{}: not JSON: {}", self.asked, self.text))
    }

    /// The problem, after asserting status, code and everything that every problem has.
    #[track_caller]
    pub(crate) fn refused(self, status: u16, code: &str) -> Value {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}: {}", self.asked, self.text);
        let request_id = self.header("x-request-id").to_owned();
        let asked = self.asked.clone();
        let problem = self.body(status);
        assert_eq!(problem["code"], code, "{asked}: {problem}");
        assert_eq!(problem["status"], status, "{asked}: {problem}");
        assert_eq!(problem["type"], format!("/docs/errors#{code}"), "{asked}: {problem}");
        assert_eq!(problem["request_id"], request_id, "{asked}: {problem}");
        assert!(problem["title"].is_string(), "{asked}: {problem}");
        problem
    }

    /// As `refused`, and the problem names the field at fault.
    #[track_caller]
    pub(crate) fn refused_field(self, status: u16, code: &str, pointer: &str) -> Value {
        let asked = self.asked.clone();
        let problem = self.refused(status, code);
        let errors = problem["errors"].as_array().cloned().unwrap_or_default();
        let named = errors.iter().any(|error| error["pointer"] == pointer && error["code"].is_string());
        assert!(named, "{asked}: names {pointer}: {problem}");
        problem
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap_or(""))
    }
}

/// Text as it goes into a query or a path: everything but letters and digits percent-encoded.
pub(crate) fn escaped(text: &str) -> String {
    let escape = |byte: u8| match byte {
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}
