//! The log of the rooms in SQLite.

use rookery_core::{
    event::{Event, RoomKind},
    ids::{ClientId, RoomId, Seq, ShardId, UserId},
    room::{Known, Looked, RECENT, Snapshot, SnapshotMember, Target},
    shard::{Epoch, Stamp},
    time::Millis,
};
use sqlx::{Connection, SqliteConnection};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::{
    SqliteStore, busy, messages,
    row::{self, EventRow, rows, signed, unsigned},
    writer::{BOUND, Command},
};
use crate::store::{
    Answer, StoreError,
    log::{Append, Marks, MessageLog, Window},
    record::{Message, Reaction},
};

impl MessageLog for SqliteStore {
    fn append(&self, append: Append) {
        if let Err(Command::Append(refused)) = self.queue.push(Command::Append(append)) {
            let seq = refused.event.seq;
            refused.reply.appended(seq..=seq, &Err(busy()));
        }
    }

    fn queue_length(&self) -> usize {
        self.queue.appends()
    }

    fn queue_bound(&self) -> usize {
        BOUND
    }

    fn claim(&self, shard: ShardId) -> Answer<'_, Epoch> {
        Box::pin(self.ask(move |reply| Command::Claim(shard, reply)))
    }

    fn wake(&self, room: RoomId, stamp: Stamp) -> Answer<'_, Option<Snapshot>> {
        Box::pin(async move {
            if !self.ask(move |reply| Command::Wake(room, stamp, reply)).await? {
                return Ok(None);
            }
            let mut connection = self.readers.acquire().await?;
            // One view of the file for all parts of the snapshot.
            let mut view = connection.begin().await?;
            let snapshot = snapshot(&mut view, room).await?;
            view.rollback().await?;
            Ok(snapshot)
        })
    }

    fn look(&self, room: RoomId, sender: UserId, client_id: ClientId, target: Option<Seq>) -> Answer<'_, Looked> {
        Box::pin(async move {
            let query = sqlx::query_as(LOOK_WRITE).bind(room.0).bind(sender.0).bind(client_id.0);
            let known: Option<(i64, i64, Vec<u8>)> = query.fetch_optional(&self.readers).await?;
            let known = known.map(|(seq, at, body)| {
                let seq = unsigned(seq);
                Ok::<_, StoreError>(Known { seq, at: Millis(at), content: row::content(room, seq, &body)? })
            });
            let mut looked = Looked { known: known.transpose()?, target: None };
            if let Some(target) = target {
                let query = sqlx::query_as(LOOK_TARGET).bind(room.0).bind(signed(target));
                let found: Option<(Uuid, bool, bool)> = query.fetch_optional(&self.readers).await?;
                looked.target = found.map(|(author, deleted, attachments)| {
                    let author = UserId(author);
                    Target { author, deleted, attachments }
                });
            }
            Ok(looked)
        })
    }

    fn events(&self, room: RoomId, after: Seq, limit: usize) -> Answer<'_, Vec<Event>> {
        Box::pin(async move {
            let query = sqlx::query_as(EVENTS).bind(room.0).bind(signed(after)).bind(rows(limit));
            let found: Vec<EventRow> = query.fetch_all(&self.readers).await?;
            found.into_iter().map(|row| row.event(room)).collect()
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
        Box::pin(messages::page(self, room, window, visible_from, limit, viewer))
    }

    fn message(&self, room: RoomId, seq: Seq, viewer: UserId) -> Answer<'_, Option<Message>> {
        Box::pin(messages::one(self, room, seq, viewer))
    }

    fn reactions(&self, room: RoomId, seq: Seq) -> Answer<'_, Vec<Reaction>> {
        Box::pin(async move {
            let query = sqlx::query_as(REACTIONS).bind(room.0).bind(signed(seq));
            let found: Vec<(String, Uuid, i64)> = query.fetch_all(&self.readers).await?;
            let reaction = |(emoji, user, at)| Reaction { emoji, user: UserId(user), at: Millis(at) };
            Ok(found.into_iter().map(reaction).collect())
        })
    }

    fn head(&self, room: RoomId) -> Answer<'_, Seq> {
        Box::pin(async move {
            let head: Option<i64> = sqlx::query_scalar(HEAD).bind(room.0).fetch_optional(&self.readers).await?;
            Ok(head.map_or(0, unsigned))
        })
    }

    fn outcome(&self, room: RoomId, sender: UserId, client_id: ClientId) -> Answer<'_, Option<(Seq, Millis)>> {
        Box::pin(async move {
            let query = sqlx::query_as(OUTCOME).bind(room.0).bind(sender.0).bind(client_id.0);
            let found: Option<(i64, i64)> = query.fetch_optional(&self.readers).await?;
            Ok(found.map(|(seq, at)| (unsigned(seq), Millis(at))))
        })
    }

    fn mark(&self, marks: Vec<Marks>) -> Answer<'_, Vec<Option<Marks>>> {
        Box::pin(self.ask(move |reply| Command::Mark(marks, reply)))
    }
}

