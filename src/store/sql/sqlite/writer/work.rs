//! Writes other than appends: each runs in the writer's transaction and is answered once that is durable.

use futures_util::future::BoxFuture;
use sqlx::SqliteConnection;
use tokio::sync::oneshot;

use crate::store::{StoreError, sql::failure::Failure};

/// A write that waits for its transaction.
pub(in crate::store::sql::sqlite) trait Work: Send {
    /// Does it, and keeps the answer; at most once.
    fn run<'c>(&'c mut self, connection: &'c mut SqliteConnection) -> BoxFuture<'c, Result<(), Failure>>;
    /// Answers: what `run` kept if the transaction is durable.
    fn settle(self: Box<Self>, fate: Result<(), StoreError>);
}

/// A write made of a closure.
pub(in crate::store::sql::sqlite) struct Closure<T, F> {
    run: Option<F>,
    kept: Option<T>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Closure<T, F> {
    /// The write, and where its answer comes.
    pub(in crate::store::sql::sqlite) fn new(run: F) -> (Self, oneshot::Receiver<Result<T, StoreError>>) {
        let (reply, answer) = oneshot::channel();
        (Self { run: Some(run), kept: None, reply }, answer)
    }
}

impl<T, F> Work for Closure<T, F>
where
    T: Send,
    F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, Failure>> + Send,
{
    fn run<'c>(&'c mut self, connection: &'c mut SqliteConnection) -> BoxFuture<'c, Result<(), Failure>> {
        Box::pin(async move {
            if let Some(run) = self.run.take() {
                self.kept = Some(run(connection).await?);
            }
            Ok(())
        })
    }

    fn settle(self: Box<Self>, fate: Result<(), StoreError>) {
        let Self { kept, reply, .. } = *self;
        let not_done = || StoreError::Unavailable("the write was not done".to_owned());
        // Who asked may have gone; then nobody wants to know.
        let _ = reply.send(fate.and_then(|()| kept.ok_or_else(not_done)));
    }
}
