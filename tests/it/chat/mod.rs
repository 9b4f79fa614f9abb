//! The program's other commands, people who talk with `rookery chat`, and the ways in which chat servers lose.

mod command_line;
mod conversation;
mod stranger;
mod ways_to_lose;
