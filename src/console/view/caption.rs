//! The caption, for a room: the last key and the command that it meant, what the last call was, and what
//! its caller will make of it.

use std::time::Duration;

use ratatui::{
    buffer::Buffer,
    style::Style,
    text::{Line, Span},
    widgets::{Block, Widget},
};

use super::{View, banner::since, put, row};
use crate::{
    console::{
        app::{LastKey, Status},
        text,
    },
    domain::{
        model::{
            entry::{Call, Entry, EntryKind, Outcome},
            fault::{AppliedFault, Phase},
            protocol::{Caller, Operation},
        },
        rules::{RuleState, reaction},
    },
};

/// How many rows it needs.
pub const HEIGHT: u16 = 7;
/// From so many rows on there is room for it.
pub const LEAST: u16 = 24;

/// How long a call that a rule acted on stays in the caption, though others follow.
const STAYS: Duration = Duration::from_secs(10);

/// Draws it.
pub fn render(view: &View<'_>, buffer: &mut Buffer) {
    let area = view.screen.caption;
    if area.height == 0 {
        return;
    }
    let styles = &view.theme.styles;
    let block = Block::bordered()
        .border_set(view.theme.glyphs.focus)
        .border_style(styles.focus)
        .title(Line::styled(" What happens ", styles.focus));
    let inner = block.inner(area);
    block.render(area, buffer);
    let width = usize::from(inner.width).saturating_sub(2);
    let mut row = 0;
    let mut say = |spans: Vec<(String, Style)>| {
        for line in wrapped(&spans, width) {
            put(buffer, inner, row, &line);
            row += 1;
        }
    };
    say(pressed(view));
    if let Some((said, style)) = last_call(view) {
        say(vec![(said, style)]);
    }
}

fn pressed(view: &View<'_>) -> Vec<(String, Style)> {
    let styles = &view.theme.styles;
    let mut said = Vec::new();
    if let Some(LastKey { key, action, answered }) = &view.app.last_key {
        said.push((format!("[{key}] "), styles.key));
        if !answered {
            said.push((action.control().help.to_owned(), styles.quiet));
            return said;
        }
    }
    match &view.app.status {
        Status::Quiet if said.is_empty() => {
            said.push(("Press a key: ? shows them all.".into(), styles.quiet));
        }
        Status::Quiet => {}
        Status::StyledText { line: Some(line), text } => {
            said.push((format!(": {line} "), styles.command));
            said.push((format!("{} {text}", view.theme.glyphs.arrow), styles.text));
        }
        Status::StyledText { line: None, text } => said.push((text.clone(), styles.text)),
        Status::Failed { why, .. } => said.push((why.clone(), styles.bad)),
    }
    said
}

/// The newest call that a rule acted on, or else the newest of all, in one or two sentences.
fn last_call(view: &View<'_>) -> Option<(String, Style)> {
    let styles = &view.theme.styles;
    let haunted = view.app.calls.newest_call(true).filter(|entry| {
        since(view.snapshot.at, entry.at) < STAYS && entry.call().is_none_or(|call| is_in_force(view, call))
    });
    let entry = haunted.or_else(|| view.app.calls.newest_call(false))?;
    Some(match &entry.kind {
        EntryKind::Held(waiting) => {
            let asked = asked(waiting.operation, waiting.volume.as_deref());
            let next = next_attempt(view, entry);
            (format!("{} asks {asked}, and gets no answer yet.{next}", name(waiting.caller)), styles.warning)
        }
        _ => explained(view, entry, entry.call()?),
    })
}

/// What the engine does next, as far as that is known.
fn next_attempt(view: &View<'_>, entry: &Entry) -> String {
    let next = view.app.retries.next_attempt(entry, view.snapshot.at);
    next.map_or_else(String::new, |next| format!(" It {next}."))
}

/// Whether the rule that acted on a call may be shown as if it were now.
fn is_in_force(view: &View<'_>, call: &Call) -> bool {
    let rule = call
        .fault
        .as_ref()
        .and_then(|fault| view.snapshot.faults.iter().find(|rule| Some(rule.id) == fault.rule()));
    rule.is_some_and(|rule| rule.state != RuleState::Expired)
}

