//! Memberships of rooms that have not ended.

use rookery_core::{
    event::Notify,
    ids::{RoomId, UserId},
    time::Millis,
};

use super::{one_more, page};
use crate::store::sql::row::membership::MembershipRow;
use crate::store::{
    Page, Range, StoreError, cursor,
    record::Membership,
    sql::sqlite::{
        SqliteStore,
        row::{self, role_number},
    },
};

const LIST: &str = "members";

macro_rules! select_member {
    ($rest:literal) => {
        concat!(
            "SELECT m.room, m.user, m.role, m.joined_at, m.visible_from, m.muted_until, m.read, m.delivered, m.notify,
             m.notify_muted_until FROM memberships m JOIN rooms r ON r.id = m.room AND r.deleted = 0 ",
            $rest
        )
    };
}

const ONE: &str = select_member!("WHERE m.room = $1 AND m.user = $2");

pub(super) async fn one(store: &SqliteStore, room: RoomId, user: UserId) -> Result<Option<Membership>, StoreError> {
    let query = sqlx::query_as(ONE).bind(room.0).bind(user.0);
    let found: Option<MembershipRow> = query.fetch_optional(&store.readers).await?;
    found.map(MembershipRow::membership).transpose()
}

/// Roles go down, all else goes up, so the place is compared in two steps.
pub(in crate::store::sql::sqlite) const MEMBERS: &str = select_member!(
    "WHERE m.room = $1 AND ($2 IS NULL OR (m.role <= $2 AND (m.role < $2 OR (m.joined_at, m.user) > ($3, $4))))
     ORDER BY m.role DESC, m.joined_at, m.user LIMIT $5"
);

pub(super) async fn of(store: &SqliteStore, room: RoomId, range: Range) -> Result<Page<Membership>, StoreError> {
    let after: Option<(i64, i64, UserId)> = cursor::decode(LIST, range.after.as_deref())?;
    let query = sqlx::query_as(MEMBERS).bind(room.0).bind(after.map(|(role, ..)| role));
    let query = query.bind(after.map(|(_, at, _)| at)).bind(after.map(|(.., user)| user.0)).bind(one_more(&range));
    let found: Vec<MembershipRow> = query.fetch_all(&store.readers).await?;
    let found = found.into_iter().map(MembershipRow::membership).collect::<Result<Vec<_>, _>>()?;
    Ok(page(found, &range, LIST, |member| (role_number(member.role), member.joined_at.0, member.user)))
}

const SET_NOTIFY: &str = "UPDATE memberships SET notify = $3, notify_muted_until = $4 WHERE room = $1 AND user = $2
    AND EXISTS (SELECT 1 FROM rooms WHERE id = $1 AND deleted = 0)";

pub(super) async fn set_notify(
    store: &SqliteStore,
    room: RoomId,
    user: UserId,
    notify: Notify,
    muted_until: Option<Millis>,
) -> Result<(), StoreError> {
    store
        .write(move |connection| {
            Box::pin(async move {
                let query = sqlx::query(SET_NOTIFY).bind(room.0).bind(user.0).bind(row::notify_number(notify));
                let done = query.bind(muted_until.map(|until| until.0)).execute(connection).await?;
                if done.rows_affected() == 0 { Err(StoreError::NotFound.into()) } else { Ok(()) }
            })
        })
        .await
}
