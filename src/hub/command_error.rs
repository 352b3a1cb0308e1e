//! Why a command was not run.

use std::io;

use crate::domain::{
    lang::command::CommandError,
    model::{directory_options::BadOption, protocol::BadRequest},
};

/// Why a command was not run, or not completely. Nothing has changed then, unless the error says so.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum CommandFailed {
    /// The line is no command.
    #[error(transparent)]
    Line(#[from] CommandError),
    #[error("unknown volume {0:?}; create it with conjure, or see the volumes table")]
    NoVolume(String),
    #[error("volume {0:?} already exists; forget it first, or choose another name")]
    VolumeExists(String),
    #[error("volume {0:?} is not forgotten; nothing to restore")]
    NotForgotten(String),
    #[error("volume {0:?} is not mounted; nothing to unmount")]
    NotMounted(String),
    #[error("{0} is refused in front of another plugin: {1}; forget masks its replies without harm")]
    NotUpstream(&'static str, &'static str),
    /// The name or the options cannot be a volume's.
    #[error(transparent)]
    Volume(#[from] BadRequest),
    /// An option has a value that cannot be used.
    #[error(transparent)]
    Option(#[from] BadOption),
    #[error("no rule {0:?} is armed; disarm by number or label, or disarm all")]
    NoRule(String),
    #[error("this crashes dockerd (a null entry in the reply to List); to do it anyway: {0}")]
    Unconfirmed(String),
    #[error("call {0} is not held; release all, or one by its number")]
    NotWaiting(u64),
    #[error("no call is held; arm a rule that holds one, as in get: hold once")]
    NoneWaiting,
    #[error("{action:?} does not apply to call {call}, a {asked}; fail and reply apply to every call")]
    Unfit { call: u64, asked: String, action: &'static str },
    #[error("the reply to call {0} is already being sent; release {0} sends the rest at once")]
    OnItsWay(u64),
    #[error("the driver is up already")]
    AlreadyUp,
    #[error("unknown scenario {name:?}{meant}; Tab after play lists them")]
    UnknownScenario { name: String, meant: String },
    /// The scenario's file cannot be read as one: why, and where.
    #[error("{0}")]
    InvalidScenario(String),
    #[error("this instance plays no scenarios; use voltergeist play")]
    NoScenarios,
    #[error("no step is left; when the last one has ended, one more removes what the scenario created")]
    NoStepLeft,
    #[error("{0} is running; wait for its end, or run play stop")]
    Busy(String),
    #[error("rules are armed and would interfere with the scenario; run disarm all first")]
    RulesArmed,
    #[error("this scenario can harm the engine or its containers; to play it anyway: {0}")]
    Dangerous(String),
    #[error("no scenario is running; start one with play SCENARIO")]
    NothingPlayed,
    #[error("only `voltergeist demo` has a speed")]
    NoDemo,
    #[error("cannot change the volumes on disk: {0}; make the root writable, and try again")]
    DiskStore(#[source] io::Error),
    #[error("{0}; to delete the rest, run wipe again")]
    PartlyWiped(String),
    #[error("cannot save here; send the command to the control API or type it in the console")]
    SaveElsewhere,
    #[error("{0} exists; choose another name")]
    SaveExists(String),
    #[error("cannot save to {path}: unknown format; end the name in one of: {known}")]
    SaveFormat { path: String, known: String },
    /// Nothing happened that a scenario could repeat.
    #[error("cannot save to {path}: {problem}")]
    NoScenario { path: String, problem: String },
    #[error("cannot load here; send the command to the control API or type it in the console")]
    LoadElsewhere,
    #[error("cannot load {path}: {error}; give the path of a file that save PATH.rules has written")]
    Load { path: String, error: io::Error },
    #[error("{path}:{line}: {error}; no rule of the file is armed")]
    LoadedLine { path: String, line: usize, error: Box<CommandFailed> },
    #[error("a file of rules has all rules and no entries; leave out \"where\"")]
    FilteredRules,
    #[error(
        "cannot save to {path}: {error}; give the path of a new file, in a directory that is there and can be written to"
    )]
    Save { path: String, error: io::Error },
}
