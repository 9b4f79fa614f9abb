//! What follows from an event: memberships, the room's record, references to files.

use rookery_core::{
    event::{Content, Event, MemberChange, Role, RoomChange, RoomChangeKind},
    ids::{RoomId, UserId},
    time::Millis,
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::refer::{let_all_go, let_go, refer};
use crate::store::sql::{
    failure::Failure,
    row::{role_number, signed, visibility_number},
};

type Done = Result<(), Failure>;

/// Applies events of a room in order. Many who join one after the other, as when a large room begins, are one statement.
pub(in crate::store::sql::postgres) async fn follow(
    connection: &mut PgConnection,
    room: RoomId,
    events: &[&Event],
) -> Done {
    let joins = |event: &&Event| matches!(event.content, Content::Member { change: MemberChange::Joined, .. });
    for part in events.chunk_by(|one, next| joins(one) && joins(next)) {
        match part {
            [event, ..] if joins(event) => join(connection, room, part).await?,
            _ => {
                for event in part {
                    one(connection, room, event).await?;
                }
            }
        }
    }
    Ok(())
}

async fn one(connection: &mut PgConnection, room: RoomId, event: &Event) -> Done {
    match &event.content {
        Content::Member { user, change, role, until } => member(connection, room, *user, *change, *role, *until).await,
        Content::Room(change) => record(connection, room, change).await,
        Content::Message { attachments, .. } if !attachments.is_empty() => refer(connection, event, attachments).await,
        Content::Delete { target, attachments: true } => let_go(connection, room, *target).await,
        // Messages and what is laid over them are in the log's store.
        Content::Message { .. } | Content::Edit { .. } | Content::Delete { .. } | Content::Reaction { .. } => Ok(()),
    }
}

/// What was said before somebody came is not unread for them; in public and direct rooms they may read it all the same.
/// Who is in the room already stays as they are.
const JOIN: &str = "WITH came AS (
        INSERT INTO memberships (room, member, role, joined_at, visible_from, read, read_messages, delivered)
        SELECT r.id, j.member, coalesce(j.role, CASE r.kind WHEN 2 THEN 0 ELSE 1 END), j.at,
            CASE WHEN r.kind = 0 OR r.visibility = 1 OR j.maker THEN 1 ELSE j.seq END, j.seq, j.messages, j.seq
        FROM rooms r, unnest($2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bool[])
            AS j (member, role, at, seq, messages, maker)
        WHERE r.id = $1
        ON CONFLICT (room, member) DO NOTHING RETURNING 1)
    UPDATE rooms SET members = members + (SELECT count(*) FROM came) WHERE id = $1";

async fn join(connection: &mut PgConnection, room: RoomId, events: &[&Event]) -> Done {
    let mut members: Vec<Uuid> = Vec::with_capacity(events.len());
    let mut roles: Vec<Option<i64>> = Vec::with_capacity(events.len());
    let mut makers: Vec<bool> = Vec::with_capacity(events.len());
    for event in events {
        if let Content::Member { user, role, .. } = &event.content {
            members.push(user.0);
            roles.push(role.map(role_number));
            // Nobody comes into a private room by themselves but who made it.
            makers.push(event.sender == *user);
        }
    }
    let times: Vec<i64> = events.iter().map(|event| event.at.0).collect();
    let seqs: Vec<i64> = events.iter().map(|event| signed(event.seq)).collect();
    let messages: Vec<i64> = events.iter().map(|event| signed(event.messages)).collect();
    let query = sqlx::query(JOIN).bind(room.0).bind(members).bind(roles).bind(times).bind(seqs).bind(messages);
    query.bind(makers).execute(connection).await?;
    Ok(())
}

const GO: &str = "WITH gone AS (DELETE FROM memberships WHERE room = $1 AND member = $2 RETURNING 1)
    UPDATE rooms SET members = members - (SELECT count(*) FROM gone) WHERE id = $1";
const BAN: &str = "INSERT INTO bans (room, member) VALUES ($1, $2) ON CONFLICT (room, member) DO NOTHING";
const UNBAN: &str = "DELETE FROM bans WHERE room = $1 AND member = $2";
const SET_ROLE: &str = "UPDATE memberships SET role = $3 WHERE room = $1 AND member = $2";
const MUTE: &str = "UPDATE memberships SET muted_until = $3 WHERE room = $1 AND member = $2";

async fn member(
    connection: &mut PgConnection,
    room: RoomId,
    user: UserId,
    change: MemberChange,
    role: Option<Role>,
    until: Option<Millis>,
) -> Done {
    let on = |sql: &'static str| sqlx::query(sql).bind(room.0).bind(user.0);
    match change {
        // Taken together with others by `join`.
        MemberChange::Joined => {}
        MemberChange::Left | MemberChange::Removed => {
            on(GO).execute(connection).await?;
        }
        MemberChange::Banned => {
            on(GO).execute(&mut *connection).await?;
            on(BAN).execute(connection).await?;
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
const END: &str = "UPDATE rooms SET deleted = TRUE WHERE id = $1";

async fn record(connection: &mut PgConnection, room: RoomId, change: &RoomChange) -> Done {
    match change.change {
        RoomChangeKind::Created | RoomChangeKind::Changed => {
            let query = sqlx::query(CHANGE).bind(room.0).bind(change.name.as_deref());
            let query = query.bind(change.name.as_deref().map(str::to_lowercase)).bind(change.topic.as_deref());
            let query = query.bind(change.visibility.map(visibility_number)).bind(change.archived);
            query.execute(connection).await?;
        }
        RoomChangeKind::Deleted => {
            sqlx::query(END).bind(room.0).execute(&mut *connection).await?;
            let_all_go(connection, room).await?;
        }
        RoomChangeKind::Announcement => {}
    }
    Ok(())
}
