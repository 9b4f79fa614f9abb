//! What the tests stand on: the server as a process, clients that speak only the documented wire, and the checker.

pub(crate) mod caller;
pub(crate) mod certificate;
pub(crate) mod checker;
pub(crate) mod door;
pub(crate) mod history;
pub(crate) mod load;
pub(crate) mod person;
pub(crate) mod preload;
pub(crate) mod process;
pub(crate) mod raw;
pub(crate) mod rest;
pub(crate) mod socket;

use std::future::Future;
use std::time::Duration;

/// How long a test waits for what must happen. Far above what it takes, so that a slow machine fails no test.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// Waits for the future, and fails with the sentence when it takes longer than the deadline.
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(DEADLINE, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited {DEADLINE:?} in vain for {what}"),
    }
}

/// Asks again and again until the answer is there: for what the server does soon, but not before it answers.
pub(crate) async fn eventually<T, F, Fut>(what: &str, mut ask: F) -> T
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Option<T>>,
{
    within(what, async {
        loop {
            if let Some(value) = ask().await {
                return value;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
}

/// A new client id, as a client makes one.
pub(crate) fn client_id() -> String {
    uuid::Uuid::new_v4().to_string()
}
