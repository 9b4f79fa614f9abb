//! REST: every route of section 1 of the wire contract, and the cases of sections D and E.

mod access;
mod accounts;
mod contacts;
mod content;
mod conventions;
mod direct;
mod hardening;
mod history;
mod idempotency;
mod marks;
mod members;
mod messages;
mod passwords;
mod rooms;
