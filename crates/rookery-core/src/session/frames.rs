//! What a client may say when, and what becomes of it.

use super::{Ask, Effect, Phase, Session, Turn, close, nack, send};
use crate::{
    frame::{
        ClientFrame, Code, Refusal, client,
        codec::BadFrame,
        server::{Nack, ServerFrame},
    },
    ids::{ClientId, RoomId, Seq},
    limits::{CREDITS, Limits},
    media::Attached,
    rate::Rate,
    room::{Authority, Caller, Intent, Write},
    time::Millis,
};

/// Bad frames within [`BAD_FRAME_WINDOW`] that end the connection.
const BAD_FRAMES: u16 = 10;
/// Milliseconds.
const BAD_FRAME_WINDOW: i64 = 60_000;
/// Refusals for haste within [`FLOOD_WINDOW`] that end the connection.
const FLOODS: u16 = 200;
/// Milliseconds.
const FLOOD_WINDOW: i64 = 10_000;
/// Milliseconds between two notes that the user does something.
const ACTIVE_EVERY: i64 = 30_000;
/// Milliseconds after which a client that has too much under way should try again.
const CREDIT_RETRY_MS: u64 = 100;

/// How fast a connection may say what is no write: a multiple of the writes, since marks and typing come with them.
pub(super) const fn chatter(limits: &Limits) -> Rate {
    Rate::per_second(limits.sends_per_second.saturating_mul(5), limits.send_burst.saturating_mul(5))
}

impl Session {
    pub(super) fn frame(
        &mut self,
        frame: ClientFrame,
        admitted: Result<(), u64>,
        limits: &Limits,
        now: Millis,
        out: &mut Vec<Effect>,
    ) {
        self.unanswered = 0;
        match (&self.phase, frame) {
            (Phase::Silent { .. }, ClientFrame::Hello(hello)) => self.hello(hello, out),
            (Phase::Silent { .. }, _) => {
                let detail = "say hello first";
                send(&ServerFrame::Error { code: Code::Unauthenticated, detail, field: None, close: true }, out);
                self.close(close::UNAUTHENTICATED, "a frame before hello", out);
            }
            (_, ClientFrame::Hello(_)) => {
                let detail = "hello was said already";
                send(&ServerFrame::Error { code: Code::BadRequest, detail, field: Some("type"), close: false }, out);
            }
            (Phase::Loading { .. }, frame) => self.early(frame, admitted, now, out),
            (_, frame) => self.live_frame(frame, admitted, limits, now, out),
        }
    }

    /// Keeps what came between `hello` and `welcome` for afterwards, as much as may be unanswered anyway.
    fn early(&mut self, frame: ClientFrame, admitted: Result<(), u64>, now: Millis, out: &mut Vec<Effect>) {
        if let Phase::Loading { opening, .. } = &mut self.phase
            && opening.early.len() < CREDITS
        {
            return opening.early.push((frame, admitted));
        }
        self.refuse(&frame, &Refusal::new(Code::RateLimited, "too many unanswered").after(CREDIT_RETRY_MS), now, out);
    }

    fn live_frame(
        &mut self,
        frame: ClientFrame,
        admitted: Result<(), u64>,
        limits: &Limits,
        now: Millis,
        out: &mut Vec<Effect>,
    ) {
        let write = key(&frame);
        let allowed = match write {
            Some(_) => admitted,
            None => self.chatter.take(chatter(limits), now),
        };
        let spends_credit = write.is_some() || matches!(frame, ClientFrame::Sync(_));
        let refusal = match allowed {
            Err(wait) => Some(Refusal::new(Code::RateLimited, "too fast").after(wait)),
            Ok(()) if spends_credit && !self.has_credit() => {
                Some(Refusal::new(Code::RateLimited, "too many unanswered").after(CREDIT_RETRY_MS))
            }
            Ok(()) => None,
        };
        if let Some(refusal) = refusal {
            return self.refuse(&frame, &refusal, now, out);
        }
        if now.since(self.active_at) >= ACTIVE_EVERY {
            self.active_at = now;
            out.push(Effect::Active);
        }
        self.obey(frame, now, out);
    }

