//! Accounts and logins: making them, getting in with a password, changing it.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
};

use parking_lot::Mutex;
use rookery_core::{
    frame::{Code, Refusal},
    ids::{DeviceId, UserId},
    rate::Rate,
    text,
    time::Millis,
};
use uuid::Uuid;

use super::{AuthError, Buckets, Checked, Hasher, Token, backoff, hasher::Turn, password, token::digest};
use crate::{
    config::{Live, Registration},
    store::{
        Directory, StoreError,
        record::{Credentials, Device, NewUser, PlatformRole, User},
    },
};

/// Names that do not exist whose failures are counted, so that they look like those that do.
const UNKNOWN: usize = 10_000;
/// Addresses whose failures are counted.
const ADDRESSES: usize = 100_000;
const DAY_MS: i64 = 86_400_000;

/// What somebody asks for who wants an account.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// The handle, as typed.
    pub handle: String,
    /// The password.
    pub password: String,
    /// The name; the handle if there is none.
    pub display_name: Option<String>,
    /// The address.
    pub email: Option<String>,
    /// What they may do.
    pub role: PlatformRole,
}

/// A new account.
pub type Registered = User;

/// A new login.
#[derive(Clone, Debug)]
pub struct NewLogin {
    /// The token; it cannot be had again.
    pub token: String,
    /// The login.
    pub device: Device,
    /// Whose.
    pub user: User,
}

/// Somebody who has just proved that they know their password.
pub struct Guarded {
    turn: Turn,
    /// Who.
    pub user: User,
}

/// Accounts and logins.
pub struct Accounts {
    directory: Arc<dyn Directory>,
    live: Arc<Live>,
    hasher: Hasher,
    by_address: Buckets<IpAddr>,
    unknown: Mutex<HashMap<[u8; 32], (u32, Millis)>>,
}

impl Accounts {
    /// Over this directory.
    ///
    /// # Errors
    /// The parameters of the password hash are out of range.
    pub fn new(directory: Arc<dyn Directory>, live: Arc<Live>) -> Result<Self, String> {
        let hasher = Hasher::new(&live.config().auth)?;
        Ok(Self { directory, live, hasher, by_address: Buckets::new(ADDRESSES), unknown: Mutex::default() })
    }

    /// Makes an account for somebody who asks for one.
    ///
    /// # Errors
    /// `forbidden` when only operators make accounts; `bad_request`, `conflict`, `busy`.
    pub async fn register(&self, account: NewAccount, now: Millis) -> Result<Registered, AuthError> {
        if self.live.config().auth.registration == Registration::Closed {
            return Err(Refusal::new(Code::Forbidden, "registration is closed here").into());
        }
        self.create(account, now).await
    }

    /// Makes an account.
    ///
    /// # Errors
    /// `bad_request`, `conflict`, `busy`.
    pub async fn create(&self, account: NewAccount, now: Millis) -> Result<Registered, AuthError> {
        let handle = text::handle(&account.handle)?;
        password::check("password", &account.password)?;
        let display_name = match account.display_name.as_deref() {
            Some(name) => text::name("display_name", name)?,
            None => handle.folded.clone(),
        };
        let email = account.email.as_deref().map(email).transpose()?;
        let turn = self.hasher.turn().await?;
        let password_hash = self.hasher.hash(&turn, &account.password).await?;
        drop(turn);
        let user = User {
            id: UserId(Uuid::now_v7()),
            handle: handle.folded,
            display_name,
            about: None,
            email,
            role: account.role,
            disabled: false,
            deleted: false,
            created_at: now,
            last_seen: None,
        };
        let new = NewUser { user: user.clone(), skeleton: handle.skeleton, password_hash };
        self.directory.create_user(new).await.map_err(taken)?;
        Ok(user)
    }

