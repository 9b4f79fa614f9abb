//! Who is in the room: joining, adding, roles, muting, leaving, taking out, banning.

use super::{Authority, Member, Room, Undo, Write, write::Verdict};
use crate::{
    event::{Content, MemberChange, Role, RoomKind, Visibility},
    frame::{Code, Refusal},
    ids::UserId,
    permission::{self, Action},
    time::Millis,
};

impl Room {
    pub(super) fn put(
        &mut self,
        write: &Write,
        user: UserId,
        role: Option<Role>,
        muted_until: Option<Option<Millis>>,
        now: Millis,
    ) -> Result<Verdict, Refusal> {
        match self.members.get(&user).copied() {
            None => self.join(write, user, role, muted_until),
            Some(member) => self.adjust(write, user, member, role, muted_until, now),
        }
    }

    fn join(
        &mut self,
        write: &Write,
        user: UserId,
        role: Option<Role>,
        muted_until: Option<Option<Millis>>,
    ) -> Result<Verdict, Refusal> {
        let usual = if self.kind == RoomKind::Channel { Role::Reader } else { Role::Member };
        let role = role.unwrap_or(usual);
        if user == write.user {
            self.may_join_alone(user, role, usual)?;
        } else {
            let adder = self.may(write, Action::AddMember)?;
            if role >= adder.role && role > usual && adder.role != Role::Owner {
                return Err(Refusal::field(Code::Forbidden, "role", "only below your own role"));
            }
        }
        if muted_until.flatten().is_some() {
            return Err(Refusal::field(Code::BadRequest, "muted_until", "not for somebody who is not in the room"));
        }
        if self.banned.contains(&user) {
            return Err(Refusal::new(Code::Forbidden, "banned from this room"));
        }
        if self.members.len() >= self.most_members {
            return Err(Refusal::new(Code::Conflict, format!("the room is full: {} members", self.most_members)));
        }
        let visible_from = if self.shows_everything() { 1 } else { self.last + 1 };
        let undo = self.undo_member(user);
        self.members.insert(user, Member { role, visible_from, muted_until: None });
        Ok(written(user, MemberChange::Joined, Some(role), None, undo))
    }

    fn may_join_alone(&self, user: UserId, role: Role, usual: Role) -> Result<(), Refusal> {
        if self.visibility != Visibility::Public || self.kind == RoomKind::Direct {
            return Err(self.stranger());
        }
        if self.archived {
            return Err(Refusal::new(Code::Archived, "the room is closed"));
        }
        if self.banned.contains(&user) {
            return Err(Refusal::new(Code::Forbidden, "banned from this room"));
        }
        if role != usual {
            return Err(Refusal::field(Code::Forbidden, "role", "nobody gives a role to themselves"));
        }
        Ok(())
    }

    fn adjust(
        &mut self,
        write: &Write,
        user: UserId,
        member: Member,
        role: Option<Role>,
        muted_until: Option<Option<Millis>>,
        now: Millis,
    ) -> Result<Verdict, Refusal> {
        let new_role = role.filter(|role| *role != member.role);
        let new_mute = muted_until.filter(|until| *until != member.muted_until);
        if new_role.is_some() && new_mute.is_some() {
            return Err(Refusal::field(Code::BadRequest, "muted_until", "change role and muting one after the other"));
        }
        if let Some(role) = new_role {
            self.may_change_role(write, user, member, role)?;
            let undo = self.undo_member(user);
            self.members.insert(user, Member { role, ..member });
            return Ok(written(user, MemberChange::Role, Some(role), None, undo));
        }
        if let Some(until) = new_mute {
            let moderator = self.may(write, Action::Moderate)?;
            below(member, moderator)?;
            if until.is_some_and(|until| until <= now) {
                return Err(Refusal::field(Code::BadRequest, "muted_until", "lies in the past"));
            }
            let undo = self.undo_member(user);
            self.members.insert(user, Member { muted_until: until, ..member });
            return Ok(written(user, MemberChange::Muted, None, until, undo));
        }
        if write.user != user {
            self.may(write, Action::React)?;
        }
        Ok(Verdict::Unchanged)
    }

