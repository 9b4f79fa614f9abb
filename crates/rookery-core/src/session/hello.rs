//! The first frame and its answer.

use std::collections::BTreeMap;

use super::{Effect, Opening, Phase, Session, close, send};
use crate::{
    frame::{
        Code,
        client::Hello,
        server::{AnnouncedLimits, Resume, RoomView, ServerFrame, Welcome},
    },
    ids::{RoomId, Seq},
    limits::{Limits, REPLAY_IN_ALL, REPLAY_PER_ROOM},
    time::Millis,
};

/// What to do with one room at `hello`.
enum Start {
    Live,
    Replay { after: Seq },
    Gap { from: Seq, to: Seq },
}

impl Session {
    pub(super) fn hello(&mut self, hello: Hello, out: &mut Vec<Effect>) {
        let client = hello.client.clone();
        self.phase = Phase::Loading { opening: Box::new(Opening { hello, early: Vec::new() }), stale: false };
        out.push(Effect::Load { client });
    }

    pub(super) fn loaded(&mut self, rooms: Option<Vec<RoomView>>, limits: &Limits, now: Millis, out: &mut Vec<Effect>) {
        let Phase::Loading { opening, stale } = &mut self.phase else { return };
        if std::mem::take(stale) {
            let client = opening.hello.client.clone();
            return out.push(Effect::Load { client });
        }
        let Some(rooms) = rooms else {
            let detail = "the store cannot be reached";
            send(&ServerFrame::Error { code: Code::Unavailable, detail, field: None, close: true }, out);
            return self.close(close::RESTART, "the store cannot be reached", out);
        };
        let Opening { hello, early } = (**opening).clone();
        self.phase = Phase::Live;
        let starts = plan(&hello.cursors, &rooms);
        let resume = starts.iter().filter(|(room, _)| hello.cursors.contains_key(room));
        let resume = resume.map(|(room, start)| {
            (*room, if matches!(start, Start::Gap { .. }) { Resume::Gap } else { Resume::Replay })
        });
        let welcome = Welcome {
            id: hello.id.map(Into::into),
            session: self.peer.session,
            user: self.peer.user,
            device: self.peer.device,
            time: now,
            limits: AnnouncedLimits {
                frame: limits.frame_bytes,
                body: limits.body_bytes,
                rooms: limits.rooms_per_user,
                sends_per_second: limits.sends_per_second,
                outbox: limits.outbox_bytes,
            },
            resume: resume.collect(),
            rooms,
        };
        send(&ServerFrame::Welcome(Box::new(welcome.clone())), out);
        out.push(Effect::Active);
        for room in &welcome.rooms {
            if let Some(start) = starts.get(&room.room) {
                self.start(room.room, room.head, start, hello.cursors.contains_key(&room.room), out);
            }
        }
        for (frame, admitted) in early {
            self.frame(frame, admitted, limits, now, out);
        }
    }

    fn start(&mut self, room: RoomId, head: Seq, start: &Start, asked: bool, out: &mut Vec<Effect>) {
        match *start {
            Start::Live => {
                out.push(Effect::Listen { room, next: head + 1, live: true });
                if asked {
                    send(&ServerFrame::Synced { id: None, room, seq: head }, out);
                }
            }
            Start::Replay { after } => {
                out.push(Effect::Listen { room, next: after + 1, live: false });
                self.pull(room, after, Some(None), out);
            }
            Start::Gap { from, to } => send(&ServerFrame::Gap { id: None, room, from, to }, out),
        }
    }
}

/// Decides for each room whether it is live at once, is replayed, or is too far behind.
fn plan(cursors: &BTreeMap<RoomId, Seq>, rooms: &[RoomView]) -> BTreeMap<RoomId, Start> {
    let mut left = REPLAY_IN_ALL;
    let mut starts = BTreeMap::new();
    for room in rooms {
        let start = match cursors.get(&room.room) {
            None => Start::Live,
            Some(cursor) if *cursor == room.head => Start::Live,
            Some(cursor) => {
                let missing = room.head.saturating_sub(*cursor);
                let visible = cursor + 1 >= room.visible_from;
                // Who has more than the list shows may have it from the room, which alone knows how far it is.
                if !visible || missing > REPLAY_PER_ROOM || missing > left {
                    Start::Gap { from: cursor + 1, to: room.head }
                } else {
                    left -= missing;
                    Start::Replay { after: *cursor }
                }
            }
        };
        starts.insert(room.room, start);
    }
    starts
}
