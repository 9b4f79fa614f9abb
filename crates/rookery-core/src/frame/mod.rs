//! The wire vocabulary: what clients say, what the server says, and the words for what went wrong.

pub mod client;
pub mod code;
pub mod codec;
pub mod event;
pub mod server;
pub mod websocket;

pub use client::ClientFrame;
pub use code::{Code, Refusal, Retry};
