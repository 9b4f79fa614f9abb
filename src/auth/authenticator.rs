//! Whose token is this: answered from memory for logins seen lately, from the store for the others.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::Mutex;
use rookery_core::{
    frame::Refusal,
    ids::{DeviceId, MediaId, UserId},
    time::Millis,
};

use super::{link::Link, ticket::Tickets, token::Token};
use crate::store::{Directory, StoreError, record::PlatformRole};

/// How long an answer of the store is believed. A revocation on this node ends it at once, one on another node so late.
const BELIEVED_MS: i64 = 4_000;
/// How many answers are kept: what a table of 8,192 places holds, about a megabyte. More logins than that within four
/// seconds ask the store.
const KEPT: usize = 7_168;
/// How many uses are noted between two flushes.
const NOTED: usize = 65_536;
/// Milliseconds between two searches for answers that are not believed any more, when the table is full.
const CLEARED_EVERY_MS: i64 = 1_000;
/// How precisely it is noted when a login was last used.
const NOTED_MS: i64 = 60_000;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The user.
    pub user: UserId,
    /// The login.
    pub device: DeviceId,
    /// What they may do on the whole server.
    pub role: PlatformRole,
    /// The digest of the token.
    pub login: [u8; 32],
    /// When the login ends by itself.
    pub expires_at: Millis,
}

#[derive(Clone, Copy)]
struct Known {
    identity: Identity,
    asked_at: Millis,
    noted_at: Millis,
}

/// Answers that are believed, by the digest of the token.
#[derive(Default)]
struct Kept {
    answers: HashMap<[u8; 32], Known>,
    cleared_at: Millis,
}

impl Kept {
    /// Keeps an answer if there is place.
    fn keep(&mut self, login: [u8; 32], known: Known, now: Millis) {
        if self.answers.len() >= KEPT && now.since(self.cleared_at) >= CLEARED_EVERY_MS {
            self.cleared_at = now;
            self.answers.retain(|_, known| is_fresh(known, now));
        }
        if self.answers.len() < KEPT {
            self.answers.insert(login, known);
        }
    }
}

/// Knows tokens and tickets.
pub struct Authenticator {
    directory: Arc<dyn Directory>,
    known: Mutex<Kept>,
    /// Raised by every revocation: an answer that the store gave before it is not kept after it.
    revocations: AtomicU64,
    tickets: Tickets,
    used: Mutex<HashMap<DeviceId, Millis>>,
}

impl Authenticator {
    /// Over this directory.
    #[must_use]
    pub fn new(directory: Arc<dyn Directory>) -> Self {
        Self {
            directory,
            known: Mutex::default(),
            revocations: AtomicU64::new(0),
            tickets: Tickets::default(),
            used: Mutex::default(),
        }
    }

    /// The login of a token; `None`: it is not one, has ended, or its user is shut out.
    ///
    /// # Errors
    /// The store could not say.
    pub async fn by_token(&self, token: &str, now: Millis) -> Result<Option<Identity>, StoreError> {
        match Token::digest_of(token) {
            Some(login) => self.by_digest(login, now).await,
            None => Ok(None),
        }
    }

    /// The login of a ticket, which is used up whatever the answer.
    ///
    /// # Errors
    /// The store could not say.
    pub async fn by_ticket(&self, ticket: &str, now: Millis) -> Result<Option<Identity>, StoreError> {
        match self.tickets.redeem(ticket, now) {
            Some(login) => self.by_digest(login, now).await,
            None => Ok(None),
        }
    }

    /// A ticket for this login, and when it ends.
    ///
    /// # Errors
    /// `busy`: too many are open.
    pub fn ticket(&self, identity: &Identity, now: Millis) -> Result<(String, Millis), Refusal> {
        self.tickets.issue(identity.login, identity.device, now)
    }

    /// A link to a file for this login, and when it ends. Any node knows it again.
    #[must_use]
    pub fn link(&self, identity: &Identity, media: MediaId, now: Millis) -> (String, Millis) {
        let link = Link::new(&identity.login, media, identity.device, now);
        (link.text(), link.expires_at)
    }

