//! A cluster on this machine, to try it: the script that runs it, and the one address before its nodes.

mod front;
mod script;
