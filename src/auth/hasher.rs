//! Password hashing with Argon2id: as many at once as there are cores, and a short wait for the others.

use std::{sync::Arc, time::Duration};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use rookery_core::frame::{Code, Refusal};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::AuthSettings;

/// How long a try may wait for its turn.
const WAIT: Duration = Duration::from_secs(2);
/// How many may wait, for each that is being served.
const WAITING_PER_TURN: usize = 64;
/// Milliseconds after which to come back.
const RETRY_MS: u64 = 2_000;

/// The outcome of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    /// It is the password; `outdated`: its hash was made with weaker parameters than today's.
    Right {
        /// Whether to hash it anew.
        outdated: bool,
    },
    /// It is not.
    Wrong,
}

/// Hashes and checks passwords.
pub struct Hasher {
    params: Params,
    turns: Arc<Semaphore>,
    queue: Arc<Semaphore>,
    /// The hash of nobody's password: checked for those who do not exist, so that they take as long as those who do.
    dummy: String,
}

/// The right to hash now. Each hash takes tens of MiB, so there are only as many as cores.
pub struct Turn {
    _permit: OwnedSemaphorePermit,
}

impl Hasher {
    /// With the parameters of the configuration, and one turn per core.
    ///
    /// # Errors
    /// The parameters are out of Argon2's range.
    pub fn new(settings: &AuthSettings) -> Result<Self, String> {
        let params = Params::new(settings.password_memory_kib, settings.password_passes, 1, None)
            .map_err(|error| error.to_string())?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let dummy = hash(&params, &uuid::Uuid::new_v4().to_string()).ok_or("cannot hash")?;
        Ok(Self {
            params,
            turns: Arc::new(Semaphore::new(cores)),
            queue: Arc::new(Semaphore::new(cores * (WAITING_PER_TURN + 1))),
            dummy,
        })
    }

    /// Waits for a turn, not for long.
    ///
    /// # Errors
    /// `busy`: too many want in.
    pub async fn turn(&self) -> Result<Turn, Refusal> {
        let busy = || Refusal::new(Code::Busy, "too many logins at once").after(RETRY_MS);
        let _queued = self.queue.try_acquire().map_err(|_| busy())?;
        let turn = tokio::time::timeout(WAIT, Arc::clone(&self.turns).acquire_owned()).await;
        match turn {
            Ok(Ok(permit)) => Ok(Turn { _permit: permit }),
            _ => Err(busy()),
        }
    }

    /// Hashes a password into a PHC string.
    ///
    /// # Errors
    /// `unavailable`: the machine could not.
    pub async fn hash(&self, _turn: &Turn, password: &str) -> Result<String, Refusal> {
        let (params, password) = (self.params.clone(), password.to_owned());
        let hashed = tokio::task::spawn_blocking(move || hash(&params, &password)).await;
        hashed.ok().flatten().ok_or_else(unavailable)
    }

    /// Checks a password against a PHC string; `None`: against nobody's, which takes as long and is always wrong.
    ///
    /// # Errors
    /// `unavailable`: the machine could not.
    pub async fn check(&self, _turn: &Turn, password: &str, against: Option<&str>) -> Result<Checked, Refusal> {
        let known = against.is_some();
        let (params, password) = (self.params.clone(), password.to_owned());
        let phc = against.unwrap_or(&self.dummy).to_owned();
        let checked = tokio::task::spawn_blocking(move || check(&params, &password, &phc)).await;
        let checked = checked.map_err(|_| unavailable())?;
        Ok(if known { checked } else { Checked::Wrong })
    }
}

fn unavailable() -> Refusal {
    Refusal::new(Code::Unavailable, "passwords cannot be checked right now").after(RETRY_MS)
}

fn hash(params: &Params, password: &str) -> Option<String> {
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
    argon2.hash_password(password.as_bytes()).ok().map(|hash| hash.to_string())
}

fn check(params: &Params, password: &str, phc: &str) -> Checked {
    let Ok(parsed) = PasswordHash::new(phc) else { return Checked::Wrong };
    // The hash says itself with which parameters it was made.
    if Argon2::default().verify_password(password.as_bytes(), &parsed).is_err() {
        return Checked::Wrong;
    }
    let outdated =
        Params::try_from(&parsed).is_ok_and(|used| used.m_cost() < params.m_cost() || used.t_cost() < params.t_cost());
    Checked::Right { outdated }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(password_memory_kib: u32) -> AuthSettings {
        let mut config = crate::config::Config::load(&crate::config::Overrides::default()).unwrap().config;
        config.auth.password_memory_kib = password_memory_kib;
        config.auth.password_passes = 1;
        config.auth
    }

    #[tokio::test]
    async fn a_password_is_right_or_wrong_to_its_last_byte() {
        let hasher = Hasher::new(&settings(64)).unwrap();
        let turn = hasher.turn().await.unwrap();
        let long = "x".repeat(1_024);
        let phc = hasher.hash(&turn, &long).await.unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{phc}");
        assert_eq!(hasher.check(&turn, &long, Some(&phc)).await.unwrap(), Checked::Right { outdated: false });
        assert_eq!(hasher.check(&turn, &long[..1_023], Some(&phc)).await.unwrap(), Checked::Wrong);
        assert_eq!(hasher.check(&turn, &long, Some("not a hash")).await.unwrap(), Checked::Wrong);
        assert_eq!(hasher.check(&turn, &long, None).await.unwrap(), Checked::Wrong);
    }

    #[tokio::test]
    async fn a_hash_with_weaker_parameters_is_outdated() {
        let (old, new) = (Hasher::new(&settings(64)).unwrap(), Hasher::new(&settings(128)).unwrap());
        let turn = old.turn().await.unwrap();
        let phc = old.hash(&turn, "umbrella").await.unwrap();
        assert_eq!(new.check(&turn, "umbrella", Some(&phc)).await.unwrap(), Checked::Right { outdated: true });
        let phc = new.hash(&turn, "umbrella").await.unwrap();
        assert_eq!(old.check(&turn, "umbrella", Some(&phc)).await.unwrap(), Checked::Right { outdated: false });
    }

    #[tokio::test]
    async fn where_too_many_wait_already_one_is_told_to_come_back() {
        let hasher = Hasher::new(&settings(64)).unwrap();
        let most = u32::try_from(hasher.queue.available_permits()).unwrap();
        let waiting = hasher.queue.acquire_many(most).await.unwrap();
        let refusal = hasher.turn().await.err().unwrap();
        assert_eq!((refusal.code, refusal.retry_after_ms), (Code::Busy, Some(RETRY_MS)));
        drop(waiting);
        assert!(hasher.turn().await.is_ok());
    }
}
