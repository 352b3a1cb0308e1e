//! What keys and typed lines mean.

pub mod action;
pub mod complete;
pub mod keymap;
pub mod palette;