fn explained(view: &View<'_>, entry: &Entry, call: &Call) -> (String, Style) {
    let styles = &view.theme.styles;
    let who = name(call.caller);
    // A retry does not say which volume it is about, but what it repeats did.
    let chain = view.app.retries.chain(entry.seq);
    let is_again = chain.is_some_and(|chain| chain.attempts()[0].seq != entry.seq);
    let volume = call.volume.as_deref().or_else(|| chain?.volume());
    let asks = call.operation.map_or_else(
        || "something that is not in the protocol".to_owned(),
        |operation| format!("{}{}", if is_again { "again " } else { "" }, asked(operation, volume)),
    );
    let (outcome, style) = row::outcome(view, call);
    let Some(does) = call.fault.as_ref().and_then(|fault| fault_text(fault, call)) else {
        let answer = match call.outcome {
            Outcome::Ok => "and is told: done.".to_owned(),
            _ => format!("and is told: {outcome}"),
        };
        return (format!("{who} asks {asks}, {answer}"), style);
    };
    // Where attempts are counted, the count says more than what is known of the engine.
    let next = if chain.is_some() {
        next_attempt(view, entry)
    } else {
        let fact = reaction(call).and_then(|forecast| forecast.fact);
        fact.map_or_else(String::new, |fact| format!(" {who} {}.", fact.reaction))
    };
    let ago = since(view.snapshot.at, entry.at).as_secs();
    let when = if chain.is_none() && ago > 1 { format!("{ago} s ago: ") } else { String::new() };
    (format!("{when}{who} asks {asks}. voltergeist {does}.{next}"), styles.fault)
}

/// What voltergeist did to a call, as a sentence goes on after its name; none if it let the call be.
fn fault_text(fault: &AppliedFault, call: &Call) -> Option<String> {
    let does = action_text(&fault.action, call)?;
    Some(match fault.release_action().and_then(|action| action_text(action, call)) {
        Some(end) => format!("{does}, then {end}"),
        None if fault.phase == Phase::After => format!("does it, but then {does}"),
        None => does,
    })
}

/// What an action does, by its first word.
fn action_text(action: &str, call: &Call) -> Option<String> {
    let word = action.split(' ').next().unwrap_or_default();
    Some(match word {
        "fail" => {
            let message = call.error.as_deref().map(str::trim).filter(|error| !error.is_empty());
            message
                .map_or_else(|| "refuses".to_owned(), |error| format!("refuses: \"{}\"", text::clean(error)))
        }
        word => FAULT_COLUMN.iter().find(|(known, _)| *known == word).map(|(_, does)| (*does).to_owned())?,
    })
}

/// What voltergeist does, by the first word of the action.
const FAULT_COLUMN: [(&str, &str); 21] = [
    ("reply", "answers what it was told to answer"),
    ("empty", "answers with nothing in it"),
    ("null", "answers with nothing at all"),
    ("garbage", "answers with a web page"),
    ("truncate", "breaks off in the middle of its answer"),
    ("wrong-type", "answers in a form that is not due"),
    ("two-bodies", "answers twice at once"),
    ("reset", "breaks the connection"),
    ("eof", "hangs up without an answer"),
    ("hang", "keeps it waiting"),
    ("hold", "keeps it waiting"),
    ("delay", "takes its time"),
    ("drip", "answers byte by byte"),
    ("mountpoint", "names another directory"),
    ("rename", "names another volume"),
    ("scope", "claims another reach"),
    ("implements", "claims to be another kind of plugin"),
    ("bad-time", "gives a date that nobody can read"),
    ("null-entry", "leaves a hole in its list"),
    ("stale", "answers what was true before"),
    ("lie", "says yes, and does nothing"),
];

/// A caller as a room knows it.
const fn name(caller: Caller) -> &'static str {
    match caller {
        Caller::Docker | Caller::Simulated => "docker",
        Caller::Podman => "podman",
        Caller::Other => "somebody",
    }
}

/// A call as a sentence goes on after "docker asks".
fn asked(operation: Operation, volume: Option<&str>) -> String {
    let volume = volume.filter(|name| !name.is_empty()).map_or("a volume without a name".into(), text::clean);
    match operation {
        Operation::Activate => "what this plugin can do".into(),
        Operation::Capabilities => "how far its volumes reach".into(),
        Operation::Create => format!("for a new volume {volume}"),
        Operation::Get => format!("whether there is a volume {volume}"),
        Operation::List => "which volumes there are".into(),
        Operation::Path => format!("where {volume} is"),
        Operation::Mount => format!("to mount {volume}"),
        Operation::Unmount => format!("to unmount {volume}"),
        Operation::Remove => format!("to remove {volume}"),
    }
}

/// Breaks spans into lines, at spaces.
fn wrapped(spans: &[(String, Style)], width: usize) -> Vec<Line<'static>> {
    let mut lines = vec![Line::raw(" ")];
    let mut left = width;
    for (text, style) in spans {
        for word in text::clean(text).split_inclusive(' ') {
            let cells = text::width(word.trim_end());
            if cells > left && left < width {
                lines.push(Line::raw(" "));
                left = width;
            }
            let word = text::fit(word, left, "").into_owned();
            left = left.saturating_sub(text::width(&word));
            if let Some(line) = lines.last_mut() {
                line.spans.push(Span::styled(word, *style));
            }
        }
    }
    lines
}
