//! Moving marks: all that wait together are moved by one statement.

use std::collections::{BTreeMap, HashMap};

use futures_util::future::BoxFuture;
use rookery_core::ids::{RoomId, Seq, UserId};
use sqlx::SqliteConnection;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::work::Work;
use crate::store::{
    StoreError,
    log::Marks,
    sql::sqlite::{
        failure::Failure,
        row::{signed, unsigned},
    },
};

/// Where the answer to some marks goes.
pub(in crate::store::sql::sqlite) type Reply = oneshot::Sender<Result<Vec<Option<Marks>>, StoreError>>;

/// Marks stay at or below the head, and what is read is delivered. `$1` lists room, user, read, delivered.
pub(in crate::store::sql::sqlite) const MARK: &str = "UPDATE memberships SET
        read = new.read,
        delivered = max(memberships.delivered, new.read, new.delivered),
        read_messages = CASE WHEN new.read = memberships.read THEN read_messages ELSE
            (SELECT messages FROM events WHERE room = new.room AND seq <= new.read ORDER BY seq DESC LIMIT 1) END
    FROM (SELECT m.room, m.user, max(m.read, min(j.read, j.head)) AS read, min(j.delivered, j.head) AS delivered
        FROM (SELECT room, user, read, delivered,
                coalesce((SELECT seq FROM events WHERE room = g.room ORDER BY seq DESC LIMIT 1), 0) AS head
            FROM (SELECT unhex(value ->> 0) AS room, unhex(value ->> 1) AS user, value ->> 2 AS read,
                value ->> 3 AS delivered FROM json_each($1)) g) j
        CROSS JOIN memberships m ON m.room = j.room AND m.user = j.user) new
    WHERE memberships.room = new.room AND memberships.user = new.user
    RETURNING memberships.room, memberships.user, memberships.read, memberships.delivered";

/// Marks of many callers, moved together.
#[derive(Default)]
pub(in crate::store::sql::sqlite) struct MarkGroup {
    asked: Vec<(Vec<Marks>, Reply)>,
    stand: HashMap<(RoomId, UserId), (Seq, Seq)>,
}

impl MarkGroup {
    /// Adds the marks of one caller.
    pub(in crate::store::sql::sqlite) fn add(&mut self, marks: Vec<Marks>, reply: Reply) {
        self.asked.push((marks, reply));
    }

    /// Whether there is anything to do.
    pub(in crate::store::sql::sqlite) fn is_empty(&self) -> bool {
        self.asked.is_empty()
    }

    /// One line per member: the statement moves each row once.
    fn list(&self) -> String {
        let mut furthest: BTreeMap<(RoomId, UserId), (Seq, Seq)> = BTreeMap::new();
        for marks in self.asked.iter().flat_map(|(marks, _)| marks) {
            let (read, delivered) = furthest.entry((marks.room, marks.user)).or_default();
            *read = marks.read.max(*read);
            *delivered = marks.delivered.max(*delivered);
        }
        let line = |((room, user), (read, delivered)): ((RoomId, UserId), (Seq, Seq))| {
            let hex = |id: Uuid| id.simple().to_string();
            // Larger numbers than its own would be fractions to SQLite.
            serde_json::json!([hex(room.0), hex(user.0), signed(read), signed(delivered)])
        };
        serde_json::Value::from_iter(furthest.into_iter().map(line)).to_string()
    }
}

impl Work for MarkGroup {
    fn run<'c>(&'c mut self, connection: &'c mut SqliteConnection) -> BoxFuture<'c, Result<(), Failure>> {
        Box::pin(async move {
            let query = sqlx::query_as(MARK).bind(self.list());
            let rows: Vec<(Uuid, Uuid, i64, i64)> = query.fetch_all(connection).await?;
            for (room, user, read, delivered) in rows {
                self.stand.insert((RoomId(room), UserId(user)), (unsigned(read), unsigned(delivered)));
            }
            Ok(())
        })
    }

    fn settle(self: Box<Self>, fate: Result<(), StoreError>) {
        for (marks, reply) in self.asked {
            let stand = |marks: Marks| {
                let (read, delivered) = *self.stand.get(&(marks.room, marks.user))?;
                Some(Marks { read, delivered, ..marks })
            };
            // Who asked may have gone; then nobody wants to know.
            let _ = reply.send(fate.clone().map(|()| marks.into_iter().map(stand).collect()));
        }
    }
}
