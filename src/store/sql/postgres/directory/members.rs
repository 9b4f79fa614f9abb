//! Memberships of rooms that have not ended.

use rookery_core::{
    event::Notify,
    ids::{RoomId, UserId},
    time::Millis,
};

use crate::store::{
    Page, Range, StoreError, cursor,
    record::Membership,
    sql::{
        page::{one_more, page},
        postgres::PostgresStore,
        row::{self, membership::MembershipRow, role_number},
    },
};

const LIST: &str = "members";

macro_rules! select_member {
    ($rest:literal) => {
        concat!(
            "SELECT m.room, m.member AS user, m.role, m.joined_at, m.visible_from, m.muted_until, m.read, m.delivered,
             m.notify, m.notify_muted_until FROM memberships m JOIN rooms r ON r.id = m.room AND NOT r.deleted ",
            $rest
        )
    };
}

pub(in crate::store::sql::postgres) const ONE: &str = select_member!("WHERE m.room = $1 AND m.member = $2");

pub(super) async fn one(store: &PostgresStore, room: RoomId, user: UserId) -> Result<Option<Membership>, StoreError> {
    let query = sqlx::query_as(ONE).bind(room.0).bind(user.0);
    let found: Option<MembershipRow> = store.read(query.fetch_optional(&store.pool)).await?;
    found.map(MembershipRow::membership).transpose()
}

pub(in crate::store::sql::postgres) const FIRST: &str =
    select_member!("WHERE m.room = $1 ORDER BY m.role DESC, m.joined_at, m.member LIMIT $2");
/// Roles go down, all else goes up, so the place is compared in two steps.
pub(in crate::store::sql::postgres) const NEXT: &str = select_member!(
    "WHERE m.room = $1 AND m.role <= $3 AND (m.role < $3 OR (m.joined_at, m.member) > ($4, $5))
     ORDER BY m.role DESC, m.joined_at, m.member LIMIT $2"
);

pub(super) async fn of(store: &PostgresStore, room: RoomId, range: Range) -> Result<Page<Membership>, StoreError> {
    let after: Option<(i64, i64, UserId)> = cursor::decode(LIST, range.after.as_deref())?;
    let query = match after {
        None => sqlx::query_as(FIRST).bind(room.0).bind(one_more(&range)),
        Some((role, at, user)) => {
            sqlx::query_as(NEXT).bind(room.0).bind(one_more(&range)).bind(role).bind(at).bind(user.0)
        }
    };
    let found: Vec<MembershipRow> = store.read(query.fetch_all(&store.pool)).await?;
    let found = found.into_iter().map(MembershipRow::membership).collect::<Result<Vec<_>, _>>()?;
    Ok(page(found, &range, LIST, |member| (role_number(member.role), member.joined_at.0, member.user)))
}

const SET_NOTIFY: &str = "UPDATE memberships SET notify = $3, notify_muted_until = $4 WHERE room = $1 AND member = $2
    AND EXISTS (SELECT 1 FROM rooms WHERE id = $1 AND NOT deleted)";

pub(super) async fn set_notify(
    store: &PostgresStore,
    room: RoomId,
    user: UserId,
    notify: Notify,
    muted_until: Option<Millis>,
) -> Result<(), StoreError> {
    let query = sqlx::query(SET_NOTIFY).bind(room.0).bind(user.0).bind(row::notify_number(notify));
    match store.change(query.bind(muted_until.map(|until| until.0))).await? {
        0 => Err(StoreError::NotFound),
        _ => Ok(()),
    }
}
