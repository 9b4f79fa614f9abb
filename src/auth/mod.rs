//! Who somebody is: passwords, tokens, tickets, and what keeps guessers away.

mod account;
mod authenticator;
mod backoff;
mod bootstrap;
mod buckets;
mod hasher;
mod link;
mod password;
mod ticket;
mod token;

pub use account::{Accounts, Guarded, NewAccount, NewLogin, Registered};
pub(crate) use account::{email, network_of};
pub use authenticator::{Authenticator, Identity};
pub use bootstrap::Bootstrap;
pub use buckets::Buckets;
pub use hasher::{Checked, Hasher};
pub use link::{LIFETIME_MS as LINK_LIFETIME_MS, Link};
pub use password::check as check_password_rules;
pub use ticket::{LIFETIME_MS as TICKET_LIFETIME_MS, Tickets};
pub use token::Token;

use rookery_core::frame::Refusal;

use crate::store::StoreError;

/// Why somebody was not let in, or their account not changed.
#[derive(Clone, Debug)]
pub enum AuthError {
    /// It is not so; says why as far as they may know.
    Refused(Refusal),
    /// The store did not do its part.
    Store(StoreError),
}

impl From<Refusal> for AuthError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StoreError> for AuthError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

#[cfg(test)]
mod tests;
