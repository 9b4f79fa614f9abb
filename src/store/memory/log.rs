//! The log of the rooms in memory; an append is settled before the call returns.

use rookery_core::{
    event::{Content, Event},
    ids::{ClientId, RoomId, Seq, ShardId, UserId},
    room::{Known, Looked, RECENT, Snapshot, SnapshotMember, Target},
    shard::{Epoch, Stamp},
    time::Millis,
};

use super::{MemoryStore, State, room::Room};
use crate::store::{
    Answer, StoreError,
    log::{Append, Marks, MessageLog, Window},
    record::{Message, Reaction},
};

impl MessageLog for MemoryStore {
    fn append(&self, append: Append) {
        let seq = append.event.seq;
        let fate = self.state.lock().append(append.stamp, &append.event);
        append.reply.appended(seq..=seq, &fate);
    }

    fn queue_length(&self) -> usize {
        0
    }

    fn queue_bound(&self) -> usize {
        65_536
    }

    fn claim(&self, shard: ShardId) -> Answer<'_, Epoch> {
        self.answer(|state| {
            let epoch = state.epochs.entry(shard).or_default();
            *epoch += 1;
            Ok(*epoch)
        })
    }

    fn wake(&self, room: RoomId, stamp: Stamp) -> Answer<'_, Option<Snapshot>> {
        self.answer(|state| state.wake(room, stamp))
    }

    fn look(&self, room: RoomId, sender: UserId, client_id: ClientId, target: Option<Seq>) -> Answer<'_, Looked> {
        self.answer(|state| {
            let Some(room) = state.rooms.get(&room) else { return Ok(Looked::default()) };
            let known = room.written(sender, client_id);
            let known = known.map(|event| Known { seq: event.seq, at: event.at, content: event.content.clone() });
            let target = target.and_then(|seq| room.event(seq)).and_then(|event| room.message(event, sender));
            let target = target.map(|message| {
                let attachments = !message.attachments.is_empty();
                Target { author: message.from, deleted: message.deleted, attachments }
            });
            Ok(Looked { known, target })
        })
    }

    fn events(&self, room: RoomId, after: Seq, limit: usize) -> Answer<'_, Vec<Event>> {
        self.answer(|state| {
            let events = state.rooms.get(&room).map(|room| room.after(after)).unwrap_or_default();
            Ok(events.iter().take(limit).cloned().collect())
        })
    }

    fn messages(
        &self,
        room: RoomId,
        window: Window,
        visible_from: Seq,
        limit: usize,
        viewer: UserId,
    ) -> Answer<'_, Vec<Message>> {
        self.answer(|state| {
            let room = state.rooms.get(&room);
            Ok(room.map(|room| room.window(window, visible_from, limit, viewer)).unwrap_or_default())
        })
    }

    fn message(&self, room: RoomId, seq: Seq, viewer: UserId) -> Answer<'_, Option<Message>> {
        self.answer(|state| {
            let room = state.rooms.get(&room);
            Ok(room.and_then(|room| room.message(room.event(seq)?, viewer)))
        })
    }

    fn reactions(&self, room: RoomId, seq: Seq) -> Answer<'_, Vec<Reaction>> {
        self.answer(|state| {
            let reactions = state.rooms.get(&room).and_then(|room| room.reactions.get(&seq));
            Ok(reactions.into_iter().flatten().take(1_000).cloned().collect())
        })
    }

    fn head(&self, room: RoomId) -> Answer<'_, Seq> {
        self.answer(|state| Ok(state.rooms.get(&room).map_or(0, Room::head)))
    }

    fn outcome(&self, room: RoomId, sender: UserId, client_id: ClientId) -> Answer<'_, Option<(Seq, Millis)>> {
        self.answer(|state| {
            let event = state.rooms.get(&room).and_then(|room| room.written(sender, client_id));
            Ok(event.map(|event| (event.seq, event.at)))
        })
    }

    fn mark(&self, marks: Vec<Marks>) -> Answer<'_, Vec<Option<Marks>>> {
        self.answer(|state| Ok(marks.into_iter().map(|marks| state.mark(marks)).collect()))
    }
}

