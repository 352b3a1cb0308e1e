//! The calls as a sequence diagram between engine and plugin: drawn with signs in a grid, or as Mermaid.
//!
//! Both draw the same [`steps`], and say of each what [`telling`](super::telling) says.

mod drawing;
mod mermaid;
mod step;
#[cfg(test)]
mod tests;

pub use drawing::{Drawing, LEAST, LINES};
pub use mermaid::mermaid;
pub use step::{Part, Step, steps};
