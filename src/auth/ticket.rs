//! Tickets: one use, thirty seconds, for browsers that cannot send a token with the handshake.

use std::collections::HashMap;

use parking_lot::Mutex;
use rookery_core::{
    frame::{Code, Refusal},
    ids::DeviceId,
    time::Millis,
};

use super::token::Token;

/// How long a ticket lasts.
pub const LIFETIME_MS: i64 = 30_000;
/// How many may be open at once.
const MOST: usize = 65_536;

struct Issued {
    /// The digest of the token of the login that it is bound to.
    login: [u8; 32],
    device: DeviceId,
    expires_at: Millis,
}

/// The tickets that were not used yet. In memory only: a restart ends them all.
#[derive(Default)]
pub struct Tickets {
    open: Mutex<HashMap<[u8; 32], Issued>>,
}

impl Tickets {
    /// A new ticket for this login, and when it ends.
    ///
    /// # Errors
    /// `busy`: too many are open.
    pub fn issue(&self, login: [u8; 32], device: DeviceId, now: Millis) -> Result<(String, Millis), Refusal> {
        let mut open = self.open.lock();
        if open.len() >= MOST {
            open.retain(|_, issued| issued.expires_at > now);
            if open.len() >= MOST {
                return Err(Refusal::new(Code::Busy, "too many tickets are open").after(1_000));
            }
        }
        let token = Token::random();
        let expires_at = now.plus(LIFETIME_MS);
        open.insert(token.digest, Issued { login, device, expires_at });
        Ok((token.text, expires_at))
    }

    /// Uses a ticket up; the digest of the token that it stands for.
    pub(super) fn redeem(&self, ticket: &str, now: Millis) -> Option<[u8; 32]> {
        let issued = self.open.lock().remove(&Token::digest_of(ticket)?)?;
        (issued.expires_at > now).then_some(issued.login)
    }

    /// Ends the tickets of a login.
    pub(super) fn forget(&self, devices: &[DeviceId]) {
        self.open.lock().retain(|_, issued| !devices.contains(&issued.device));
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const LOGIN: [u8; 32] = [7; 32];

    fn device(n: u128) -> DeviceId {
        DeviceId(Uuid::from_u128(n))
    }

    #[test]
    fn a_ticket_is_good_for_one_use_within_thirty_seconds() {
        let tickets = Tickets::default();
        let (first, ends) = tickets.issue(LOGIN, device(1), Millis(0)).unwrap();
        assert_eq!(ends, Millis(30_000));
        assert_eq!(tickets.redeem(&first, Millis(29_999)), Some(LOGIN));
        assert_eq!(tickets.redeem(&first, Millis(29_999)), None, "used");
        let (second, _) = tickets.issue(LOGIN, device(1), Millis(0)).unwrap();
        assert_eq!(tickets.redeem(&second, Millis(30_000)), None, "expired");
        assert_eq!(tickets.redeem("nonsense", Millis(0)), None);
    }

    #[test]
    fn it_ends_with_its_login() {
        let tickets = Tickets::default();
        let (ended, _) = tickets.issue(LOGIN, device(1), Millis(0)).unwrap();
        let (other, _) = tickets.issue(LOGIN, device(2), Millis(0)).unwrap();
        tickets.forget(&[device(1)]);
        assert_eq!(tickets.redeem(&ended, Millis(1)), None);
        assert_eq!(tickets.redeem(&other, Millis(1)), Some(LOGIN));
    }

    #[test]
    fn there_are_never_more_than_the_bound_and_expired_ones_make_room() {
        let tickets = Tickets::default();
        for _ in 0..MOST {
            tickets.issue(LOGIN, device(1), Millis(0)).unwrap();
        }
        assert_eq!(tickets.issue(LOGIN, device(1), Millis(1)).unwrap_err().code, Code::Busy);
        assert!(tickets.issue(LOGIN, device(1), Millis(30_000)).is_ok());
    }
}
