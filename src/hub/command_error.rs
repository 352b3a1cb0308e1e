//! Why a command was not run.

use std::io;

use crate::domain::{
    lang::command::CommandError,
    model::{directory_options::BadOption, protocol::BadRequest},
};

/// Why a command was not run, or not completely. Nothing has changed then, unless the error says so.
#[derive(Debug, thiserror::Error)]
pub enum CommandFailed {
    /// The line is no command.
    #[error(transparent)]
    Line(#[from] CommandError),
    /// There is no such volume.
    #[error("unknown volume {0:?}; create it with conjure, or see the volumes table")]
    NoVolume(String),
    /// The volume is there already.
    #[error("volume {0:?} already exists; forget it first, or choose another name")]
    VolumeExists(String),
    /// The volume is not forgotten.
    #[error("volume {0:?} is not forgotten; nothing to restore")]
    NotForgotten(String),
    /// The volumes are the upstream's.
    #[error("{0} is refused in front of another plugin: {1}; forget masks its replies without harm")]
    NotUpstream(&'static str, &'static str),
    /// The name or the options cannot be a volume's.
    #[error(transparent)]
    Volume(#[from] BadRequest),
    /// An option has a value that cannot be used.
    #[error(transparent)]
    Option(#[from] BadOption),
    /// No such rule is armed.
    #[error("no rule {0:?} is armed; disarm by number or label, or disarm all")]
    NoRule(String),
    /// The rule can end a real engine.
    #[error("this crashes dockerd (a null entry in the reply to List); to do it anyway: {0}")]
    Unconfirmed(String),
    /// No such call is held.
    #[error("call {0} is not held; release all, or one by its number")]
    NotWaiting(u64),
    /// No call is held.
    #[error("no call is held; arm a rule that holds one, as in get: hold once")]
    NoneWaiting,
    /// The action is not for such a call.
    #[error("{action:?} does not apply to call {call}, a {asked}; fail and reply apply to every call")]
    Unfit {
        /// Its number.
        call: u64,
        /// What was asked.
        asked: String,
        /// The action's word.
        action: &'static str,
    },
    /// The call's answer has begun.
    #[error("the reply to call {0} is already being sent; release {0} sends the rest at once")]
    OnItsWay(u64),
    /// The driver is up.
    #[error("the driver is up already")]
    AlreadyUp,
    /// There is no such scenario.
    #[error("unknown scenario {name:?}{meant}; Tab after play lists them")]
    UnknownScenario {
        /// Its name.
        name: String,
        /// What may have been meant.
        meant: String,
    },
    /// The scenario's file cannot be read as one: why, and where.
    #[error("{0}")]
    InvalidScenario(String),
    /// No scenarios can be played here.
    #[error("this instance plays no scenarios; use voltergeist play")]
    NoScenarios,
    /// All steps of the scenario may begin already.
    #[error("no step is left; when the last one has ended, one more removes what the scenario created")]
    NoStepLeft,
    /// Another scenario is played.
    #[error("{0} is running; wait for its end, or run play stop")]
    Busy(String),
    /// A rule would act on the scenario too.
    #[error("rules are armed and would interfere with the scenario; run disarm all first")]
    RulesArmed,
    /// The scenario can do harm.
    #[error("this scenario can harm the engine or its containers; to play it anyway: {0}")]
    Dangerous(String),
    /// No scenario is played.
    #[error("no scenario is running; start one with play SCENARIO")]
    NothingPlayed,
    /// There is no demo.
    #[error("only `voltergeist demo` has a speed")]
    NoDemo,
    /// The disk said no.
    #[error("cannot change the volumes on disk: {0}; make the root writable, and try again")]
    DiskStore(#[source] io::Error),
    /// Some volumes are deleted, and others could not be.
    #[error("{0}; to delete the rest, run wipe again")]
    PartlyWiped(String),
    /// The shared state writes no files.
    #[error("cannot save here; send the command to the control API or type it in the console")]
    SaveElsewhere,
    /// The file is there already.
    #[error("{0} exists; choose another name")]
    SaveExists(String),
    /// The name has no extension of a known format.
    #[error("cannot save to {path}: unknown format; end the name in one of: {known}")]
    SaveFormat {
        /// Where to.
        path: String,
        /// The known extensions.
        known: String,
    },
    /// Nothing happened that a scenario could repeat.
    #[error("cannot save to {path}: {problem}")]
    NoScenario {
        /// Where to.
        path: String,
        /// Why.
        problem: String,
    },
    /// The shared state reads no files.
    #[error("cannot load here; send the command to the control API or type it in the console")]
    LoadElsewhere,
    /// The file cannot be read.
    #[error("cannot load {path}: {error}; give the path of a file that save PATH.rules has written")]
    Load {
        /// Which file.
        path: String,
        /// What the system says.
        error: io::Error,
    },
    /// A line of the file is no rule.
    #[error("{path}:{line}: {error}; no rule of the file is armed")]
    LoadedLine {
        /// Which file.
        path: String,
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        error: Box<CommandFailed>,
    },
    /// A file of rules has no filter.
    #[error("a file of rules has all rules and no entries; leave out \"where\"")]
    FilteredRules,
    /// The file cannot be written.
    #[error(
        "cannot save to {path}: {error}; give the path of a new file, in a directory that is there and can be written to"
    )]
    Save {
        /// Where to.
        path: String,
        /// What the system says.
        error: io::Error,
    },
}
