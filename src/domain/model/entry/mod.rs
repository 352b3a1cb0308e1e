//! The entry: one line of the journal.
//!
//! The state is what the entries add up to (`domain::state`), so an entry has all that is needed to rebuild it. As
//! JSON it is a line of `serve`, of a recording and of `GET /v1/entries`.

mod body;
mod call;
mod call_head;
mod connection;
mod line;
mod micros;
mod rule;
mod session;
mod shell;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};

pub use body::{Body, Headers};
pub use call::{Call, HeldCall, OriginalReply, Outcome, ReleasedCall, UpstreamReply};
pub use call_head::CallHead;
pub use connection::ConnectionEvent;
pub use rule::{
    Condition, Decision, Evaluation, KeptRule, RuleDecision, RuleEvent, RuleState, RuleText, Share,
};
pub use session::{FORMAT, Session};
pub use shell::{ShellEvent, ShellResult};

pub use super::fault::AppliedFault;
use super::{
    driver::{DriverEvent, DriverInfo, DriverReason},
    origin::Origin,
    scenario::ScenarioEvent,
    volume::Change,
};

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Entry {
    /// Its number: 1 for the first, then without a gap.
    pub seq: u64,
    /// When it was recorded.
    #[cfg_attr(test, schemars(with = "String", extend("format" = "date-time")))]
    pub at: Timestamp,
    /// The instance that recorded it, where a console shows several. The numbers are those of that console then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<Arc<str>>,
    /// What happened.
    #[serde(flatten)]
    pub kind: EntryKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, IntoStaticStr, VariantNames)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum EntryKind {
    /// The start, always entry 1.
    Session(Box<Session>),
    /// The driver was bound, and registered if that was possible.
    Registration(Box<DriverInfo>),
    /// A call ended.
    Call(Box<Call>),
    /// A rule holds a call.
    Held(Box<HeldCall>),
    /// A held call was released before its own time.
    Released(ReleasedCall),
    /// A connection was accepted or closed.
    Connection(ConnectionEvent),
    /// A volume changed, and the change is on disk.
    Volume(Box<VolumeChange>),
    /// A rule was armed, ended or evaluated a call.
    Rule(Box<RuleEvent>),
    /// The driver's status changed, or cannot be brought about.
    Driver(Box<DriverEvent>),
    /// A command was run.
    Command(Box<CommandRun>),
    /// A command was given to an engine by the demo.
    EngineCommand(Box<EngineCommand>),
    /// A command ran in the user's shell, from the console.
    Shell(ShellEvent),
    /// Something happened in a scenario.
    Scenario(Box<ScenarioEvent>),
    /// A remark.
    Note {
        /// The remark.
        text: String,
    },
    /// The recording lacks entries.
    Gap(Box<Gap>),
    /// A kind that this version does not know: the entry was written by a later one.
    #[serde(other)]
    #[cfg_attr(test, schemars(skip))]
    Unknown,
}

/// Entries that the recording lacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Gap {
    /// The number of the first one.
    pub first: u64,
    /// How many.
    pub missed: u64,
    /// Why.
    pub reason: String,
}

/// A change of a volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct VolumeChange {
    /// What caused it.
    pub cause: Cause,
    /// The change.
    pub change: Change,
}

/// What caused a change of a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A call, by its number.
    Call(u64),
    /// A command.
    Command,
}

/// A command that was run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CommandRun {
    /// The command line, as it can be typed again.
    pub command: String,
    /// What it did, for people.
    pub result: String,
    /// Where it came from.
    #[serde(default)]
    pub origin: Box<Origin>,
    /// What it changed in the volumes. The `volume` entries say when.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
}

/// A command that was given to an engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EngineCommand {
    /// The command line.
    pub command: String,
    /// What the engine printed.
    pub result: String,
    /// Whether it succeeded.
    pub ok: bool,
}

impl Entry {
    /// An entry of the only instance.
    pub const fn new(seq: u64, at: Timestamp, kind: EntryKind) -> Self {
        Self { seq, at, node: None, kind }
    }

