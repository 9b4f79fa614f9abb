//! Nodes among each other: membership, the door, links, and the bytes on them; each node a process of its own.

mod admin;
mod answers;
mod bench;
mod commands;
mod door;
mod links;
mod local;
mod membership;
mod migrate;
mod node;
mod rogue;
mod stores;
mod survive;
mod wire;
