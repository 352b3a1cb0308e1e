//! The entry: one line of the journal, and all that is ever known of what happened.
//!
//! Everything that the console can show is an entry: a call, a call that waits, a command, a fault
//! that was armed or spent, the driver going down, a note. As JSON it is a line of `serve`, of a
//! recording and of `GET /v1/entries`.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{
    protocol::{Caller, Operation},
    scenario::ScenarioEvent,
    volume::Change,
};
use crate::domain::{analysis::linter::Lint, lang::command::Outage};

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number: 1 for the first, then without a gap.
    pub seq: u64,
    /// When it was recorded.
    pub at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub kind: EntryKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum EntryKind {
    /// A call came to its end.
    Call(Box<Call>),
    /// A call began to wait, because a rule said so. Its end is a later `call` entry.
    Held(HeldCall),
    /// Somebody gave a command, and it was carried out.
    Command(CommandRun),
    /// A rule was armed, or ceased to be.
    Fault(RuleEvent),
    /// The driver went down or came up by itself: an outage ended, or it could not begin.
    Driver {
        /// What it is now, in words.
        status: String,
    },
    /// A scenario card is played.
    Scenario(Box<ScenarioEvent>),
    /// A remark.
    Note {
        /// The remark.
        text: String,
    },
}

/// A request, what was done to it, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The number of the call since the start or the last `reset`: 1 for the first. Draws depend on it.
    pub number: u64,
    /// What was asked, if the path was one of the protocol's.
    pub operation: Option<Operation>,
    /// The request's method and path, where they are not what the operation says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_line: Option<Box<str>>,
    /// Who asked.
    pub caller: Caller,
    /// The volume that the request names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<Box<str>>,
    /// The mount ID that the request carries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Box<str>>,
    /// Whether the volume had an open mount when the call arrived.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mounted: bool,
    /// The request's headers, names in lower case, in the order of their arrival.
    pub headers: Headers,
    /// The request's body.
    pub body: Body,
    /// Which rule acted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<AppliedFault>,
    /// How it ended.
    pub outcome: Outcome,
    /// The HTTP status of the answer, if one was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What the caller was told went wrong, or why no answer came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Box<str>>,
    /// The answer's body.
    pub reply: Body,
    /// From the request's head to the answer, or to the end without one.
    #[serde(rename = "took_us", with = "micros")]
    pub took: Duration,
    /// What the driver's own work changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// What was odd about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lints: Vec<Lint>,
    /// The sequence number of the entry that said it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waited: Option<u64>,
}

#[cfg(test)]
impl Call {
    /// A call that was answered, for tests to alter.
    pub fn answered(operation: Operation, caller: Caller) -> Self {
        Self {
            number: 1,
            operation: Some(operation),
            request_line: None,
            caller,
            volume: None,
            id: None,
            mounted: false,
            headers: Headers::default(),
            body: Body::from(b"{}".to_vec()),
            fault: None,
            outcome: Outcome::Answered,
            status: Some(200),
            error: None,
            reply: Body::from(b"{}".to_vec()),
            took: Duration::ZERO,
            changes: Vec::new(),
            lints: Vec::new(),
            waited: None,
        }
    }
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// With an answer that says yes.
    Answered,
    /// With an answer that says no, or with a broken one or none, as a rule wanted.
    Failed,
    /// The caller gave up before the answer.
    Abandoned,
    /// The handler panicked; the caller got status 500.
    Panicked,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Answered, Self::Failed, Self::Abandoned, Self::Panicked];

    /// Its name in the journal and in counters.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Failed => "failed",
            Self::Abandoned => "abandoned",
            Self::Panicked => "panicked",
        }
    }
}

/// What a rule did to a call, or an outage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedFault {
    /// The rule's number; 0 where it was an outage.
    pub id: u32,
    /// The rule's label, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Arc<str>>,
    /// What it did, in the words of the rule language, or the command that began the outage.
    pub action: Arc<str>,
}

impl AppliedFault {
    /// What an outage does to the calls that reach it.
    pub fn of_outage(kind: Outage) -> Self {
        Self { id: 0, label: None, action: kind.command().into() }
    }

    /// The outage that did it, if one did.
    pub fn outage(&self) -> Option<Outage> {
        Outage::ALL.into_iter().find(|kind| self.id == 0 && *self.action == *kind.command())
    }

    /// How many bytes of memory it holds. Words that are its rule's are shared with it.
    fn weight(&self) -> usize {
        if Arc::strong_count(&self.action) > 1 { 0 } else { self.action.len() + 16 }
    }
}

/// A call that a rule keeps waiting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldCall {
    /// The call's number.
    pub number: u64,
    /// What was asked.
    pub operation: Operation,
    /// Who asked.
    pub caller: Caller,
    /// The volume that the request names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<Box<str>>,
    /// The mount ID that the request carries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Box<str>>,
    /// Whether the request has no body though its caller sends one, so that it is a retry.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retry: bool,
    /// Which rule keeps it.
    pub fault: AppliedFault,
    /// The answer that it gets if it is let go, as things stood when the wait began. None if that is on its way
    /// already, so that it can no longer be another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub natural: Option<OriginalReply>,
}