    /// The same entry in the list of a console that shows several instances. `number` maps the numbers of earlier entries
    /// of its instance to those of that list.
    #[must_use]
    pub fn merged(&self, seq: u64, node: &Arc<str>, number: impl Fn(u64) -> Option<u64>) -> Self {
        let mut entry = Self { seq, node: Some(Arc::clone(node)), ..self.clone() };
        match &mut entry.kind {
            EntryKind::Call(call) => call.held_seq = call.held_seq.and_then(number),
            EntryKind::Shell(ShellEvent::Finished(result)) => {
                result.started = number(result.started).unwrap_or_default();
            }
            _ => {}
        }
        entry
    }

    /// What an entry's half dozen pieces cost beside their own length, in bytes: what an allocator rounds up, and
    /// their places in the ring. `benches/hub.rs` shows it for 100,000 calls.
    const OVERHEAD: usize = 160;

    /// About how many bytes of memory it holds, for the journal's bound.
    pub fn size_estimate(&self) -> usize {
        let pieces = match &self.kind {
            EntryKind::Session(session) => session.size_estimate(),
            EntryKind::Registration(info) => size_of::<DriverInfo>() + info.size_estimate(),
            EntryKind::Call(call) => call.size_estimate(),
            EntryKind::Held(held) => held.size_estimate(),
            EntryKind::Released(released) => {
                released.release.action.as_ref().map_or(0, |action| action.len() + 16)
            }
            EntryKind::Volume(volume) => size_of::<VolumeChange>() + volume.change.size_estimate(),
            EntryKind::Rule(event) => size_of::<RuleEvent>() + event.size_estimate(),
            EntryKind::Driver(event) => size_of::<DriverEvent>() + event.size_estimate(),
            EntryKind::Command(run) => {
                let changes = run.changes.iter().map(Change::size_estimate).sum::<usize>();
                let origin = size_of::<Origin>() + run.origin.size_estimate() + 16;
                size_of::<CommandRun>() + run.command.len() + run.result.len() + origin + changes
            }
            EntryKind::EngineCommand(run) => {
                size_of::<EngineCommand>() + run.command.len() + run.result.len()
            }
            EntryKind::Shell(event) => event.size_estimate(),
            EntryKind::Scenario(event) => event.size_estimate(),
            EntryKind::Note { text } => text.len(),
            EntryKind::Gap(gap) => size_of::<Gap>() + gap.reason.len(),
            EntryKind::Connection(_) | EntryKind::Unknown => 0,
        };
        size_of::<Self>() + 16 + pieces + Self::OVERHEAD
    }

    /// The call, if it is the end of one.
    pub fn call(&self) -> Option<&Call> {
        if let EntryKind::Call(call) = &self.kind { Some(call) } else { None }
    }

    /// The number of the entry whose row in a list it takes: the hold of a call that has ended, or the start of a
    /// shell command.
    pub fn continues(&self) -> Option<u64> {
        match &self.kind {
            EntryKind::Call(call) => call.held_seq,
            EntryKind::Shell(ShellEvent::Finished(result)) => Some(result.started),
            _ => None,
        }
    }

    /// Whether it is the command that empties the journal.
    pub fn is_journal_reset(&self) -> bool {
        matches!(&self.kind, EntryKind::Command(run) if run.command == "reset")
    }

    /// What a call or a command changed in the volumes.
    pub fn changes(&self) -> &[Change] {
        match &self.kind {
            EntryKind::Call(call) => &call.changes,
            EntryKind::Command(run) => &run.changes,
            _ => &[],
        }
    }

    /// Whether another entry shows people the same, so that a list can leave it out.
    pub fn is_redundant(&self) -> bool {
        match &self.kind {
            EntryKind::Session(_)
            | EntryKind::Registration(_)
            | EntryKind::Released(_)
            | EntryKind::Connection(_)
            | EntryKind::Volume(_)
            | EntryKind::Unknown => true,
            EntryKind::Rule(event) => !matches!(**event, RuleEvent::Spent(_) | RuleEvent::Expired(_)),
            EntryKind::Driver(event) => {
                matches!(event.reason, DriverReason::Command | DriverReason::Crash)
            }
            EntryKind::Scenario(event) => {
                matches!(&**event, ScenarioEvent::StepStarted { line, .. } if line.starts_with(':'))
            }
            _ => false,
        }
    }
}