impl SqliteStore {
    /// Asks the writer for something that it answers itself.
    async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> Command,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.queue.push(command(reply)).map_err(|_| busy())?;
        answer.await.map_err(|_| busy())?
    }
}

pub(super) const LOOK_WRITE: &str =
    "SELECT seq, at, body FROM events WHERE room = $1 AND sender = $2 AND client_id = $3";
pub(super) const LOOK_TARGET: &str = "SELECT e.sender, coalesce(o.deleted, 0),
    EXISTS (SELECT 1 FROM media_refs r WHERE r.room = e.room AND r.seq = e.seq) FROM events e
    LEFT JOIN overlays o ON o.room = e.room AND o.seq = e.seq WHERE e.room = $1 AND e.seq = $2 AND e.kind = 0";
pub(super) const EVENTS: &str = "SELECT seq, sender, client_id, at, messages, body FROM events
    WHERE room = $1 AND seq > $2 ORDER BY seq LIMIT $3";
pub(super) const REACTIONS: &str =
    "SELECT emoji, user, at FROM reactions WHERE room = $1 AND seq = $2 ORDER BY event LIMIT 1000";
pub(super) const HEAD: &str = "SELECT seq FROM events WHERE room = $1 ORDER BY seq DESC LIMIT 1";
pub(super) const OUTCOME: &str = "SELECT seq, at FROM events WHERE room = $1 AND sender = $2 AND client_id = $3";

pub(super) const SNAPSHOT_ROOM: &str = "SELECT kind, visibility, archived, deleted FROM rooms WHERE id = $1";
pub(super) const SNAPSHOT_MEMBERS: &str =
    "SELECT user, role, visible_from, muted_until FROM memberships WHERE room = $1 ORDER BY user";
pub(super) const SNAPSHOT_BANS: &str = "SELECT user FROM bans WHERE room = $1 ORDER BY user";
pub(super) const SNAPSHOT_BLOCKING: &str = "SELECT b.owner FROM rooms r JOIN blocks b
    ON (b.owner = r.pair_low AND b.other = r.pair_high) OR (b.owner = r.pair_high AND b.other = r.pair_low)
    WHERE r.id = $1 AND r.pair_low IS NOT NULL";
pub(super) const SNAPSHOT_RECENT: &str = "SELECT seq, sender, client_id, at, messages, body FROM events
    WHERE room = $1 ORDER BY seq DESC LIMIT $2";

async fn snapshot(view: &mut SqliteConnection, room: RoomId) -> Result<Option<Snapshot>, StoreError> {
    let record = sqlx::query_as(SNAPSHOT_ROOM).bind(room.0).fetch_optional(&mut *view).await?;
    let Some((kind, visibility, archived, deleted)): Option<(i64, i64, bool, bool)> = record else {
        return Ok(None);
    };
    let found: Vec<(Uuid, i64, i64, Option<i64>)> =
        sqlx::query_as(SNAPSHOT_MEMBERS).bind(room.0).fetch_all(&mut *view).await?;
    let members = found.into_iter().map(|(user, role, visible_from, muted_until)| {
        Ok::<_, StoreError>(SnapshotMember {
            user: UserId(user),
            role: row::role(role)?,
            visible_from: unsigned(visible_from),
            muted_until: muted_until.map(Millis),
        })
    });
    let members = members.collect::<Result<_, _>>()?;
    let banned: Vec<Uuid> = sqlx::query_scalar(SNAPSHOT_BANS).bind(room.0).fetch_all(&mut *view).await?;
    let kind = row::kind(kind)?;
    let blocking: Vec<Uuid> = match kind {
        RoomKind::Direct => sqlx::query_scalar(SNAPSHOT_BLOCKING).bind(room.0).fetch_all(&mut *view).await?,
        RoomKind::Group | RoomKind::Channel => Vec::new(),
    };
    let query = sqlx::query_as(SNAPSHOT_RECENT).bind(room.0).bind(rows(RECENT));
    let found: Vec<EventRow> = query.fetch_all(&mut *view).await?;
    let recent = found.into_iter().rev().map(|row| row.event(room)).collect::<Result<Vec<_>, _>>()?;
    Ok(Some(Snapshot {
        room,
        kind,
        visibility: row::visibility(visibility)?,
        archived,
        deleted,
        members,
        banned: banned.into_iter().map(UserId).collect(),
        blocking: blocking.into_iter().map(UserId).collect(),
        head: recent.last().map_or(0, |event| event.seq),
        messages: recent.last().map_or(0, |event| event.messages),
        recent,
    }))
}
