//! The rules of chat as machines: what happens and in which order, never how.
//!
//! Each machine has one door in (`step`), one list out (its effects), and sees no clock, no socket, no random number and
//! no thread: `now`, ids and answers of the store come in as inputs.

pub mod event;
pub mod fence;
pub mod frame;
pub mod ids;
pub mod limits;
pub mod permission;
pub mod placement;
pub mod presence;
pub mod rate;
pub mod room;
pub mod session;
pub mod shard;
pub mod text;
pub mod time;

pub use event::media;
