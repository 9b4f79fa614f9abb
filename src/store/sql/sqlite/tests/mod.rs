//! What only the store in a file promises: plans, locks, full disks, schemas, secrets that are gone from the disk.

mod file;
mod plans;
mod size;
