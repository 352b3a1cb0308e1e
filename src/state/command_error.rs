//! Why a command was not run.

use std::io;

use crate::domain::{
    lang::command::CommandError,
    model::protocol::{BadName, Operation},
};

/// Why a command was not run. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum CommandFailed {
    /// The line is no command.
    #[error(transparent)]
    Line(#[from] CommandError),
    /// There is no such volume.
    #[error("there is no volume {0:?}; see the volumes table, or conjure it")]
    NoVolume(String),
    /// The volume is there already.
    #[error("the driver knows a volume {0:?} already; forget it first, or choose another name")]
    VolumeExists(String),
    /// The volume is not forgotten.
    #[error("the volume {0:?} is not forgotten; there is nothing to restore")]
    NotForgotten(String),
    /// The name cannot be a volume's.
    #[error(transparent)]
    Name(#[from] BadName),
    /// No such rule is armed.
    #[error("no rule {0:?} is armed; disarm by number or label, or disarm all")]
    NoRule(String),
    /// The rule can end a real engine.
    #[error(
        "this ends a running dockerd: it reads a null among the volumes of List and dies; if you mean it: {0}"
    )]
    Unconfirmed(String),
    /// No such call is held.
    #[error("no call {0} is waiting; release all, or one by its number")]
    NotWaiting(u64),
    /// No call is held.
    #[error("no call is waiting; arm a rule that holds one, as in get: hold once")]
    NoneWaiting,
    /// The action is not for such a call.
    #[error("{action:?} does not fit call {call}, which is a {operation}; fail and reply fit every call")]
    Unfit {
        /// Its number.
        call: u64,
        /// What was asked.
        operation: Operation,
        /// The action's word.
        action: &'static str,
    },
    /// The call's answer has begun.
    #[error("the answer to call {0} is on its way already; release {0} lets the rest of it go at once")]
    OnItsWay(u64),
    /// The driver is up.
    #[error("the driver is up already")]
    AlreadyUp,
    /// There is no such scenario.
    #[error("there is no card {name:?}{meant}; play with Tab completes their names")]
    NoCard {
        /// Its name.
        name: String,
        /// What may have been meant.
        meant: String,
    },
    /// No scenarios can be played here.
    #[error("no cards are played here; voltergeist play plays them")]
    NoPlayer,
    /// Another scenario is played.
    #[error("{0} is being played; wait for its end, or play stop")]
    Busy(String),
    /// A rule would act on the scenario too.
    #[error("a rule is armed that would act on the card too; disarm all, then play")]
    RulesArmed,
    /// The scenario can do harm.
    #[error("only as `{0}`: this card can harm the engine, or what else runs on it")]
    Dangerous(String),
    /// No scenario is played.
    #[error("no card is being played; play CARD begins one")]
    NothingPlayed,
    /// There is no demo.
    #[error("there is nothing to pace here; only `voltergeist demo` has a life of its own")]
    NoDemo,
    /// The disk said no.
    #[error("cannot change the volumes on disk: {0}; make the root writable, and try again")]
    DiskStore(#[source] io::Error),
    /// The shared state writes no files.
    #[error("cannot save here; send the command to the control API or type it in the console")]
    SaveElsewhere,
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
