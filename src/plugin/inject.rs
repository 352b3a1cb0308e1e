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
    connection_control::Disconnect,
    driver::{Driver, DriverCall, Preview},
    http_reply::HttpReply,
};
use crate::{
    domain::{
        model::{
            entry::Call,
            protocol::{Operation, Reply},
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
    call: &DriverCall<'_>,
    mut guard: CallGuard,
) -> Response {
    let Injection { fault, action, phase } = injection;
    guard.call().fault = Some(Box::new(fault));
    let call = FaultyCall { driver, call };
    match original(&call, action, phase, &mut guard).await {
        Ok((original, action)) => respond(&call, &action, original, guard),
        Err((disconnect, reason)) => guard.disconnect(disconnect, &reason),
    }
}

/// Why there is no original reply: the upstream has ended the connection in this way.
type Ended = (Disconnect, Box<str>);

/// Waits and works as the rule says, and returns the original reply and what is to be done to it.
async fn original<D: Driver>(
    call: &FaultyCall<'_, D>,
    action: Action,
    phase: Phase,
    guard: &mut CallGuard,
) -> Result<(HttpReply, Action), Ended> {
    Ok(match action {
        Action::Hang | Action::Hold | Action::Barrier { .. } | Action::Delay { .. } => {
            let done = match phase {
                Phase::After | Phase::Twice => Some(call.run(phase, guard.call()).await?),
                Phase::Before | Phase::Instead => None,
            };
            let expected = done.clone().unwrap_or_else(|| call.preview(Preview::Current));
            let release_action = wait_for_release(&action, &expected, guard).await;
            let ReleaseAction { action, phase } =
                release_action.unwrap_or(ReleaseAction { action: Action::Pass, phase });
            match done {
                Some(reply) => (reply, action),
                None => (call.run(phase, guard.call()).await?, action),
            }
        }
        action => (call.run(phase, guard.call()).await?, action),
    })
}

/// Alters the reply, and records the call.
fn respond<D: Driver>(
    call: &FaultyCall<'_, D>,
    action: &Action,
    original: HttpReply,
    mut guard: CallGuard,
) -> Response {
    match action {
        Action::Reset => guard.disconnect(Disconnect::Reset, "the connection was reset"),
        Action::Eof => guard.disconnect(Disconnect::Eof, "the connection was closed"),
        Action::Truncate => truncated(&original, guard),
        Action::Drip { over } => {
            let held = guard.record_held(None, None);
            drip::dripping(&original, *over, held, guard)
        }
        Action::Stale => {
            let stale = call.known(Preview::Stale);
            guard.reply(stale.unwrap_or(original))
        }
        Action::Lie => guard.reply(call.preview(Preview::Success)),
        _ => {
            let before = original.body.clone();
            let reply = call.altered(action, original, guard.hub());
            if let Some(fault) = guard.call().fault.as_mut().filter(|_| action.alters_parts()) {
                fault.unaltered = alter::is_same(&before, &reply.body);
            }
            guard.reply(reply)
        }
    }
}

/// A call and the driver that it is for.
struct FaultyCall<'c, D> {
    driver: &'c D,
    call: &'c DriverCall<'c>,
}

impl<D: Driver> FaultyCall<'_, D> {
    /// Executes the call as often as the phase says, and keeps the last reply.
    async fn run(&self, phase: Phase, recorded: &mut Call) -> Result<HttpReply, Ended> {
        if phase == Phase::Instead {
            return Ok(self.preview(Preview::Current));
        }
        if phase == Phase::Twice {
            self.driver.call(self.call, recorded).await.collect(recorded).await?;
        }
        self.driver.call(self.call, recorded).await.collect(recorded).await
    }

    /// The original reply as an action alters it.
    fn altered(&self, action: &Action, original: HttpReply, hub: &Hub) -> HttpReply {
        let original_body = String::from_utf8_lossy(&original.body).into_owned();
        let recorded =
            |volumes: &Volumes| volumes.known(&self.call.request.name).map(|volume| volume.options.clone());
        let (mountpoint, options) = match action {
            Action::Reply { .. } | Action::Set { .. } => {
                let recorded =
                    recorded(&hub.volumes()).filter(|_| self.call.operation != Some(Operation::Create));
                (self.mountpoint(&original_body), recorded)
            }
            _ => Default::default(),
        };
        let values = CallValues {
            volume: &self.call.request.name,
            id: &self.call.request.id,
            mountpoint: &mountpoint,
            original: &original_body,
            options: options.as_ref().unwrap_or(&self.call.request.options),
        };
        alter::altered(action, original, &values)
    }

    /// The volume's mountpoint: that of the original reply, else the one that the driver knows.
    fn mountpoint(&self, original_body: &str) -> String {
        let reply: Value = serde_json::from_str(original_body).unwrap_or_default();
        let in_reply =
            [&reply["Mountpoint"], &reply["Volume"]["Mountpoint"]].into_iter().find_map(Value::as_str);
        let known = || {
            let reply = self.driver.preview(Operation::Path, self.call.request, Preview::Success)?;
            let reply: Value = serde_json::from_slice(&reply.body).ok()?;
            reply["Mountpoint"].as_str().map(str::to_owned)
        };
        in_reply.map(str::to_owned).or_else(known).unwrap_or_default()
    }

    /// A reply without the work, if the driver knows it.
    fn known(&self, preview: Preview) -> Option<HttpReply> {
        self.call.operation.and_then(|operation| self.driver.preview(operation, self.call.request, preview))
    }

    /// A reply without the work; where the driver knows none, plain success of what it forwards.
    fn preview(&self, preview: Preview) -> HttpReply {
        let unknown = || if D::FORWARDS { Reply::Done.into() } else { HttpReply::not_found() };
        self.known(preview).unwrap_or_else(unknown)
    }
}

/// Holds the call as the rule says, and returns the action it is released with, if there is one.
async fn wait_for_release(
    action: &Action,
    original: &HttpReply,
    guard: &mut CallGuard,
) -> Option<ReleaseAction> {
    let barrier = if let Action::Barrier { calls, .. } = action { Some(*calls) } else { None };
    let mut held = guard.record_held(barrier, Some(original));
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
