//! The thin shells: each turns messages into inputs of the core, and effects of the core into messages.
//!
//! Sessions and hubs live on the threads that own the sockets; rooms, shards and the registry are ractor actors on a
//! runtime of their own, since an actor that is started on a worker's thread would live and die with it.

pub mod alone;
pub mod budget;
pub mod digest;
pub mod gateway;
pub mod hub;
pub mod interest;
pub mod peers;
pub mod ports;
pub mod registry;
pub mod room;
pub mod router;
pub mod session;
pub mod shard;
pub mod supervisor;

pub use hub::Hub;
pub use router::Router;

pub use crate::clock;
