//! The contract for machines, made from the types: OpenAPI for REST, AsyncAPI for the WebSocket; compared with `docs/`.

mod asyncapi;
mod document;
mod files;
mod operation;
mod operators;
mod people;
mod rooms;
mod tests;
