//! Fault injection: what a rule does to a call, exactly as it should be on the wire.
//!
//! Most actions are a function of the original reply (`alter`). The others delay it, end the connection, or
//! replace the reply with another one of the driver's.

mod alter;
mod drip;

use std::sync::Arc;

use axum::response::Response;
use futures_util::{StreamExt, stream};
use serde_json::Value;

use super::{
    call_guard::CallGuard,
    driver::{Driver, Preview},
    fault_stream::Disconnect,
    http_reply::HttpReply,
};
use crate::{
    domain::{
        model::{
            protocol::{Operation, Reply, Request},
            volume::Volumes,
        },
        rules::{Action, CallValues, Injection, Phase, ReleaseAction},
    },
    hub::Hub,
};

/// Applies a rule to a call, and records the call.
pub async fn inject<D: Driver>(
    injection: Injection,
    driver: &D,
    operation: Operation,
    request: &Request,
    mut guard: CallGuard,
) -> Response {
    let Injection { fault, action, phase } = injection;
    guard.call().fault = Some(fault);
    let call = FaultyCall { driver, operation, request };
    let (original, action) = match action {
        Action::Hang | Action::Hold | Action::Barrier { .. } | Action::Delay { .. } => {
            let done = match phase {
                Phase::After | Phase::Twice => Some(call.run(phase, &mut guard).await),
                Phase::Before | Phase::Instead => None,
            };
            let expected = done.clone().unwrap_or_else(|| call.preview(Preview::Current));
            let release_action = wait_for_release(&action, operation, &expected.into(), &mut guard).await;
            let ReleaseAction { action, phase } =
                release_action.unwrap_or(ReleaseAction { action: Action::Pass, phase });
            match done {
                Some(reply) => (reply, action),
                None => (call.run(phase, &mut guard).await, action),
            }
        }
        action => (call.run(phase, &mut guard).await, action),
    };
    let original = HttpReply::from(original);
    match action {
        Action::Reset => guard.disconnect(Disconnect::Reset, "the connection was reset"),
        Action::Eof => guard.disconnect(Disconnect::Eof, "the connection was closed"),
        Action::Truncate => truncated(&original, guard),
        Action::Drip { over } => {
            let held = guard.record_held(operation, None, None);
            drip::dripping(&original, over, held, guard)
        }
        Action::Stale => guard.reply(call.preview(Preview::Stale).into()),
        Action::Lie => guard.reply(call.preview(Preview::Success).into()),
        _ => {
            let reply = call.altered(&action, original, guard.hub());
            guard.reply(reply)
        }
    }
}

/// A call and the driver that it is for.
struct FaultyCall<'c, D> {
    driver: &'c D,
    operation: Operation,
    request: &'c Request,
}

impl<D: Driver> FaultyCall<'_, D> {
    /// Executes the call as often as the phase says, and keeps the last reply.
    async fn run(&self, phase: Phase, guard: &mut CallGuard) -> Reply {
        if phase == Phase::Instead {
            return self.preview(Preview::Current);
        }
        let call = guard.call();
        if phase == Phase::Twice {
            self.driver.call(self.operation, self.request, call).await;
        }
        self.driver.call(self.operation, self.request, call).await
    }

    /// The original reply as an action alters it.
    fn altered(&self, action: &Action, original: HttpReply, hub: &Hub) -> HttpReply {
        let natural = String::from_utf8_lossy(&original.body).into_owned();
        let recorded =
            |volumes: &Volumes| volumes.known(&self.request.name).map(|volume| volume.options.clone());
        let (mountpoint, options) = match action {
            Action::Reply { .. } | Action::Set { .. } => {
                let recorded = recorded(&hub.volumes()).filter(|_| self.operation != Operation::Create);
                (self.mountpoint(&natural), recorded)
            }
            _ => Default::default(),
        };
        let values = CallValues {
            volume: &self.request.name,
            id: &self.request.id,
            mountpoint: &mountpoint,
            natural: &natural,
            options: options.as_ref().unwrap_or(&self.request.options),
        };
        alter::altered(action, original, &values)
    }

    /// The volume's mountpoint: that of the original reply, else the one that the driver knows.
    fn mountpoint(&self, natural: &str) -> String {
        let reply: Value = serde_json::from_str(natural).unwrap_or_default();
        let in_reply =
            [&reply["Mountpoint"], &reply["Volume"]["Mountpoint"]].into_iter().find_map(Value::as_str);
        let known = || match self.driver.preview(Operation::Path, self.request, Preview::Success) {
            Some(Reply::Mountpoint(path)) => path,
            _ => String::new(),
        };
        in_reply.map_or_else(known, str::to_owned)
    }

    /// A reply without the work; plain success from a driver that does not know.
    fn preview(&self, preview: Preview) -> Reply {
        self.driver.preview(self.operation, self.request, preview).unwrap_or(Reply::Done)
    }
}

/// Holds the call as the rule says, and returns the action it is released with, if there is one.
async fn wait_for_release(
    action: &Action,
    operation: Operation,
    original: &HttpReply,
    guard: &mut CallGuard,
) -> Option<ReleaseAction> {
    let barrier = if let Action::Barrier { calls, .. } = action { Some(*calls) } else { None };
    let mut held = guard.record_held(operation, barrier, Some(original));
    let wakeup = match action {
        Action::Delay { from: limit, .. } | Action::Barrier { within: Some(limit), .. } => {
            held.wait_at_most(*limit).await
        }
        _ => held.wait().await,
    }?;
    guard.note_release(wakeup.release);
    wakeup.action
}

/// Sends the first half of a reply and closes the connection; `Content-Length` is that of the whole.
fn truncated(original: &HttpReply, guard: CallGuard) -> Response {
    let half = original.body.slice(..original.body.len() / 2);
    let control = Arc::clone(guard.control());
    guard.record_reply(&original.clone().with_error("the reply is incomplete"), &half);
    // When a body fails, hyper drops what it has not sent yet, so the first half must be flushed before.
    let end = stream::once(async move {
        control.flushed().await;
        Err(Disconnect::Eof)
    });
    original.streamed(stream::iter([Ok(half)]).chain(end))
}
