//! What a log means, read a second time: the state after it, and whether each event was lawful where it stands.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

#[derive(Clone, Copy, Debug)]
struct Person {
    role: Role,
    visible_from: Seq,
    muted_until: Option<Millis>,
}

/// The state of a room after a part of its log.
#[derive(Clone, Debug)]
pub(super) struct State {
    kind: RoomKind,
    visibility: Visibility,
    archived: bool,
    deleted: bool,
    people: BTreeMap<UserId, Person>,
    banned: BTreeSet<UserId>,
    authors: BTreeMap<Seq, UserId>,
    taken_back: BTreeSet<Seq>,
    messages: u64,
    head: Seq,
}

impl State {
    pub(super) fn new(kind: RoomKind) -> Self {
        Self {
            kind,
            visibility: Visibility::Private,
            archived: false,
            deleted: false,
            people: BTreeMap::new(),
            banned: BTreeSet::new(),
            authors: BTreeMap::new(),
            taken_back: BTreeSet::new(),
            messages: 0,
            head: 0,
        }
    }

    pub(super) fn after(kind: RoomKind, log: &[Event]) -> Self {
        let mut state = Self::new(kind);
        log.iter().for_each(|event| state.apply(event));
        state
    }

    pub(super) fn apply(&mut self, event: &Event) {
        self.head = event.seq;
        match &event.content {
            Content::Message { .. } => {
                self.messages += 1;
                self.authors.insert(event.seq, event.sender);
            }
            Content::Delete { target, .. } => {
                self.taken_back.insert(*target);
            }
            Content::Edit { .. } | Content::Reaction { .. } => {}
            Content::Member { user, change, role, until } => {
                self.apply_member(event.seq, *user, *change, *role, *until)
            }
            Content::Room(change) => {
                self.visibility = change.visibility.unwrap_or(self.visibility);
                self.archived = change.archived.unwrap_or(self.archived);
                self.deleted |= change.change == RoomChangeKind::Deleted;
            }
        }
    }

    fn apply_member(
        &mut self,
        seq: Seq,
        user: UserId,
        change: MemberChange,
        role: Option<Role>,
        until: Option<Millis>,
    ) {
        match change {
            MemberChange::Joined => {
                let open = self.visibility == Visibility::Public || self.kind == RoomKind::Direct;
                let visible_from = if open { 1 } else { seq };
                self.people.insert(user, Person { role: role.unwrap(), visible_from, muted_until: None });
            }
            MemberChange::Left | MemberChange::Removed => {
                self.people.remove(&user);
            }
            MemberChange::Banned => {
                self.people.remove(&user);
                self.banned.insert(user);
            }
            MemberChange::Unbanned => {
                self.banned.remove(&user);
            }
            MemberChange::Role => self.people.get_mut(&user).unwrap().role = role.unwrap(),
            MemberChange::Muted => self.people.get_mut(&user).unwrap().muted_until = until,
        }
    }

    /// The snapshot that a store would give, with the newest `recent` events.
    pub(super) fn snapshot(&self, log: &[Event], recent: usize) -> Snapshot {
        let recent = recent.min(RECENT).min(log.len());
        let member = |(user, person): (&UserId, &Person)| SnapshotMember {
            user: *user,
            role: person.role,
            visible_from: person.visible_from,
            muted_until: person.muted_until,
        };
        Snapshot {
            room: room_id(),
            kind: self.kind,
            visibility: self.visibility,
            archived: self.archived,
            deleted: self.deleted,
            members: self.people.iter().map(member).collect(),
            banned: self.banned.iter().copied().collect(),
            blocking: Vec::new(),
            head: self.head,
            messages: self.messages,
            recent: log[log.len() - recent..].iter().map(|event| self.as_stored(event)).collect(),
        }
    }

    /// The event as the store has it: without its words, if they were taken back.
    pub(super) fn as_stored(&self, event: &Event) -> Event {
        let said_in = match event.content {
            Content::Message { .. } => Some(event.seq),
            Content::Edit { target, .. } => Some(target),
            _ => None,
        };
        if said_in.is_some_and(|seq| self.taken_back.contains(&seq)) {
            return Event { content: event.content.erased(), ..event.clone() };
        }
        event.clone()
    }

    pub(super) fn target(&self, seq: Seq) -> Option<Target> {
        let author = self.authors.get(&seq).copied()?;
        Some(Target { author, deleted: self.taken_back.contains(&seq), attachments: false })
    }

