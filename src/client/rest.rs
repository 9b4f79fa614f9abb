//! The REST interface, as far as the clients in this program need it.

use std::time::Duration;

use reqwest::{Method, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::error::ClientError;
use super::frames::Event;

/// More pages than any list has that a person works with.
const MOST_PAGES: usize = 1_000;

/// A server, and who asks it.
#[derive(Clone)]
pub(crate) struct Rest {
    http: reqwest::Client,
    base: Url,
    token: Option<String>,
}

/// A person.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) handle: String,
}

/// The answer to a login.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Login {
    pub(crate) token: String,
    pub(crate) user: User,
}

/// A room.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Room {
    pub(crate) id: String,
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) name: Option<String>,
    #[serde(default)]
    pub(crate) peer: Option<User>,
    #[serde(default)]
    pub(crate) head: u64,
    #[serde(default)]
    pub(crate) role: Option<String>,
    #[serde(default)]
    pub(crate) unread: Option<u64>,
}

/// Somebody in a room.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Member {
    pub(crate) user: User,
    pub(crate) role: String,
}

/// A message with what became of it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Message {
    pub(crate) seq: u64,
    pub(crate) from: String,
    #[serde(default)]
    pub(crate) body: Option<String>,
    #[serde(default)]
    pub(crate) edited_at: Option<String>,
    #[serde(default)]
    pub(crate) deleted: Option<Value>,
}

impl Message {
    /// Whether its text is gone.
    pub(crate) fn is_deleted(&self) -> bool {
        !matches!(self.deleted, None | Some(Value::Null | Value::Bool(false)))
    }
}

/// A page of messages.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct History {
    pub(crate) items: Vec<Message>,
    pub(crate) head: u64,
}

/// A page of a room's log.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Events {
    pub(crate) items: Vec<Event>,
    #[serde(default)]
    pub(crate) next: Option<Value>,
}

#[derive(Deserialize)]
struct Page<T> {
    items: Vec<T>,
    #[serde(default)]
    next: Option<String>,
}

#[derive(Deserialize)]
struct Problem {
    #[serde(default)]
    code: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    detail: Option<String>,
    #[serde(default)]
    errors: Vec<ProblemField>,
}

#[derive(Deserialize)]
struct ProblemField {
    #[serde(default)]
    pointer: String,
    #[serde(default)]
    detail: Option<String>,
}

