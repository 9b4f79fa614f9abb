//! Nodes among each other: membership, the door, links, and the bytes on them; each node a process of its own.

mod admin;
mod commands;
mod door;
mod links;
mod membership;
mod migrate;
mod node;
mod rogue;
mod samples;
mod wire;
