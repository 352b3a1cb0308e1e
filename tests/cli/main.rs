//! The real program as a shell sees it: its help, its config file, its lines and its exit status.

#[path = "../support/mod.rs"]
mod support;

mod check;
mod config;
mod ending;
mod export;
mod help;
mod play;
mod program;
mod scenarios;
