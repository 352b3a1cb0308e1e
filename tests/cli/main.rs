//! The real program as a shell sees it: its help, its config file, its lines and its exit status.

#[path = "../support/mod.rs"]
mod support;

mod config;
mod ending;
mod help;
mod play;
mod program;
mod scenarios;
