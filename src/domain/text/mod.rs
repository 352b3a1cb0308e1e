//! Text for users: entries in words, symbols, widths, sequence diagrams.

mod decision;
pub mod describe;
mod excerpt;
pub mod sequence;
pub mod shell;
pub mod symbols;
mod width;

pub use decision::decision;
pub use excerpt::excerpt;
pub use width::*;
