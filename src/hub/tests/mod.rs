//! The hub as a whole, with calls and commands.

mod admission;
mod commands;
mod held;

use std::{sync::Arc, time::Duration};

use tokio::time::{advance, timeout};

use super::{CommandFailed, HeldCallGuard, Hub, InMemoryStore};
use crate::domain::{
    model::{
        entry::{Call, Cause, EntryKind, HeldCall, OriginalReply, RuleEvent, Session},
        lint::Lint,
        origin::Origin,
        protocol::{Caller, Operation, Request},
        volume::{Change, Volumes},
    },
    rules::{Injection, RuleState},
    state::journal::Bounds,
};

/// The result of a command.
pub(super) fn run(hub: &Hub, line: &str) -> String {
    hub.command_line(line, Origin::Line).unwrap_or_else(|error| panic!("{line}: {error}")).text
}

/// Why a command is refused.
pub(super) fn refused(hub: &Hub, line: &str) -> String {
    hub.command_line(line, Origin::Line).expect_err(line).to_string()
}

pub(super) fn request(volume: &str) -> Request {
    Request { name: volume.into(), ..Request::default() }
}

pub(super) fn arrival(hub: &Hub, operation: Operation, request: &Request) -> (Call, Option<Injection>) {
    let volume = (!request.name.is_empty()).then(|| request.name.as_str().into());
    let mut call = Call { number: hub.next_call(), volume, ..Call::ok(operation, Caller::Docker) };
    let injection = hub.admit(&mut call, request);
    (call, injection)
}

pub(super) fn admit(hub: &Hub, operation: Operation, volume: &str) -> Option<Injection> {
    arrival(hub, operation, &request(volume)).1
}

pub(super) fn lints(hub: &Hub, operation: Operation, volume: &str) -> Vec<Lint> {
    arrival(hub, operation, &request(volume)).0.lints
}

/// A call that comes and ends, as the server records it. Returns its number.
pub(super) fn call(hub: &Hub, operation: Operation, volume: &str) -> u64 {
    let (mut call, injection) = arrival(hub, operation, &request(volume));
    call.fault = injection.map(|injection| injection.fault.into());
    let number = call.number;
    hub.record(EntryKind::Call(Box::new(call)));
    number
}

pub(super) fn hold(hub: &Arc<Hub>, call: u64, injection: Injection) -> HeldCallGuard {
    hub.record_held(HeldCall {
        number: call,
        original: Some(OriginalReply { status: 200, body: b"{}\n".to_vec().into() }),
        ..HeldCall::of(&Call::ok(Operation::Mount, Caller::Docker), injection.fault)
    })
}

/// A call that the first armed rule holds.
pub(super) fn held(hub: &Arc<Hub>) -> HeldCallGuard {
    let (call, injection) = arrival(hub, Operation::Mount, &request("v"));
    hold(hub, call.number, injection.expect("a rule acts"))
}

/// A held call goes on and ends, as the server records it.
pub(super) fn end(hub: &Hub, guard: HeldCallGuard) {
    let (call, held_seq) = (guard.call, Some(guard.seq));
    drop(guard);
    let call = Call { number: call, held_seq, ..Call::ok(Operation::Mount, Caller::Docker) };
    hub.record(EntryKind::Call(Box::new(call)));
}

pub(super) async fn is_free(guard: &mut HeldCallGuard) -> bool {
    timeout(Duration::from_millis(1), guard.wait()).await.is_ok()
}
