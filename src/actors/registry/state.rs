//! The registry's state and what it decides about connections.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use bytes::{Bytes, BytesMut};
use rookery_core::{
    frame::{codec, server::ServerFrame, websocket},
    ids::{DeviceId, SessionId, UserId},
    presence::{Presence, Status},
    session::close,
    time::Millis,
};

use crate::actors::{
    Router, clock,
    hub::inbox::{Item, Note},
    peers::{HERE, Slot, ToPeer, slot_of},
};

/// Milliseconds for which a revoked login's connections are refused here: longer than any handshake takes.
const REVOKED_FOR: i64 = 60_000;

/// A connection.
#[derive(Clone, Copy, Debug)]
pub struct Registered {
    /// Whose.
    pub user: UserId,
    /// Which login.
    pub device: DeviceId,
    /// Which connection.
    pub session: SessionId,
    /// The hub that holds it.
    pub hub: u16,
}

/// Whether a connection may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It may.
    Admitted,
    /// The user has too many.
    TooMany,
    /// The login was revoked a moment ago.
    Revoked,
    /// Nobody could say; nothing stands against it.
    Unknown,
}

#[derive(Default)]
struct User {
    sessions: Vec<(SessionId, DeviceId, u16)>,
    presence: Presence,
    /// On how many nodes that is, as was told last.
    nodes: u16,
}

/// What changes.
pub struct RegistryState {
    router: Arc<Router>,
    /// Boxed, since half of a large table is empty places.
    users: HashMap<UserId, Box<User>>,
    revoked: HashMap<DeviceId, Millis>,
    /// The hubs, of all nodes, that show a user's presence.
    watchers: HashMap<UserId, Vec<u16>>,
    /// When users were last here, to be written down.
    seen: BTreeMap<UserId, Millis>,
}

impl RegistryState {
    pub(super) fn new(router: Arc<Router>) -> Self {
        Self { router, users: HashMap::new(), revoked: HashMap::new(), watchers: HashMap::new(), seen: BTreeMap::new() }
    }

    pub(super) fn register(&mut self, entry: Registered) -> Admission {
        let now = clock::now();
        if self.revoked.get(&entry.device).is_some_and(|until| *until > now) {
            return Admission::Revoked;
        }
        let limits = self.router.limits();
        let user = self.users.entry(entry.user).or_default();
        if user.sessions.len() >= limits.connections_per_user {
            return Admission::TooMany;
        }
        let mut same = user.sessions.iter().filter(|(_, device, _)| *device == entry.device);
        if same.clone().count() >= limits.connections_per_device
            && let Some((oldest, _, hub)) = same.next().copied()
        {
            user.sessions.retain(|(session, _, _)| *session != oldest);
            let reason = "replaced by a newer connection of this login";
            self.router.to_hub(hub, Item::Close { session: oldest, code: close::REPLACED, reason });
        }
        let user = self.users.entry(entry.user).or_default();
        user.sessions.reserve_exact(1);
        user.sessions.push((entry.session, entry.device, entry.hub));
        let change = user.presence.active(entry.session, now);
        self.tell_spread(entry.user);
        self.show(entry.user, change);
        Admission::Admitted
    }

    pub(super) fn unregister(&mut self, id: UserId, session: SessionId) {
        let now = clock::now();
        let Some(user) = self.users.get_mut(&id) else { return };
        user.sessions.retain(|(other, _, _)| *other != session);
        let change = user.presence.ended(session, now);
        if user.presence.is_empty() {
            self.seen.insert(id, now);
        }
        self.tell_spread(id);
        self.show(id, change);
        if self.users.get(&id).is_some_and(|user| user.sessions.is_empty() && user.presence.is_empty()) {
            self.users.remove(&id);
        }
    }

    pub(super) fn active(&mut self, id: UserId, session: SessionId) {
        let change = self.users.get_mut(&id).and_then(|user| user.presence.active(session, clock::now()));
        self.show(id, change);
    }

    pub(super) fn to_user(&self, id: UserId, note: &Note) {
        let Some(user) = self.users.get(&id) else { return };
        let mut hubs: Vec<u16> = user.sessions.iter().map(|(_, _, hub)| *hub).collect();
        hubs.sort_unstable();
        hubs.dedup();
        self.to_hubs(&hubs, || Item::ToUser { user: id, note: note.clone() });
    }

    pub(super) fn close_devices(&mut self, id: UserId, devices: &[DeviceId], code: u16, reason: &'static str) {
        let until = clock::now().plus(REVOKED_FOR);
        self.revoked.extend(devices.iter().map(|device| (*device, until)));
        for (session, device, hub) in self.users.get(&id).map_or(&[][..], |user| &user.sessions) {
            if devices.contains(device) {
                self.router.to_hub(*hub, Item::Close { session: *session, code, reason });
            }
        }
    }

    /// A connection that began long ago is there; its beginning was decided where it was known then.
    pub(super) fn present(&mut self, entry: Registered) {
        let user = self.users.entry(entry.user).or_default();
        if !user.sessions.iter().any(|(session, _, _)| *session == entry.session) {
            user.sessions.push((entry.session, entry.device, entry.hub));
        }
        let change = user.presence.active(entry.session, clock::now());
        self.tell_spread(entry.user);
        self.show(entry.user, change);
    }

