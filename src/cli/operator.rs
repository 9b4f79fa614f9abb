//! `rookery admin` and `rookery health`: speak to a running server over HTTP.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

use super::table::Table;

/// How long an answer may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// What `rookery admin` takes.
#[derive(Args)]
pub(super) struct AdminArguments {
    /// Where the operators' listener is
    #[arg(long, env = "ROOKERY_ADMIN_URL", default_value = "http://127.0.0.1:8081", global = true)]
    admin_url: String,
    /// The file with the token
    #[arg(long, default_value = "data/admin.token", global = true)]
    token_file: PathBuf,
    /// The token itself
    #[arg(long, env = "ROOKERY_ADMIN_TOKEN", hide_env_values = true, global = true)]
    token: Option<String>,
    /// JSON as the server sends it
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: AdminCommand,
}

#[derive(Subcommand)]
enum AdminCommand {
    /// How the server is
    Overview,
    /// Every node: what it has to do, and its links
    Nodes,
    /// One node
    Node {
        /// Its name
        name: String,
    },
    /// Have a node give its shards away
    Drain {
        /// Its name
        name: String,
    },
    /// Have a node take its part again
    Resume {
        /// Its name
        name: String,
    },
    /// Who owns which shard, at which epoch, and why
    Shards,
    /// Move a shard to a node, or back to where it would live by itself
    Move {
        /// Its number
        shard: u16,
        /// The node's name
        to: Option<String>,
        /// Only say what would happen
        #[arg(long)]
        dry_run: bool,
    },
    /// Find users
    Users {
        /// Handle, name, or a part of it
        #[arg(default_value = "")]
        query: String,
    },
    /// One user
    User {
        /// Its id
        id: String,
    },
    /// Shut a user out
    Disable {
        /// Its id
        id: String,
    },
    /// Let a user in again
    Enable {
        /// Its id
        id: String,
    },
    /// Make a user an operator, or an ordinary user again
    Role {
        /// Its id
        id: String,
        /// `admin` or `user`
        role: String,
    },
    /// Erase a user
    Erase {
        /// Its id
        id: String,
    },
    /// Who is connected, or where one user is
    Sessions {
        /// The user's id
        user: Option<String>,
    },
    /// Close a connection
    Close {
        /// Its id
        session: String,
    },
    /// Find rooms
    Rooms {
        /// The beginning of a name or id
        #[arg(default_value = "")]
        query: String,
    },
    /// One room
    Room {
        /// Its id
        id: String,
    },
    /// Close a room for writing, or open it again
    Archive {
        /// Its id
        id: String,
        /// Open it again
        #[arg(long)]
        undo: bool,
    },
    /// Let a quarantined room try again
    Release {
        /// Its id
        id: String,
    },
    /// End a room
    DeleteRoom {
        /// Its id
        id: String,
    },
    /// Say something in a room as the server
    Announce {
        /// The room's id
        id: String,
        /// What
        text: String,
    },
    /// The rolling hash of a room's log
    Digest {
        /// Its id
        id: String,
    },
    /// The settings in force
    Config,
    /// Change a setting while the server runs
    Set {
        /// e.g. `limits.sends_per_second=50`
        pair: String,
    },
    /// Who did what
    Audit,
}

/// What `rookery health` takes.
#[derive(Args)]
pub(super) struct HealthArguments {
    /// Where the server is
    #[arg(long, env = "ROOKERY_URL", default_value = "http://127.0.0.1:8080")]
    url: String,
}

type Request = (Method, String, Option<Value>);

impl AdminCommand {
    fn request(&self) -> anyhow::Result<Request> {
        let get = |path: String| (Method::GET, path, None);
        let patch = |path: String, body: Value| (Method::PATCH, path, Some(body));
        Ok(match self {
            Self::Overview => get("overview".into()),
            Self::Nodes => get("nodes".into()),
            Self::Node { name } => get(format!("nodes/{}", escape(name))),
            Self::Drain { name } => (Method::POST, format!("nodes/{}/drain", escape(name)), None),
            Self::Resume { name } => (Method::POST, format!("nodes/{}/resume", escape(name)), None),
            Self::Shards => get("shards?limit=200".into()),
            Self::Move { shard, to, dry_run } => {
                (Method::POST, format!("shards/{shard}/move"), Some(json!({"to": to, "dry_run": dry_run})))
            }
            Self::Users { query } => get(format!("users?limit=200&query={}", escape(query))),
            Self::User { id } => get(format!("users/{}", escape(id))),
            Self::Disable { id } => patch(format!("users/{}", escape(id)), json!({"disabled": true})),
            Self::Enable { id } => patch(format!("users/{}", escape(id)), json!({"disabled": false})),
            Self::Role { id, role } => patch(format!("users/{}", escape(id)), json!({"role": role})),
            Self::Erase { id } => (Method::DELETE, format!("users/{}", escape(id)), None),
            Self::Sessions { user: Some(user) } => get(format!("users/{}/sessions", escape(user))),
            Self::Sessions { user: None } => get("sessions?limit=200".into()),
            Self::Close { session } => (Method::DELETE, format!("sessions/{}", escape(session)), None),
            Self::Rooms { query } => get(format!("rooms?limit=200&query={}", escape(query))),
            Self::Room { id } => get(format!("rooms/{}", escape(id))),
            Self::Archive { id, undo } => patch(format!("rooms/{}", escape(id)), json!({"archived": !undo})),
            Self::Release { id } => patch(format!("rooms/{}", escape(id)), json!({"quarantined": false})),
            Self::DeleteRoom { id } => (Method::DELETE, format!("rooms/{}", escape(id)), None),
            Self::Announce { id, text } => {
                (Method::POST, format!("rooms/{}/announce", escape(id)), Some(json!({"text": text})))
            }
            Self::Digest { id } => get(format!("rooms/{}/digest", escape(id))),
            Self::Config => get("config".into()),
            Self::Set { pair } => {
                let (key, value) = pair.split_once('=').context("write it like limits.sends_per_second=50")?;
                let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
                patch("config".into(), json!({ key: value }))
            }
            Self::Audit => get("audit?limit=200".into()),
        })
    }
}