impl Rest {
    /// A client of the server at `base`, nobody yet.
    pub(crate) fn new(base: &str) -> Result<Rest, ClientError> {
        let unusable = |error: &dyn std::fmt::Display| ClientError::Unusable(format!("{base}: {error}"));
        let base = Url::parse(base).map_err(|error| unusable(&error))?;
        if !matches!(base.scheme(), "http" | "https") || base.cannot_be_a_base() {
            return Err(ClientError::Unusable(format!("{base}: an http or https address is needed")));
        }
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(30))
            .no_proxy()
            .tcp_nodelay(true)
            .build()
            .map_err(ClientError::Unreachable)?;
        Ok(Rest { http, base, token: None })
    }

    /// The same server, asked by the owner of a token.
    pub(crate) fn with_token(&self, token: &str) -> Rest {
        Rest { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The server's address.
    pub(crate) fn base(&self) -> &str {
        self.base.as_str()
    }

    /// Makes an account.
    pub(crate) async fn register(&self, handle: &str, password: &str) -> Result<User, ClientError> {
        let body = json!({ "handle": handle, "password": password });
        self.call(Method::POST, &["accounts"], &[], Some(&body)).await
    }

    /// Logs in.
    pub(crate) async fn login(&self, login: &str, password: &str, device: &str) -> Result<Login, ClientError> {
        let body = json!({ "login": login, "password": password, "device_name": device });
        self.call(Method::POST, &["logins"], &[], Some(&body)).await
    }

    /// Who the token belongs to.
    pub(crate) async fn me(&self) -> Result<User, ClientError> {
        self.call(Method::GET, &["me"], &[], None).await
    }

    /// One person.
    pub(crate) async fn user(&self, id: &str) -> Result<User, ClientError> {
        self.call(Method::GET, &["users", id], &[], None).await
    }

    /// The person with exactly this handle.
    pub(crate) async fn user_by_handle(&self, handle: &str) -> Result<Option<User>, ClientError> {
        let wanted = handle.to_lowercase();
        let page: Page<User> = self.call(Method::GET, &["users"], &[("query", handle), ("limit", "200")], None).await?;
        Ok(page.items.into_iter().find(|user| user.handle == wanted))
    }

    /// The rooms that I am in.
    pub(crate) async fn rooms(&self) -> Result<Vec<Room>, ClientError> {
        self.list(&["rooms"], &[]).await
    }

    /// The first page of the rooms that I am in: those with the newest activity.
    pub(crate) async fn first_rooms(&self) -> Result<Vec<Room>, ClientError> {
        let page: Page<Room> = self.call(Method::GET, &["rooms"], &[], None).await?;
        Ok(page.items)
    }

    /// Public rooms whose name has something to do with `query`.
    pub(crate) async fn public_rooms(&self, query: &str) -> Result<Vec<Room>, ClientError> {
        let page: Page<Room> =
            self.call(Method::GET, &["rooms"], &[("public", "1"), ("query", query), ("limit", "200")], None).await?;
        Ok(page.items)
    }

    /// One room.
    pub(crate) async fn room(&self, id: &str) -> Result<Room, ClientError> {
        self.call(Method::GET, &["rooms", id], &[], None).await
    }

    /// Makes a group.
    pub(crate) async fn create_group(&self, name: &str, public: bool, members: &[String]) -> Result<Room, ClientError> {
        let visibility = if public { "public" } else { "private" };
        let body = json!({ "kind": "group", "name": name, "visibility": visibility, "members": members });
        self.call(Method::POST, &["rooms"], &[], Some(&body)).await
    }

    /// The direct room with somebody.
    pub(crate) async fn direct(&self, user: &str) -> Result<Room, ClientError> {
        self.call(Method::PUT, &["direct", user], &[], None).await
    }

    /// Everybody in a room.
    pub(crate) async fn members(&self, room: &str) -> Result<Vec<Member>, ClientError> {
        self.list(&["rooms", room, "members"], &[]).await
    }

    /// Adds somebody to a room, or joins it.
    pub(crate) async fn add_member(&self, room: &str, user: &str) -> Result<Member, ClientError> {
        self.call(Method::PUT, &["rooms", room, "members", user], &[], Some(&json!({}))).await
    }

    /// The newest messages of a room.
    pub(crate) async fn newest(&self, room: &str, limit: usize) -> Result<History, ClientError> {
        self.call(Method::GET, &["rooms", room, "messages"], &[("limit", &limit.to_string())], None).await
    }

    /// What happened in a room after `after`: one page of the log.
    pub(crate) async fn events(&self, room: &str, after: u64) -> Result<Events, ClientError> {
        let query = [("after", &*after.to_string()), ("limit", "200")];
        self.call(Method::GET, &["rooms", room, "events"], &query, None).await
    }

    /// Sends a message.
    pub(crate) async fn post(&self, room: &str, client_id: &str, body: &str) -> Result<Value, ClientError> {
        let body = json!({ "client_id": client_id, "body": body });
        self.call(Method::POST, &["rooms", room, "messages"], &[], Some(&body)).await
    }

    /// A whole list, page by page.
    async fn list<T: DeserializeOwned>(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Vec<T>, ClientError> {
        let mut everything = Vec::new();
        let mut after: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let mut asked = query.to_vec();
            asked.push(("limit", "200"));
            if let Some(cursor) = &after {
                asked.push(("after", cursor));
            }
            let page: Page<T> = self.call(Method::GET, path, &asked, None).await?;
            everything.extend(page.items);
            match page.next {
                Some(cursor) => after = Some(cursor),
                None => return Ok(everything),
            }
        }
        Err(ClientError::Unreadable("a list without an end".to_owned()))
    }

    /// One request under `/api/v1`, and its answer.
    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<T, ClientError> {
        let route: Vec<&str> = ["api", "v1"].iter().chain(path).copied().collect();
        self.ask(method, &route, query, body).await
    }

    /// What stands under the root of the server, as text.
    pub(crate) async fn text(&self, route: &[&str]) -> Result<String, ClientError> {
        let answer = self.request(Method::GET, route, &[], None).send().await.map_err(ClientError::Unreachable)?;
        let answer = answer.error_for_status().map_err(ClientError::Unreachable)?;
        answer.text().await.map_err(ClientError::Unreachable)
    }

    /// One request under the root of the server, and its answer.
    pub(crate) async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        route: &[&str],
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<T, ClientError> {
        let answer = self.request(method, route, query, body).send().await.map_err(ClientError::Unreachable)?;
        let status = answer.status();
        let retry_after = answer
            .headers()
            .get("Retry-After")
            .and_then(|value| value.to_str().ok()?.parse().ok())
            .map(Duration::from_secs);
        let bytes = answer.bytes().await.map_err(ClientError::Unreachable)?;
        if !status.is_success() {
            return Err(refused(status.as_u16(), retry_after, &bytes));
        }
        let content: &[u8] = if bytes.is_empty() { b"null" } else { &bytes };
        serde_json::from_slice(content).map_err(|error| ClientError::Unreadable(error.to_string()))
    }

    fn request(
        &self,
        method: Method,
        route: &[&str],
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> reqwest::RequestBuilder {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(route);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut request = self.http.request(method, url);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        request
    }
}

/// The error that a problem document stands for.
fn refused(status: u16, retry_after: Option<Duration>, content: &[u8]) -> ClientError {
    let Ok(problem) = serde_json::from_slice::<Problem>(content) else {
        return ClientError::Unreadable(format!("status {status} without a problem document"));
    };
    let mut detail = problem.detail.unwrap_or(problem.title);
    for field in problem.errors {
        let said = field.detail.unwrap_or_default();
        detail = format!("{detail}; {} {said}", field.pointer.trim_start_matches('/'));
    }
    ClientError::Refused { status, code: problem.code, detail: detail.trim().to_owned(), retry_after }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_names_the_field_at_fault() {
        let text = br#"{"title":"Bad request","status":400,"code":"bad_request","detail":"not valid",
                        "errors":[{"pointer":"/name","code":"too_long","detail":"is too long"}]}"#;
        let error = refused(400, None, text);
        assert!(error.is("bad_request"));
        assert_eq!(error.to_string(), "not valid; name is too long (bad_request)");
    }

    #[test]
    fn only_overload_is_worth_waiting_for() {
        assert_eq!(refused(429, Some(Duration::from_secs(3)), b"{}").wait(), Some(Duration::from_secs(3)));
        assert_eq!(refused(404, None, b"{}").wait(), None);
    }

    #[test]
    fn an_address_that_is_none_is_refused() {
        assert!(Rest::new("ftp://chat.example").is_err());
        assert!(Rest::new("chat").is_err());
    }
}
