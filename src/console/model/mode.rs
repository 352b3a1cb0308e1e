//! Who has the keys, and what the bottom line says.

use crate::{
    console::{
        glyphs::Glyphs,
        input::action::Action,
        model::{picker::Picker, prompt::Prompt},
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
    /// The text as it is shown: what it is about, and the result.
    pub fn parts(&self, glyphs: &Glyphs) -> (String, String) {
        match self {
            Self::Quiet => Default::default(),
            Self::StyledText { line: None, text } => (String::new(), format!(" {}", text::clean(text))),
            Self::StyledText { line: Some(line), text } => {
                let arrow = glyphs.arrow;
                (format!(" : {}", text::clean(line)), format!("  {arrow} {}", text::clean(text)))
            }
            Self::Failed { line, why } => {
                (format!(" {} ", glyphs.failed), format!("{}  : {}", text::clean(why), text::clean(line)))
            }
        }
    }

    /// A remark without a command.
    pub fn say(text: impl Into<String>) -> Self {
        Self::StyledText { line: None, text: text.into() }
    }
}

/// Where one is in the help.
#[derive(Clone, Debug, Default)]
pub struct HelpState {
    /// How many lines it is scrolled by.
    pub top: usize,
    /// What is looked for; only what says it is shown.
    pub wanted: String,
    /// Whether letters are looked for, instead of being keys.
    pub is_typing: bool,
}