/// Runs `rookery admin`.
///
/// # Errors
/// The server cannot be reached or refuses.
pub(super) fn run(arguments: AdminArguments) -> anyhow::Result<()> {
    let token = match arguments.token {
        Some(token) => token,
        None => std::fs::read_to_string(&arguments.token_file)
            .with_context(|| format!("cannot read the token in {}", arguments.token_file.display()))?,
    };
    let (method, path, body) = arguments.command.request()?;
    let url = format!("{}/admin/v1/{path}", arguments.admin_url.trim_end_matches('/'));
    let answer = super::block_on(ask(method, &url, token.trim(), body))??;
    let answer = match answer {
        Some(first) if matches!(arguments.command, AdminCommand::Shards) => {
            Some(super::block_on(whole(&url, token.trim(), first))??)
        }
        answer => answer,
    };
    match answer {
        None => println!("done"),
        Some(answer) if arguments.json => println!("{}", serde_json::to_string_pretty(&answer)?),
        Some(answer) => print!("{}", shown(&answer)),
    }
    Ok(())
}

/// Runs `rookery health`.
///
/// # Errors
/// The server cannot be reached or is not ready.
pub(super) fn health(arguments: &HealthArguments) -> anyhow::Result<()> {
    let url = format!("{}/readyz", arguments.url.trim_end_matches('/'));
    super::block_on(ask(Method::GET, &url, "", None))??;
    println!("ready");
    Ok(())
}

/// A list with the pages that follow its first.
async fn whole(url: &str, token: &str, first: Value) -> anyhow::Result<Value> {
    let mut items = first["items"].as_array().cloned().unwrap_or_default();
    let mut next = first["next"].as_str().map(escape);
    while let Some(after) = next {
        let page = ask(Method::GET, &format!("{url}&after={after}"), token, None).await?.unwrap_or_default();
        items.extend(page["items"].as_array().cloned().unwrap_or_default());
        next = page["next"].as_str().map(escape);
    }
    Ok(json!({ "items": items }))
}

async fn ask(method: Method, url: &str, token: &str, body: Option<Value>) -> anyhow::Result<Option<Value>> {
    let client = reqwest::Client::builder().timeout(DEADLINE).build().context("no HTTP client")?;
    let mut request = client.request(method, url);
    if !token.is_empty() {
        request = request.bearer_auth(token);
    }
    if let Some(body) = body {
        request = request.json(&body);
    }
    let answer = request.send().await.with_context(|| format!("no answer from {url}"))?;
    let status = answer.status();
    let text = answer.text().await.context("the answer broke off")?;
    let json: Option<Value> = serde_json::from_str(&text).ok();
    if !status.is_success() {
        let detail = json.as_ref().and_then(|json| json["detail"].as_str()).unwrap_or(text.trim());
        bail!("{status}: {detail}");
    }
    Ok(json)
}

/// A list as a table, anything else as a table of its fields.
fn shown(answer: &Value) -> String {
    let plain = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    if let Some(items) = answer["items"].as_array() {
        if items.is_empty() {
            return "nothing\n".to_owned();
        }
        // What one does not have, another may.
        let mut keys: Vec<&str> = Vec::new();
        for key in items.iter().filter_map(Value::as_object).flat_map(serde_json::Map::keys) {
            if !keys.contains(&key.as_str()) {
                keys.push(key);
            }
        }
        let mut table = Table::new(&keys);
        for item in items {
            table.row(keys.iter().map(|key| plain(&item[*key])).collect());
        }
        return table.to_string();
    }
    let mut table = Table::new(&["", ""]);
    for (key, value) in answer.as_object().into_iter().flatten() {
        table.row(vec![key.clone(), plain(value)]);
    }
    table.to_string()
}

/// Percent-encodes what may not stand in a path or query.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
