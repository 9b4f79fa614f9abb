//! Files: what is known of them, who may read them, and what nobody uses.

use rookery_core::{
    ids::{MediaId, UserId},
    time::Millis,
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::store::{
    Answer,
    media::{Allowance, Begun, Discarded, Expiry, Made, MediaIndex, MediaRecord},
    sql::{
        failure::Failure,
        postgres::PostgresStore,
        row::{
            media::{MediaRow, READY, REFUSED, json, select_media},
            rows, signed, unsigned,
        },
    },
};

pub(in crate::store::sql::postgres) const ONE: &str = select_media!("FROM media m WHERE m.id = $1 AND m.state < 3");
pub(in crate::store::sql::postgres) const FOR_VIEWER: &str = select_media!(
    "FROM media m WHERE m.id = $1 AND m.state < 3 AND CASE WHEN m.attached THEN EXISTS
        (SELECT 1 FROM media_refs r JOIN memberships s ON s.room = r.room AND s.member = $2
         WHERE r.media = m.id AND r.seq >= s.visible_from) ELSE m.uploader = $2 END"
);
pub(in crate::store::sql::postgres) const THESE: &str =
    select_media!("FROM media m WHERE m.id = ANY($1) AND m.state < 3");
const SOME_DOOMED: &str = "SELECT id FROM media WHERE state = 3 ORDER BY id LIMIT $1";
pub(in crate::store::sql::postgres) const KEPT: &str =
    "SELECT coalesce(sum(kept), 0)::bigint, count(*) FILTER (WHERE state = 0) FROM media
    WHERE uploader = $1 AND state < 3";

/// Two uploads that one user begins at once are counted one after the other.
const LOCK: &str = "SELECT 1 FROM users WHERE id = $1 FOR NO KEY UPDATE";
const BEGIN: &str =
    "INSERT INTO media (id, room, uploader, name, size, kept, sha256, voice, state, created_at, used_at)
    VALUES ($1, $2, $3, $4, $5, $5, $6, $7, 0, $8, $8)";
/// Rows are locked in the order of their ids, so that two that use the same do not wait for each other.
pub(in crate::store::sql::postgres) const USE: &str = "WITH locked AS
        (SELECT id FROM media WHERE id = ANY($1) AND state < 3 ORDER BY id FOR NO KEY UPDATE)
    UPDATE media SET used_at = greatest(used_at, $2) FROM locked l WHERE media.id = l.id";
const FINISH: &str = "UPDATE media SET state = $2, sha256 = $3, made = $4, kept = $5, used_at = $6
    WHERE id = $1 AND state = 0";
const DISCARD: &str = "UPDATE media SET state = 3 WHERE id = $1 AND uploader = $2 AND state < 3 AND NOT attached";
const IS_THERE: &str = "SELECT EXISTS (SELECT 1 FROM media WHERE id = $1 AND uploader = $2 AND state < 3)";
/// Rows that somebody else is at are left to them.
pub(in crate::store::sql::postgres) const EXPIRE: &str = "UPDATE media SET state = 3 WHERE id = ANY(ARRAY(
    SELECT id FROM media WHERE NOT attached AND state < 3
        AND used_at < greatest($1::bigint, $2::bigint) AND used_at < CASE state WHEN 0 THEN $1 ELSE $2 END
        ORDER BY used_at LIMIT 1000 FOR NO KEY UPDATE SKIP LOCKED))";
/// Whoever forgets the same locks in the same order.
const LOCK_DOOMED: &str = "SELECT 1 FROM media WHERE state = 3 AND id = ANY($1) ORDER BY id FOR UPDATE";
const FORGET: &str = "DELETE FROM media WHERE state = 3 AND id = ANY($1)";
const FORGET_REFS: &str = "DELETE FROM media_refs WHERE media = ANY($1)";

fn plain(ids: &[MediaId]) -> Vec<Uuid> {
    ids.iter().map(|id| id.0).collect()
}

