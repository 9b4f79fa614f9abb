//! Finding a write by its key.

use rookery_core::{
    fence::Row,
    ids::{ClientId, RoomId, Seq, UserId},
};
use uuid::Uuid;

use super::super::{
    Store,
    row::{slice, unsigned},
    statements::first,
};
use crate::store::StoreError;

impl Store {
    /// The write with this key, if it is at or below `head`.
    pub(in crate::store::cql) async fn find(
        &self,
        room: RoomId,
        sender: UserId,
        client_id: ClientId,
        head: Seq,
    ) -> Result<Option<Row>, StoreError> {
        // First how far the keys are noted, then the keys: what is noted in between is found twice, and never not at all.
        let noted = self.stored_head(room).await?;
        if let Some(row) = self.find_noted(room, sender, client_id, head).await? {
            return Ok(Some(row));
        }
        let mut after = noted;
        while after < head {
            let events = self.committed(room, after, head, super::AT_ONCE).await?;
            let Some(last) = events.last() else { break };
            after = last.seq;
            if let Some(found) = events.iter().find(|event| event.sender == sender && event.client_id == client_id) {
                return self.row(room, found.seq).await;
            }
        }
        Ok(None)
    }

    /// The same among those up to the published head.
    pub(in crate::store::cql) async fn find_noted(
        &self,
        room: RoomId,
        sender: UserId,
        client_id: ClientId,
        head: Seq,
    ) -> Result<Option<Row>, StoreError> {
        let values: (Uuid, i16, Uuid, Uuid) = (room.0, slice(sender, client_id), sender.0, client_id.0);
        let noted: Option<(i64,)> = first(self.run(&self.statements.read_written, values).await?)?;
        match noted.map(|(seq,)| unsigned(seq)) {
            Some(seq) if seq <= head => {
                let row = self.row(room, seq).await?;
                Ok(row.filter(|row| row.event.sender == sender && row.event.client_id == client_id))
            }
            _ => Ok(None),
        }
    }
}
