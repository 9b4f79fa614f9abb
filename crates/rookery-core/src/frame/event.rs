//! The frame of one event: flat, and the same bytes for everybody.

use serde::Serialize;

use super::server::is_false;
use crate::{
    event::{Content, Event, Kind, MemberChange, Role, RoomChangeKind, Visibility},
    ids::{ClientId, RoomId, Seq, UserId},
    media::Attachment,
    time::Millis,
};

/// One event of a room, flat; the fields that are there depend on `kind`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct EventFrame<'a> {
    /// Where.
    pub room: RoomId,
    /// Its place.
    pub seq: Seq,
    /// What sort.
    pub kind: Kind,
    /// When.
    pub at: Millis,
    /// Who.
    pub from: UserId,
    /// The idempotency key of the write.
    pub client_id: ClientId,
    /// `message`, `edit`: the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<&'a str>,
    /// `message`: what it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Seq>,
    /// `message`: who it names.
    #[serde(skip_serializing_if = "<[UserId]>::is_empty")]
    pub mentions: &'a [UserId],
    /// `message`: the files that it carries.
    #[serde(skip_serializing_if = "<[Attachment]>::is_empty")]
    pub attachments: &'a [Attachment],
    /// `edit`, `delete`, `reaction`: the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<Seq>,
    /// `reaction`: which.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub emoji: Option<&'a str>,
    /// `reaction`: taken back.
    #[serde(skip_serializing_if = "is_false")]
    pub remove: bool,
    /// `member`: whose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// `member`, `room`: how.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
    /// `member`: the role from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// `member`: until when they are muted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Millis>,
    /// `room`: the name from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'a str>,
    /// `room`: the topic from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<&'a str>,
    /// `room`: who may find it from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visibility: Option<Visibility>,
    /// `room`: whether it is closed for writing from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub archived: Option<bool>,
    /// `room`: an announcement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<&'a str>,
}

/// How a member or a room changed.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum Change {
    /// `member`
    Member(MemberChange),
    /// `room`
    Room(RoomChangeKind),
}

impl<'a> From<&'a Event> for EventFrame<'a> {
    fn from(event: &'a Event) -> Self {
        let mut frame = Self {
            room: event.room,
            seq: event.seq,
            kind: event.content.kind(),
            at: event.at,
            from: event.sender,
            client_id: event.client_id,
            body: None,
            reply_to: None,
            mentions: &[],
            attachments: &[],
            target: event.content.target(),
            emoji: None,
            remove: false,
            user: None,
            change: None,
            role: None,
            until: None,
            name: None,
            topic: None,
            visibility: None,
            archived: None,
            text: None,
        };
        frame.fill(&event.content);
        frame
    }
}

impl<'a> EventFrame<'a> {
    fn fill(&mut self, content: &'a Content) {
        match content {
            Content::Message { body, reply_to, mentions, attachments } => {
                self.body = Some(body);
                self.reply_to = *reply_to;
                self.mentions = mentions;
                self.attachments = attachments;
            }
            Content::Edit { body, .. } => self.body = Some(body),
            Content::Delete { .. } => {}
            Content::Reaction { emoji, remove, .. } => {
                self.emoji = Some(emoji);
                self.remove = *remove;
            }
            Content::Member { user, change, role, until } => {
                self.user = Some(*user);
                self.change = Some(Change::Member(*change));
                self.role = *role;
                self.until = *until;
            }
            Content::Room(room) => {
                self.change = Some(Change::Room(room.change));
                self.name = room.name.as_deref();
                self.topic = room.topic.as_deref();
                self.visibility = room.visibility;
                self.archived = room.archived;
                self.text = room.text.as_deref();
            }
        }
    }
}