    fn may_change_role(&self, write: &Write, user: UserId, member: Member, role: Role) -> Result<(), Refusal> {
        let owner_involved = member.role == Role::Owner || role == Role::Owner;
        if owner_involved {
            self.may(write, Action::ChangeOwner)?;
            if member.role == Role::Owner && self.owners() == 1 {
                return Err(Refusal::field(Code::Conflict, "role", "the last owner makes another one first"));
            }
            return Ok(());
        }
        let changer = self.may(write, Action::ChangeRole)?;
        if user != write.user {
            below(member, changer)?;
        }
        if role >= changer.role {
            return Err(Refusal::field(Code::Forbidden, "role", "only below your own role"));
        }
        Ok(())
    }

    pub(super) fn remove(&mut self, write: &Write, user: UserId, ban: bool) -> Result<Verdict, Refusal> {
        let by_self = user == write.user;
        if write.authority == Authority::Member {
            self.may_remove(write, user, ban)?;
        }
        if !self.members.contains_key(&user) && (!ban || self.banned.contains(&user)) {
            return Err(Refusal::new(Code::NotFound, "not in this room"));
        }
        let undo = self.undo_member(user);
        self.members.remove(&user);
        if ban {
            self.banned.insert(user);
        }
        let change = match (by_self, ban) {
            (_, true) => MemberChange::Banned,
            (true, false) => MemberChange::Left,
            (false, false) => MemberChange::Removed,
        };
        Ok(written(user, change, None, None, undo))
    }

    fn may_remove(&self, write: &Write, user: UserId, ban: bool) -> Result<(), Refusal> {
        let actor = self.members.get(&write.user).copied().ok_or_else(|| self.stranger())?;
        if user == write.user {
            if ban {
                return Err(Refusal::field(Code::BadRequest, "ban", "nobody bans themselves"));
            }
            if self.kind == RoomKind::Direct {
                return Err(Refusal::new(Code::Forbidden, "a direct room stays as it is"));
            }
            if actor.role == Role::Owner && self.owners() == 1 && self.members.len() > 1 {
                return Err(Refusal::new(Code::Conflict, "the last owner makes another one before leaving"));
            }
            return Ok(());
        }
        permission::allows(self.kind, actor.role, Action::Moderate)?;
        self.members.get(&user).map_or(Ok(()), |member| below(*member, actor))
    }

    pub(super) fn unban(&mut self, write: &Write, user: UserId) -> Result<Verdict, Refusal> {
        self.may(write, Action::Moderate)?;
        if !self.banned.contains(&user) {
            return Err(Refusal::new(Code::NotFound, "not banned"));
        }
        let undo = self.undo_member(user);
        self.banned.remove(&user);
        Ok(written(user, MemberChange::Unbanned, None, None, undo))
    }

    /// Whether who comes later sees what was said before.
    pub(super) fn shows_everything(&self) -> bool {
        self.visibility == Visibility::Public || self.kind == RoomKind::Direct
    }

    fn owners(&self) -> usize {
        self.members.values().filter(|member| member.role == Role::Owner).count()
    }

    fn undo_member(&self, user: UserId) -> Undo {
        Undo::Member { user, before: self.members.get(&user).copied(), banned: self.banned.contains(&user) }
    }
}

/// Moderators have a say over those below them only; owners over everybody but owners.
fn below(member: Member, actor: Member) -> Result<(), Refusal> {
    if member.role < actor.role {
        return Ok(());
    }
    Err(Refusal::new(Code::Forbidden, "their role is not below yours"))
}

fn written(user: UserId, change: MemberChange, role: Option<Role>, until: Option<Millis>, undo: Undo) -> Verdict {
    Verdict::Write(Content::Member { user, change, role, until }, undo)
}
