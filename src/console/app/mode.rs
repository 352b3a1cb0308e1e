//! Who has the keys, and what the bottom line says.

use super::{Picker, Reading};
use crate::{
    console::{
        action::{Action, Place},
        prompt::Prompt,
    },
    domain::lang::command::Command,
};

/// The panes, in the order of Tab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pane {
    /// The calls.
    Calls,
    /// The volumes.
    Volumes,
    /// The faults.
    Faults,
}

impl Pane {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Calls, Self::Volumes, Self::Faults];

    /// Where its own keys work.
    pub const fn place(self) -> Place {
        match self {
            Self::Calls => Place::Calls,
            Self::Volumes => Place::Volumes,
            Self::Faults => Place::Faults,
        }
    }

    /// The pane so many steps further.
    #[must_use]
    pub fn step(self, by: usize) -> Self {
        Self::ALL[(self as usize + by) % Self::ALL.len()]
    }
}

/// What has the keys before the panes do.
#[derive(Clone, Debug)]
pub enum Mode {
    /// Nothing: the panes have them.
    Browse,
    /// The help.
    Help(Reading),
    /// A question that waits for yes or no.
    Ask(Question),
    /// A line that is being typed.
    Type(Prompt),
    /// A scenario card that is being chosen.
    Pick(Picker),
}

/// What is asked before it is done.
#[derive(Clone, Debug, PartialEq)]
pub enum Question {
    /// Leave, although rules are armed or mounts open.
    Leave,
    /// Stop the process.
    Suspend,
    /// Carry out a command that cannot be undone.
    Run(Box<Command>),
}

/// A key that did something.
#[derive(Clone, Debug)]
pub struct LastKey {
    /// The key, as hints write it.
    pub key: String,
    /// What it did.
    pub action: Action,
    /// Whether the bottom line says what came of it, and nothing older.
    pub answered: bool,
}

/// What the bottom line says.
#[derive(Clone, Debug, Default)]
pub enum Status {
    /// Nothing.
    #[default]
    Quiet,
    /// What came of a command or a key.
    StyledText {
        /// The command line, if it was one.
        line: Option<String>,
        /// What came of it.
        text: String,
    },
    /// Why a command was not carried out.
    Failed {
        /// The command line.
        line: String,
        /// Why.
        why: String,
    },
}

impl Status {
    /// A remark without a command.
    pub fn say(text: impl Into<String>) -> Self {
        Self::StyledText { line: None, text: text.into() }
    }
}