    /// Logs in.
    ///
    /// # Errors
    /// `unauthenticated` for every kind of failure alike; `rate_limited` after repeated ones; `busy`.
    pub async fn log_in(
        &self,
        login: &str,
        password: &str,
        device_name: Option<&str>,
        address: IpAddr,
        now: Millis,
    ) -> Result<NewLogin, AuthError> {
        let name = text::name("device_name", device_name.unwrap_or("unnamed"))?;
        let address = network_of(address);
        let rate = self.failures_of_an_address();
        self.by_address.look(&address, rate, now).map_err(too_often)?;
        let turn = self.hasher.turn().await?;
        // Only now: with a turn in hand there are no more guesses under way than turns.
        let credentials = match fold(login) {
            Some(folded) => self.directory.credentials(folded).await?,
            None => None,
        };
        let Some(guarded) = self.prove(turn, login, password, credentials, now).await? else {
            let _ = self.by_address.take(address, rate, now);
            return Err(unauthenticated().into());
        };
        self.new_login(guarded.user, name, now).await
    }

    /// Proves that somebody who is logged in knows their password.
    ///
    /// # Errors
    /// `forbidden`: they do not; `rate_limited` after repeated failures; `busy`.
    pub async fn guard(&self, user: UserId, password: &str, now: Millis) -> Result<Guarded, AuthError> {
        let turn = self.hasher.turn().await?;
        let credentials = self.directory.credentials_of(user).await?;
        let proved = self.prove(turn, &user.to_string(), password, credentials, now).await?;
        proved.ok_or_else(|| Refusal::new(Code::Forbidden, "that is not your password").into())
    }

    /// Sets a new password; answers which logins ended. `keep` stays.
    ///
    /// # Errors
    /// `bad_request` that names `field`.
    pub async fn change_password(
        &self,
        guarded: Guarded,
        field: &'static str,
        new: &str,
        keep: DeviceId,
    ) -> Result<Vec<DeviceId>, AuthError> {
        password::check(field, new)?;
        let hash = self.hasher.hash(&guarded.turn, new).await?;
        Ok(self.directory.set_password(guarded.user.id, hash, Some(keep)).await?)
    }

    /// Sets a password for somebody else, as an operator; answers which logins ended: all.
    ///
    /// # Errors
    /// `bad_request`, `not_found`, `busy`.
    pub async fn reset_password(&self, user: UserId, new: &str) -> Result<Vec<DeviceId>, AuthError> {
        password::check("password", new)?;
        let turn = self.hasher.turn().await?;
        let hash = self.hasher.hash(&turn, new).await?;
        Ok(self.directory.set_password(user, hash, None).await?)
    }

    async fn new_login(&self, user: User, name: String, now: Millis) -> Result<NewLogin, AuthError> {
        let token = Token::random();
        let days = i64::from(self.live.config().auth.login_days);
        let device = Device {
            id: DeviceId(Uuid::now_v7()),
            user: user.id,
            name,
            created_at: now,
            last_used_at: now,
            expires_at: now.plus(days * DAY_MS),
        };
        self.directory.create_device(device.clone(), token.digest).await?;
        Ok(NewLogin { token: token.text, device, user })
    }

    /// Checks a password. `Ok(None)`: it is wrong, or there is nobody, or they are shut out; which one is not to be seen,
    /// not even from the time it takes.
    async fn prove(
        &self,
        turn: Turn,
        login: &str,
        password: &str,
        credentials: Option<Credentials>,
        now: Millis,
    ) -> Result<Option<Guarded>, AuthError> {
        let (failures, failed_at) = match &credentials {
            Some(known) => (known.failures, known.failed_at),
            None => self.unknown.lock().get(&digest(login)).copied().unwrap_or_default(),
        };
        if let Some(millis) = backoff::wait(failures, failed_at, now) {
            return Err(too_often(millis).into());
        }
        let known_hash = credentials.as_ref().map(|known| known.password_hash.as_str());
        // No password is that long; hashing it would only cost time.
        let hash = known_hash.filter(|_| password.len() <= password::MOST);
        let checked = self.hasher.check(&turn, password, hash).await?;
        let Some(credentials) = credentials else {
            self.count_unknown(login, now);
            return Ok(None);
        };
        if let Checked::Right { outdated } = checked
            && !credentials.user.disabled
        {
            if credentials.failures > 0 {
                self.directory.login_succeeded(credentials.user.id).await?;
            }
            if outdated {
                self.rehash(&turn, credentials.user.id, password).await?;
            }
            return Ok(Some(Guarded { turn, user: credentials.user }));
        }
        self.count_failure(turn, credentials.user.id, now);
        Ok(None)
    }

