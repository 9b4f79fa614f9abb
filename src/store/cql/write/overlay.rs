//! What an event lays over the message that it is about. Each piece may be written again, and late: the newest event wins.

use rookery_core::{
    event::{Content, Event},
    ids::{RoomId, Seq},
};

use super::super::{
    Store,
    failure::corrupt,
    row::{bucket, signed, unsigned},
    statements::{all, first},
};
use crate::store::StoreError;

/// A delete wins over every edit and reaction, also over those that come after it: above every seq there will be, and as a
/// time long past, so that no server refuses it.
const DELETED: i64 = 1 << 48;

/// Whether something follows from an event besides its row.
pub(in crate::store::cql) const fn leaves_a_trace(event: &Event) -> bool {
    match &event.content {
        Content::Message { attachments, .. } => !attachments.is_empty(),
        _ => true,
    }
}

impl Store {
    /// Lays a committed event over the message that it is about.
    pub(in crate::store::cql) async fn lay_over(&self, event: &Event) -> Result<(), StoreError> {
        match &event.content {
            Content::Edit { target, body } => self.lay_edit(event, *target, body).await,
            Content::Delete { target, .. } => self.lay_delete(event, *target).await,
            Content::Reaction { target, emoji, remove } => self.lay_reaction(event, *target, emoji, !*remove).await,
            Content::Message { .. } | Content::Member { .. } | Content::Room(_) => Ok(()),
        }
    }

    async fn lay_edit(&self, event: &Event, target: Seq, body: &str) -> Result<(), StoreError> {
        let (room, bucket, seq, edit) = (event.room.0, bucket(target), signed(target), signed(event.seq));
        // Noted first: a delete must find every edit whose words are anywhere.
        self.run(&self.statements.note_edit, (room, bucket, seq, edit, edit)).await?;
        // Words that were taken out already, by a delete that an owner before had carried out.
        if !body.is_empty() {
            self.run(&self.statements.edit, (edit, body, event.at.0, room, bucket, seq)).await?;
        }
        Ok(())
    }

    async fn lay_delete(&self, event: &Event, target: Seq) -> Result<(), StoreError> {
        let (room, bucket, seq) = (event.room.0, bucket(target), signed(target));
        let timestamp = DELETED | signed(event.seq);
        self.run(&self.statements.delete, (timestamp, room, bucket, seq)).await?;
        self.run(&self.statements.forget_reactions, (timestamp, room, bucket, seq)).await?;
        Ok(())
    }

    /// Three rows: the reaction itself, the counts, and last how this person stands. The last says that the event was here;
    /// until it is written the work is done again from the start, which comes to the same.
    async fn lay_reaction(&self, event: &Event, target: Seq, emoji: &str, stands: bool) -> Result<(), StoreError> {
        let (room, place, seq, number) = (event.room.0, bucket(target), signed(target), signed(event.seq));
        let overlay = self.overlays(event.room, target, target).await?.remove(&target).unwrap_or_default();
        let key = (room, place, event.sender.0, seq, emoji);
        let before: Option<(i64, bool)> = first(self.run(&self.statements.reacted, key).await?)?;
        let (by, stood) = before.unwrap_or((0, false));
        if overlay.deleted || by >= number || stood == stands {
            return Ok(());
        }
        if stands {
            let values = (room, place, seq, number, event.sender.0, emoji, event.at.0, number);
            self.run(&self.statements.react, values).await?;
        } else {
            self.run(&self.statements.take_back, (number, room, place, seq, by)).await?;
        }
        if overlay.counted < event.seq {
            let mut counts = overlay.reactions;
            count(&mut counts, emoji, stands);
            let text = serde_json::to_string(&counts).map_err(corrupt)?;
            self.run(&self.statements.count, (number, text, number, room, place, seq)).await?;
        }
        let values = (room, place, event.sender.0, seq, emoji, number, stands, number);
        self.run(&self.statements.note_reacted, values).await?;
        Ok(())
    }

    /// Takes the words out of a message and out of its edits before `delete`, in the log itself.
    pub(in crate::store::cql) async fn erase(
        &self,
        room: RoomId,
        target: Seq,
        delete: Seq,
        timestamp: i64,
    ) -> Result<(), StoreError> {
        let edits = self.run(&self.statements.edits, (room.0, bucket(target), signed(target))).await?;
        let edits = all::<(i64,)>(edits)?.into_iter().map(|(edit,)| unsigned(edit)).filter(|edit| *edit < delete);
        for seq in std::iter::once(target).chain(edits) {
            let Some(row) = self.row(room, seq).await? else { continue };
            let body = row.event.content.erased().to_stored();
            self.run(&self.statements.set_body, (timestamp, body, room.0, bucket(seq), signed(seq))).await?;
        }
        Ok(())
    }
}

fn count(counts: &mut Vec<(String, u64)>, emoji: &str, stands: bool) {
    match (counts.iter().position(|(of, _)| of == emoji), stands) {
        (Some(at), true) => counts[at].1 += 1,
        (None, true) => counts.push((emoji.to_owned(), 1)),
        (Some(at), false) if counts[at].1 > 1 => counts[at].1 -= 1,
        (Some(at), false) => drop(counts.remove(at)),
        (None, false) => {}
    }
}
