//! Getting in: an account, a login, a room.

use std::io::{IsTerminal, Write};
use std::process::Command;

use anyhow::{Context, bail};

use super::ChatArguments;
use super::screen::{Screen, tame};
use super::typed::{Line, Typed};
use crate::client::error::ClientError;
use crate::client::rest::{Rest, Room, User};

/// Somebody who is logged in.
pub(super) struct Entrance {
    pub(super) rest: Rest,
    pub(super) me: User,
    pub(super) token: String,
    /// Login and password, to log in again when the token is revoked.
    pub(super) credentials: Option<(String, String)>,
}

/// Logs in as the arguments say.
pub(super) async fn enter(arguments: &ChatArguments, typed: &mut Typed) -> anyhow::Result<Entrance> {
    let rest = Rest::new(&arguments.url)?;
    if let Some(token) = &arguments.token {
        let rest = rest.with_token(token);
        let me = rest.me().await.context("the token was not accepted")?;
        return Ok(Entrance { rest, me, token: token.clone(), credentials: None });
    }
    let login = arguments.login.clone().context("who? give --login HANDLE")?;
    let password = password(arguments, &login, typed).await?;
    if arguments.register {
        match rest.register(&login, &password).await {
            Err(error) if !error.is("conflict") => return Err(error).context("the account could not be made"),
            _ => {}
        }
    }
    log_in(&rest, login, password).await
}

/// Logs in with a password.
pub(super) async fn log_in(rest: &Rest, login: String, password: String) -> anyhow::Result<Entrance> {
    let answer = rest.login(&login, &password, "rookery chat").await.context("login failed")?;
    let rest = rest.with_token(&answer.token);
    Ok(Entrance { rest, me: answer.user, token: answer.token, credentials: Some((login, password)) })
}

async fn password(arguments: &ChatArguments, login: &str, typed: &mut Typed) -> anyhow::Result<String> {
    if arguments.password_stdin {
        return match typed.next().await {
            Some(Line::Text(password)) if !password.is_empty() => Ok(password),
            _ => bail!("no password on the first line of the input"),
        };
    }
    if let Some(password) = &arguments.password {
        return Ok(password.clone());
    }
    if !std::io::stdin().is_terminal() {
        bail!("no password: set ROOKERY_PASSWORD, or give --password-stdin and the password on the first line");
    }
    eprint!("password of {login}: ");
    std::io::stderr().flush()?;
    let silent = echo(false);
    let answer = typed.next().await;
    if silent {
        echo(true);
        eprintln!();
    }
    match answer {
        Some(Line::Text(password)) => Ok(password),
        _ => bail!("no password"),
    }
}

/// Switches the terminal's echo; whether that worked.
fn echo(on: bool) -> bool {
    let switch = if on { "echo" } else { "-echo" };
    Command::new("stty").arg(switch).status().is_ok_and(|status| status.success())
}

/// The room that the arguments name; `None` when they name none.
pub(super) async fn choose_room(rest: &Rest, arguments: &ChatArguments) -> anyhow::Result<Option<Room>> {
    if let Some(handle) = &arguments.direct {
        let handle = handle.trim_start_matches('@');
        let user = rest.user_by_handle(handle).await?.with_context(|| format!("there is nobody called {handle}"))?;
        return Ok(Some(rest.direct(&user.id).await?));
    }
    if let Some(name) = &arguments.create {
        return Ok(Some(match mine_by_name(rest, name).await? {
            Some(room) => room,
            None => rest.create_group(name, arguments.public, &[]).await.context("the room could not be made")?,
        }));
    }
    let Some(wanted) = &arguments.room else { return Ok(None) };
    if uuid::Uuid::parse_str(wanted).is_ok() {
        let room = rest.room(wanted).await.context("no such room")?;
        return Ok(Some(join(rest, room).await?));
    }
    if let Some(room) = mine_by_name(rest, wanted).await? {
        return Ok(Some(room));
    }
    let public = rest.public_rooms(wanted).await?;
    match public.into_iter().find(|room| room.name.as_deref() == Some(wanted)) {
        Some(room) => Ok(Some(join(rest, room).await?)),
        None => bail!("you are in no room called {wanted}, and there is no public one (--create makes it)"),
    }
}

async fn mine_by_name(rest: &Rest, name: &str) -> Result<Option<Room>, ClientError> {
    let mut rooms: Vec<Room> =
        rest.rooms().await?.into_iter().filter(|room| room.name.as_deref() == Some(name)).collect();
    // Two rooms may have one name: the older one, so that the choice is the same every time.
    rooms.sort_by(|left, right| left.id.cmp(&right.id));
    Ok(rooms.into_iter().next())
}

async fn join(rest: &Rest, room: Room) -> anyhow::Result<Room> {
    if room.role.is_none() {
        let me = rest.me().await?;
        rest.add_member(&room.id, &me.id).await.context("the room could not be joined")?;
    }
    Ok(room)
}

/// Shows which rooms there are to choose from.
pub(super) async fn list_rooms(rest: &Rest, screen: &Screen) -> anyhow::Result<()> {
    let rooms = rest.rooms().await?;
    if rooms.is_empty() {
        screen.notice("you are in no room yet: --create NAME makes one, --direct HANDLE talks to one person");
        return Ok(());
    }
    screen.notice("which room? give --room with one of these, or --direct HANDLE, or --create NAME");
    for room in rooms {
        let unread = room.unread.filter(|count| *count > 0).map_or(String::new(), |count| format!(", {count} unread"));
        screen.line(&format!("{}  {} ({}{unread})", room.id, title(&room), tame(&room.kind)));
    }
    Ok(())
}

/// What a room is called.
pub(super) fn title(room: &Room) -> String {
    match (&room.peer, &room.name) {
        (Some(peer), _) => format!("@{}", tame(&peer.handle)),
        (None, Some(name)) if !name.is_empty() => tame(name),
        (None, _) => room.id.clone(),
    }
}