    /// The answer does not wait for the count, else it would take longer for those who exist; the turn does, so that
    /// nobody guesses ahead of the count.
    fn count_failure(&self, turn: Turn, user: UserId, now: Millis) {
        let directory = Arc::clone(&self.directory);
        tokio::spawn(async move {
            if let Err(error) = directory.login_failed(user, now).await {
                tracing::warn!(%user, %error, "a failed login was not counted");
            }
            drop(turn);
        });
    }

    fn count_unknown(&self, login: &str, now: Millis) {
        let mut unknown = self.unknown.lock();
        if unknown.len() >= UNKNOWN {
            unknown.retain(|_, (failures, at)| backoff::wait(*failures, *at, now).is_some());
            if unknown.len() >= UNKNOWN {
                unknown.clear();
            }
        }
        let entry = unknown.entry(digest(login)).or_default();
        *entry = (entry.0.saturating_add(1), now);
    }

    async fn rehash(&self, turn: &Turn, user: UserId, password: &str) -> Result<(), AuthError> {
        let hash = self.hasher.hash(turn, password).await?;
        Ok(self.directory.rehash(user, hash).await?)
    }

    /// Wrong passwords from one address: far fewer than requests, and still enough for a shared one.
    fn failures_of_an_address(&self) -> Rate {
        let requests = self.live.config().limits.anonymous_per_minute;
        Rate { per_minute: (requests / 10).max(1), burst: (requests / 3).max(20) }
    }
}

/// The form in which the store keeps what somebody logs in with; `None`: nobody can have that.
fn fold(login: &str) -> Option<String> {
    if login.contains('@') { email(login).ok() } else { text::handle(login).ok().map(|handle| handle.folded) }
}

/// Reads an address of electronic mail, roughly: who can read a message sent to it is another question.
///
/// # Errors
/// `bad_request`.
pub(crate) fn email(text: &str) -> Result<String, Refusal> {
    let lower = text.to_lowercase();
    let fits = lower.len() <= 254
        && !lower.chars().any(|c| c.is_whitespace() || c.is_control())
        && lower.split_once('@').is_some_and(|(local, host)| {
            !local.is_empty()
                && !host.contains('@')
                && host.contains('.')
                && !host.starts_with('.')
                && !host.ends_with('.')
        });
    if fits { Ok(lower) } else { Err(Refusal::field(Code::BadRequest, "email", "not an address")) }
}

/// One household has a whole /64 of version 6 addresses.
pub(crate) fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
        v4 => v4,
    }
}

fn taken(error: StoreError) -> AuthError {
    match error {
        StoreError::Taken(field) => Refusal::field(Code::Conflict, field, "taken").into(),
        other => other.into(),
    }
}

fn too_often(millis: u64) -> Refusal {
    Refusal::new(Code::RateLimited, "too many failed tries").after(millis)
}

fn unauthenticated() -> Refusal {
    Refusal::new(Code::Unauthenticated, "no login like this")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_mail_are_read_roughly_and_kept_in_lower_case() {
        assert_eq!(email("Anna@Example.ORG").unwrap(), "anna@example.org");
        let long = format!("{}@example.org", "x".repeat(250));
        for wrong in ["", "@", "a@", "@b.c", "a@b", "a b@c.d", "a@b@c.d", "a@.d", "a@d.", "a\n@c.d", &long] {
            assert_eq!(email(wrong).unwrap_err().field, Some("email"), "{wrong:?}");
        }
    }

    #[test]
    fn a_login_is_a_folded_handle_or_an_address() {
        assert_eq!(fold("ANNA"), Some("anna".to_owned()));
        assert_eq!(fold("Anna@Example.org"), Some("anna@example.org".to_owned()));
        assert_eq!(fold("no such handle"), None);
    }

    #[test]
    fn a_household_has_one_network() {
        let network = |text: &str| network_of(text.parse().unwrap());
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), network("2001:db8:1:2::1"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
    }
}
