//! Everything that can happen to a room.

use std::ops::RangeInclusive;

use crate::{
    event::{Content, Role, RoomChange},
    ids::{ClientId, MediaId, Seq, SessionId, UserId},
    media::Attached,
    time::Millis,
};

/// Who asked, and so where the answer goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// A connection.
    Session {
        /// The hub (on this or another node) that holds it.
        hub: u16,
        /// Which.
        session: SessionId,
        /// The request's id, echoed.
        id: Option<Box<str>>,
    },
    /// A request whose answer somebody waits for under this number.
    Request(u64),
}

/// On whose authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authority {
    /// The user's own, by their role in the room.
    Member,
    /// The server's: an operator, or an account that ends.
    Server,
}

/// A write that somebody wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// Who asked.
    pub caller: Caller,
    /// Who does it.
    pub user: UserId,
    /// On whose authority.
    pub authority: Authority,
    /// The idempotency key.
    pub client_id: ClientId,
    /// The newest seq of the room that the client had when it first tried; 0 when it does not say.
    pub seen: Seq,
    /// The server asks again for what an earlier activation of the room did not answer: that one may have done it, so only
    /// who has looked may refuse it.
    pub again: bool,
    /// The write of the same connection to this room that went before it and is not answered yet: a room that has not seen
    /// that one does not take this one, so that the two keep their order wherever the room lives by then.
    pub after: Option<ClientId>,
    /// What.
    pub intent: Intent,
}

/// What a write wants.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Intent {
    /// Say something.
    Post {
        /// The text.
        body: String,
        /// The message it answers.
        reply_to: Option<Seq>,
        /// Who it names.
        mentions: Vec<UserId>,
        /// The files that it carries, as they were found.
        attachments: Vec<Attached>,
    },
    /// Give a message another text.
    Edit {
        /// The message.
        target: Seq,
        /// The text.
        body: String,
    },
    /// Take a message back.
    Delete {
        /// The message.
        target: Seq,
    },
    /// Set or take back a reaction.
    React {
        /// The message.
        target: Seq,
        /// Which.
        emoji: String,
        /// Take it back.
        remove: bool,
    },
    /// Join, add somebody, change a role, mute.
    Put {
        /// Whom.
        user: UserId,
        /// The role from now on; `None`: what is usual, or as it is.
        role: Option<Role>,
        /// `Some(None)`: may write again.
        muted_until: Option<Option<Millis>>,
    },
    /// Take somebody out, or leave.
    Remove {
        /// Whom.
        user: UserId,
        /// And keep them out.
        ban: bool,
    },
    /// Let somebody come back.
    Unban {
        /// Whom.
        user: UserId,
    },
    /// Change the room; `change` of it is set by the room.
    Change(RoomChange),
    /// An operator says something.
    Announce {
        /// What.
        text: String,
    },
    /// End the room.
    End,
}

impl Intent {
    /// The message that this is about.
    #[must_use]
    pub const fn target(&self) -> Option<Seq> {
        match self {
            Self::Edit { target, .. } | Self::Delete { target } | Self::React { target, .. } => Some(*target),
            _ => None,
        }
    }

    /// The files that are to be looked for before the room can decide.
    #[must_use]
    pub fn named_media(&self) -> Vec<MediaId> {
        match self {
            Self::Post { attachments, .. } => attachments.iter().map(|attached| attached.id).collect(),
            _ => Vec::new(),
        }
    }

    /// Those files, as they were found.
    pub fn with_media(&mut self, found: Vec<Attached>) {
        if let Self::Post { attachments, .. } = self {
            *attachments = found;
        }
    }
}

/// A write that is in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its place.
    pub seq: Seq,
    /// When.
    pub at: Millis,
    /// What it said; the text is gone if the message was deleted.
    pub content: Content,
}

/// The message that an edit, delete or reaction is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its author.
    pub author: UserId,
    /// Whether it was taken back.
    pub deleted: bool,
    /// Whether it carries files.
    pub attachments: bool,
}

/// What the store knows about a write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// The write itself, if it is in the log.
    pub known: Option<Known>,
    /// Its target, if that is a message.
    pub target: Option<Target>,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Somebody wants to write.
    Write(Write),
    /// The store answered a `Look`; `None`: it could not.
    Looked {
        /// Which look.
        ticket: u64,
        /// What it found.
        found: Option<Looked>,
    },
    /// These appends are durable.
    Appended {
        /// Which.
        seqs: RangeInclusive<Seq>,
    },
    /// These appends are not in the log and never will be.
    AppendFailed {
        /// Which.
        seqs: RangeInclusive<Seq>,
    },
    /// Somebody moves their marks.
    Mark {
        /// Who asked.
        caller: Caller,
        /// Whose.
        user: UserId,
        /// Read up to here.
        read: Option<Seq>,
        /// Delivered up to here.
        delivered: Option<Seq>,
    },
    /// The marks are durable and stand like this; `None`: the store could not, or they are no member.
    Marked {
        /// Who asked.
        caller: Caller,
        /// Whose.
        user: UserId,
        /// Read and delivered as they stand.
        stand: Option<(Seq, Seq)>,
    },
    /// Somebody types, or stopped.
    Typing {
        /// Who.
        user: UserId,
        /// Whether.
        on: bool,
    },
    /// In a direct room: one of the two blocked the other, or stopped.
    Blocked {
        /// Who blocks.
        by: UserId,
        /// Whether.
        on: bool,
    },
}
