//! Who may do what in a room: one table.

use crate::{
    event::{Role, RoomKind},
    frame::{Code, Refusal},
};

/// Something that a member may want to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Say something.
    Post,
    /// Change the text of a message of one's own.
    EditOwn,
    /// Take back a message of one's own.
    DeleteOwn,
    /// Take back somebody else's message.
    DeleteOthers,
    /// Set or take back a reaction.
    React,
    /// Add somebody.
    AddMember,
    /// Take out, ban, mute or unban somebody with a lower role.
    Moderate,
    /// Change the role of somebody below one's own, to one below one's own.
    ChangeRole,
    /// Make somebody owner, or an owner something else.
    ChangeOwner,
    /// Change name, topic, visibility, or archive.
    ChangeRoom,
    /// End the room.
    DeleteRoom,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 11] = [
        Self::Post,
        Self::EditOwn,
        Self::DeleteOwn,
        Self::DeleteOthers,
        Self::React,
        Self::AddMember,
        Self::Moderate,
        Self::ChangeRole,
        Self::ChangeOwner,
        Self::ChangeRoom,
        Self::DeleteRoom,
    ];

    /// The lowest role that may do this in a group or channel.
    #[must_use]
    pub const fn least_role(self) -> Role {
        match self {
            Self::React | Self::DeleteOwn => Role::Reader,
            Self::Post | Self::EditOwn => Role::Member,
            Self::DeleteOthers | Self::AddMember | Self::Moderate | Self::ChangeRole | Self::ChangeRoom => Role::Admin,
            Self::ChangeOwner | Self::DeleteRoom => Role::Owner,
        }
    }

    /// Whether two people alone may do this to their direct room.
    #[must_use]
    pub const fn in_direct(self) -> bool {
        matches!(self, Self::Post | Self::EditOwn | Self::DeleteOwn | Self::React)
    }
}

/// Whether a member with this role may do this in a room of this kind.
///
/// # Errors
/// `forbidden`, with the role that would be needed.
pub fn allows(kind: RoomKind, role: Role, action: Action) -> Result<(), Refusal> {
    if kind == RoomKind::Direct {
        return if action.in_direct() {
            Ok(())
        } else {
            Err(Refusal::new(Code::Forbidden, "a direct room stays as it is"))
        };
    }
    if role >= action.least_role() {
        return Ok(());
    }
    Err(Refusal::new(Code::Forbidden, format!("needs the role {}", name(action.least_role()))))
}

/// The word for a role, as on the wire.
#[must_use]
pub const fn name(role: Role) -> &'static str {
    match role {
        Role::Reader => "reader",
        Role::Member => "member",
        Role::Admin => "admin",
        Role::Owner => "owner",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ROLES: [Role; 4] = [Role::Reader, Role::Member, Role::Admin, Role::Owner];

    proptest! {
        #[test]
        fn a_higher_role_may_do_whatever_a_lower_one_may(low in 0..4_usize, high in 0..4_usize, action in 0..11_usize) {
            let (low, high) = (ROLES[low.min(high)], ROLES[low.max(high)]);
            for kind in [RoomKind::Group, RoomKind::Channel, RoomKind::Direct] {
                if allows(kind, low, Action::ALL[action]).is_ok() {
                    prop_assert!(allows(kind, high, Action::ALL[action]).is_ok());
                }
            }
        }
    }

    #[test]
    fn a_reader_reads_and_reacts_and_does_not_write() {
        assert!(allows(RoomKind::Channel, Role::Reader, Action::React).is_ok());
        assert_eq!(allows(RoomKind::Channel, Role::Reader, Action::Post).unwrap_err().code, Code::Forbidden);
    }

    #[test]
    fn a_direct_room_has_no_moderators() {
        for action in
            [Action::AddMember, Action::Moderate, Action::ChangeRoom, Action::DeleteRoom, Action::DeleteOthers]
        {
            assert!(allows(RoomKind::Direct, Role::Owner, action).is_err());
        }
    }
}
