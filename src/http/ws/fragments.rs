//! Joins the fragments of a message under a limit, and holds control frames to a pace.

use std::time::{Duration, Instant};

use actix_http::ws::{CloseCode, CloseReason, Frame, Item};
use bytes::{Bytes, BytesMut};
use rookery_core::session::close;

/// Control frames and empty fragments that a client may send within [`PACE`].
const CONTROLS: u16 = 200;
/// See [`CONTROLS`].
const PACE: Duration = Duration::from_secs(1);
/// Fragments of one message.
const FRAGMENTS: u16 = 8_192;

/// What a frame of the client amounts to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Message {
    /// A whole text message, valid UTF-8.
    Text(Bytes),
    /// Answer this.
    Ping(Bytes),
    /// An answer to a ping.
    Pong,
    /// The client says good-bye with this code.
    Close(u16),
    /// Nothing yet.
    Nothing,
}

/// The client broke a rule: the close code, and why.
pub(super) type Breach = (u16, &'static str);

/// A message that is not whole yet, and the pace of control frames.
#[derive(Default)]
pub(super) struct Fragments {
    joined: Option<Box<(BytesMut, u16)>>,
    controls: u16,
    since: Option<Instant>,
}

impl Fragments {
    /// Whether a message has begun and not ended.
    pub(super) const fn is_open(&self) -> bool {
        self.joined.is_some()
    }

    /// Takes the next frame.
    ///
    /// # Errors
    /// The rule that the client broke.
    pub(super) fn take(&mut self, frame: Frame, most: usize) -> Result<Message, Breach> {
        match frame {
            Frame::Text(text) => whole(text),
            Frame::Binary(_) | Frame::Continuation(Item::FirstBinary(_)) => {
                Err((close::BINARY, "only text is spoken here"))
            }
            Frame::Continuation(item) => self.continuation(item, most),
            Frame::Ping(payload) => {
                self.control()?;
                Ok(Message::Ping(payload))
            }
            Frame::Pong(_) => {
                self.control()?;
                Ok(Message::Pong)
            }
            Frame::Close(reason) => farewell(reason.as_ref()).map(Message::Close),
        }
    }

    fn continuation(&mut self, item: Item, most: usize) -> Result<Message, Breach> {
        let (part, last) = match item {
            Item::FirstText(part) | Item::FirstBinary(part) => {
                self.joined = Some(Box::default());
                (part, false)
            }
            Item::Continue(part) => (part, false),
            Item::Last(part) => (part, true),
        };
        if part.is_empty() && !last {
            self.control()?;
        }
        let Some(joined) = &mut self.joined else {
            return Err((close::PROTOCOL, "a continuation of nothing"));
        };
        let (bytes, count) = &mut **joined;
        *count += 1;
        if bytes.len() + part.len() > most || *count > FRAGMENTS {
            return Err((close::TOO_BIG, "the message is too big"));
        }
        bytes.extend_from_slice(&part);
        if !last {
            return Ok(Message::Nothing);
        }
        let text = std::mem::take(bytes).freeze();
        self.joined = None;
        whole(text)
    }

    fn control(&mut self) -> Result<(), Breach> {
        let now = Instant::now();
        if self.since.is_none_or(|since| now - since > PACE) {
            (self.since, self.controls) = (Some(now), 0);
        }
        self.controls += 1;
        if self.controls > CONTROLS {
            return Err((close::POLICY, "too many control frames"));
        }
        Ok(())
    }
}

fn whole(text: Bytes) -> Result<Message, Breach> {
    match std::str::from_utf8(&text) {
        Ok(_) => Ok(Message::Text(text)),
        Err(_) => Err((close::NOT_UTF8, "text must be UTF-8")),
    }
}

/// The code to answer a close frame with: the client's own, if it may be sent at all.
fn farewell(reason: Option<&CloseReason>) -> Result<u16, Breach> {
    let Some(reason) = reason else { return Ok(1_000) };
    let code = u16::from(reason.code);
    let known = matches!(reason.code, CloseCode::Normal | CloseCode::Away);
    if known || matches!(code, 1_000..=1_003 | 1_007..=1_014 | 3_000..=4_999) {
        Ok(code)
    } else {
        Err((close::PROTOCOL, "no such close code"))
    }
}
