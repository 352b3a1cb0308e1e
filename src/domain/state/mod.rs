//! The state that the entries add up to.

pub mod counters;
pub mod durations;
pub mod journal;
