//! The calls as a sequence diagram between engine and plugin: drawn with symbols in a grid, or as Mermaid.
//!
//! Both draw the same [`steps()`], and say of each what [`describe`](super::describe) says.

mod ascii;
mod mermaid;
mod steps;
#[cfg(test)]
mod tests;

pub use ascii::{Drawing, LEAST, LINES};
pub use mermaid::mermaid;
pub use steps::{DiagramStep, Part, steps};
