//! Which node, hub and connections a user has, and whether they are there: soft state, rebuilt from the hubs of all nodes.

mod state;

use std::sync::Arc;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use rookery_core::ids::{DeviceId, SessionId, UserId};
use tokio::sync::oneshot;

use super::{Router, hub::inbox::Note, peers::Slot};
pub use state::{Admission, Registered, RegistryState};

/// What the registry is told.
pub enum RegistryMessage {
    /// A connection begins.
    Register {
        /// Which.
        entry: Registered,
        /// Whether it may.
        reply: oneshot::Sender<Admission>,
    },
    /// A connection is there: told again to who should know it from now on.
    Present(Registered),
    /// A node is gone, and with it all of its connections.
    NodeGone(Slot),
    /// A connection ended.
    Unregister {
        /// Whose.
        user: UserId,
        /// Which.
        session: SessionId,
    },
    /// A user does something.
    Active {
        /// Who.
        user: UserId,
        /// On which connection.
        session: SessionId,
    },
    /// Something for all devices of a user.
    ToUser {
        /// Who.
        user: UserId,
        /// What.
        note: Note,
    },
    /// Close the connections of these logins; new ones of theirs are refused for a while.
    CloseDevices {
        /// Whose.
        user: UserId,
        /// Which.
        devices: Vec<DeviceId>,
        /// With this code.
        code: u16,
        /// For people.
        reason: &'static str,
    },
    /// A hub shows these users' presence to one of its sessions from now on.
    Watch {
        /// The hub.
        hub: u16,
        /// The session that wants to know how they are now.
        session: SessionId,
        /// Whose.
        users: Vec<UserId>,
    },
    /// A hub shows a user's presence to nobody any more.
    Unwatch {
        /// The hub.
        hub: u16,
        /// Whose.
        user: UserId,
    },
    /// Time went by.
    Tick,
}

/// The actor.
pub struct RegistryActor;

impl ractor::Message for RegistryMessage {}

impl Actor for RegistryActor {
    type Msg = RegistryMessage;
    type State = RegistryState;
    type Arguments = Arc<Router>;

    async fn pre_start(
        &self,
        _: ActorRef<RegistryMessage>,
        router: Arc<Router>,
    ) -> Result<RegistryState, ActorProcessingErr> {
        Ok(RegistryState::new(router))
    }

    async fn handle(
        &self,
        _: ActorRef<RegistryMessage>,
        message: RegistryMessage,
        state: &mut RegistryState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            RegistryMessage::Register { entry, reply } => {
                let admission = state.register(entry);
                if reply.send(admission).is_err() {
                    state.unregister(entry.user, entry.session);
                }
            }
            RegistryMessage::Unregister { user, session } => state.unregister(user, session),
            RegistryMessage::Active { user, session } => state.active(user, session),
            RegistryMessage::ToUser { user, note } => state.to_user(user, &note),
            RegistryMessage::CloseDevices { user, devices, code, reason } => {
                state.close_devices(user, &devices, code, reason);
            }
            RegistryMessage::Present(entry) => state.present(entry),
            RegistryMessage::NodeGone(slot) => state.node_gone(slot),
            RegistryMessage::Watch { hub, session, users } => state.watch(hub, session, users),
            RegistryMessage::Unwatch { hub, user } => state.unwatch(hub, user),
            RegistryMessage::Tick => state.tick(),
        }
        Ok(())
    }
}
