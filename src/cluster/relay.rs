//! The relays: the only actors of a node that its peers can see, with one message.

use std::sync::Arc;

use ractor::{
    Actor, ActorProcessingErr, ActorRef, SpawnErr, SupervisionEvent,
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

/// Keeps the relays of a node: one that ends is started anew in its place. Peers notice that theirs is gone, dial anew and
/// find the new one; what was under way is lost with the link, as with any other.
pub(super) struct Relays {
    pub(super) me: Peer,
    pub(super) links: Arc<Links>,
}

impl Relays {
    async fn start(&self, index: u16, keeper: &ActorRef<()>) -> Result<ActorRef<RelayMessage>, SpawnErr> {
        let relay = Relay { links: Arc::clone(&self.links), group: group(&self.me, index) };
        Ok(Actor::spawn_linked(None, relay, (), keeper.get_cell()).await?.0)
    }
}

impl Actor for Relays {
    type Msg = ();
    type State = Vec<ActorRef<RelayMessage>>;
    type Arguments = u16;

    async fn pre_start(&self, myself: ActorRef<()>, count: u16) -> Result<Self::State, ActorProcessingErr> {
        let mut relays = Vec::new();
        for index in 0..count {
            relays.push(self.start(index, &myself).await?);
        }
        Ok(relays)
    }

    async fn post_stop(&self, _: ActorRef<()>, relays: &mut Self::State) -> Result<(), ActorProcessingErr> {
        relays.iter().for_each(|relay| relay.stop(None));
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<()>,
        event: SupervisionEvent,
        relays: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let (SupervisionEvent::ActorFailed(ended, _) | SupervisionEvent::ActorTerminated(ended, ..)) = event else {
            return Ok(());
        };
        let place = relays.iter_mut().zip(0..).find(|(relay, _)| relay.get_id() == ended.get_id());
        if let Some((relay, index)) = place {
            tracing::error!(index, "a relay ended and is started anew");
            metrics::counter!("rookery_relay_restarts_total").increment(1);
            *relay = self.start(index, &myself).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::cluster::{Envelope, Receiver};

    /// Takes nothing: no link is made here.
    struct Nobody;

    impl Receiver for Nobody {
        fn deliver(&self, _: &Peer, _: Envelope) {}
        fn link_up(&self, _: &Peer) {}
        fn link_down(&self, _: &Peer) {}
    }

    async fn members(peer: &Peer, meant: impl Fn(&[ractor::ActorCell]) -> bool) -> Vec<ractor::ActorCell> {
        let found = async {
            loop {
                let members = pg::get_scoped_members(&SCOPE.to_owned(), &group(peer, 1));
                if meant(&members) {
                    return members;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), found).await.expect("the relays do not become so")
    }

    #[tokio::test]
    async fn a_relay_that_ends_is_started_anew_in_its_place() {
        let me = Peer { node: "relay-test".parse().unwrap(), incarnation: 7 };
        let relays = Relays { me: me.clone(), links: Arc::new(Links::new(Arc::new(Nobody))) };
        let (keeper, ended) = Actor::spawn(None, relays, 2).await.unwrap();
        let first = members(&me, |members| members.len() == 1).await[0].clone();
        for end in [ractor::ActorCell::kill, |cell: &ractor::ActorCell| cell.stop(None)] {
            let before = members(&me, |members| members.len() == 1).await[0].clone();
            end(&before);
            let is_another =
                |members: &[ractor::ActorCell]| members.len() == 1 && members[0].get_id() != before.get_id();
            let after = members(&me, is_another).await[0].clone();
            ActorRef::<RelayMessage>::from(after).cast(RelayMessage::Unknown).unwrap();
        }
        assert_eq!(pg::get_scoped_members(&SCOPE.to_owned(), &group(&me, 0)).len(), 1, "the other was left alone");
        keeper.stop(None);
        ended.await.unwrap();
        members(&me, <[_]>::is_empty).await;
        assert!(first.get_status() == ractor::ActorStatus::Stopped);
    }
}
