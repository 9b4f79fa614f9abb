//! What follows from committed events, before anybody is told: overlays, memberships, words that are taken out.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_util::{StreamExt, TryStreamExt, stream};
use rookery_core::{
    event::Event,
    ids::{RoomId, Seq},
    time::Millis,
};

use super::room::Unsettled;
use crate::store::{
    StoreError,
    cql::{Store, failure::unavailable, write::leaves_a_trace},
    projection::{Run, is_followed},
};

/// Messages that are laid over at one time.
const AT_ONCE: usize = 16;

/// Events that were committed together.
pub(super) struct Step {
    pub(super) events: Vec<Unsettled>,
    pub(super) erasures: Vec<Erasure>,
    /// These are what was found on waking, up to this head.
    pub(super) wakes: Option<Seq>,
}

/// Words to take out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Erasure {
    pub(super) target: Seq,
    pub(super) delete: Seq,
    pub(super) timestamp: i64,
}

impl Step {
    /// Whether nothing follows but that everybody is told.
    pub(super) fn is_plain(&self) -> bool {
        let traces = self.events.iter().any(|unsettled| leaves_a_trace(&unsettled.event));
        self.wakes.is_none() && self.erasures.is_empty() && !traces
    }
}

/// The work of one step.
pub(super) struct Work {
    pub(super) store: Arc<Store>,
    pub(super) room: RoomId,
    pub(super) applied: Seq,
    pub(super) events: Vec<Arc<Event>>,
    pub(super) erasures: Vec<Erasure>,
    pub(super) wakes: Option<Seq>,
    pub(super) alive: Arc<AtomicBool>,
}

/// What came of it.
pub(super) struct Settled {
    pub(super) applied: Seq,
    /// Messages and time of the last event, where the step was a wake.
    pub(super) last: Option<(u64, Millis)>,
}

impl Work {
    /// Does it, again and again until it is done; `None` if the room has ended over it.
    pub(super) async fn until_done(self) -> Option<Settled> {
        let mut complained = false;
        while self.alive.load(Ordering::Acquire) {
            match self.attempt().await {
                Ok(settled) => return Some(settled),
                Err(error) => {
                    if !std::mem::replace(&mut complained, true) {
                        tracing::warn!(room = %self.room, %error, "what follows from committed events waits for its store");
                    }
                    tokio::time::sleep(self.store.health.pause()).await;
                }
            }
        }
        None
    }

    async fn attempt(&self) -> Result<Settled, StoreError> {
        self.lay_over().await?;
        let applied = match self.wakes {
            Some(head) if head > self.applied => {
                let events = self.store.changes(self.room, self.applied, head).await?;
                self.follow(Run { after: self.applied, events, upto: head }).await?
            }
            Some(_) => self.applied,
            None => self.apply().await?,
        };
        for Erasure { target, delete, timestamp } in &self.erasures {
            self.store.erase(self.room, *target, *delete, *timestamp).await?;
        }
        let last = match self.wakes {
            Some(head) if head > 0 => self.store.row(self.room, head).await?,
            _ => None,
        };
        Ok(Settled { applied, last: last.map(|row| (row.event.messages, row.event.at)) })
    }

    /// Events about one message in their order, those about others at the same time.
    async fn lay_over(&self) -> Result<(), StoreError> {
        let mut by_target: BTreeMap<Seq, Vec<&Event>> = BTreeMap::new();
        for event in &self.events {
            if let Some(target) = event.content.target() {
                by_target.entry(target).or_default().push(event);
            }
        }
        let works = by_target.into_values().map(|events| async move {
            for event in events {
                self.store.lay_over(event).await?;
            }
            Ok(())
        });
        let works: Vec<_> = works.collect();
        stream::iter(works).buffer_unordered(AT_ONCE).try_collect().await
    }

    async fn apply(&self) -> Result<Seq, StoreError> {
        let is_new = |event: &&Arc<Event>| is_followed(&event.content) && event.seq > self.applied;
        let events: Vec<Arc<Event>> = self.events.iter().filter(is_new).cloned().collect();
        match events.last().map(|last| last.seq) {
            Some(upto) => self.follow(Run { after: self.applied, events, upto }).await,
            None => Ok(self.applied),
        }
    }

    async fn follow(&self, run: Run) -> Result<Seq, StoreError> {
        let (after, upto) = (run.after, run.upto);
        let applied = self.store.follow.apply(self.room, run).await?;
        if applied >= after {
            return Ok(applied.max(upto));
        }
        // It has fallen behind what it had said: it was restored from a copy, say. The log has everything.
        let events = self.store.changes(self.room, applied, upto).await?;
        let applied = self.store.follow.apply(self.room, Run { after: applied, events, upto }).await?;
        if applied >= upto { Ok(applied) } else { Err(unavailable("the projection of the room does not catch up")) }
    }
}
