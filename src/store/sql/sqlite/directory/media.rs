//! Files: what is known of them, who may read them, and what nobody uses.

use rookery_core::{
    ids::{MediaId, UserId},
    time::Millis,
};
use sqlx::SqliteConnection;

use crate::store::{
    Answer, StoreError,
    media::{Allowance, Begun, Discarded, Expiry, Made, MediaIndex, MediaRecord},
    sql::{
        row::{
            media::{MediaRow, READY, REFUSED, json, select_media},
            rows, signed, unsigned,
        },
        sqlite::{SqliteStore, failure::Failure},
    },
};

pub(in crate::store::sql::sqlite) const ONE: &str = select_media!("FROM media m WHERE m.id = $1 AND m.state < 3");
pub(in crate::store::sql::sqlite) const FOR_VIEWER: &str = select_media!(
    "FROM media m WHERE m.id = $1 AND m.state < 3 AND CASE WHEN m.attached = 0 THEN m.uploader = $2 ELSE EXISTS
        (SELECT 1 FROM media_refs r JOIN memberships s ON s.room = r.room AND s.user = $2
         WHERE r.media = m.id AND r.seq >= s.visible_from) END"
);
/// `$1` is a JSON list of ids in hexadecimal.
pub(in crate::store::sql::sqlite) const THESE: &str =
    select_media!("FROM media m WHERE m.id IN (SELECT unhex(value) FROM json_each($1)) AND m.state < 3");
const SOME_DOOMED: &str = "SELECT id FROM media WHERE state = 3 ORDER BY id LIMIT $1";

pub(in crate::store::sql::sqlite) const KEPT: &str =
    "SELECT coalesce(sum(kept), 0), coalesce(sum(state = 0), 0) FROM media
    WHERE uploader = $1 AND state < 3";
const BEGIN: &str =
    "INSERT INTO media (id, room, uploader, name, size, kept, sha256, voice, state, created_at, used_at)
    VALUES ($1, $2, $3, $4, $5, $5, $6, $7, 0, $8, $8)";
const USE: &str = "UPDATE media SET used_at = max(used_at, $2)
    WHERE id IN (SELECT unhex(value) FROM json_each($1)) AND state < 3";
const FINISH: &str = "UPDATE media SET state = $2, sha256 = $3, made = $4, kept = $5, used_at = $6
    WHERE id = $1 AND state = 0";
const DISCARD: &str = "UPDATE media SET state = 3 WHERE id = $1 AND uploader = $2 AND state < 3 AND attached = 0";
const IS_THERE: &str = "SELECT EXISTS (SELECT 1 FROM media WHERE id = $1 AND uploader = $2 AND state < 3)";
pub(in crate::store::sql::sqlite) const EXPIRE: &str = "UPDATE media SET state = 3 WHERE id IN
    (SELECT id FROM media WHERE attached = 0 AND state < 3 AND used_at < max($1, $2)
        AND used_at < CASE state WHEN 0 THEN $1 ELSE $2 END ORDER BY used_at LIMIT 1000)";
const FORGET: &str = "DELETE FROM media WHERE state = 3 AND id IN (SELECT unhex(value) FROM json_each($1))";
const FORGET_REFS: &str = "DELETE FROM media_refs WHERE media IN (SELECT unhex(value) FROM json_each($1))";

fn list(ids: &[MediaId]) -> String {
    serde_json::Value::from_iter(ids.iter().map(|id| id.0.simple().to_string())).to_string()
}

impl MediaIndex for SqliteStore {
    fn begin_media(&self, media: MediaRecord, allowance: Allowance) -> Answer<'_, Begun> {
        Box::pin(self.write(move |connection| Box::pin(begin(connection, media, allowance))))
    }

    fn media(&self, id: MediaId) -> Answer<'_, Option<MediaRecord>> {
        Box::pin(async move {
            let found: Option<MediaRow> = sqlx::query_as(ONE).bind(id.0).fetch_optional(&self.readers).await?;
            found.map(MediaRow::record).transpose()
        })
    }

    fn media_for(&self, id: MediaId, viewer: UserId) -> Answer<'_, Option<MediaRecord>> {
        Box::pin(async move {
            let query = sqlx::query_as(FOR_VIEWER).bind(id.0).bind(viewer.0);
            let found: Option<MediaRow> = query.fetch_optional(&self.readers).await?;
            found.map(MediaRow::record).transpose()
        })
    }

    fn use_media(&self, ids: Vec<MediaId>, at: Millis) -> Answer<'_, Vec<MediaRecord>> {
        Box::pin(self.write(move |connection| Box::pin(used(connection, list(&ids), at))))
    }

    fn finish_media(&self, id: MediaId, sha256: [u8; 32], made: Option<Made>, at: Millis) -> Answer<'_, bool> {
        let state = if made.is_some() { READY } else { REFUSED };
        let (kept, made) = (made.as_ref().map_or(0, Made::kept), json(made.as_ref()));
        Box::pin(self.write(move |connection| {
            Box::pin(async move {
                let query = sqlx::query(FINISH).bind(id.0).bind(state).bind(sha256.to_vec()).bind(made);
                let done = query.bind(signed(kept)).bind(at.0).execute(connection).await?;
                Ok(done.rows_affected() > 0)
            })
        }))
    }

    fn discard_media(&self, id: MediaId, uploader: UserId) -> Answer<'_, Discarded> {
        Box::pin(self.write(move |connection| {
            Box::pin(async move {
                let done = sqlx::query(DISCARD).bind(id.0).bind(uploader.0).execute(&mut *connection).await?;
                if done.rows_affected() > 0 {
                    return Ok(Discarded::Done);
                }
                let is_there: bool =
                    sqlx::query_scalar(IS_THERE).bind(id.0).bind(uploader.0).fetch_one(connection).await?;
                Ok(if is_there { Discarded::Attached } else { Discarded::NotFound })
            })
        }))
    }

    fn expire_media(&self, expiry: Expiry) -> Answer<'_, u64> {
        Box::pin(self.write(move |connection| {
            Box::pin(async move {
                let query = sqlx::query(EXPIRE).bind(expiry.begun_before.0).bind(expiry.used_before.0);
                Ok(query.execute(connection).await?.rows_affected())
            })
        }))
    }

    fn doomed_media(&self, limit: usize) -> Answer<'_, Vec<MediaId>> {
        Box::pin(async move {
            let query = sqlx::query_scalar(SOME_DOOMED).bind(rows(limit));
            let found: Vec<uuid::Uuid> = query.fetch_all(&self.readers).await?;
            Ok(found.into_iter().map(MediaId).collect())
        })
    }

    fn forget_media(&self, ids: Vec<MediaId>) -> Answer<'_, ()> {
        Box::pin(self.write(move |connection| {
            Box::pin(async move {
                let list = list(&ids);
                sqlx::query(FORGET_REFS).bind(&list).execute(&mut *connection).await?;
                sqlx::query(FORGET).bind(&list).execute(connection).await?;
                Ok(())
            })
        }))
    }
}

async fn begin(connection: &mut SqliteConnection, media: MediaRecord, allowance: Allowance) -> Result<Begun, Failure> {
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

async fn used(connection: &mut SqliteConnection, list: String, at: Millis) -> Result<Vec<MediaRecord>, Failure> {
    sqlx::query(USE).bind(&list).bind(at.0).execute(&mut *connection).await?;
    let found: Vec<MediaRow> = sqlx::query_as(THESE).bind(list).fetch_all(connection).await?;
    Ok(found.into_iter().map(MediaRow::record).collect::<Result<_, StoreError>>()?)
}
