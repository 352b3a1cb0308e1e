//! The narration for an audience: the last key and its command, the last call, and how its client reacts.

use std::time::Duration;

use ratatui::{
    buffer::Buffer,
    style::Style,
    text::{Line, Span},
    widgets::Block,
};

use crate::{
    console::{
        input::action::KeyAction,
        model::{
            mode::{LastKey, StatusLine, StatusSource},
            ticking::CALL_SHOWN,
        },
        view::{
            banner::since,
            canvas::{View, put},
            narrated_step, row,
        },
    },
    domain::{
        analysis::retries::NextAttempt,
        model::{
            entry::{Call, Entry, EntryKind, Outcome},
            fault::{AppliedFault, Phase},
            protocol::{Caller, Operation, method_in},
        },
        rules::{RuleState, reaction},
        text,
    },
    hub::Snapshot,
};

/// How long a call with a fault is narrated although others follow.
const MAX_FAULT_AGE: Duration = Duration::from_secs(10);

/// Draws it.
pub fn render(view: &View<'_>, buffer: &mut Buffer) {
    let area = view.screen.narration;
    if area.height == 0 {
        return;
    }
    let styles = &view.theme.styles;
    let inner = view.popup(area, Block::bordered().title(Line::styled(" Narration ", styles.focus)), buffer);
    let mut row = 0;
    let mut say = |spans: Vec<(String, Style)>| {
        for line in wrapped(&spans, inner.width.into(), Span::styled(bullet(view), styles.dim)) {
            put(buffer, inner, row, &line);
            row += 1;
        }
    };
    // While a scenario is played, its keys say nothing more than its steps do.
    let step = narrated_step::spans(view);
    if step.is_none() || !is_about_scenario(view) {
        say(key_and_result(view));
    }
    if let Some(step) = step {
        say(step);
    }
    if let Some((said, style)) = last_call(view) {
        say(vec![(said, style)]);
    }
}

/// Whether the last key, or the line that was typed last, was for a scenario.
fn is_about_scenario(view: &View<'_>) -> bool {
    use KeyAction::{NextStep, PauseOrContinue, Scenarios, StopScenario};
    match view.app.shown_status(view.snapshot.at) {
        StatusLine::Message { line: Some(line), .. } => line.starts_with("play "),
        StatusLine::Message { line: None, .. } | StatusLine::Error { .. } => false,
        StatusLine::Empty => {
            let last = view.app.shown_key(view.snapshot.at);
            last.is_none_or(|last| {
                matches!(
                    last.action,
                    NextStep | PauseOrContinue | Scenarios | StopScenario | KeyAction::Present
                )
            })
        }
    }
}

fn key_and_result(view: &View<'_>) -> Vec<(String, Style)> {
    let styles = &view.theme.styles;
    let status = view.app.shown_status(view.snapshot.at);
    let mut said = Vec::new();
    if let Some(LastKey { key, action, answered, .. }) = view.app.shown_key(view.snapshot.at) {
        let help = action.binding().help;
        let meaning = help.strip_prefix("toggle: ").unwrap_or(help);
        let key = (format!("[{key}] "), styles.key);
        match status {
            _ if !answered => return vec![key, (meaning.to_owned(), styles.dim)],
            // What a key means is easier to read than the line that it stands for.
            StatusLine::Message { line: Some(line), text } if view.app.is_of_last_key(line) => {
                let result = format!("{} {text}", view.theme.glyphs.arrow);
                return vec![key, (format!("{meaning} "), styles.command), (result, styles.text)];
            }
            StatusLine::Error { line, .. } if view.app.is_of_last_key(line) => said.push(key),
            _ if view.app.status_source == StatusSource::Key => said.push(key),
            _ => {}
        }
    }
    match status {
        StatusLine::Empty => said.push(("Press a key; ? shows them all.".into(), styles.dim)),
        StatusLine::Message { line: Some(line), text } => {
            said.push((format!(": {line} "), styles.command));
            said.push((format!("{} {text}", view.theme.glyphs.arrow), styles.text));
        }
        StatusLine::Message { line: None, text } => said.push((text.clone(), styles.text)),
        StatusLine::Error { why, .. } => said.push((why.clone(), styles.bad)),
    }
    said
}

