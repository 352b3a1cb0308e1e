//! The text forms that users type: commands, filters, durations, and the lexer that reads them.

pub mod command;
pub mod duration;
pub mod expectation;
pub mod filter;
pub mod json;
pub mod lexer;
mod names;
pub mod seek;
pub mod suggest;

pub use names::full_name;
