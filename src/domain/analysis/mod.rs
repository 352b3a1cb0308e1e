//! What the calls mean: protocol warnings, retries, and the engine commands that caused them.

pub mod checker;
pub mod groups;
pub mod linter;
pub mod retries;
pub mod traced_calls;
