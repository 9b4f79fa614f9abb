//! What follows from an event: memberships, the room's record, the present state of messages.

use rookery_core::event::{Content, Event, MemberChange, Role, RoomChange, RoomChangeKind};
use rookery_core::ids::{Seq, UserId};
use rookery_core::media::Attachment;
use rookery_core::time::Millis;
use sqlx::SqliteConnection;

use super::row::{role_number, signed, visibility_number};
use crate::store::StoreError;

type Done = Result<(), super::failure::Failure>;

/// Applies one event whose row was just written. Messages need nothing: the hot path stays free.
pub(super) async fn project(connection: &mut SqliteConnection, event: &Event) -> Done {
    match &event.content {
        Content::Message { attachments, .. } if attachments.is_empty() => Ok(()),
        Content::Message { attachments, .. } => refer(connection, event, attachments).await,
        Content::Edit { target, body } => edit(connection, event, *target, body).await,
        Content::Delete { target, attachments } => {
            if *attachments {
                let_go(connection, event, *target).await?;
            }
            delete(connection, event, *target).await
        }
        Content::Reaction { target, emoji, remove } => react(connection, event, *target, emoji, *remove).await,
        Content::Member { user, change, role, until } => member(connection, event, *user, *change, *role, *until).await,
        Content::Room(change) => room(connection, event, change).await,
    }
}

const EDIT: &str = "INSERT INTO overlays (room, seq, body, edited_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (room, seq) DO UPDATE SET body = excluded.body, edited_at = excluded.edited_at WHERE deleted = 0";

async fn edit(connection: &mut SqliteConnection, event: &Event, target: Seq, body: &str) -> Done {
    let query = sqlx::query(EDIT).bind(event.room.0).bind(signed(target)).bind(body).bind(event.at.0);
    query.execute(connection).await?;
    Ok(())
}

const ROWS_OF_MESSAGE: &str = "SELECT pos, body FROM events WHERE room = $1 AND seq = $2
    UNION ALL SELECT pos, body FROM events WHERE room = $1 AND target = $2 AND kind = 1";
const EMPTY_ROW: &str = "UPDATE events SET body = $2 WHERE pos = $1";
const DELETE: &str = "INSERT INTO overlays (room, seq, deleted) VALUES ($1, $2, 1)
    ON CONFLICT (room, seq) DO UPDATE SET body = NULL, edited_at = NULL, deleted = 1";
const FORGET_REACTIONS: &str = "DELETE FROM reactions WHERE room = $1 AND seq = $2";

/// Takes every word of the message out of the file: its own, and those of its edits.
async fn delete(connection: &mut SqliteConnection, event: &Event, target: Seq) -> Done {
    let (room, seq) = (event.room.0, signed(target));
    let rows: Vec<(i64, Vec<u8>)> =
        sqlx::query_as(ROWS_OF_MESSAGE).bind(room).bind(seq).fetch_all(&mut *connection).await?;
    for (pos, body) in rows {
        let Some(content) = Content::from_stored(&body) else {
            return Err(StoreError::Corrupt(format!("event {target} of room {room}")).into());
        };
        sqlx::query(EMPTY_ROW).bind(pos).bind(content.erased().to_stored()).execute(&mut *connection).await?;
    }
    sqlx::query(DELETE).bind(room).bind(seq).execute(&mut *connection).await?;
    sqlx::query(FORGET_REACTIONS).bind(room).bind(seq).execute(connection).await?;
    Ok(())
}

const REACT: &str = "INSERT INTO reactions (room, seq, emoji, user, at, event) SELECT $1, $2, $3, $4, $5, $6
    WHERE NOT EXISTS (SELECT 1 FROM overlays WHERE room = $1 AND seq = $2 AND deleted = 1)
    ON CONFLICT (room, seq, emoji, user) DO NOTHING";
const UNREACT: &str = "DELETE FROM reactions WHERE room = $1 AND seq = $2 AND emoji = $3 AND user = $4";

async fn react(connection: &mut SqliteConnection, event: &Event, target: Seq, emoji: &str, remove: bool) -> Done {
    let query = sqlx::query(if remove { UNREACT } else { REACT });
    let mut query = query.bind(event.room.0).bind(signed(target)).bind(emoji).bind(event.sender.0);
    if !remove {
        query = query.bind(event.at.0).bind(signed(event.seq));
    }
    query.execute(connection).await?;
    Ok(())
}

const REFER: &str = "INSERT INTO media_refs (media, room, seq) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
const ATTACHED: &str = "UPDATE media SET attached = 1 WHERE id = $1";

/// A message refers to the files that it carries.
async fn refer(connection: &mut SqliteConnection, event: &Event, attachments: &[Attachment]) -> Done {
    for attachment in attachments {
        let query = sqlx::query(REFER).bind(attachment.id.0).bind(event.room.0).bind(signed(event.seq));
        query.execute(&mut *connection).await?;
        sqlx::query(ATTACHED).bind(attachment.id.0).execute(&mut *connection).await?;
    }
    Ok(())
}

