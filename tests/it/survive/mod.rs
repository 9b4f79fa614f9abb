//! What a server must survive: kill -9 under load, a full disk, a disk that fails, rooms that panic.

mod broken;
mod disk;
mod judgement;
mod kill;
mod load;
mod panics;
mod restart;
