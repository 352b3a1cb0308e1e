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
    console::{app::Status, text},
    domain::{
        entry::{Call, Entry, Kind, Outcome},
        fault::aftermath,
        protocol::{Caller, Operation},
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
    if let Some(key) = &view.app.last_key {
        said.push((format!("[{key}] "), styles.key));
    }
    match &view.app.status {
        Status::Quiet if said.is_empty() => {
            said.push(("Press a key: ? shows them all.".into(), styles.quiet));
        }
        Status::Quiet => {}
        Status::Said { line: Some(line), text } => {
            said.push((format!(": {line} "), styles.command));
            said.push((format!("{} {text}", view.theme.glyphs.arrow), styles.text));
        }
        Status::Said { line: None, text } => said.push((text.clone(), styles.text)),
        Status::Failed { why, .. } => said.push((why.clone(), styles.bad)),
    }
    said
}

/// The newest call that a rule acted on, or else the newest of all, in one or two sentences.
fn last_call(view: &View<'_>) -> Option<(String, Style)> {
    let styles = &view.theme.styles;
    let haunted = view.app.calls.newest_call(true).filter(|entry| since(view.seen.at, entry.at) < STAYS);
    let entry = haunted.or_else(|| view.app.calls.newest_call(false))?;
    Some(match &entry.kind {
        Kind::Waiting(waiting) => {
            let asked = asked(waiting.operation, waiting.volume.as_deref());
            let next = next_move(view, entry);
            (format!("{} asks {asked}, and gets no answer yet.{next}", name(waiting.caller)), styles.warning)
        }
        _ => explained(view, entry, entry.call()?),
    })
}

/// What the engine does next, as far as that is known.
fn next_move(view: &View<'_>, entry: &Entry) -> String {
    let next = view.app.retries.next_move(entry, view.seen.at);
    next.map_or_else(String::new, |next| format!("  It {next}."))
}

fn explained(view: &View<'_>, entry: &Entry, call: &Call) -> (String, Style) {
    let styles = &view.theme.styles;
    // A retry does not say which volume it is about, but what it repeats did.
    let chain = view.app.retries.chain(entry.seq);
    let is_again = chain.is_some_and(|chain| chain.attempts()[0].seq != entry.seq);
    let volume = call.volume.as_deref().or_else(|| chain?.volume());
    let asked = call.operation.map_or_else(
        || "something that is not in the protocol".to_owned(),
        |operation| format!("{}{}", if is_again { "again " } else { "" }, asked(operation, volume)),
    );
    let (outcome, style) = row::outcome(view, call);
    let Some(deed) = &call.fault else {
        let answer = match call.outcome {
            Outcome::Answered => "and is told: done.".to_owned(),
            _ => format!("and is told: {outcome}"),
        };
        return (format!("{} asks {asked}, {answer}", name(call.caller)), style);
    };
    let forecast = || aftermath(call).map_or_else(String::new, |forecast| format!("  {forecast}"));
    // Where attempts are counted, the count says more than the rule.
    let next = if chain.is_some() { next_move(view, entry) } else { forecast() };
    let fault = view.theme.glyphs.fault;
    (
        format!(
            "{} asks {asked}, but {fault} {}: {outcome}.{next}",
            name(call.caller),
            text::clean(&deed.action)
        ),
        styles.fault,
    )
}

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
    let volume = volume.map(text::clean).unwrap_or_default();
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