impl State {
    fn append(&mut self, stamp: Stamp, event: &Event) -> Result<(), StoreError> {
        let owned = self.epochs.get(&event.room.shard()) == Some(&stamp.epoch());
        let fence = self.fences.get_mut(&event.room).filter(|(newest, _)| owned && *newest == stamp);
        let (Some((_, next)), Some(room)) = (fence, self.rooms.get_mut(&event.room)) else {
            return Err(StoreError::Fenced);
        };
        let follows = event.seq == *next || (cfg!(feature = "bugs") && event.seq > *next);
        if !follows {
            return Err(StoreError::Unavailable("an earlier event of the room was not written".to_owned()));
        }
        if room.written(event.sender, event.client_id).is_some() {
            return Err(StoreError::Unavailable("an event with this key is in the log".to_owned()));
        }
        room.add(event.clone());
        *next = event.seq + 1;
        self.follow_media(event);
        Ok(())
    }

    fn wake(&mut self, id: RoomId, stamp: Stamp) -> Result<Option<Snapshot>, StoreError> {
        let newer = self.fences.get(&id).is_some_and(|(newest, _)| *newest > stamp);
        if newer || self.epochs.get(&id.shard()) != Some(&stamp.epoch()) {
            return Err(StoreError::Fenced);
        }
        let Some(room) = self.rooms.get(&id) else { return Ok(None) };
        self.fences.insert(id, (stamp, room.head() + 1));
        let mut snapshot = room.snapshot();
        if let Some((one, other)) = room.record.pair {
            let blocks = |by: &UserId| self.blocks.contains(&(*by, if *by == one { other } else { one }));
            snapshot.blocking = [one, other].into_iter().filter(blocks).collect();
        }
        Ok(Some(snapshot))
    }

    fn mark(&mut self, marks: Marks) -> Option<Marks> {
        let room = self.rooms.get_mut(&marks.room)?;
        let head = room.head();
        let member = room.members.get_mut(&marks.user)?;
        member.read = member.read.max(marks.read.min(head));
        member.delivered = member.delivered.max(marks.delivered.min(head)).max(member.read);
        Some(Marks { read: member.read, delivered: member.delivered, ..marks })
    }
}

impl Room {
    fn written(&self, sender: UserId, client_id: ClientId) -> Option<&Event> {
        self.events.iter().find(|event| event.sender == sender && event.client_id == client_id)
    }

    fn snapshot(&self) -> Snapshot {
        let member = |member: &crate::store::record::Membership| SnapshotMember {
            user: member.user,
            role: member.role,
            visible_from: member.visible_from,
            muted_until: member.muted_until,
        };
        let begin = self.events.len().saturating_sub(RECENT);
        Snapshot {
            room: self.record.id,
            kind: self.record.kind,
            visibility: self.record.visibility,
            archived: self.record.archived,
            deleted: self.record.deleted,
            members: self.members.values().map(member).collect(),
            banned: self.banned.iter().copied().collect(),
            blocking: Vec::new(),
            head: self.head(),
            messages: self.events.last().map_or(0, |event| event.messages),
            recent: self.events.iter().skip(begin).cloned().collect(),
        }
    }

    fn window(&self, window: Window, visible_from: Seq, limit: usize, viewer: UserId) -> Vec<Message> {
        let is_message = |event: &&Event| matches!(event.content, Content::Message { .. });
        let visible: Vec<&Event> = self.after(visible_from.saturating_sub(1)).iter().filter(is_message).collect();
        let before = |seq: Seq| visible.partition_point(|event| event.seq < seq);
        let (begin, end) = match window {
            Window::Newest => (visible.len().saturating_sub(limit), visible.len()),
            Window::Before(seq) => (before(seq).saturating_sub(limit), before(seq)),
            Window::After(seq) => (before(seq.saturating_add(1)), visible.len()),
            Window::Around(seq) => (before(seq).saturating_sub(limit / 2), visible.len()),
        };
        visible[begin..end].iter().take(limit).filter_map(|event| self.message(event, viewer)).collect()
    }
}
