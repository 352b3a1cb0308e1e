//! Text for users: entries in words, symbols, widths, sequence diagrams.

pub mod describe;
pub mod sequence;
pub mod shell;
pub mod symbols;
mod width;

pub use width::*;
