//! The WebSocket frames that a client sends and understands, as `docs/protocol.md` describes them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A frame to the server.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Outgoing {
    /// The first frame of a connection.
    Hello { cursors: BTreeMap<String, u64>, client: String },
    /// A message. Resent unchanged until its outcome is known.
    Send { room: String, client_id: String, body: String, seen: u64 },
    /// Moves the user's own marks.
    Mark { room: String, read: u64 },
    /// Asks for everything after `after`.
    Sync { room: String, after: u64 },
    /// Whose presence is to be told, in place of everybody before.
    Watch { users: Vec<String> },
}

/// A frame from the server. What is unknown is ignored, as the contract demands.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Incoming {
    Welcome(Welcome),
    Event(Box<Event>),
    Ack(Ack),
    Nack(Nack),
    Synced {
        room: String,
        seq: u64,
    },
    Gap {
        room: String,
        from: u64,
        to: u64,
    },
    Lagged {
        rooms: BTreeMap<String, u64>,
    },
    Room {
        room: String,
        #[serde(default)]
        gone: bool,
    },
    Presence {
        user: String,
        status: String,
    },
    Reconnect {
        after_ms: u64,
        #[serde(default)]
        reason: String,
    },
    Error {
        code: String,
        #[serde(default)]
        detail: Option<String>,
    },
    #[serde(other)]
    Other,
}

/// The answer to `hello`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Welcome {
    #[serde(default)]
    pub(crate) rooms: Vec<WelcomeRoom>,
}

/// One of the user's rooms, as `welcome` lists it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct WelcomeRoom {
    pub(crate) room: String,
}

/// Something that happened in a room. The fields after `client_id` depend on `kind`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Event {
    pub(crate) room: String,
    pub(crate) seq: u64,
    pub(crate) kind: String,
    pub(crate) from: String,
    pub(crate) client_id: Option<String>,
    pub(crate) body: Option<String>,
    pub(crate) target: Option<u64>,
    pub(crate) emoji: Option<String>,
    pub(crate) remove: Option<bool>,
    pub(crate) user: Option<String>,
    pub(crate) change: Option<String>,
    pub(crate) role: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) topic: Option<String>,
    pub(crate) text: Option<String>,
}

/// A send is durable and has its number.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Ack {
    pub(crate) client_id: String,
    pub(crate) seq: u64,
}

/// Something did not happen.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Nack {
    #[serde(default)]
    pub(crate) room: Option<String>,
    #[serde(default)]
    pub(crate) client_id: Option<String>,
    pub(crate) code: String,
    #[serde(default)]
    pub(crate) detail: Option<String>,
    #[serde(default)]
    pub(crate) retry: Retry,
    #[serde(default)]
    pub(crate) retry_after_ms: Option<u64>,
}

/// What a `nack` says about trying again.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Retry {
    /// It will never work.
    #[default]
    No,
    /// The same frame may work.
    Same,
    /// The same frame may work after a while.
    Later,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_frames_and_unknown_fields_are_ignored() {
        let frame: Incoming = serde_json::from_str(r#"{"type":"fireworks","height":3}"#).unwrap();
        assert!(matches!(frame, Incoming::Other));
        let frame: Incoming =
            serde_json::from_str(r#"{"type":"ack","client_id":"c","room":"r","seq":7,"at":"x","new":[1]}"#).unwrap();
        assert!(matches!(frame, Incoming::Ack(Ack { seq: 7, .. })));
    }

    #[test]
    fn an_event_carries_the_fields_of_its_kind() {
        let text = r#"{"type":"event","room":"r","seq":4,"kind":"edit","at":"t","from":"u","target":2,"body":"new"}"#;
        let Incoming::Event(event) = serde_json::from_str(text).unwrap() else { panic!("not an event") };
        assert_eq!((event.seq, event.target, event.body.as_deref()), (4, Some(2), Some("new")));
    }

    #[test]
    fn a_send_is_flat_and_typed() {
        let frame = Outgoing::Send { room: "r".into(), client_id: "c".into(), body: "hi".into(), seen: 3 };
        let text = serde_json::to_string(&frame).unwrap();
        assert_eq!(text, r#"{"type":"send","room":"r","client_id":"c","body":"hi","seen":3}"#);
    }
}
