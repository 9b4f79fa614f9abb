//! What a room is woken from, and the events that it began with.

use rookery_core::{
    event::Event,
    ids::{RoomId, UserId},
    room::SnapshotMember,
    time::Millis,
};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::store::{
    StoreError,
    projection::Standing,
    sql::{
        failure::Failure,
        postgres::PostgresStore,
        row::{self, EventRow, signed, unsigned},
    },
};

/// One statement, and so one view of everything. Members come as columns of a list each.
pub(in crate::store::sql::postgres) const STANDING: &str = "SELECT r.kind, r.visibility, r.archived, r.deleted,
        r.applied, r.head, r.messages, r.published, m.members, m.roles, m.visible_from, m.muted_until,
        ARRAY(SELECT b.member FROM bans b WHERE b.room = r.id ORDER BY b.member) AS banned,
        ARRAY(SELECT b.owner FROM blocks b WHERE (b.owner = r.pair_low AND b.other = r.pair_high)
            OR (b.owner = r.pair_high AND b.other = r.pair_low)) AS blocking
    FROM rooms r, LATERAL (SELECT coalesce(array_agg(n.member), '{}') AS members,
            coalesce(array_agg(n.role), '{}') AS roles, coalesce(array_agg(n.visible_from), '{}') AS visible_from,
            coalesce(array_agg(n.muted_until), '{}') AS muted_until
        FROM (SELECT * FROM memberships WHERE room = r.id ORDER BY member) n) m
    WHERE r.id = $1";
pub(in crate::store::sql::postgres) const BEGINNING: &str =
    "SELECT seq, sender, client_id, at, messages, body FROM beginnings WHERE room = $1 ORDER BY seq";

#[derive(FromRow)]
struct StandingRow {
    kind: i64,
    visibility: i64,
    archived: bool,
    deleted: bool,
    applied: i64,
    head: i64,
    messages: i64,
    published: bool,
    members: Vec<Uuid>,
    roles: Vec<i64>,
    visible_from: Vec<i64>,
    muted_until: Vec<Option<i64>>,
    banned: Vec<Uuid>,
    blocking: Vec<Uuid>,
}

impl StandingRow {
    fn standing(self, beginning: Vec<Event>) -> Result<Standing, StoreError> {
        let columns = self.members.into_iter().zip(self.roles).zip(self.visible_from).zip(self.muted_until);
        let members = columns.map(|(((user, role), visible_from), muted_until)| {
            Ok::<_, StoreError>(SnapshotMember {
                user: UserId(user),
                role: row::role(role)?,
                visible_from: unsigned(visible_from),
                muted_until: muted_until.map(Millis),
            })
        });
        Ok(Standing {
            kind: row::kind(self.kind)?,
            visibility: row::visibility(self.visibility)?,
            archived: self.archived,
            deleted: self.deleted,
            members: members.collect::<Result<_, _>>()?,
            banned: self.banned.into_iter().map(UserId).collect(),
            blocking: self.blocking.into_iter().map(UserId).collect(),
            applied: unsigned(self.applied),
            beginning,
            head: unsigned(self.head),
            messages: unsigned(self.messages),
        })
    }
}

/// If the room is published between the two questions, the second finds nothing: its log has it by then.
pub(super) async fn standing(store: &PostgresStore, room: RoomId) -> Result<Option<Standing>, StoreError> {
    let query = sqlx::query_as(STANDING).bind(room.0);
    let found: Option<StandingRow> = store.read(query.fetch_optional(&store.pool)).await?;
    let Some(found) = found else { return Ok(None) };
    let beginning: Vec<EventRow> = if found.published {
        Vec::new()
    } else {
        store.read(sqlx::query_as(BEGINNING).bind(room.0).fetch_all(&store.pool)).await?
    };
    let beginning = beginning.into_iter().map(|row| row.event(room)).collect::<Result<_, _>>()?;
    found.standing(beginning).map(Some)
}

const KEEP: &str = "INSERT INTO beginnings (room, seq, sender, client_id, at, messages, body)
    SELECT $1, seq, sender, client_id, at, messages, body FROM
    unnest($2::bigint[], $3::uuid[], $4::uuid[], $5::bigint[], $6::bigint[], $7::bytea[])
        AS b (seq, sender, client_id, at, messages, body)";

/// Keeps the first events of a room until its log has them.
pub(in crate::store::sql::postgres) async fn keep_beginning(
    connection: &mut PgConnection,
    room: RoomId,
    events: &[Event],
) -> Result<(), Failure> {
    let numbers = |of: fn(&Event) -> i64| events.iter().map(of).collect::<Vec<i64>>();
    let ids = |of: fn(&Event) -> Uuid| events.iter().map(of).collect::<Vec<Uuid>>();
    let bodies: Vec<Vec<u8>> = events.iter().map(|event| event.content.to_stored()).collect();
    let query = sqlx::query(KEEP).bind(room.0).bind(numbers(|event| signed(event.seq)));
    let query = query.bind(ids(|event| event.sender.0)).bind(ids(|event| event.client_id.0));
    let query = query.bind(numbers(|event| event.at.0)).bind(numbers(|event| signed(event.messages)));
    query.bind(bodies).execute(connection).await?;
    Ok(())
}
