//! What happens to chats when their stores go away: all of them, or one replica.

mod memory;
mod outage;
mod replica;
mod services;
mod speaker;
