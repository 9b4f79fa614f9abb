//! The relays: the only actors of a node that its peers can see, with one message.

use std::sync::Arc;

use ractor::{
    Actor, ActorProcessingErr, ActorRef,
    message::{BoxedDowncastErr, SerializedMessage},
    pg,
};

use super::{identity::Peer, link::Links};

/// The scope in which relays are found by peers.
pub(super) const SCOPE: &str = "rookery-relay";
/// The name of the one message, as it travels: it never changes, what is in it has versions of its own.
const VARIANT: &str = "Frame";

/// The group of one relay of a node.
pub(super) fn group(peer: &Peer, index: u16) -> String {
    format!("{peer}/{index}")
}

/// What a relay is told.
#[derive(Debug)]
pub(super) enum RelayMessage {
    /// A frame from a peer.
    Frame(Vec<u8>),
    /// Something else that a peer sent.
    Unknown,
}

// By hand and not derived: bytes that make no sense become a value that is counted, and are not decoded twice.
impl ractor::Message for RelayMessage {
    fn serializable() -> bool {
        true
    }

    fn serialize(self) -> Result<SerializedMessage, BoxedDowncastErr> {
        match self {
            Self::Frame(args) => Ok(SerializedMessage::Cast { variant: VARIANT.to_owned(), args, metadata: None }),
            Self::Unknown => Err(BoxedDowncastErr),
        }
    }

    fn deserialize(message: SerializedMessage) -> Result<Self, BoxedDowncastErr> {
        match message {
            SerializedMessage::Cast { variant, args, .. } if variant == VARIANT => Ok(Self::Frame(args)),
            _ => Ok(Self::Unknown),
        }
    }
}

/// One relay. What has the same key always comes by the same, so that it keeps its order.
pub(super) struct Relay {
    pub(super) links: Arc<Links>,
    pub(super) group: String,
}

impl Actor for Relay {
    type Msg = RelayMessage;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, myself: ActorRef<RelayMessage>, (): ()) -> Result<(), ActorProcessingErr> {
        pg::join_scoped(SCOPE.to_owned(), self.group.clone(), vec![myself.get_cell()]);
        Ok(())
    }

    async fn handle(
        &self,
        _: ActorRef<RelayMessage>,
        message: RelayMessage,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        let RelayMessage::Frame(bytes) = message else {
            super::link::refused("message");
            return Ok(());
        };
        // A bug in what takes envelopes costs this batch, not the relay and with it every peer.
        let links = std::panic::AssertUnwindSafe(&self.links);
        if std::panic::catch_unwind(|| links.received(&bytes)).is_err() {
            tracing::error!(relay = %self.group, "an envelope made its receiver panic");
            super::link::refused("panic");
        }
        Ok(())
    }
}
