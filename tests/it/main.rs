//! The tests over real sockets against the real binary: one program, a server and a data folder for each test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod admin;
mod chat;
mod cluster;
mod coverage;
mod http;
mod media;
mod support;
mod survive;
mod tls;
mod ws;
