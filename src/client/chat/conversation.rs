//! The conversation: typed lines go out, events come in, and the connection comes and goes underneath.

use std::time::Duration;

use anyhow::{Context, bail};
use tokio::time::{Instant, sleep_until};

use super::connection::{Connection, Outlook, outlook};
use super::entrance::{self, Entrance};
use super::names::Names;
use super::screen::{self, Screen, tame};
use super::typed::{Line, Typed, Wish, wish};
use crate::client::follow::{Follower, Step};
use crate::client::frames::{Incoming, Outgoing};
use crate::client::pace::{self, Pace};
use crate::client::rest::Room;
use crate::client::socket::Lost;

/// An answer to a send that does not come within this time is asked for again.
const NO_ANSWER: Duration = Duration::from_secs(10);
/// How many lines are taken before earlier ones are stored.
const LONGEST_OUTBOX: usize = 1_000;

/// One room, live.
pub(super) struct Conversation {
    entrance: Entrance,
    room: Room,
    screen: Screen,
    names: Names,
    follower: Follower,
    connection: Connection,
    pace: Pace,
    /// When to connect, while there is no connection.
    connect_at: Option<Instant>,
    /// When to send what is in the outbox again.
    resend_at: Option<Instant>,
    /// Whether the user has been told that the connection is gone.
    told_lost: bool,
    typing_ended: bool,
    refused: usize,
}

impl Conversation {
    /// Shows the newest messages and gets ready to follow what comes after them.
    pub(super) async fn open(
        entrance: Entrance,
        room: Room,
        screen: Screen,
        history: u64,
    ) -> anyhow::Result<Conversation> {
        let mut names = Names::default();
        names.learn(&entrance.me);
        let page = entrance.rest.newest(&room.id, history as usize).await.context("the room cannot be read")?;
        screen.notice(&format!("{} as {} (/help)", entrance::title(&room), tame(&entrance.me.handle)));
        for message in &page.items {
            let name = names.handle(&entrance.rest, &message.from).await;
            screen.line(&screen::message(message, &name));
        }
        let follower = Follower::new(&room.id, page.head);
        Ok(Conversation {
            entrance,
            room,
            screen,
            names,
            follower,
            connection: Connection::none(),
            pace: Pace::new(),
            connect_at: Some(Instant::now()),
            resend_at: None,
            told_lost: false,
            typing_ended: false,
            refused: 0,
        })
    }

    /// Runs until the user leaves, or the input has ended and everything is settled.
    pub(super) async fn run(&mut self, typed: &mut Typed) -> anyhow::Result<()> {
        while !(self.typing_ended && self.follower.is_settled()) {
            let taking_lines = !self.typing_ended && self.follower.unsent() < LONGEST_OUTBOX;
            tokio::select! {
                heard = self.connection.next() => match heard {
                    Ok(Some(frame)) => self.heard(frame).await?,
                    Ok(None) => {}
                    Err(lost) => self.lost(lost).await?,
                },
                line = typed.next(), if taking_lines => {
                    if self.typed(line).await? {
                        break;
                    }
                }
                () = due(self.connect_at) => self.connect().await?,
                () = due(self.resend_at) => {
                    let mut steps = Vec::new();
                    self.resend_at = None;
                    self.follower.resend(&mut steps);
                    self.carry_out(steps).await?;
                }
                () = interrupted() => break,
            }
        }
        self.connection.close().await;
        match (self.refused, self.follower.unsent()) {
            (0, 0) => Ok(()),
            (0, unsent) => bail!("{unsent} message(s) had not been stored yet"),
            (refused, _) => bail!("{refused} message(s) were refused"),
        }
    }

    async fn connect(&mut self) -> anyhow::Result<()> {
        self.connect_at = None;
        let hello = self.follower.hello();
        match self.connection.open(self.entrance.rest.base(), &self.entrance.token, &hello).await {
            Ok(()) => Ok(()),
            Err(lost) => self.lost(lost).await,
        }
    }

    /// The connection is gone: says so once, and decides when to come back.
    async fn lost(&mut self, lost: Lost) -> anyhow::Result<()> {
        self.connection.lose();
        self.follower.lost();
        self.resend_at = None;
        match outlook(&lost) {
            Outlook::Final => bail!("{lost}"),
            Outlook::LogIn => self.log_in_again(&lost).await?,
            Outlook::Again => {}
        }
        let wait = self.pace.failed();
        self.away(&lost.to_string(), wait);
        Ok(())
    }

    fn away(&mut self, why: &str, wait: Duration) {
        if !self.told_lost {
            self.told_lost = true;
            self.screen.notice(&format!("connection lost ({}), trying again", tame(why)));
        }
        self.connect_at = Some(Instant::now() + wait);
    }

    async fn log_in_again(&mut self, lost: &Lost) -> anyhow::Result<()> {
        let Some((login, password)) = self.entrance.credentials.take() else {
            bail!("{lost}: the token is not accepted any more");
        };
        self.entrance = entrance::log_in(&self.entrance.rest, login, password).await?;
        Ok(())
    }

    async fn heard(&mut self, frame: Incoming) -> anyhow::Result<()> {
        let mut steps = Vec::new();
        self.follower.receive(frame, &mut steps);
        self.carry_out(steps).await
    }