const DOOM: &str = "UPDATE media SET state = 3 WHERE id IN (SELECT media FROM media_refs WHERE room = $1 AND seq = $2)
    AND NOT EXISTS (SELECT 1 FROM media_refs r WHERE r.media = media.id AND NOT (r.room = $1 AND r.seq = $2))";
const LET_GO: &str = "DELETE FROM media_refs WHERE room = $1 AND seq = $2";

/// A message that is taken back refers to nothing, and what nothing refers to any more goes with it.
async fn let_go(connection: &mut SqliteConnection, event: &Event, target: Seq) -> Done {
    for sql in [DOOM, LET_GO] {
        sqlx::query(sql).bind(event.room.0).bind(signed(target)).execute(&mut *connection).await?;
    }
    Ok(())
}

/// What was said before somebody came is not unread for them; in public and direct rooms they may read it all the same.
const JOIN: &str = "INSERT INTO memberships
        (room, user, role, joined_at, visible_from, read, read_messages, delivered)
    SELECT id, $2, coalesce($3, CASE kind WHEN 2 THEN 0 ELSE 1 END), $4,
        CASE WHEN kind = 0 OR visibility = 1 OR $7 THEN 1 ELSE $5 END, $5, $6, $5
    FROM rooms WHERE id = $1
    ON CONFLICT (room, user) DO NOTHING";
const ONE_MORE: &str = "UPDATE rooms SET members = members + 1 WHERE id = $1";
const GO: &str = "DELETE FROM memberships WHERE room = $1 AND user = $2";
const ONE_LESS: &str = "UPDATE rooms SET members = members - 1 WHERE id = $1";
const BAN: &str = "INSERT INTO bans (room, user) VALUES ($1, $2) ON CONFLICT (room, user) DO NOTHING";
const UNBAN: &str = "DELETE FROM bans WHERE room = $1 AND user = $2";
const SET_ROLE: &str = "UPDATE memberships SET role = $3 WHERE room = $1 AND user = $2";
const MUTE: &str = "UPDATE memberships SET muted_until = $3 WHERE room = $1 AND user = $2";

async fn member(
    connection: &mut SqliteConnection,
    event: &Event,
    user: UserId,
    change: MemberChange,
    role: Option<Role>,
    until: Option<Millis>,
) -> Done {
    let room = event.room.0;
    let on = |sql: &'static str| sqlx::query(sql).bind(room).bind(user.0);
    match change {
        MemberChange::Joined => {
            let join = on(JOIN).bind(role.map(role_number)).bind(event.at.0).bind(signed(event.seq));
            // Nobody comes into a private room by themselves but who made it.
            let maker = event.sender == user;
            let joined = join.bind(signed(event.messages)).bind(maker).execute(&mut *connection).await?;
            if joined.rows_affected() > 0 {
                sqlx::query(ONE_MORE).bind(room).execute(connection).await?;
            }
        }
        MemberChange::Left | MemberChange::Removed | MemberChange::Banned => {
            if on(GO).execute(&mut *connection).await?.rows_affected() > 0 {
                sqlx::query(ONE_LESS).bind(room).execute(&mut *connection).await?;
            }
            if change == MemberChange::Banned {
                on(BAN).execute(connection).await?;
            }
        }
        MemberChange::Unbanned => {
            on(UNBAN).execute(connection).await?;
        }
        MemberChange::Role => {
            if let Some(role) = role {
                on(SET_ROLE).bind(role_number(role)).execute(connection).await?;
            }
        }
        MemberChange::Muted => {
            on(MUTE).bind(until.map(|until| until.0)).execute(connection).await?;
        }
    }
    Ok(())
}

const CHANGE: &str = "UPDATE rooms SET name = coalesce($2, name), folded_name = coalesce($3, folded_name),
    topic = coalesce($4, topic), visibility = coalesce($5, visibility), archived = coalesce($6, archived)
    WHERE id = $1";
const END: &str = "UPDATE rooms SET deleted = 1 WHERE id = $1";
const DOOM_ALL: &str = "UPDATE media SET state = 3 WHERE room = $1";

async fn room(connection: &mut SqliteConnection, event: &Event, change: &RoomChange) -> Done {
    match change.change {
        RoomChangeKind::Created | RoomChangeKind::Changed => {
            let query = sqlx::query(CHANGE).bind(event.room.0).bind(change.name.as_deref());
            let query = query.bind(change.name.as_deref().map(str::to_lowercase)).bind(change.topic.as_deref());
            let query = query.bind(change.visibility.map(visibility_number)).bind(change.archived);
            query.execute(connection).await?;
        }
        RoomChangeKind::Deleted => {
            sqlx::query(END).bind(event.room.0).execute(&mut *connection).await?;
            sqlx::query(DOOM_ALL).bind(event.room.0).execute(connection).await?;
        }
        RoomChangeKind::Announcement => {}
    }
    Ok(())
}
