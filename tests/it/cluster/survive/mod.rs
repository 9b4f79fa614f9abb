//! What a cluster must survive: real nodes over real stores, under load, judged by what their clients did and saw.

mod cut;
mod files;
mod killed;
mod liar;
mod load;
mod marks;
mod names;
mod network;
mod nodes;
mod paused;
mod readers;
mod rolling;
mod stores;
mod together;
