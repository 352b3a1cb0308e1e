//! What happens to the console, and what it wants done outside.

use std::{ops::Range, sync::Arc};

use crossterm::event::{KeyEvent, MouseEvent};

use super::ReplyEdit;
use crate::domain::{
    lang::command::Command,
    model::entry::Entry,
    rules::{DryRun, Rule},
};

/// Something that happens to the console.
#[derive(Clone, Debug)]
pub enum Event {
    /// A key.
    Key(KeyEvent),
    /// The mouse.
    Mouse(MouseEvent),
    /// A pasted text.
    Paste(String),
    /// The terminal has another size: columns and rows.
    Resize(u16, u16),
    /// New entries, and the numbers of those that the journal keeps.
    Entries(Vec<Arc<Entry>>, Range<u64>),
    /// A rule that is being typed was held against the journal.
    Rehearsed(DryRun),
    /// A command was carried out, or was not.
    Done {
        /// Its line.
        line: String,
        /// What came of it, or why nothing did.
        result: Result<String, String>,
    },
}

/// Something to be done outside.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Carry out a command.
    Run(Box<Command>),
    /// Tell which calls of the journal a rule would have hit.
    Rehearse(Box<Rule>),
    /// Put a text on the clipboard.
    Copy(String),
    /// Take the mouse from the terminal, or give it back.
    Mouse(bool),
    /// Draw every cell anew.
    Redraw,
    /// Give the terminal back and stop the process.
    Suspend,
    /// Give the terminal to the user's editor with a reply, and send what comes out of it.
    Edit(ReplyEdit),
    /// Leave.
    Leave,
    /// Leave as at the signal that Ctrl-C sends elsewhere.
    Interrupt,
}

impl From<Command> for Effect {
    fn from(command: Command) -> Self {
        Self::Run(Box::new(command))
    }
}