    /// The login of a link to this file, as long as both are good.
    ///
    /// # Errors
    /// The store could not say.
    pub async fn by_link(&self, text: &str, media: MediaId, now: Millis) -> Result<Option<Identity>, StoreError> {
        let Some(link) = Link::read(text) else { return Ok(None) };
        let Some(login) = self.directory.token_of_device(link.device).await? else { return Ok(None) };
        if !link.is_good(&login, media, now) {
            return Ok(None);
        }
        self.by_digest(login, now).await
    }

    async fn by_digest(&self, login: [u8; 32], now: Millis) -> Result<Option<Identity>, StoreError> {
        if let Some(identity) = self.remembered(login, now) {
            return Ok(Some(identity));
        }
        let before = self.revocations.load(Ordering::Acquire);
        let Some((device, user)) = self.directory.device_by_token(login, now).await? else { return Ok(None) };
        let identity =
            Identity { user: user.id, device: device.id, role: user.role, login, expires_at: device.expires_at };
        let stale = now.since(device.last_used_at) >= NOTED_MS;
        let noted_at = if stale { now } else { device.last_used_at };
        let known = Known { identity, asked_at: now, noted_at };
        let mut map = self.known.lock();
        if self.revocations.load(Ordering::Acquire) == before {
            map.keep(login, known, now);
        }
        drop(map);
        if stale {
            self.note(device.id, now);
        }
        Ok(Some(identity))
    }

    fn remembered(&self, login: [u8; 32], now: Millis) -> Option<Identity> {
        let mut map = self.known.lock();
        let known = map.answers.get_mut(&login).filter(|known| is_fresh(known, now))?;
        let identity = known.identity;
        let stale = now.since(known.noted_at) >= NOTED_MS;
        if stale {
            known.noted_at = now;
        }
        drop(map);
        if stale {
            self.note(identity.device, now);
        }
        Some(identity)
    }

    /// These logins have ended.
    pub fn forget_devices(&self, devices: &[DeviceId]) {
        self.revocations.fetch_add(1, Ordering::AcqRel);
        self.known.lock().answers.retain(|_, known| !devices.contains(&known.identity.device));
        self.tickets.forget(devices);
    }

    /// What is known of this user is not so any more: their role changed, or they were shut out.
    pub fn forget_user(&self, user: UserId) {
        self.revocations.fetch_add(1, Ordering::AcqRel);
        self.known.lock().answers.retain(|_, known| known.identity.user != user);
    }

    fn note(&self, device: DeviceId, now: Millis) {
        let mut used = self.used.lock();
        // More than this between two flushes: then it is not noted for some, which is shown to people only.
        if used.len() < NOTED {
            used.insert(device, now);
        }
    }

    /// Forgets answers that are not believed any more, and gives their memory back: a storm of connections leaves many.
    pub fn sweep(&self, now: Millis) {
        let mut map = self.known.lock();
        map.answers.retain(|_, known| is_fresh(known, now));
        let kept = map.answers.len();
        map.answers.shrink_to(kept * 2);
    }

    /// Writes down when logins were last used. To be called about once a minute, and at the end.
    ///
    /// # Errors
    /// The store did not take it; it is tried again with the next call.
    pub async fn flush_used(&self) -> Result<(), StoreError> {
        let used: Vec<_> = std::mem::take(&mut *self.used.lock()).into_iter().collect();
        if used.is_empty() {
            return Ok(());
        }
        let result = self.directory.used(used.clone()).await;
        if result.is_err() {
            let mut again = self.used.lock();
            for (device, at) in used {
                again.entry(device).or_insert(at);
            }
        }
        result
    }
}

fn is_fresh(known: &Known, now: Millis) -> bool {
    (0..BELIEVED_MS).contains(&now.since(known.asked_at)) && now < known.identity.expires_at
}
