//! What receives the keys, and the status line.

use std::time::Duration;

use jiff::Timestamp;

use crate::{
    console::{
        glyphs::Glyphs,
        input::action::KeyAction,
        model::{
            picker::{ColumnPicker, Picker},
            prompt::Prompt,
            reply_edit::ReplyEdit,
        },
    },
    domain::{lang::command::Command, text},
};

/// What has the keys before the panes do.
#[derive(Clone, Debug)]
pub enum Mode {
    /// Nothing: the panes have them.
    Browse,
    /// The help.
    Help(HelpState),
    /// A question with the answers yes and no.
    Ask(Question),
    /// A line that is being typed.
    Type(Prompt),
    /// The scenario picker.
    Pick(Picker),
    /// The picker of columns.
    Columns(ColumnPicker),
}

/// What needs confirmation.
#[derive(Clone, Debug, PartialEq)]
pub enum Question {
    /// Leave, although rules are armed or mounts open.
    Leave,
    /// Stop the process.
    Suspend,
    /// Carry out a command that cannot be undone.
    Run(Box<Command>),
    /// Delete everything, once the driver's name is typed.
    Wipe {
        /// What is typed so far.
        typed: String,
    },
    /// Send an edited reply that is not JSON.
    SendInvalid {
        /// The reply as it was edited.
        edit: ReplyEdit,
        /// What is wrong with it.
        problem: String,
    },
}

/// A key that did something.
#[derive(Clone, Debug)]
pub struct LastKey {
    /// The key, as hints write it.
    pub key: String,
    /// What it did.
    pub action: KeyAction,
    /// When it was pressed.
    pub at: Timestamp,
    /// Whether the status line shows its result, and nothing older.
    pub answered: bool,
}

/// Where the text of the status line comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StatusSource {
    /// The last key has said it, and the next one ends it.
    Key,
    /// It came after the key: the result of a command, or what others did.
    #[default]
    Later,
}

/// The status line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum StatusLine {
    /// Nothing.
    #[default]
    Empty,
    /// The result of a command or a key.
    Message {
        /// The command line, if it was one.
        line: Option<String>,
        /// The result.
        text: String,
    },
    /// Why a command was not carried out.
    Error {
        /// The command line.
        line: String,
        /// Why.
        why: String,
    },
}

impl StatusLine {
    /// The text as it is shown: what it is about, and the result.
    pub fn parts(&self, glyphs: &Glyphs) -> (String, String) {
        match self {
            Self::Empty => Default::default(),
            Self::Message { line: None, text } => (String::new(), format!(" {}", text::clean(text))),
            Self::Message { line: Some(line), text } => {
                let arrow = glyphs.arrow;
                (format!(" : {}", text::clean(line)), format!("  {arrow} {}", text::clean(text)))
            }
            Self::Error { line, why } => {
                (format!(" {} ", glyphs.failed), format!("{}  : {}", text::clean(why), text::clean(line)))
            }
        }
    }

    /// How long it is shown. An older one may no longer be true.
    pub const fn lasts(&self) -> Duration {
        match self {
            Self::Empty => Duration::ZERO,
            Self::Message { .. } => Duration::from_secs(10),
            Self::Error { .. } => Duration::from_secs(30),
        }
    }

    /// A remark without a command.
    pub fn say(text: impl Into<String>) -> Self {
        Self::Message { line: None, text: text.into() }
    }
}

/// Where one is in the help.
#[derive(Clone, Debug, Default)]
pub struct HelpState {
    /// How many lines it is scrolled by.
    pub top: usize,
    /// The search text; only lines with it are shown.
    pub wanted: String,
    /// Whether letters are looked for, instead of being keys.
    pub is_typing: bool,
    /// Which of the lines that can be run is selected.
    pub selected: usize,
}

/// What a line of the help does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HelpRun {
    /// What its key does.
    Action(KeyAction),
    /// It is typed as a command, to be completed or changed.
    Begin(String),
    /// It is run as a command.
    Line(&'static str),
}
