//! The operations on rooms, members and messages.

use actix_web::http::Method;

use super::operation::{Operation, Parameter, operation};
use crate::http::{
    answer::view::{Member, Receipt, Room},
    routes::{history, members, messages, reactions, rooms, settings},
};

pub(super) fn operations() -> Vec<Operation> {
    let mut all = rooms_and_members();
    all.extend(reading());
    all.extend(writing());
    all
}

fn rooms_and_members() -> Vec<Operation> {
    const ROOM: &str = "/api/v1/rooms/{room}";
    const MEMBER: &str = "/api/v1/rooms/{room}/members/{user}";
    vec![
        operation(Method::POST, "/api/v1/rooms", "Make a group or a channel")
            .takes::<rooms::RoomRequest>()
            .repeatable()
            .gives::<Room>(201, "The room."),
        operation(Method::GET, "/api/v1/rooms", "My rooms, newest activity first; or public ones")
            .with(&[
                Parameter::Flag("public", "List public rooms instead."),
                Parameter::Text("query", "With `public`: a part of the name."),
            ])
            .lists::<Room>(),
        operation(Method::PUT, "/api/v1/direct/{user}", "The direct room with somebody")
            .gives::<Room>(201, "Made.")
            .gives::<Room>(200, "As it was."),
        operation(Method::GET, ROOM, "One room").gives::<Room>(200, "The room."),
        operation(Method::PATCH, ROOM, "Change a room")
            .takes::<rooms::Change>()
            .gives::<Room>(200, "The room, changed."),
        operation(Method::DELETE, ROOM, "End a room").done(),
        operation(Method::GET, "/api/v1/rooms/{room}/members", "Who is in it, owners first").lists::<Member>(),
        operation(Method::PUT, MEMBER, "Join, add somebody, change a role, mute")
            .may_take::<members::Change>()
            .gives::<Member>(201, "In the room from now on.")
            .gives::<Member>(200, "Changed, or as it was."),
        operation(Method::DELETE, MEMBER, "Leave, take somebody out, ban, lift a ban")
            .with(&[Parameter::Flag("ban", "Keep them out too."), Parameter::Flag("unban", "Let them come back.")])
            .done(),
    ]
}

fn reading() -> Vec<Operation> {
    vec![
        operation(Method::GET, "/api/v1/rooms/{room}/messages", "Messages in their present state")
            .with(&[
                Parameter::Seq("before", "Those right before."),
                Parameter::Seq("after", "Those right after."),
                Parameter::Seq("around", "Those around."),
                Parameter::Flag("notices", "Also who came and went, and what changed about the room."),
                Parameter::Limit,
            ])
            .gives::<history::History<'_>>(200, "A page; the newest when none of the three is named."),
        operation(Method::GET, "/api/v1/rooms/{room}/events", "The log")
            .with(&[Parameter::Seq("after", "The last event that one has."), Parameter::Limit])
            .gives::<history::EventPage<'_>>(200, "A page."),
        operation(Method::GET, "/api/v1/rooms/{room}/outcomes/{client_id}", "What became of a write of mine")
            .gives::<history::Outcome>(200, "What became of it."),
        operation(Method::GET, "/api/v1/rooms/{room}/messages/{seq}/reactions", "Who reacts, and how")
            .gives::<reactions::ReactionList>(200, "The reactions, oldest first."),
    ]
}

fn writing() -> Vec<Operation> {
    const MESSAGE: &str = "/api/v1/rooms/{room}/messages/{seq}";
    const REACTION: &str = "/api/v1/rooms/{room}/messages/{seq}/reactions/{emoji}";
    vec![
        operation(Method::POST, "/api/v1/rooms/{room}/messages", "Say something")
            .takes::<messages::MessageRequest>()
            .repeatable()
            .gives::<Receipt>(201, "It is durable.")
            .gives::<Receipt>(200, "It had been said before: `repeat` is true."),
        operation(Method::PATCH, MESSAGE, "Give a message of mine another text")
            .takes::<messages::Change>()
            .gives::<Receipt>(200, "The edit is durable."),
        operation(Method::DELETE, MESSAGE, "Take a message back")
            .with(&[Parameter::Text("client_id", "The idempotency key.")])
            .done(),
        operation(Method::PUT, REACTION, "React").done(),
        operation(Method::DELETE, REACTION, "Take a reaction back").done(),
        operation(Method::PUT, "/api/v1/rooms/{room}/marks", "Move my marks forwards")
            .takes::<settings::MarksChange>()
            .gives::<settings::Marks>(200, "The marks as they stand."),
        operation(Method::PUT, "/api/v1/rooms/{room}/notifications", "What I want to be told of")
            .takes::<settings::Notifications>()
            .gives::<settings::Notifications>(200, "The same."),
    ]
}
