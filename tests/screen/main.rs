//! What people see: whole screens, and what keys make of them.

mod editor;
mod frames;
mod groups;
#[path = "../support/instance.rs"]
mod instance;
mod keys;
mod live;
mod manual;
mod panic;
mod promises;
mod responsive;
mod room;
mod scenarios;
mod sequence;
mod stage;
mod taken_along;
mod views;
mod whole_path;
