//! The engines: the clients of the plugin. [`docker`] is a real daemon, [`simulated`] needs none; [`workload`]
//! keeps the simulated one busy in the demo.

pub mod docker;
mod print;
mod rng;
pub mod simulated;
pub mod workload;
