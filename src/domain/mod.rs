//! The pure floor: what the protocol is, what volumes are, what a rule does, what is remembered.
//!
//! Nothing in here knows of sockets, files, terminals or clocks. Time and chance come in as
//! arguments, which is what makes a run repeatable from its seed and a test a table of cases.

pub mod analysis;
pub mod lang;
pub mod model;
pub mod redaction;
pub mod rules;
pub mod state;
pub mod text;
