//! Rookery: a chat server in which every session and every room is an actor.

pub mod actors;
pub mod app;
pub mod auth;
pub mod bench;
pub mod cli;
pub mod client;
pub mod clock;
pub mod cluster;
pub mod config;
pub mod http;
pub mod media;
pub mod store;
pub mod telemetry;