/// An answer without a fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OriginalReply {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Body,
}

/// A command that was carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandRun {
    /// The command line, as it can be typed again.
    pub line: String,
    /// What came of it, in words.
    pub effect: String,
    /// What it changed in the volumes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
}

/// A rule's beginning or end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleEvent {
    /// The rule's number.
    pub id: u32,
    /// The rule's label, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Arc<str>>,
    /// The rule in its own language.
    pub rule: Arc<str>,
    /// What became of it.
    pub event: RuleLifecycle,
}

/// What became of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RuleLifecycle {
    /// It acts from now on.
    Armed,
    /// A command ended it.
    Disarmed,
    /// It has fired as often as it may.
    Spent,
    /// Its time is over.
    Expired,
}

/// A request's headers. One engine sends the same again and again, so equal ones are shared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Headers(pub Arc<[(Box<str>, Box<str>)]>);

impl Headers {
    /// How many bytes of memory they hold, as far as nobody else shares them but whoever shares them out.
    fn weight(&self) -> usize {
        if Arc::strong_count(&self.0) > 2 {
            return 0;
        }
        self.0.iter().map(|(name, value)| size_of_val(&**name) + size_of_val(&**value) + 64).sum()
    }
}

/// A body as it was on the wire, cut to what is worth remembering.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Body {
    /// The first bytes, at most [`Body::KEPT`] of them.
    pub bytes: Bytes,
    /// How long it really was, in bytes.
    pub length: usize,
}

impl Body {
    /// How many bytes of a body are kept.
    pub const KEPT: usize = 16 * 1024;

    /// Remembers a body. A long one is copied, so that what is cut off is freed.
    pub fn new(bytes: &Bytes) -> Self {
        let kept = if bytes.len() > Self::KEPT {
            Bytes::copy_from_slice(&bytes[..Self::KEPT])
        } else {
            bytes.clone()
        };
        Self { bytes: kept, length: bytes.len() }
    }

    /// Its text, with what is not UTF-8 replaced.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self::new(&bytes.into())
    }
}

/// A whole text stays a text; anything else needs a form that can be read back.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum BodyForm<'b> {
    Text(std::borrow::Cow<'b, str>),
    Encoded { base64: String, length: usize },
}

impl Serialize for Body {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.bytes) {
            Ok(text) if self.bytes.len() == self.length => BodyForm::Text(text.into()),
            _ => BodyForm::Encoded { base64: BASE64_STANDARD.encode(&self.bytes), length: self.length },
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match BodyForm::deserialize(deserializer)? {
            BodyForm::Text(text) => text.into_owned().into_bytes().into(),
            BodyForm::Encoded { base64, length } => {
                let bytes = BASE64_STANDARD.decode(base64).map_err(serde::de::Error::custom)?;
                Self { bytes: bytes.into(), length }
            }
        })
    }
}

mod micros {
    use super::{Deserialize, Deserializer, Duration, Serializer};

    pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_micros)
    }
}

impl Entry {
    /// What an entry's half dozen pieces cost beside their own length, in bytes: what an allocator rounds up, and
    /// their places in the ring. `benches/hub.rs` shows it for 100,000 calls.
    const OVERHEAD: usize = 160;

    /// About how many bytes of memory it holds, for the journal's bound.
    pub fn weight(&self) -> usize {
        let changes = |changes: &[Change]| changes.iter().map(Change::weight).sum::<usize>();
        let held = size_of::<Self>()
            + 16
            + match &self.kind {
                EntryKind::Call(call) => {
                    let text = |text: &Option<Box<str>>| text.as_ref().map_or(0, |text| text.len() + 16);
                    size_of::<Call>()
                        + call.body.bytes.len()
                        + call.reply.bytes.len()
                        + text(&call.request_line)
                        + text(&call.volume)
                        + text(&call.id)
                        + text(&call.error)
                        + call.fault.as_ref().map_or(0, AppliedFault::weight)
                        + call.headers.weight()
                        + call.lints.len()
                        + changes(&call.changes)
                }
                EntryKind::Held(waiting) => {
                    let natural = waiting.natural.as_ref().map_or(0, |natural| natural.body.bytes.len());
                    waiting.volume.as_ref().map_or(0, |volume| volume.len()) + natural + 64
                }
                EntryKind::Command(execution) => {
                    execution.line.len() + execution.effect.len() + changes(&execution.changes)
                }
                EntryKind::Fault(event) => event.rule.len(),
                EntryKind::Driver { status } => status.len(),
                EntryKind::Scenario(event) => event.weight(),
                EntryKind::Note { text } => text.len(),
            };
        held + Self::OVERHEAD
    }

    /// The call, if it is the end of one.
    pub fn call(&self) -> Option<&Call> {
        if let EntryKind::Call(call) = &self.kind { Some(call) } else { None }
    }

    /// What it changed in the volumes.
    pub fn changes(&self) -> &[Change] {
        match &self.kind {
            EntryKind::Call(call) => &call.changes,
            EntryKind::Command(execution) => &execution.changes,
            _ => &[],
        }
    }
}
