//! What keys and typed lines mean.

pub mod action;
pub mod bindings;
pub mod complete;
pub mod decoder;
pub mod keymap;
pub mod palette;
