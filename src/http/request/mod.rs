//! What a request says and who says it: body, parameters, identity, budgets, idempotency key.

mod accept;
mod body;
pub(super) mod idempotency;
mod identity;
mod limit;
mod parameters;

pub(super) use accept::accepts_json;
pub(super) use body::{Body, MaybeBody, clearable};
pub use identity::{Presented, presented};
pub(super) use identity::{address_of, identify, identify_by_link};
pub use limit::Limiter;
pub(super) use parameters::Parameters;
