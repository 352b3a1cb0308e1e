//! The pure floor: what the protocol is, what volumes are, what a rule does, what is remembered.
//!
//! Nothing in here knows of sockets, files, terminals or clocks. Time and chance come in as
//! arguments, which is what makes a run repeatable from its seed and a test a table of cases.

pub mod command;
pub mod diagram;
pub mod duration;
pub mod entry;
pub mod episode;
pub mod fault;
pub mod journal;
pub mod json;
pub mod lint;
pub mod pace;
pub mod past;
pub mod playbill;
pub mod protocol;
pub mod query;
pub mod retry;
pub mod scanner;
pub mod shell;
pub mod signs;
pub mod suggest;
pub mod tally;
pub mod telling;
pub mod text;
pub mod volume;
