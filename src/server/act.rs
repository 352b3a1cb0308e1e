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
    answer::{Answer, AnswerBody},
    draft::Draft,
    plugin::Plugin,
    wire::Cut,
};
use crate::domain::{
    fault::{Action, Ending, Phase, Verdict},
    protocol::{Operation, Reply, Request},
};

/// Acts a verdict out on a call, and records it.
pub async fn act_out(
    verdict: Verdict,
    plugin: &Plugin,
    operation: Operation,
    request: &Request,
    mut draft: Draft,
) -> Result<Response<AnswerBody>, Cut> {
    let Verdict { deed, action, phase } = verdict;
    draft.call().fault = Some(deed);
    let work = |phase, draft: &mut Draft| match phase {
        Phase::Instead => plugin.answer(operation, request),
        _ => worked(phase, plugin, operation, request, draft),
    };
    let (natural, action) = match action {
        Action::Hang | Action::Hold | Action::Delay { .. } => {
            let early = matches!(phase, Phase::After | Phase::Twice).then(|| work(phase, &mut draft));
            let natural = early.clone().unwrap_or_else(|| plugin.answer(operation, request));
            let ending = wait(&action, operation, &natural.into(), &mut draft).await;
            let Ending { action, phase } = ending.unwrap_or(Ending { action: Action::Pass, phase });
            (early.unwrap_or_else(|| work(phase, &mut draft)), action)
        }
        action => (work(phase, &mut draft), action),
    };
    let natural = Answer::from(natural);
    match action {
        Action::Reset => {
            draft.unanswered("the connection was reset");
            Err(Cut::Reset)
        }
        Action::Eof => {
            draft.unanswered("the connection was closed");
            Err(Cut::Eof)
        }
        Action::Truncate => Ok(truncated(&natural, draft)),
        Action::Drip { over } => {
            let ticket = draft.wait(operation, None);
            Ok(drip::dripping(&natural, over, ticket, draft))
        }
        Action::Stale => Ok(answered(&plugin.earlier_answer(operation, request).into(), draft)),
        Action::Lie => Ok(answered(&lie(plugin, operation, request).into(), draft)),
        _ => Ok(answered(&alter::altered(&action, natural), draft)),
    }
}

/// Waits as a rule says, and returns how the call shall end if not naturally.
async fn wait(action: &Action, operation: Operation, natural: &Answer, draft: &mut Draft) -> Option<Ending> {
    let mut ticket = draft.wait(operation, Some(natural));
    let ending = match action {
        Action::Delay { from, .. } => ticket.released_within(*from).await,
        _ => ticket.released().await,
    };
    ending.inspect(|ending| draft.released(ending))
}

fn answered(answer: &Answer, draft: Draft) -> Response<AnswerBody> {
    draft.answered(answer, &answer.body);
    answer.response()
}

/// Does the driver's work as often as the phase says, and keeps its last answer.
fn worked(
    phase: Phase,
    plugin: &Plugin,
    operation: Operation,
    request: &Request,
    draft: &mut Draft,
) -> Reply {
    let mut perform = || plugin.perform(operation, request, &mut draft.call().changes);
    if phase == Phase::Twice {
        perform();
    }
    perform()
}

/// Success, whatever is true.
fn lie(plugin: &Plugin, operation: Operation, request: &Request) -> Reply {
    match (operation, plugin.answer(operation, request)) {
        (Operation::Mount | Operation::Path, _) => Reply::Mountpoint(plugin.mountpoint(&request.name)),
        (Operation::Get, Reply::Refused(_) | Reply::Done) => plugin.invent(&request.name),
        (_, Reply::Refused(_)) => Reply::Done,
        (_, honest) => honest,
    }
}

/// The first half of an answer, and then the connection ends. The second half was promised by `Content-Length`.
fn truncated(natural: &Answer, draft: Draft) -> Response<AnswerBody> {
    let half = natural.body.slice(..natural.body.len() / 2);
    let line = Arc::clone(draft.line());
    draft.answered(&natural.clone().wrong("the answer broke off"), &half);
    // A body that fails makes the HTTP layer drop what it has not sent yet.
    let end = stream::once(async move {
        line.flushed().await;
        Err(Cut::Eof)
    });
    natural.streamed(stream::iter([Ok(half)]).chain(end))
}
