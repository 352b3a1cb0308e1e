//! What people see: whole screens, and what keys make of them.

mod cards;
mod editor;
mod episodes;
mod frames;
#[path = "../support/haunt.rs"]
mod haunt;
mod keys;
mod live;
mod manual;
mod panic;
mod promises;
mod room;
mod sequence;
mod stage;
mod taken_along;
mod views;
mod whole_path;