    fn obey(&mut self, frame: ClientFrame, now: Millis, out: &mut Vec<Effect>) {
        match frame {
            ClientFrame::Send(frame) => {
                let client::Send { room, client_id, body, seen, reply_to, mentions, attachments, id, .. } = frame;
                let attachments = attachments.into_iter().map(Attached::named).collect();
                self.ask(room, client_id, seen, id, Intent::Post { body, reply_to, mentions, attachments }, out);
            }
            ClientFrame::Edit(frame) => {
                let client::Edit { room, client_id, seq, body, seen, id, .. } = frame;
                self.ask(room, client_id, seen, id, Intent::Edit { target: seq, body }, out);
            }
            ClientFrame::Delete(frame) => {
                let client::Delete { room, client_id, seq, seen, id, .. } = frame;
                self.ask(room, client_id, seen, id, Intent::Delete { target: seq }, out);
            }
            ClientFrame::React(frame) => {
                let client::React { room, client_id, seq, emoji, remove, seen, id, .. } = frame;
                self.ask(room, client_id, seen, id, Intent::React { target: seq, emoji: emoji.into(), remove }, out);
            }
            ClientFrame::Mark(frame) => self.mark(frame, now, out),
            ClientFrame::Typing(frame) => out.push(Effect::Typing { room: frame.room, on: frame.on }),
            ClientFrame::Watch(frame) => {
                out.extend(frame.rooms.map(Effect::WatchRooms));
                out.extend(frame.users.map(Effect::WatchUsers));
            }
            ClientFrame::Sync(frame) => self.sync(frame, out),
            ClientFrame::Ping(frame) => send(&ServerFrame::Pong { id: frame.id.as_deref() }, out),
            ClientFrame::Hello(_) => self.close(close::UNAUTHENTICATED, "hello at the wrong time", out),
        }
    }

    fn ask(
        &mut self,
        room: RoomId,
        client_id: ClientId,
        seen: Option<Seq>,
        id: Option<Box<str>>,
        intent: Intent,
        out: &mut Vec<Effect>,
    ) {
        let write = Write {
            caller: self.caller(id),
            user: self.peer.user,
            authority: Authority::Member,
            client_id,
            seen: seen.unwrap_or(0),
            again: false,
            after: None,
            intent,
        };
        let turn = self.turn_of(room, &write, out);
        let is_retry = self.asks.iter().any(|ask| ask.room == room && ask.write.client_id == client_id);
        self.asks.push(Ask { room, write, until: None, open: Vec::new(), turn, is_retry });
        if turn == Turn::Said {
            self.say(self.asks.len() - 1, out);
        }
    }

    pub(super) fn caller(&self, id: Option<Box<str>>) -> Caller {
        Caller::Session { hub: self.peer.hub, session: self.peer.session, id }
    }

    fn refuse(&mut self, frame: &ClientFrame, refusal: &Refusal, now: Millis, out: &mut Vec<Effect>) {
        if !matches!(frame, ClientFrame::Typing(_)) {
            let (room, client_id) = key(frame).map_or((None, None), |(room, key)| (Some(room), Some(key)));
            nack(refusal, frame.id(), room, client_id, out);
        }
        if self.floods.strike(now, FLOOD_WINDOW, FLOODS) {
            self.close(close::FLOODING, "too many frames for too long", out);
        }
    }

    pub(super) fn bad_frame(&mut self, bad: &BadFrame, now: Millis, out: &mut Vec<Effect>) {
        let BadFrame { refusal, unknown, id, client_id } = bad;
        let field = refusal.field.or(unknown.as_deref());
        let last = refusal.code == Code::BadFrame && self.bad_frames.strike(now, BAD_FRAME_WINDOW, BAD_FRAMES);
        if client_id.is_some() || id.is_some() {
            let nack = Nack { field, ..Nack::of(refusal, id.as_deref(), None, *client_id) };
            send(&ServerFrame::Nack(nack), out);
        } else {
            let Refusal { code, detail, .. } = refusal;
            send(&ServerFrame::Error { code: *code, detail, field, close: last }, out);
        }
        if last {
            self.close(close::BAD_FRAMES, "bad frames, repeatedly", out);
        }
    }
}

/// The room and key of a frame that writes.
const fn key(frame: &ClientFrame) -> Option<(RoomId, ClientId)> {
    match frame {
        ClientFrame::Send(frame) => Some((frame.room, frame.client_id)),
        ClientFrame::Edit(frame) => Some((frame.room, frame.client_id)),
        ClientFrame::Delete(frame) => Some((frame.room, frame.client_id)),
        ClientFrame::React(frame) => Some((frame.room, frame.client_id)),
        _ => None,
    }
}
