//! Every way in which owners, a store that loses and delays, and clients that try again can meet, over the real machine.
//!
//! The machine is `rookery_core::fence`, unchanged; the store, its replicas and everybody else are a model. `holds` goes
//! through everything that can happen and finds nothing wrong; `faults` and `mutations` leave something out, one thing at a
//! time, and find out what it was good for. Larger searches than fit into a test run: `ROOKERY_FENCE_FULL=1`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod audit;
mod carrier;
mod claims;
mod faults;
mod hash;
mod holds;
#[cfg(feature = "bugs")]
mod mutations;
mod owner;
mod search;
mod settings;
mod steps;
mod store;
mod watch;
mod world;
