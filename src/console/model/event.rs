//! What happens to the console, and what it wants done outside.

use std::{ops::Range, sync::Arc, time::Instant};

use crossterm::event::{KeyEvent, MouseEvent};

use crate::{
    console::model::reply_edit::ReplyEdit,
    domain::{
        lang::{command::Command, seek::Seek},
        model::{
            entry::{Entry, ShellResult},
            source_status::NodeChoice,
        },
        rules::{DryRun, Rule},
    },
};

/// Something that happens to the console.
#[derive(Clone, Debug)]
pub enum Event {
    /// A key.
    Key(KeyEvent),
    /// The mouse, and when.
    Mouse(MouseEvent, Instant),
    /// A pasted text.
    Paste(String),
    /// The terminal has another size: columns and rows.
    Resize(u16, u16),
    /// New entries, and the numbers of those that the journal keeps.
    Entries(Vec<Arc<Entry>>, Range<u64>),
    /// The kept entries are others than before.
    Restarted,
    /// A place in the recording was found, or not.
    SeekDone(Result<(), String>),
    /// An instance was chosen: which, or why not.
    NodeChosen(Result<String, String>),
    /// A dry run of the rule that is being typed has ended.
    DryRunDone {
        /// That of its [`Effect::DryRun`].
        number: u64,
        /// Its result, or why there is none.
        result: Result<DryRun, String>,
    },
    /// A command has ended.
    CommandDone {
        /// Its line.
        line: String,
        /// Its result as text, or why it failed.
        result: Result<String, String>,
    },
    /// The command in the user's shell has ended, or could not be started.
    ShellEnded(Result<ShellResult, String>),
    /// An edited reply is not JSON any more.
    InvalidReply {
        /// The reply as it was edited.
        edit: ReplyEdit,
        /// What is wrong with it.
        problem: String,
    },
    /// A command takes long.
    StillRunning {
        /// Its line.
        line: String,
        /// How many commands wait for it.
        waiting: usize,
    },
}

/// Something to be done outside.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Run a command, after those before it.
    Run(Box<Command>),
    /// Find the calls that the rule being typed would have matched.
    DryRun {
        /// Comes back with the result.
        number: u64,
        /// The rule.
        rule: Box<Rule>,
    },
    /// Go to a place in the recording.
    Seek(Seek),
    /// Choose the instance that is shown and gets the commands.
    ChooseNode(NodeChoice),
    /// Put a text on the clipboard.
    Copy(String),
    /// Take the mouse from the terminal, or give it back.
    Mouse(bool),
    /// Redraw every cell.
    Redraw,
    /// Give the terminal back and stop the process.
    Suspend,
    /// Give the terminal to the user's editor with a reply, and send what comes out of it.
    Edit(ReplyEdit),
    /// Run a line in the user's shell.
    Shell(String),
    /// End what runs there.
    EndShell,
    /// Send a reply that was edited before.
    SendEdited(ReplyEdit),
    /// Do not send the edited reply to a call, and keep its file; the text is why.
    KeepEdited(u64, String),
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
