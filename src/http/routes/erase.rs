//! Ending an account: out of every room, then out of the directory. What it said stays, under no name.

use rookery_core::{
    event::{Role, RoomKind},
    frame::{Code, Refusal},
    ids::{RoomId, UserId},
    room::{Authority, Intent},
};

use super::{close_logins, fresh_client_id};
use crate::{
    actors::ports::{Unanswered, Wanted},
    http::{Api, Problem},
    store::Range,
};

/// Ends an account, asked for by its owner or by an operator.
///
/// # Errors
/// `conflict`: they are the last owner of a room with others in it. What the store or a room could not do can be tried
/// again: what has been done already does no harm.
pub(in crate::http) async fn erase(api: &Api, user: UserId, request_id: &str) -> Result<(), Problem> {
    let rooms = api.directory.rooms_of(user).await?;
    let rooms: Vec<_> = rooms.into_iter().filter(|room| room.kind != RoomKind::Direct).collect();
    for room in rooms.iter().filter(|room| room.role == Role::Owner) {
        if leaves_nobody_in_charge(api, room.room, user).await? {
            let detail = format!("the last owner of room {} makes another one first", room.room);
            return Err(Problem::new(Code::Conflict, detail));
        }
    }
    for room in rooms {
        leave(api, room.room, user, request_id).await?;
    }
    let ended = api.directory.erase_user(user).await?;
    api.authenticator.forget_user(user);
    close_logins(api, user, ended, "the account is gone");
    Ok(())
}

/// Whether others stay behind, and no owner among them. Members are listed from owner down, so two entries tell.
async fn leaves_nobody_in_charge(api: &Api, room: RoomId, user: UserId) -> Result<bool, Problem> {
    let first_two = api.directory.members(room, Range { after: None, limit: 2 }).await?.items;
    let mut others = first_two.iter().filter(|member| member.user != user).peekable();
    Ok(others.peek().is_some() && !others.any(|member| member.role == Role::Owner))
}

async fn leave(api: &Api, room: RoomId, user: UserId, request_id: &str) -> Result<(), Problem> {
    let wanted = Wanted {
        room,
        user,
        authority: Authority::Server,
        client_id: fresh_client_id(),
        seen: 0,
        intent: Intent::Remove { user, ban: false },
        request_id: request_id.to_owned(),
    };
    match api.gateway.write(wanted).await {
        // Gone from there in the meantime, or the room itself is.
        Err(Unanswered::Refused(Refusal { code: Code::NotFound | Code::Gone, .. })) | Ok(_) => Ok(()),
        Err(other) => Err(other.into()),
    }
}
