//! Accounts, logins and tokens over the store in memory.

use std::{net::IpAddr, sync::Arc};

use rookery_core::{frame::Code, time::Millis};

use super::{Accounts, AuthError, Authenticator, NewAccount, NewLogin};
use crate::{
    config::{Config, Live, Overrides},
    store::{Directory, memory::MemoryStore, record::PlatformRole},
};

mod guessing;
mod logins;

const PASSWORD: &str = "umbrella-stand-42";
const HOME: &str = "192.0.2.1";

struct House {
    accounts: Accounts,
    authenticator: Authenticator,
    directory: Arc<dyn Directory>,
}

fn house(set: &[&str]) -> House {
    let directory: Arc<dyn Directory> = Arc::new(MemoryStore::new());
    over(&directory, set)
}

/// A server that starts anew over the same store.
fn over(directory: &Arc<dyn Directory>, set: &[&str]) -> House {
    let cheap = ["auth.password_memory_kib=64", "auth.password_passes=1"];
    let set = cheap.iter().chain(set).map(ToString::to_string).collect();
    let live = Arc::new(Live::new(Config::load(&Overrides { set, ..Overrides::default() }).unwrap()));
    House {
        accounts: Accounts::new(Arc::clone(directory), live).unwrap(),
        authenticator: Authenticator::new(Arc::clone(directory)),
        directory: Arc::clone(directory),
    }
}

impl House {
    async fn register(&self, handle: &str) {
        let account = NewAccount {
            handle: handle.to_owned(),
            password: PASSWORD.to_owned(),
            display_name: None,
            email: Some(format!("{handle}@example.org")),
            role: PlatformRole::User,
        };
        self.accounts.register(account, Millis(0)).await.unwrap();
    }

    async fn log_in(&self, login: &str, password: &str, now: i64) -> Result<NewLogin, Code> {
        self.log_in_from(HOME, login, password, now).await
    }

    async fn log_in_from(&self, address: &str, login: &str, password: &str, now: i64) -> Result<NewLogin, Code> {
        let address: IpAddr = address.parse().unwrap();
        let result = self.accounts.log_in(login, password, Some("phone"), address, Millis(now)).await;
        result.map_err(|error| match error {
            AuthError::Refused(refusal) => refusal.code,
            AuthError::Store(error) => panic!("{error}"),
        })
    }

    /// A failed try, and its count: the answer does not wait for it.
    async fn fail(&self, login: &str, now: i64) -> Code {
        let before = self.failures(login).await;
        let code = self.log_in(login, "wrong-password-1", now).await.unwrap_err();
        while code == Code::Unauthenticated && before.is_some() && self.failures(login).await == before {
            tokio::task::yield_now().await;
        }
        code
    }

    async fn failures(&self, login: &str) -> Option<u32> {
        self.directory.credentials(login.to_owned()).await.unwrap().map(|known| known.failures)
    }
}
