//! Users, their connections, their presence, and what is said to all of their devices.

use bincode::{Decode, Encode};
use rookery_core::{
    event::{Notify as CoreNotify, RoomKind as CoreRoomKind},
    frame::server::RoomView as CoreRoomView,
};

use super::{
    Class,
    id::{Blob, Id, mirror},
    intent::Role,
};

mirror!(
    /// What sort of room.
    RoomKind = CoreRoomKind { Direct, Group, Channel }
);
mirror!(
    /// What a member wants to be told of.
    Notify = CoreNotify { All, Mentions, None }
);

/// About users.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub enum RegistryNote {
    /// To the registry: this connection is there, told again after a change of members; needs no answer.
    Present(Registration),
    /// To the registry: a connection ended. Ignored when a newer incarnation of the node has registered it.
    Unregister {
        /// Whose.
        user: Id,
        /// Which.
        session: Id,
        /// The incarnation of the node that held it.
        incarnation: u64,
    },
    /// To the registry: a user does something.
    Active {
        /// Who.
        user: Id,
        /// On which connection.
        session: Id,
    },
    /// To the registry: something for all devices of a user.
    ToUser {
        /// Who.
        user: Id,
        /// What.
        note: UserNote,
    },
    /// From the registry, to a node that holds connections of the user: the same.
    Deliver {
        /// Who.
        user: Id,
        /// What.
        note: UserNote,
    },
    /// To the registry: close the connections of these logins, and refuse new ones for a while.
    CloseDevices {
        /// Whose.
        user: Id,
        /// Which logins.
        devices: Vec<Id>,
        /// With this code.
        code: u16,
        /// For people.
        reason: String,
    },
    /// To a node: close one of its connections.
    Close {
        /// The hub that holds it.
        hub: u16,
        /// Which.
        session: Id,
        /// With this code.
        code: u16,
        /// For people.
        reason: String,
    },
    /// To the registry: the node shows this user's presence from now on, and one of its sessions wants to know it now.
    Watch {
        /// Whose.
        user: Id,
        /// The hub that holds the session.
        hub: u16,
        /// The session that wants to know.
        session: Id,
    },
    /// To the registry: a hub of the node shows this user's presence to nobody any more.
    Unwatch {
        /// Whose.
        user: Id,
        /// The hub of the sending node.
        hub: u16,
    },
    /// From the registry, to a node that watches: how somebody is; may be lost.
    Presence {
        /// Who.
        user: Id,
        /// For this session only, which just began to watch.
        only: Option<(u16, Id)>,
        /// The frame that says how they are.
        frame: Blob,
    },
    /// From the registry, to a node where a user is connected: on how many nodes they are, so that each gives them its share.
    Spread {
        /// Who.
        user: Id,
        /// How many.
        nodes: u16,
    },
}

/// A connection and the node that holds it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Registration {
    /// Whose.
    pub user: Id,
    /// Which login.
    pub device: Id,
    /// Which connection.
    pub session: Id,
    /// The hub that holds it.
    pub hub: u16,
    /// The node that holds it.
    pub node: String,
    /// The incarnation of that node.
    pub incarnation: u64,
}

/// Something for all devices of a user.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub enum UserNote {
    /// A room is there, or their settings for it changed.
    Appeared(RoomView),
    /// A room is gone.
    Vanished(Id),
    /// A frame.
    Frame(Blob),
}

/// A room as one of its members sees it in a list.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct RoomView {
    /// Which.
    pub room: Id,
    /// What sort.
    pub kind: RoomKind,
    /// Its name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Its last event.
    pub head: u64,
    /// Read up to here.
    pub read: u64,
    /// Delivered up to here.
    pub delivered: u64,
    /// Messages after `read`.
    pub unread: u64,
    /// What they want to be told of.
    pub notify: Notify,
    /// The first event that they may see.
    pub visible_from: u64,
}

impl From<CoreRoomView> for RoomView {
    fn from(view: CoreRoomView) -> Self {
        Self {
            room: view.room.into(),
            kind: view.kind.into(),
            name: view.name,
            role: view.role.into(),
            head: view.head,
            read: view.read,
            delivered: view.delivered,
            unread: view.unread,
            notify: view.notify.into(),
            visible_from: view.visible_from,
        }
    }
}

impl From<RoomView> for CoreRoomView {
    fn from(view: RoomView) -> Self {
        Self {
            room: view.room.into(),
            kind: view.kind.into(),
            name: view.name,
            role: view.role.into(),
            head: view.head,
            read: view.read,
            delivered: view.delivered,
            unread: view.unread,
            notify: view.notify.into(),
            visible_from: view.visible_from,
        }
    }
}

impl RegistryNote {
    /// What happens to it when a link is full.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            Self::Active { .. } | Self::Presence { .. } => Class::Ephemeral,
            _ => Class::Control,
        }
    }

    /// The user that it is about.
    #[must_use]
    pub fn key(&self) -> u64 {
        match self {
            Self::Present(Registration { user, .. })
            | Self::Unregister { user, .. }
            | Self::Active { user, .. }
            | Self::ToUser { user, .. }
            | Self::Deliver { user, .. }
            | Self::CloseDevices { user, .. }
            | Self::Watch { user, .. }
            | Self::Unwatch { user, .. }
            | Self::Presence { user, .. }
            | Self::Spread { user, .. } => user.key(),
            Self::Close { session, .. } => session.key(),
        }
    }
}