    async fn carry_out(&mut self, steps: Vec<Step>) -> anyhow::Result<()> {
        for step in steps {
            match step {
                Step::Write(frame) => {
                    if matches!(frame, Outgoing::Send { .. }) {
                        self.resend_at = Some(Instant::now() + NO_ANSWER);
                    }
                    self.write(&frame).await?;
                }
                Step::Show(event) => {
                    let name = self.names.handle(&self.entrance.rest, &event.from).await;
                    let subject = self.names.subject(&self.entrance.rest, &event).await;
                    self.screen.line(&screen::event(&event, &name, subject.as_deref()));
                }
                Step::Acked => self.resend_at = None,
                Step::Refused { body, nack } => {
                    self.resend_at = None;
                    self.refused += 1;
                    let why = tame(nack.detail.as_deref().unwrap_or(&nack.code));
                    self.screen.line(&format!("! not sent: {} ({why}, {})", tame(&body), tame(&nack.code)));
                }
                Step::Wait(wait) => self.resend_at = Some(Instant::now() + wait),
                Step::Page => self.page().await?,
                Step::Forgot => self.screen.notice("the server has forgotten messages that were shown here"),
                Step::Live => self.live(),
                Step::Gone => bail!("you are not in this room any more"),
                Step::Leave { after_ms, reason } => {
                    self.connection.close().await;
                    self.follower.lost();
                    self.resend_at = None;
                    let reason = if reason.is_empty() { "the server restarts" } else { &reason };
                    self.away(reason, pace::asked(after_ms));
                    return Ok(());
                }
                Step::Complaint { code, detail } => {
                    self.screen.notice(&format!("the server says: {} {}", tame(&code), tame(&detail)));
                }
            }
        }
        Ok(())
    }

    fn live(&mut self) {
        self.pace.worked();
        if std::mem::take(&mut self.told_lost) {
            self.screen.notice("connection is back");
        }
    }

    async fn write(&mut self, frame: &Outgoing) -> anyhow::Result<()> {
        match self.connection.send(frame).await {
            Ok(()) => Ok(()),
            Err(lost) => Box::pin(self.lost(lost)).await,
        }
    }

    /// Reads what was missed page by page, then asks the server to go on from there.
    async fn page(&mut self) -> anyhow::Result<()> {
        loop {
            let before = self.follower.cursor();
            let page = match self.entrance.rest.events(&self.room.id, before).await {
                Ok(page) => page,
                Err(error) => return self.lost(Lost::Broken(error.to_string())).await,
            };
            let more = page.next.is_some_and(|next| !next.is_null());
            let mut steps = Vec::new();
            for event in page.items {
                self.follower.paged(event, &mut steps);
            }
            Box::pin(self.carry_out(steps)).await?;
            if !more || self.follower.cursor() == before {
                break;
            }
        }
        let sync = self.follower.caught_up();
        self.write(&sync).await
    }

    /// Does what a line asks for; whether it asks to leave.
    async fn typed(&mut self, line: Option<Line>) -> anyhow::Result<bool> {
        let wish = match line {
            None => {
                self.typing_ended = true;
                return Ok(false);
            }
            Some(Line::Unusable(why)) => {
                self.refused += 1;
                self.screen.line(&format!("! not sent: {why}"));
                return Ok(false);
            }
            Some(Line::Text(line)) => wish(line),
        };
        match wish {
            Wish::Nothing => {}
            Wish::Say(body) => {
                let mut steps = Vec::new();
                self.follower.submit(uuid::Uuid::new_v4().to_string(), body, &mut steps);
                self.carry_out(steps).await?;
            }
            Wish::Help => {
                self.screen.notice("/who  /invite HANDLE  /read (mark all as read)  /quit  //text (send /text)")
            }
            Wish::Who => self.who().await,
            Wish::Invite(handle) => self.invite(&handle).await,
            Wish::Read => {
                let read = self.follower.cursor();
                self.write(&Outgoing::Mark { room: self.room.id.clone(), read }).await?;
                let unheard = if self.connection.is_open() { "" } else { " (not connected: try again later)" };
                self.screen.notice(&format!("read up to #{read}{unheard}"));
            }
            Wish::Quit => return Ok(true),
            Wish::Unknown(text) => self.screen.notice(&format!("{} is no command (/help)", tame(&text))),
        }
        Ok(false)
    }

    async fn who(&mut self) {
        match self.entrance.rest.members(&self.room.id).await {
            Ok(members) => {
                for member in members {
                    self.names.learn(&member.user);
                    self.screen.notice(&format!("{} ({})", tame(&member.user.handle), tame(&member.role)));
                }
            }
            Err(error) => self.screen.notice(&format!("nobody can be listed: {error}")),
        }
    }

    async fn invite(&mut self, handle: &str) {
        let outcome = match self.entrance.rest.user_by_handle(handle).await {
            Ok(Some(user)) => self.entrance.rest.add_member(&self.room.id, &user.id).await.map(|_| ()),
            Ok(None) => return self.screen.notice(&format!("there is nobody called {}", tame(handle))),
            Err(error) => Err(error),
        };
        if let Err(error) = outcome {
            self.screen.notice(&format!("{} was not added: {error}", tame(handle)));
        }
    }
}

/// Waits until a time; for ever when there is none.
async fn due(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// Waits for Ctrl-C.
async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