/// The newest call that a rule acted on, or else the newest of all, in one or two sentences.
fn last_call(view: &View<'_>) -> Option<(String, Style)> {
    let styles = &view.theme.styles;
    let faulted = view.app.calls.newest_call(true).filter(|entry| {
        since(view.snapshot.at, entry.at) < MAX_FAULT_AGE
            && entry.call().is_none_or(|call| is_in_force(view.snapshot.of_entry(entry), call))
    });
    let entry = faulted.or_else(|| view.app.calls.newest_call(false))?;
    let next = view.app.retries.next_attempt(entry, view.snapshot.at);
    let is_over = !matches!(entry.kind, EntryKind::Held(_)) && !next.is_some_and(NextAttempt::is_open);
    if is_over && since(view.snapshot.at, entry.at) >= CALL_SHOWN {
        return None;
    }
    Some(match &entry.kind {
        EntryKind::Held(held) => {
            let (line, volume) = (held.request_line.as_deref(), held.volume.as_deref());
            let request = request_text(held.operation, line, volume);
            let next = next_attempt(view, entry);
            (format!("{} {request} and waits for the reply.{next}", name(held.caller)), styles.warning)
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
fn is_in_force(snapshot: &Snapshot, call: &Call) -> bool {
    let rule = call
        .fault
        .as_ref()
        .and_then(|fault| snapshot.rules.iter().find(|rule| Some(rule.id) == fault.rule()));
    rule.is_some_and(|rule| rule.state != RuleState::Expired)
}

fn explained(view: &View<'_>, entry: &Entry, call: &Call) -> (String, Style) {
    let styles = &view.theme.styles;
    let who = name(call.caller);
    // A retry does not name its volume, but the first attempt did.
    let chain = view.app.retries.chain(entry.seq);
    let is_again = chain.is_some_and(|chain| chain.attempts()[0].seq != entry.seq);
    let volume = call.volume.as_deref().or_else(|| chain?.volume());
    let request = request_text(call.operation, call.request_line.as_deref(), volume);
    let request = format!("{request}{}", if is_again { " again" } else { "" });
    let ago = since(view.snapshot.at, entry.at).as_secs();
    let when = if chain.is_none() && ago > 1 { format!("{ago} s ago: ") } else { String::new() };
    let (outcome, style) = row::outcome(view, call);
    let Some(does) = call.fault.as_ref().and_then(|fault| fault_text(fault, call)) else {
        let result = result_text(call).unwrap_or(outcome);
        return (format!("{when}{who} {request} {} {result}", view.theme.glyphs.arrow), style);
    };
    // A count of attempts is more exact than the engine's known reaction.
    let next = if chain.is_some() {
        next_attempt(view, entry)
    } else {
        let fact = reaction(call).and_then(|forecast| forecast.fact);
        fact.map_or_else(String::new, |fact| format!(" {who} {}.", fact.reaction))
    };
    (format!("{when}{who} {request}. voltergeist {does}.{next}"), styles.fault)
}

/// The result of a call without a fault, in words; none where it is not known.
fn result_text(call: &Call) -> Option<String> {
    let reply: serde_json::Value = serde_json::from_slice(&call.reply.bytes).ok()?;
    Some(match (call.outcome, call.operation?) {
        (Outcome::Error, _) => format!("the driver says: {}", text::clean(call.error.as_deref()?)),
        (Outcome::Ok, Operation::List) => text::counted(reply["Volumes"].as_array()?.len() as u64, "volume"),
        (Outcome::Ok, Operation::Get) => "the volume is there".to_owned(),
        (Outcome::Ok, Operation::Mount | Operation::Path) => {
            format!("at {}", text::clean(reply["Mountpoint"].as_str()?))
        }
        (Outcome::Ok, Operation::Activate) => "it is a volume driver".to_owned(),
        (Outcome::Ok, Operation::Capabilities) => {
            format!("scope {}", text::clean(reply["Capabilities"]["Scope"].as_str()?))
        }
        (Outcome::Ok, _) => "done".to_owned(),
        _ => return None,
    })
}

/// What a fault did, as the end of a sentence; none if it changed nothing.
fn fault_text(fault: &AppliedFault, call: &Call) -> Option<String> {
    let does = action_text(&fault.action, call)?;
    Some(match fault.release_action().and_then(|action| action_text(action, call)) {
        Some(end) => format!("{does}, then {end}"),
        None if fault.phase == Phase::After => format!("does the work, then {does}"),
        None => does,
    })
}

/// What an action does, by its first word.
fn action_text(action: &str, call: &Call) -> Option<String> {
    let word = action.split(' ').next().unwrap_or_default();
    Some(match word {
        "fail" => {
            let message = call.error.as_deref().map(str::trim).filter(|error| !error.is_empty());
            message.map_or_else(
                || "replies with an error".to_owned(),
                |error| format!("replies with the error \"{}\"", text::clean(error)),
            )
        }
        word => FAULT_TEXTS.iter().find(|(known, _)| *known == word).map(|(_, does)| (*does).to_owned())?,
    })
}

/// What voltergeist does, by the first word of the action.
const FAULT_TEXTS: [(&str, &str); 23] = [
    ("reply", "sends the reply from the rule"),
    ("empty", "replies with an empty object"),
    ("null", "replies with null"),
    ("garbage", "replies with HTML"),
    ("truncate", "cuts the reply off in the middle"),
    ("wrong-type", "replies with the wrong JSON type"),
    ("two-bodies", "sends two replies at once"),
    ("reset", "resets the connection"),
    ("eof", "closes the connection without a reply"),
    ("hang", "does not reply"),
    ("hold", "holds the call"),
    ("delay", "delays the reply"),
    ("drip", "sends the reply byte by byte"),
    ("mountpoint", "replies with another mountpoint"),
    ("rename", "replies with another volume name"),
    ("scope", "reports another scope"),
    ("implements", "claims to implement something else"),
    ("bad-time", "replies with an invalid date"),
    ("null-entry", "puts a null into the list"),
    ("stale", "replies with an old state"),
    ("lie", "reports success and does nothing"),
    ("set", "changes a field of the reply"),
    ("unset", "leaves a field out of the reply"),
];

/// A client as an audience knows it.
const fn name(caller: Caller) -> &'static str {
    match caller {
        Caller::Docker | Caller::Simulated => "docker",
        Caller::Podman => "podman",
        Caller::Other => "a client",
    }
}

/// What a call does, after the name of its client.
fn request_text(operation: Option<Operation>, request_line: Option<&str>, volume: Option<&str>) -> String {
    let Some(operation) = operation else {
        let method = request_line.and_then(method_in);
        return method.map_or_else(|| "sends an unknown request".into(), |method| format!("calls {method}"));
    };
    let volume = volume.filter(|name| !name.is_empty()).map_or("a volume without a name".into(), text::clean);
    match operation {
        Operation::Activate => "activates the plugin".into(),
        Operation::Capabilities => "reads the capabilities".into(),
        Operation::Create => format!("creates {volume}"),
        Operation::Get => format!("looks up {volume}"),
        Operation::List => "lists volumes".into(),
        Operation::Path => format!("looks up the path of {volume}"),
        Operation::Mount => format!("mounts {volume}"),
        Operation::Unmount => format!("unmounts {volume}"),
        Operation::Remove => format!("removes {volume}"),
    }
}

/// What stands before each remark, so that it is seen where one ends.
fn bullet(view: &View<'_>) -> String {
    format!(" {} ", view.theme.glyphs.dot)
}

/// Breaks spans into lines, at spaces. The first line begins with a bullet, and the others are indented as far.
fn wrapped(spans: &[(String, Style)], width: usize, bullet: Span<'static>) -> Vec<Line<'static>> {
    let indent = bullet.width();
    // A column at the right stays free.
    let width = width.saturating_sub(indent + 1);
    let mut lines = vec![Line::from(bullet)];
    let mut left = width;
    for (text, style) in spans {
        for word in text::clean(text).split_inclusive(' ') {
            let cells = text::width(word.trim_end());
            if cells > left && left < width {
                lines.push(Line::raw(" ".repeat(indent)));
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
