//! Holding a connection: what is heard on it, and whether losing it is final.

use std::time::Duration;

use crate::client::frames::{Incoming, Outgoing};
use crate::client::socket::{Lost, Socket};

/// The server pings every 25 seconds; after two and a half silent rounds it is gone.
const SILENCE: Duration = Duration::from_secs(65);

/// A connection, or none at the moment.
pub(super) struct Connection {
    socket: Option<Socket>,
}

impl Connection {
    /// No connection yet.
    pub(super) fn none() -> Connection {
        Connection { socket: None }
    }

    pub(super) fn is_open(&self) -> bool {
        self.socket.is_some()
    }

    /// Connects and says hello.
    pub(super) async fn open(&mut self, base: &str, token: &str, hello: &Outgoing) -> Result<(), Lost> {
        let mut socket = Socket::open(base, token).await?;
        socket.send(hello).await?;
        self.socket = Some(socket);
        Ok(())
    }

    /// Sends a frame. Without a connection nothing is sent: what matters is in the outbox.
    pub(super) async fn send(&mut self, frame: &Outgoing) -> Result<(), Lost> {
        match &mut self.socket {
            Some(socket) => socket.send(frame).await,
            None => Ok(()),
        }
    }

    /// The next frame. Waits for ever when there is no connection.
    pub(super) async fn next(&mut self) -> Result<Option<Incoming>, Lost> {
        match &mut self.socket {
            Some(socket) => match tokio::time::timeout(SILENCE, socket.next()).await {
                Ok(heard) => heard,
                Err(_) => Err(Lost::Broken("the server has fallen silent".to_owned())),
            },
            None => std::future::pending().await,
        }
    }

    /// Forgets the connection.
    pub(super) fn lose(&mut self) {
        self.socket = None;
    }

    /// Ends the connection in good order.
    pub(super) async fn close(&mut self) {
        if let Some(socket) = self.socket.take() {
            socket.close().await;
        }
    }
}

/// What losing a connection means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outlook {
    /// Come back after a while.
    Again,
    /// The token is no longer good.
    LogIn,
    /// Coming back would not help.
    Final,
}

/// What losing a connection means, by the table of close codes in `docs/protocol.md`.
pub(super) fn outlook(lost: &Lost) -> Outlook {
    match lost {
        Lost::Status(401) | Lost::Closed { code: 4003, .. } => Outlook::LogIn,
        Lost::Status(400 | 403 | 404 | 405 | 426) => Outlook::Final,
        Lost::Closed { code: 1002 | 1003 | 1007 | 1008 | 1009 | 4001 | 4010, .. } => Outlook::Final,
        _ => Outlook::Again,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_close_codes_is_obeyed() {
        let closed = |code| outlook(&Lost::Closed { code, reason: String::new() });
        for code in [1000, 1001, 1005, 1006, 1012, 4004, 4008, 4009, 4029] {
            assert_eq!(closed(code), Outlook::Again, "{code}");
        }
        for code in [1002, 1003, 1007, 1008, 1009, 4001, 4010] {
            assert_eq!(closed(code), Outlook::Final, "{code}");
        }
        assert_eq!(closed(4003), Outlook::LogIn);
        assert_eq!(outlook(&Lost::Status(401)), Outlook::LogIn);
        assert_eq!(outlook(&Lost::Status(503)), Outlook::Again);
        assert_eq!(outlook(&Lost::Broken("reset".into())), Outlook::Again);
    }
}