    /// Tells every node where a user is connected on how many they are, if that has changed.
    fn tell_spread(&mut self, id: UserId) {
        let Some(user) = self.users.get_mut(&id) else { return };
        let nodes: BTreeSet<Slot> = user.sessions.iter().map(|(_, _, hub)| slot_of(*hub)).collect();
        let count = u16::try_from(nodes.len()).unwrap_or(u16::MAX);
        // A node that knows nothing else takes it for one.
        let before = std::mem::replace(&mut user.nodes, count).max(1);
        if count.max(1) == before {
            return;
        }
        for node in nodes {
            match node {
                HERE => self.router.budget.spread(id, count),
                // Soft state, as everything here: it is told again with the next change.
                other => drop(self.router.peers().send(other, ToPeer::Spread { user: id, nodes: count })),
            }
        }
    }

    pub(super) fn node_gone(&mut self, slot: Slot) {
        let on_it = |hub: u16| slot_of(hub) == slot;
        let gone: Vec<(UserId, SessionId)> = self
            .users
            .iter()
            .flat_map(|(id, user)| user.sessions.iter().map(move |(session, _, hub)| (*id, *session, *hub)))
            .filter(|(_, _, hub)| on_it(*hub))
            .map(|(id, session, _)| (id, session))
            .collect();
        for (user, session) in gone {
            self.unregister(user, session);
        }
        self.watchers.values_mut().for_each(|hubs| hubs.retain(|hub| !on_it(*hub)));
        self.watchers.retain(|_, hubs| !hubs.is_empty());
    }

    pub(super) fn watch(&mut self, hub: u16, session: SessionId, users: Vec<UserId>) {
        let mut unknown = Vec::new();
        for user in users {
            let hubs = self.watchers.entry(user).or_default();
            if !hubs.contains(&hub) {
                hubs.push(hub);
            }
            if self.users.contains_key(&user) {
                let (status, last_seen) = self.presence(user);
                let frame = frame(user, status, last_seen);
                self.router.to_hub(hub, Item::Presence { user, only: Some(session), frame });
            } else {
                unknown.push(user);
            }
        }
        if !unknown.is_empty() {
            self.look_up(hub, session, unknown);
        }
    }

    /// Who is not here was last seen when the directory says, or when it is about to.
    fn look_up(&self, hub: u16, session: SessionId, users: Vec<UserId>) {
        let router = Arc::clone(&self.router);
        let recent: Vec<Option<Millis>> = users.iter().map(|user| self.seen.get(user).copied()).collect();
        self.router.shared.runtime.spawn(async move {
            let found = router.shared.directory.users(users.clone()).await.unwrap_or_default();
            for (user, recent) in users.into_iter().zip(recent) {
                let kept = found.iter().find(|found| found.id == user).and_then(|found| found.last_seen);
                let frame = frame(user, Status::Offline, recent.max(kept));
                router.to_hub(hub, Item::Presence { user, only: Some(session), frame });
            }
        });
    }

    pub(super) fn unwatch(&mut self, hub: u16, user: UserId) {
        if let Some(hubs) = self.watchers.get_mut(&user) {
            hubs.retain(|other| *other != hub);
            if hubs.is_empty() {
                self.watchers.remove(&user);
            }
        }
    }

    pub(super) fn presence(&self, id: UserId) -> (Status, Option<Millis>) {
        let here = self.users.get(&id).map(|user| user.presence.shown());
        here.unwrap_or((Status::Offline, self.seen.get(&id).copied()))
    }

    pub(super) fn tick(&mut self) {
        let now = clock::now();
        self.revoked.retain(|_, until| *until > now);
        let changed: Vec<_> =
            self.users.iter_mut().filter_map(|(id, user)| Some((*id, user.presence.tick(now)?))).collect();
        for (id, status) in changed {
            self.show(id, Some(status));
        }
        let seen: Vec<_> = std::mem::take(&mut self.seen).into_iter().collect();
        if !seen.is_empty() {
            let router = Arc::clone(&self.router);
            self.router.shared.runtime.spawn(async move {
                if let Err(error) = router.shared.directory.seen(seen).await {
                    tracing::warn!(%error, "could not note when users were last here");
                }
            });
        }
    }

    fn show(&self, id: UserId, change: Option<Status>) {
        let Some(status) = change else { return };
        let Some(hubs) = self.watchers.get(&id) else { return };
        let last_seen = self.users.get(&id).and_then(|user| user.presence.shown().1);
        let frame = frame(id, status, last_seen);
        self.to_hubs(hubs, || Item::Presence { user: id, only: None, frame: frame.clone() });
    }

    fn to_hubs(&self, hubs: &[u16], item: impl Fn() -> Item) {
        for hub in hubs {
            self.router.to_hub(*hub, item());
        }
    }
}

fn frame(user: UserId, status: Status, last_seen: Option<Millis>) -> Bytes {
    let mut bytes = BytesMut::new();
    websocket::append(&mut bytes, websocket::TEXT, &codec::encode(&ServerFrame::Presence { user, status, last_seen }));
    bytes.freeze()
}
