//! Who is who: handles by user id, asked for once.

use std::collections::HashMap;

use super::screen::tame;
use crate::client::frames::Event;
use crate::client::rest::{Rest, User};

/// Handles that are known.
#[derive(Default)]
pub(super) struct Names {
    handles: HashMap<String, String>,
}

impl Names {
    /// Remembers somebody.
    pub(super) fn learn(&mut self, user: &User) {
        self.handles.insert(user.id.clone(), tame(&user.handle));
    }

    /// The handle of a user. Who cannot be looked up is shown by the start of their id, and asked for again next time.
    pub(super) async fn handle(&mut self, rest: &Rest, id: &str) -> String {
        if let Some(handle) = self.handles.get(id) {
            return handle.clone();
        }
        match rest.user(id).await {
            Ok(user) => {
                self.learn(&user);
                tame(&user.handle)
            }
            Err(_) => tame(id).chars().take(8).collect(),
        }
    }

    /// The handle of the one whom an event is about, when that is not who caused it.
    pub(super) async fn subject(&mut self, rest: &Rest, event: &Event) -> Option<String> {
        match &event.user {
            Some(user) if *user != event.from => Some(self.handle(rest, user).await),
            _ => None,
        }
    }
}
