//! Which messages refer to which files.

use rookery_core::{
    event::Event,
    ids::{RoomId, Seq},
    media::Attachment,
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::store::sql::{failure::Failure, row::signed};

type Done = Result<(), Failure>;

/// Rows of files are locked in the order of their ids, here and wherever several change at once.
const LOCK: &str = "SELECT 1 FROM media WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE";
const REFER: &str =
    "INSERT INTO media_refs (media, room, seq) SELECT unnest($1::uuid[]), $2, $3 ON CONFLICT DO NOTHING";
const ATTACHED: &str = "UPDATE media SET attached = TRUE WHERE id = ANY($1)";

/// A message refers to the files that it carries.
pub(super) async fn refer(connection: &mut PgConnection, event: &Event, attachments: &[Attachment]) -> Done {
    let ids: Vec<Uuid> = attachments.iter().map(|attachment| attachment.id.0).collect();
    sqlx::query(LOCK).bind(&ids).execute(&mut *connection).await?;
    let query = sqlx::query(REFER).bind(&ids).bind(event.room.0).bind(signed(event.seq));
    query.execute(&mut *connection).await?;
    sqlx::query(ATTACHED).bind(ids).execute(connection).await?;
    Ok(())
}

const CARRIED: &str = "SELECT media FROM media_refs WHERE room = $1 AND seq = $2";
const LET_GO: &str = "DELETE FROM media_refs WHERE room = $1 AND seq = $2";
const DOOM: &str = "UPDATE media SET state = 3 WHERE id = ANY($1)
    AND NOT EXISTS (SELECT 1 FROM media_refs r WHERE r.media = media.id)";

/// A message that is taken back refers to nothing, and what nothing refers to any more goes with it.
pub(super) async fn let_go(connection: &mut PgConnection, room: RoomId, target: Seq) -> Done {
    let query = sqlx::query_scalar(CARRIED).bind(room.0).bind(signed(target));
    let ids: Vec<Uuid> = query.fetch_all(&mut *connection).await?;
    // Files before references, as whoever forgets a file does it.
    sqlx::query(LOCK).bind(&ids).execute(&mut *connection).await?;
    sqlx::query(LET_GO).bind(room.0).bind(signed(target)).execute(&mut *connection).await?;
    sqlx::query(DOOM).bind(ids).execute(connection).await?;
    Ok(())
}

const DOOM_ALL: &str = "WITH locked AS (SELECT id FROM media WHERE room = $1 ORDER BY id FOR NO KEY UPDATE)
    UPDATE media SET state = 3 FROM locked l WHERE media.id = l.id";

/// The files of a room go with it.
pub(super) async fn let_all_go(connection: &mut PgConnection, room: RoomId) -> Done {
    sqlx::query(DOOM_ALL).bind(room.0).execute(connection).await?;
    Ok(())
}
