//! Saying something, changing it, taking it back, reacting to it.

use super::{Authority, Room, Target, Undo, Write, write::Verdict};
use crate::{
    event::Content,
    frame::{Code, Refusal},
    ids::{Seq, UserId},
    media::{self, Attached},
    permission::Action,
    time::Millis,
};

impl Room {
    pub(super) fn post(
        &self,
        write: &Write,
        body: &str,
        reply_to: Option<Seq>,
        mentions: &[UserId],
        attachments: &[Attached],
        now: Millis,
    ) -> Result<Verdict, Refusal> {
        self.may_speak(write, Action::Post, now)?;
        if reply_to.is_some_and(|seq| seq == 0 || seq > self.last) {
            return Err(Refusal::field(Code::BadRequest, "reply_to", "no such message"));
        }
        if mentions.iter().any(|user| !self.members.contains_key(user)) {
            return Err(Refusal::field(Code::BadRequest, "mentions", "names somebody who is not in the room"));
        }
        let attachments = media::carried(attachments)?;
        let content = Content::Message { body: body.to_owned(), reply_to, mentions: mentions.to_vec(), attachments };
        Ok(Verdict::Write(content, Undo::Nothing))
    }

    pub(super) fn edit(
        &self,
        write: &Write,
        seq: Seq,
        body: &str,
        looked: Option<Target>,
        now: Millis,
    ) -> Result<Verdict, Refusal> {
        self.may_speak(write, Action::EditOwn, now)?;
        let target = self.visible_target(write, seq, looked)?;
        if target.author != write.user {
            return Err(Refusal::field(Code::Forbidden, "seq", "not your message"));
        }
        if target.deleted {
            return Err(Refusal::field(Code::Gone, "seq", "the message was taken back"));
        }
        Ok(Verdict::Write(Content::Edit { target: seq, body: body.to_owned() }, Undo::Nothing))
    }

    pub(super) fn delete(&self, write: &Write, seq: Seq, looked: Option<Target>) -> Result<Verdict, Refusal> {
        self.may(write, Action::DeleteOwn)?;
        let target = self.visible_target(write, seq, looked)?;
        if target.author != write.user {
            self.may(write, Action::DeleteOthers)?;
        }
        if target.deleted {
            return Err(Refusal::field(Code::Gone, "seq", "the message was taken back already"));
        }
        let content = Content::Delete { target: seq, attachments: target.attachments };
        Ok(Verdict::Write(content, Undo::Nothing))
    }

    pub(super) fn react(
        &self,
        write: &Write,
        seq: Seq,
        emoji: &str,
        remove: bool,
        looked: Option<Target>,
        now: Millis,
    ) -> Result<Verdict, Refusal> {
        self.may_speak(write, Action::React, now)?;
        if self.visible_target(write, seq, looked)?.deleted {
            return Err(Refusal::field(Code::Gone, "seq", "the message was taken back"));
        }
        Ok(Verdict::Write(Content::Reaction { target: seq, emoji: emoji.to_owned(), remove }, Undo::Nothing))
    }

    /// The message, if the writer can see it: what was said before they came does not exist for them.
    fn visible_target(&self, write: &Write, seq: Seq, looked: Option<Target>) -> Result<Target, Refusal> {
        let visible = self.members.get(&write.user).is_some_and(|member| seq >= member.visible_from);
        if !visible && write.authority == Authority::Member {
            return Err(Refusal::field(Code::NotFound, "seq", "no such message"));
        }
        self.target(seq, looked)
    }
}
