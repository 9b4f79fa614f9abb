//! What a cluster must survive: real nodes over real stores, under load, judged by what their clients did and saw.

mod cut;
mod killed;
mod load;
mod names;
mod network;
mod nodes;
mod outage;
mod paused;
mod rolling;
mod together;