    /// Whether there is nothing to do for this.
    pub(super) fn is_so_already(&self, intent: &Intent) -> bool {
        match intent {
            Intent::Put { user, role, muted_until } => self.people.get(user).is_some_and(|person| {
                role.is_none_or(|role| role == person.role)
                    && muted_until.is_none_or(|until| until == person.muted_until)
            }),
            Intent::Change(change) => {
                change.visibility.is_none_or(|visibility| visibility == self.visibility)
                    && change.archived.is_none_or(|archived| archived == self.archived)
            }
            _ => false,
        }
    }

    pub(super) fn has_owner_or_nobody(&self) -> bool {
        self.people.is_empty() || self.people.values().any(|person| person.role == Role::Owner)
    }

    /// Whether the event may follow on this state, done by its sender on their own authority.
    pub(super) fn allows(&self, event: &Event) -> bool {
        if self.deleted || event.seq != self.head + 1 {
            return false;
        }
        let sender = self.people.get(&event.sender).copied();
        match &event.content {
            Content::Message { .. } => self.speaks(sender, event.at, Role::Member),
            Content::Edit { target, .. } => {
                self.speaks(sender, event.at, Role::Member)
                    && self.sees(sender, *target)
                    && self.authors.get(target) == Some(&event.sender)
            }
            Content::Reaction { target, .. } => {
                self.speaks(sender, event.at, Role::Reader) && self.sees(sender, *target)
            }
            Content::Delete { target, .. } => {
                let own = self.authors.get(target) == Some(&event.sender);
                self.sees(sender, *target) && (own || self.at_least(sender, Role::Admin))
            }
            Content::Member { user, change, role, .. } => self.allows_member(event.sender, *user, *change, *role),
            Content::Room(change) if change.change == RoomChangeKind::Deleted => self.at_least(sender, Role::Owner),
            Content::Room(_) => self.at_least(sender, Role::Admin),
        }
    }

    fn speaks(&self, sender: Option<Person>, at: Millis, least: Role) -> bool {
        let Some(person) = sender else { return false };
        let muted = person.muted_until.is_some_and(|until| until > at);
        !self.archived && !muted && (self.kind == RoomKind::Direct || person.role >= least)
    }

    fn sees(&self, sender: Option<Person>, target: Seq) -> bool {
        sender.is_some_and(|person| person.visible_from <= target)
            && self.authors.contains_key(&target)
            && !self.taken_back.contains(&target)
    }

    fn at_least(&self, sender: Option<Person>, role: Role) -> bool {
        self.kind != RoomKind::Direct && sender.is_some_and(|person| person.role >= role)
    }

    fn allows_member(&self, sender: UserId, user: UserId, change: MemberChange, role: Option<Role>) -> bool {
        if self.kind == RoomKind::Direct {
            return false;
        }
        let (by, of) = (self.people.get(&sender).map(|p| p.role), self.people.get(&user).map(|p| p.role));
        let moderates = by >= Some(Role::Admin) && of < by;
        let owners = self.people.values().filter(|person| person.role == Role::Owner).count();
        let usual = if self.kind == RoomKind::Channel { Role::Reader } else { Role::Member };
        match change {
            MemberChange::Joined if of.is_some() || self.banned.contains(&user) => false,
            MemberChange::Joined if sender == user => {
                self.visibility == Visibility::Public && !self.archived && role == Some(usual)
            }
            MemberChange::Joined => by >= Some(Role::Admin) && (role < by || by == Some(Role::Owner)),
            MemberChange::Left => of.is_some() && (of < Some(Role::Owner) || owners > 1 || self.people.len() == 1),
            MemberChange::Removed => of.is_some() && moderates,
            MemberChange::Banned => moderates && !self.banned.contains(&user),
            MemberChange::Unbanned => by >= Some(Role::Admin) && self.banned.contains(&user),
            MemberChange::Muted => of.is_some() && moderates,
            MemberChange::Role if of == role || of.is_none() => false,
            MemberChange::Role if of == Some(Role::Owner) => by == Some(Role::Owner) && owners > 1,
            MemberChange::Role if by == Some(Role::Owner) => true,
            MemberChange::Role => by == Some(Role::Admin) && role < by && (of < by || sender == user),
        }
    }
}
