//! How a room begins: its first events, from which everything else about it follows.

use uuid::Uuid;

use crate::{
    event::{Content, Event, MemberChange, Role, RoomChange, RoomChangeKind, RoomKind, Visibility},
    frame::{Code, Refusal},
    ids::{ClientId, RoomId, Seq, UserId},
    time::Millis,
};

/// What a room is to be like.
#[derive(Clone, Debug)]
pub struct Beginning {
    /// Its id.
    pub room: RoomId,
    /// What sort.
    pub kind: RoomKind,
    /// Its name; empty for a direct room.
    pub name: String,
    /// What it is about; empty for nothing.
    pub topic: String,
    /// Who may find and join it.
    pub visibility: Visibility,
    /// Who begins it.
    pub by: UserId,
    /// Who else is in it from the start.
    pub members: Vec<UserId>,
    /// When.
    pub at: Millis,
}

/// The first events of a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRoomPlan {
    /// From seq 1 on, without a hole.
    pub events: Vec<Event>,
    /// How many members it has after them.
    pub members: u64,
}

/// The first events: that the room began, then who is in it, whoever begins it first. Members named twice count once.
///
/// # Errors
/// `conflict` for more members than a room may have; `bad_request` for a direct room of other than two people.
pub fn create(beginning: &Beginning, most_members: usize) -> Result<NewRoomPlan, Refusal> {
    let others = others(beginning);
    if others.len() >= most_members {
        return Err(Refusal::field(Code::Conflict, "members", format!("at most {most_members} members")));
    }
    if beginning.kind == RoomKind::Direct && others.len() != 1 {
        return Err(Refusal::field(Code::BadRequest, "user", "a direct room is between you and one other"));
    }
    let (first, rest) = match beginning.kind {
        RoomKind::Direct => (Role::Member, Role::Member),
        RoomKind::Group => (Role::Owner, Role::Member),
        RoomKind::Channel => (Role::Owner, Role::Reader),
    };
    let mut contents = vec![Content::Room(RoomChange {
        change: RoomChangeKind::Created,
        name: Some(beginning.name.clone()).filter(|name| !name.is_empty()),
        topic: Some(beginning.topic.clone()).filter(|topic| !topic.is_empty()),
        visibility: Some(beginning.visibility),
        archived: None,
        text: None,
    })];
    contents.push(joined(beginning.by, first));
    contents.extend(others.into_iter().map(|user| joined(user, rest)));
    let members = contents.len() as u64 - 1;
    let events = (1..).zip(contents).map(|(seq, content)| event(beginning, seq, content)).collect();
    Ok(NewRoomPlan { events, members })
}

fn others(beginning: &Beginning) -> Vec<UserId> {
    let mut seen = std::collections::BTreeSet::from([beginning.by]);
    beginning.members.iter().copied().filter(|user| seen.insert(*user)).collect()
}

const fn joined(user: UserId, role: Role) -> Content {
    Content::Member { user, change: MemberChange::Joined, role: Some(role), until: None }
}

fn event(beginning: &Beginning, seq: Seq, content: Content) -> Event {
    // A key of its own for each: nobody sends them again, and no client makes one up from the id of a room.
    let client_id = ClientId(Uuid::from_u128(beginning.room.0.as_u128() ^ u128::from(seq)));
    Event { room: beginning.room, seq, at: beginning.at, sender: beginning.by, client_id, messages: 0, content }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(n: u128) -> UserId {
        UserId(Uuid::from_u128(n))
    }

    fn beginning(kind: RoomKind, members: Vec<UserId>) -> Beginning {
        Beginning {
            room: RoomId(Uuid::from_u128(1 << 100)),
            kind,
            name: "tea".to_owned(),
            topic: String::new(),
            visibility: Visibility::Private,
            by: user(1),
            members,
            at: Millis(5),
        }
    }

    fn roles(plan: &NewRoomPlan) -> Vec<(UserId, Role)> {
        let member = |event: &Event| match event.content {
            Content::Member { user, change: MemberChange::Joined, role: Some(role), until: None } => Some((user, role)),
            _ => None,
        };
        plan.events.iter().filter_map(member).collect()
    }

    #[test]
    fn a_group_begins_with_its_owner_and_everybody_named_once() {
        let plan = create(&beginning(RoomKind::Group, vec![user(2), user(1), user(2), user(3)]), 100).unwrap();
        assert_eq!(roles(&plan), [(user(1), Role::Owner), (user(2), Role::Member), (user(3), Role::Member)]);
        assert_eq!(plan.members, 3);
        let Content::Room(change) = &plan.events[0].content else { panic!("the room itself comes first") };
        assert_eq!(
            (change.change, change.name.as_deref(), &change.topic),
            (RoomChangeKind::Created, Some("tea"), &None)
        );
        let mut keys = std::collections::BTreeSet::new();
        for (seq, event) in (1..).zip(&plan.events) {
            assert_eq!((event.seq, event.sender, event.messages), (seq, user(1), 0));
            assert!(keys.insert(event.client_id), "each has a key of its own");
        }
    }

    #[test]
    fn who_is_added_to_a_channel_reads() {
        let plan = create(&beginning(RoomKind::Channel, vec![user(2)]), 100).unwrap();
        assert_eq!(roles(&plan), [(user(1), Role::Owner), (user(2), Role::Reader)]);
    }

    #[test]
    fn a_direct_room_has_two_equals() {
        let plan = create(&beginning(RoomKind::Direct, vec![user(2)]), 100).unwrap();
        assert_eq!(roles(&plan), [(user(1), Role::Member), (user(2), Role::Member)]);
        for members in [vec![], vec![user(1)], vec![user(2), user(3)]] {
            assert_eq!(create(&beginning(RoomKind::Direct, members), 100).unwrap_err().code, Code::BadRequest);
        }
    }

    #[test]
    fn there_is_a_bound() {
        assert!(create(&beginning(RoomKind::Group, vec![user(2), user(3)]), 3).is_ok());
        let refusal = create(&beginning(RoomKind::Group, vec![user(2), user(3), user(4)]), 3).unwrap_err();
        assert_eq!((refusal.code, refusal.field), (Code::Conflict, Some("members")));
    }
}
