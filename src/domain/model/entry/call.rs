//! A call, and its phase as a held call.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::{
    body::{Body, Headers},
    micros,
    rule::RuleDecision,
};
use crate::domain::model::{
    fault::{AppliedFault, Release},
    lint::Lint,
    peer::Peer,
    protocol::{Caller, Operation},
    volume::Change,
};

/// A request, what was done to it, and how it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, and a key of the entry")]
pub struct Call {
    /// Its number, from 1, in the order of arrival.
    #[serde(rename = "call")]
    pub number: u64,
    /// What was asked, if the path is one of the protocol's.
    pub operation: Option<Operation>,
    /// The request's method and path, where they are not what the operation says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_line: Option<Box<str>>,
    /// Who asked.
    pub caller: Caller,
    /// The number of the connection that it came on.
    pub connection: u64,
    /// Who connected, if the system says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<Arc<Peer>>,
    /// Whether it is the first call of its peer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub first_contact: bool,
    /// The volume that the request names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<Box<str>>,
    /// The mount ID that the request carries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mount_id: Option<Box<str>>,
    /// Whether the driver knew the volume when the call arrived.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub known: bool,
    /// Whether the volume had an open mount when the call arrived.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mounted: bool,
    /// Whether its mount ID was mounted on the volume when it arrived.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub id_mounted: bool,
    /// The request's headers, names in lower case, in the order of their arrival.
    pub headers: Headers,
    /// The request's body.
    pub request: Body,
    /// What a rule or an outage did to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Box<AppliedFault>>,
    /// What each rule for this operation decided, in their order. Calls with the same decisions share them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evaluation: Option<Arc<[RuleDecision]>>,
    /// How it ended.
    pub outcome: Outcome,
    /// The HTTP status of the reply, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The error that the caller got, or why there was no reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Box<str>>,
    /// The reply's body.
    pub reply: Body,
    /// From the request's head to the reply, or to the end without one.
    #[serde(rename = "duration_us", with = "micros")]
    #[cfg_attr(test, schemars(with = "u64"))]
    pub duration: Duration,
    /// What the driver's own work changed. The `volume` entries say when.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// Protocol warnings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lints: Vec<Lint>,
    /// The `seq` of its `held` entry, if a rule held it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_seq: Option<u64>,
    /// What the upstream replied, if the call was forwarded to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream: Option<Box<UpstreamReply>>,
}

/// A reply of the upstream. Of two, the second.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct UpstreamReply {
    /// The HTTP status.
    pub status: u16,
    /// From the request to the end of the reply.
    #[serde(rename = "duration_us", with = "micros")]
    #[cfg_attr(test, schemars(with = "u64"))]
    pub duration: Duration,
    /// The body, if another one was sent to the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<Body>,
    /// Whether a command masks what it says of a volume.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub masked: bool,
}

#[cfg(test)]
impl Call {
    /// A call that went well, for tests to alter.
    pub fn ok(operation: Operation, caller: Caller) -> Self {
        Self {
            number: 1,
            operation: Some(operation),
            caller,
            connection: 1,
            request: Body::from(b"{}".to_vec()),
            outcome: Outcome::Ok,
            status: Some(200),
            reply: Body::from(b"{}".to_vec()),
            ..Self::default()
        }
    }
}

impl Call {
    /// The operation, if it was called as the protocol has it: a GET of its path is no call.
    pub fn called(&self) -> Option<Operation> {
        self.operation.filter(|_| self.request_line.is_none())
    }

    /// Whether the request has no body though its caller sends one.
    pub fn is_retry(&self) -> bool {
        self.request.length == 0
            && self.called().is_some_and(|operation| self.caller.sends_body_for(operation))
    }

    /// How many bytes of memory it holds.
    pub(super) fn size_estimate(&self) -> usize {
        let text = |text: &Option<Box<str>>| text.as_ref().map_or(0, |text| text.len() + 16);
        size_of::<Self>()
            + self.request.bytes.len()
            + self.reply.bytes.len()
            + text(&self.request_line)
            + text(&self.volume)
            + text(&self.mount_id)
            + text(&self.error)
            + self.fault.as_ref().map_or(0, |fault| size_of::<AppliedFault>() + 16 + fault.size_estimate())
            + self.evaluation.as_ref().map_or(0, shared_size)
            + self.headers.size_estimate()
            + self.lints.len()
            + self.changes.iter().map(Change::size_estimate).sum::<usize>()
            + self.upstream.as_ref().map_or(0, |upstream| {
                let reply = upstream.reply.as_ref().map_or(0, |reply| reply.bytes.len());
                size_of::<UpstreamReply>() + 16 + reply
            })
    }
}

/// How many bytes of memory decisions hold, unless other calls share them.
fn shared_size(decisions: &Arc<[RuleDecision]>) -> usize {
    if Arc::strong_count(decisions) > 2 { 0 } else { size_of_val(&**decisions) + 16 }
}

/// How a call ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Outcome {
    /// With a reply without an error.
    Ok,
    /// With an error, or with a broken reply or none because of a fault.
    Error,
    /// The caller closed the connection before the reply.
    #[default]
    Cancelled,
    /// The handler panicked; the caller got status 500.
    Panicked,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Ok, Self::Error, Self::Cancelled, Self::Panicked];

    /// Its name in entries and counters.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A call that a rule keeps waiting. Its end is a later `call` entry with the same number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HeldCall {
    /// The call's number.
    #[serde(rename = "call")]
    pub number: u64,
    /// What was asked, if the path is one of the protocol's.
    pub operation: Option<Operation>,
    /// The request's method and path, where they are not what the operation says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_line: Option<Box<str>>,
    /// Who asked.
    pub caller: Caller,
    /// The number of the connection that it came on.
    pub connection: u64,
    /// Who connected, if the system says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<Arc<Peer>>,
    /// The volume that the request names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<Box<str>>,
    /// The mount ID that the request carries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mount_id: Option<Box<str>>,
    /// Whether the request has no body though its caller sends one, so that it is a retry.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retry: bool,
    /// How many calls must wait until all are released, if a barrier holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub barrier: Option<u64>,
    /// What holds it.
    pub fault: AppliedFault,
    /// The reply without the fault, as of now. None if the reply has begun, so that it can no longer be another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<OriginalReply>,
}

/// A reply without a fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OriginalReply {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Body,
}

impl HeldCall {
    /// The held phase of a call, without a barrier and an original reply.
    pub fn of(call: &Call, fault: AppliedFault) -> Self {
        Self {
            number: call.number,
            operation: call.operation,
            request_line: call.request_line.clone(),
            caller: call.caller,
            connection: call.connection,
            peer: call.peer.clone(),
            volume: call.volume.clone(),
            mount_id: call.mount_id.clone(),
            retry: call.is_retry(),
            barrier: None,
            fault,
            original: None,
        }
    }

    /// How many bytes of memory it holds.
    pub(super) fn size_estimate(&self) -> usize {
        let original = self.original.as_ref().map_or(0, |original| original.body.bytes.len());
        let text = |text: &Option<Box<str>>| text.as_ref().map_or(0, |text| text.len() + 16);
        size_of::<Self>() + text(&self.request_line) + text(&self.volume) + text(&self.mount_id) + original
    }
}

/// A held call was released before its own time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReleasedCall {
    /// The call's number.
    pub call: u64,
    /// How.
    #[serde(flatten)]
    pub release: Release,
}
