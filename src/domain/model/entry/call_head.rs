//! What the two entries of a call have in common: its held phase and its end.

use super::{AppliedFault, Call, Entry, EntryKind, HeldCall};
use crate::domain::model::{
    peer::Peer,
    protocol::{Caller, Operation},
};

/// What is known of a call from its arrival on.
#[derive(Clone, Copy, Debug)]
pub struct CallHead<'e> {
    /// Its number.
    pub number: u64,
    /// What was asked, if the path is one of the protocol's.
    pub operation: Option<Operation>,
    /// The request's method and path, where they are not what the operation says.
    pub request_line: Option<&'e str>,
    /// Who asked.
    pub caller: Caller,
    /// The number of the connection.
    pub connection: u64,
    /// Who connected.
    pub peer: Option<&'e Peer>,
    /// The volume that the request names.
    pub volume: Option<&'e str>,
    /// The mount ID in the request.
    pub mount_id: Option<&'e str>,
    /// Whether the request has no body though its caller sends one.
    pub retry: bool,
    /// What a rule or an outage did to it.
    pub fault: Option<&'e AppliedFault>,
}

/// The head of a call's end or of its held phase, whose fields have the same names.
macro_rules! head {
    ($call:expr, $retry:expr, $fault:expr) => {
        CallHead {
            number: $call.number,
            operation: $call.operation,
            request_line: $call.request_line.as_deref(),
            caller: $call.caller,
            connection: $call.connection,
            peer: $call.peer.as_deref(),
            volume: $call.volume.as_deref(),
            mount_id: $call.mount_id.as_deref(),
            retry: $retry,
            fault: $fault,
        }
    };
}

impl Call {
    /// What is known from the arrival on.
    pub fn head(&self) -> CallHead<'_> {
        head!(self, self.is_retry(), self.fault.as_deref())
    }
}

impl HeldCall {
    /// What is known from the arrival on.
    pub fn head(&self) -> CallHead<'_> {
        head!(self, self.retry, Some(&self.fault))
    }
}

impl Entry {
    /// The call that it is the end or the held phase of.
    pub fn head(&self) -> Option<CallHead<'_>> {
        match &self.kind {
            EntryKind::Call(call) => Some(call.head()),
            EntryKind::Held(held) => Some(held.head()),
            _ => None,
        }
    }

    /// The number of the call that it is the end or the held phase of.
    pub fn call_number(&self) -> Option<u64> {
        self.head().map(|call| call.number)
    }

    /// The volume and the mount ID of the call that it is the end or the held phase of.
    pub fn about(&self) -> (Option<&str>, Option<&str>) {
        self.head().map_or((None, None), |call| (call.volume, call.mount_id))
    }
}
