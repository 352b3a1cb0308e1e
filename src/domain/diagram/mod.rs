//! The calls as a sequence diagram between engine and plugin: drawn with signs in a grid, or as Mermaid.

mod drawing;
mod mermaid;

pub use drawing::{Drawing, LEAST, LINES};
pub use mermaid::mermaid;