impl MediaIndex for PostgresStore {
    fn begin_media(&self, media: MediaRecord, allowance: Allowance) -> Answer<'_, Begun> {
        Box::pin(async move { self.write(move |connection| Box::pin(begin(connection, media, allowance))).await })
    }

    fn media(&self, id: MediaId) -> Answer<'_, Option<MediaRecord>> {
        Box::pin(async move {
            let query = sqlx::query_as(ONE).bind(id.0);
            let found: Option<MediaRow> = self.read(query.fetch_optional(&self.pool)).await?;
            found.map(MediaRow::record).transpose()
        })
    }

    fn media_for(&self, id: MediaId, viewer: UserId) -> Answer<'_, Option<MediaRecord>> {
        Box::pin(async move {
            let query = sqlx::query_as(FOR_VIEWER).bind(id.0).bind(viewer.0);
            let found: Option<MediaRow> = self.read(query.fetch_optional(&self.pool)).await?;
            found.map(MediaRow::record).transpose()
        })
    }

    fn use_media(&self, ids: Vec<MediaId>, at: Millis) -> Answer<'_, Vec<MediaRecord>> {
        Box::pin(async move { self.write(move |connection| Box::pin(used(connection, plain(&ids), at))).await })
    }

    fn finish_media(&self, id: MediaId, sha256: [u8; 32], made: Option<Made>, at: Millis) -> Answer<'_, bool> {
        let state = if made.is_some() { READY } else { REFUSED };
        let (kept, made) = (made.as_ref().map_or(0, Made::kept), json(made.as_ref()));
        let query = sqlx::query(FINISH).bind(id.0).bind(state).bind(sha256.to_vec()).bind(made);
        let query = query.bind(signed(kept)).bind(at.0);
        Box::pin(async move { Ok(self.change(query).await? > 0) })
    }

    fn discard_media(&self, id: MediaId, uploader: UserId) -> Answer<'_, Discarded> {
        Box::pin(async move {
            if self.change(sqlx::query(DISCARD).bind(id.0).bind(uploader.0)).await? > 0 {
                return Ok(Discarded::Done);
            }
            let query = sqlx::query_scalar(IS_THERE).bind(id.0).bind(uploader.0);
            let is_there: bool = self.read(query.fetch_one(&self.pool)).await?;
            Ok(if is_there { Discarded::Attached } else { Discarded::NotFound })
        })
    }

    fn expire_media(&self, expiry: Expiry) -> Answer<'_, u64> {
        let query = sqlx::query(EXPIRE).bind(expiry.begun_before.0).bind(expiry.used_before.0);
        Box::pin(self.change(query))
    }

    fn doomed_media(&self, limit: usize) -> Answer<'_, Vec<MediaId>> {
        Box::pin(async move {
            let query = sqlx::query_scalar(SOME_DOOMED).bind(rows(limit));
            let found: Vec<Uuid> = self.read(query.fetch_all(&self.pool)).await?;
            Ok(found.into_iter().map(MediaId).collect())
        })
    }

    fn forget_media(&self, ids: Vec<MediaId>) -> Answer<'_, ()> {
        Box::pin(async move { self.write(move |connection| Box::pin(forget(connection, plain(&ids)))).await })
    }
}

async fn begin(connection: &mut PgConnection, media: MediaRecord, allowance: Allowance) -> Result<Begun, Failure> {
    sqlx::query(LOCK).bind(media.uploader.0).execute(&mut *connection).await?;
    let query = sqlx::query_as(KEPT).bind(media.uploader.0);
    let (kept, unfinished): (i64, i64) = query.fetch_one(&mut *connection).await?;
    let judged = allowance.judge(unsigned(kept), unsigned(unfinished), media.size);
    if judged != Begun::Begun {
        return Ok(judged);
    }
    let query = sqlx::query(BEGIN).bind(media.id.0).bind(media.room.0).bind(media.uploader.0).bind(media.name);
    let query = query.bind(signed(media.size)).bind(media.sha256.map(|sum| sum.to_vec()));
    query.bind(json(media.voice.as_ref())).bind(media.created_at.0).execute(connection).await?;
    Ok(Begun::Begun)
}

async fn used(connection: &mut PgConnection, ids: Vec<Uuid>, at: Millis) -> Result<Vec<MediaRecord>, Failure> {
    sqlx::query(USE).bind(&ids).bind(at.0).execute(&mut *connection).await?;
    let found: Vec<MediaRow> = sqlx::query_as(THESE).bind(ids).fetch_all(connection).await?;
    Ok(found.into_iter().map(MediaRow::record).collect::<Result<_, _>>()?)
}

async fn forget(connection: &mut PgConnection, ids: Vec<Uuid>) -> Result<(), Failure> {
    for sql in [LOCK_DOOMED, FORGET_REFS, FORGET] {
        sqlx::query(sql).bind(&ids).execute(&mut *connection).await?;
    }
    Ok(())
}
