//! The actor of one connection: takes in what its socket reads, and ends with it.

use std::rc::Rc;

use actix::{Actor, ActorContext, AsyncContext, Context, StreamHandler};
use futures_util::Stream;
use rookery_core::{
    frame::{ClientFrame, codec},
    session::{Input, close},
};

use super::{Hub, clock, hub::Seat, ports::Read};

/// Messages that may wait for a session besides what it reads; nothing sends more than one.
const MAILBOX: usize = 16;

/// The actor; lives on the thread that owns the socket.
pub struct Session {
    seat: Rc<Seat>,
    hub: Rc<Hub>,
}

impl Session {
    /// Starts the actor of a connection that has its seat.
    pub fn start(seat: Rc<Seat>, hub: Rc<Hub>, reads: impl Stream<Item = Read> + 'static) {
        Self::create(|context| {
            context.set_mailbox_capacity(MAILBOX);
            context.add_stream(reads);
            Self { seat, hub }
        });
    }

    fn text(&self, text: &[u8]) {
        let limits = self.hub.limits();
        let input = match codec::decode(text, &limits) {
            Ok(frame) => {
                let admitted = match is_write(&frame) {
                    // The limits of this moment, not of the last tick: an operator who slows somebody down means now.
                    true => self.hub.router.admit(self.seat.peer.user, clock::now()),
                    false => Ok(()),
                };
                Input::Frame { frame, admitted }
            }
            Err(bad) => Input::BadFrame(bad),
        };
        self.seat.step(&self.hub, input);
    }
}

impl Actor for Session {
    type Context = Context<Self>;

    fn stopped(&mut self, _: &mut Context<Self>) {
        self.hub.leave(&self.seat);
    }
}

impl StreamHandler<Read> for Session {
    fn handle(&mut self, read: Read, context: &mut Context<Self>) {
        match read {
            Read::Text(text) => self.text(&text),
            Read::Pong => self.seat.step(&self.hub, Input::Pong),
            Read::Ended { code: Some(code), reason } => {
                self.seat.step(&self.hub, Input::Close { code, reason });
            }
            Read::Ended { code: None, .. } => context.stop(),
        }
    }

    fn finished(&mut self, context: &mut Context<Self>) {
        // The machine may not know yet that nothing can be said any more.
        self.seat.step(&self.hub, Input::Close { code: close::AWAY, reason: "the socket is gone" });
        context.stop();
    }
}

const fn is_write(frame: &ClientFrame) -> bool {
    matches!(frame, ClientFrame::Send(_) | ClientFrame::Edit(_) | ClientFrame::Delete(_) | ClientFrame::React(_))
}
