//! Acting out a verdict: what a rule does to a call, exactly as it shall be on the wire.
//!
//! Every action that gives an answer is a function of the natural one (`alter`). The others are about
//! time, about the connection, or about another answer than that of now.

mod alter;
mod drip;

use std::sync::Arc;

use futures_util::{StreamExt, stream};
use hyper::Response;

use super::{
    call_guard::CallGuard,
    driver::Plugin,
    fault_stream::Disconnect,
    http_reply::{HttpReply, ReplyBody},
};
use crate::domain::{
    model::protocol::{Operation, Reply, Request},
    rules::{Action, Injection, Phase, ReleaseAction},
};

/// Acts a verdict out on a call, and records it.
pub async fn inject(
    injection: Injection,
    plugin: &Plugin,
    operation: Operation,
    request: &Request,
    mut draft: CallGuard,
) -> Result<Response<ReplyBody>, Disconnect> {
    let Injection { fault, action, phase } = injection;
    draft.call().fault = Some(fault);
    let work = |phase, draft: &mut CallGuard| match phase {
        Phase::Instead => plugin.answer(operation, request),
        _ => worked(phase, plugin, operation, request, draft),
    };
    let (natural, action) = match action {
        Action::Hang | Action::Hold | Action::Delay { .. } => {
            let early = matches!(phase, Phase::After | Phase::Twice).then(|| work(phase, &mut draft));
            let natural = early.clone().unwrap_or_else(|| plugin.answer(operation, request));
            let release_action = wait(&action, operation, &natural.into(), &mut draft).await;
            let ReleaseAction { action, phase } =
                release_action.unwrap_or(ReleaseAction { action: Action::Pass, phase });
            (early.unwrap_or_else(|| work(phase, &mut draft)), action)
        }
        action => (work(phase, &mut draft), action),
    };
    let natural = HttpReply::from(natural);
    match action {
        Action::Reset => {
            draft.unanswered("the connection was reset");
            Err(Disconnect::Reset)
        }
        Action::Eof => {
            draft.unanswered("the connection was closed");
            Err(Disconnect::Eof)
        }
        Action::Truncate => Ok(truncated(&natural, draft)),
        Action::Drip { over } => {
            let ticket = draft.wait(operation, None);
            Ok(drip::dripping(&natural, over, ticket, draft))
        }
        Action::Stale => Ok(answered(&plugin.stale_reply(operation, request).into(), draft)),
        Action::Lie => Ok(answered(&lie(plugin, operation, request).into(), draft)),
        _ => Ok(answered(&alter::altered(&action, natural), draft)),
    }
}

/// Waits as a rule says, and returns how the call shall end if not naturally.
async fn wait(
    action: &Action,
    operation: Operation,
    natural: &HttpReply,
    draft: &mut CallGuard,
) -> Option<ReleaseAction> {
    let mut ticket = draft.wait(operation, Some(natural));
    let wakeup = match action {
        Action::Delay { from, .. } => ticket.released_within(*from).await,
        _ => ticket.released().await,
    }?;
    draft.released(wakeup.release);
    wakeup.action
}

fn answered(answer: &HttpReply, draft: CallGuard) -> Response<ReplyBody> {
    draft.answered(answer, &answer.body);
    answer.response()
}

/// Does the driver's work as often as the phase says, and keeps its last answer.
fn worked(
    phase: Phase,
    plugin: &Plugin,
    operation: Operation,
    request: &Request,
    draft: &mut CallGuard,
) -> Reply {
    let mut perform = || plugin.perform(operation, request, draft.call());
    if phase == Phase::Twice {
        perform();
    }
    perform()
}

/// Success, whatever is true.
fn lie(plugin: &Plugin, operation: Operation, request: &Request) -> Reply {
    match (operation, plugin.answer(operation, request)) {
        (Operation::Mount | Operation::Path, _) => Reply::Mountpoint(plugin.mountpoint(&request.name)),
        (Operation::Get, Reply::Refused(_) | Reply::Done) => plugin.fake_volume(&request.name),
        (_, Reply::Refused(_)) => Reply::Done,
        (_, honest) => honest,
    }
}

/// The first half of an answer, and then the connection ends. The second half was promised by `Content-Length`.
fn truncated(natural: &HttpReply, draft: CallGuard) -> Response<ReplyBody> {
    let half = natural.body.slice(..natural.body.len() / 2);
    let line = Arc::clone(draft.line());
    draft.answered(&natural.clone().wrong("the answer broke off"), &half);
    // A body that fails makes the HTTP layer drop what it has not sent yet.
    let end = stream::once(async move {
        line.flushed().await;
        Err(Disconnect::Eof)
    });
    natural.streamed(stream::iter([Ok(half)]).chain(end))
}
