//! Moving the directory out of a SQLite file into PostgreSQL, table by table, every row as it is.

mod journal;
mod read;
mod table;
mod write;

pub use self::{
    read::{Digest, Place},
    table::{TABLES, Table},
};
