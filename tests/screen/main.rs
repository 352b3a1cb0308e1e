//! What people see: whole screens, and what keys make of them.

mod columns;
mod copies;
mod drawing;
mod editor;
mod figures;
mod fixture;
mod frames;
mod groups;
#[path = "../support/instance.rs"]
mod instance;
mod keys;
mod live;
mod manual;
mod marks;
mod memory;
mod mouse;
mod nodes;
mod offers;
mod panic;
mod responsive;
mod room;
mod scenarios;
mod sequence;
mod shell;
mod sources;
mod status;
mod targets;
mod views;
mod whole_path;
