//! What keys and typed lines mean.

pub mod action;
pub mod bindings;
pub mod command_line;
pub mod complete;
pub mod decoder;
pub mod keymap;
