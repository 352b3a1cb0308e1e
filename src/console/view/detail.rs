//! What is open: one call in full, or one volume's life.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

use super::{View, layout::Screen, put, row};
use crate::{
    console::{
        action::Action,
        app::{App, Life, Pane},
        text,
    },
    domain::{
        entry::{Body, Call, Entry, Kind},
        fault::{Facts, forecast},
        lint::Lint,
        protocol::Options,
        volume::{Change, Volume},
    },
    hub::Snapshot,
};

/// How many of the latest entries of a life are told.
const TOLD: usize = 500;

/// Draws it.
pub fn render(view: &View<'_>, area: Rect, buffer: &mut Buffer) {
    let entry = view.app.calls.selected();
    let title = match (view.app.focus, entry.map(|entry| &entry.kind)) {
        (Pane::Volumes, _) => "The life of a volume".to_owned(),
        (_, Some(Kind::Call(call))) => format!("Call {}", call.number),
        (_, Some(Kind::Waiting(waiting))) => format!("Call {} waits", waiting.number),
        _ => "Entry".to_owned(),
    };
    let back = Span::styled(format!("{} closes", view.key(Action::Back)), view.theme.styles.quiet);
    let inner = view.frame(false, &title, &[back], area, buffer);
    let lines = lines(view, inner.width.into());
    let height = usize::from(inner.height);
    let top = view.app.detail.unwrap_or(0).min(lines.len().saturating_sub(height));
    for (offset, line) in lines.iter().skip(top).take(height).enumerate() {
        put(buffer, inner, offset as u16, line);
    }
}

/// The furthest that it can be scrolled.
pub fn last_top(app: &App, seen: &Snapshot, screen: &Screen) -> usize {
    let inner = screen.detail_inner();
    let view = View { app, seen, theme: &app.theme, screen };
    lines(&view, inner.width.into()).len().saturating_sub(inner.height.into())
}

fn lines<'v>(view: &'v View<'v>, width: usize) -> Vec<Line<'static>> {
    let mut page = Page { view, width, lines: Vec::new() };
    match (view.app.focus, &view.app.life) {
        (Pane::Volumes, Some(life)) => {
            if let Some(volume) = view.app.selected_volume(view.seen) {
                life_lines(&mut page, volume, life);
            }
        }
        _ => {
            if let Some(entry) = view.app.calls.selected() {
                entry_lines(&mut page, entry);
            }
        }
    }
    page.lines
}

/// Lines that are collected with one width.
struct Page<'v> {
    view: &'v View<'v>,
    width: usize,
    lines: Vec<Line<'static>>,
}

impl Page<'_> {
    fn heading(&mut self, heading: &str) {
        if !self.lines.is_empty() {
            self.lines.push(Line::default());
        }
        self.lines.push(Line::styled(format!(" {heading}"), self.view.theme.styles.strong));
    }

    fn say(&mut self, said: &str, style: Style) {
        let wrapped =
            said.lines().flat_map(|line| text::wrap(&text::clean(line), self.width.saturating_sub(4)));
        self.lines.extend(wrapped.map(|line| Line::styled(format!("   {line}"), style)));
    }

    fn body(&mut self, body: &Body) {
        let styles = &self.view.theme.styles;
        if body.length == 0 {
            return self.say("no body", styles.quiet);
        }
        self.say(&printed(body), styles.text);
        if body.length > body.bytes.len() {
            let cut = format!(
                "{} bytes, the first {} are kept",
                text::grouped(body.length as u64),
                text::grouped(body.bytes.len() as u64)
            );
            self.say(&cut, styles.quiet);
        }
    }
}

/// A body as it can be read: JSON indented, other text as it is, and bytes that are no text in hexadecimal.
fn printed(body: &Body) -> String {
    if let Ok(text) = std::str::from_utf8(&body.bytes) {
        serde_json::from_str::<serde_json::Value>(text)
            .ok()
            .filter(|value| value.is_object() || value.is_array())
            .and_then(|_| indented(text))
            .unwrap_or_else(|| text.to_owned())
    } else {
        let mut dump = String::new();
        for chunk in body.bytes.chunks(16).take(64) {
            for byte in chunk {
                dump.extend([&format!("{byte:02x}"), " "]);
            }
            dump.push('\n');
        }
        dump
    }
}

/// The same JSON with line breaks. Its keys stay in their order, which a parsed value would not keep.
fn indented(json: &str) -> Option<String> {
    let (mut out, mut depth, mut in_text, mut escaped) = (String::new(), 0_usize, false, false);
    let mut letters = json.trim().chars().peekable();
    while let Some(c) = letters.next() {
        if in_text {
            out.push(c);
            (in_text, escaped) = (escaped || c != '"', !escaped && c == '\\');
            continue;
        }
        let open = |out: &mut String, depth: usize| out.extend(["\n", &"  ".repeat(depth)]);
        match c {
            '{' | '[' => {
                out.push(c);
                while letters.peek().is_some_and(|c| c.is_whitespace()) {
                    letters.next();
                }
                if letters.peek().is_some_and(|c| matches!(c, '}' | ']')) {
                    out.extend(letters.next());
                } else {
                    depth += 1;
                    open(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.checked_sub(1)?;
                open(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                open(&mut out, depth);
            }
            ':' => out.push_str(": "),
            '"' => {
                in_text = true;
                out.push(c);
            }
            c if c.is_whitespace() => {}
            c => out.push(c),
        }
    }
    Some(out)
}

fn entry_lines(page: &mut Page<'_>, entry: &Entry) {
    let view = page.view;
    let styles = &view.theme.styles;
    let time = row::time(view, entry, 12);
    match &entry.kind {
        Kind::Call(call) => call_lines(page, entry, call, &time),
        Kind::Waiting(waiting) => {
            page.heading(&format!("{} {}", waiting.operation, waiting.volume.as_deref().unwrap_or_default()));
            page.say(&format!("waits since {time}, from {}", waiting.caller), styles.warning);
            page.say(
                &format!("because of rule {}: {}", waiting.fault.id, waiting.fault.action),
                styles.fault,
            );
            let key = view.key(Action::Release);
            page.say(&format!("{key} gives it its natural answer"), styles.text);
        }
        Kind::Command(execution) => {
            page.heading("A command");
            page.say(&format!("at {time}"), styles.quiet);
            page.say(&format!(": {}", execution.line), styles.command);
            page.say(&execution.effect, styles.text);
            changes(page, &execution.changes);
        }
        Kind::Fault(event) => {
            page.heading(&format!("Rule {}", event.id));
            page.say(&format!("{:?} at {time}", event.event).to_lowercase(), styles.text);
            page.say(&event.rule, styles.fault);
        }
        Kind::Driver { standing } => {
            page.heading("The driver");
            page.say(&format!("at {time}"), styles.quiet);
            page.say(standing, styles.text);
        }
        Kind::Note { text } => {
            page.heading("A note");
            page.say(&format!("at {time}"), styles.quiet);
            page.say(text, styles.text);
        }
    }
}

fn life_lines(page: &mut Page<'_>, volume: &Volume, life: &Life) {
    let view = page.view;
    let styles = &view.theme.styles;
    page.heading(&text::clean(&volume.name));
    let created = view.app.zone.to_datetime(volume.created).strftime("%Y-%m-%d %H:%M:%S");
    if volume.known {
        page.say(&format!("created {created}"), styles.text);
    } else {
        page.say(
            "forgotten: the driver no longer admits to it, the engine still believes in it",
            styles.fault,
        );
    }
    for (key, value) in &volume.options {
        page.say(&format!("option {key}={value}"), styles.text);
    }
    for (id, times) in &volume.mounts {
        let times = if *times > 1 { format!(", {times} times") } else { String::new() };
        page.say(&format!("mounted by {id}{times}"), styles.good);
    }
    page.heading("Its life");
    let entries: Vec<_> = life.entries.visible(TOLD).collect();
    if entries.is_empty() {
        page.say("nothing that the journal still knows", styles.quiet);
    }
    for entry in entries {
        let time = row::time(view, entry, 8);
        let (said, style) = event(view, entry, &volume.name);
        let wrapped = text::wrap(&text::clean(&said), page.width.saturating_sub(14));
        for (index, said) in wrapped.into_iter().enumerate() {
            let time = if index == 0 { time.clone() } else { String::new() };
            page.lines.push(Line::from(vec![
                Span::styled(format!("   {time:8}  "), styles.quiet),
                Span::styled(said, style),
            ]));
        }
    }
}

/// What an entry tells of a volume's life.
fn event(view: &View<'_>, entry: &Entry, volume: &str) -> (String, Style) {
    let styles = &view.theme.styles;
    let changed: Vec<String> = entry
        .changes()
        .iter()
        .filter(|change| change.name().is_none_or(|name| name == volume))
        .map(|change| match change {
            // Enough of an ID to tell one from another.
            Change::Mounted { id, .. } => format!("mounted by {}", view.fit(id, 13)),
            Change::Unmounted { id, .. } => format!("unmounted by {}", view.fit(id, 13)),
            change => told(change, ""),
        })
        .collect();
    let changed = changed.join(", ");
    match &entry.kind {
        Kind::Call(call) => {
            let (outcome, style) = row::outcome(view, call);
            let word = call.operation.map_or("", |operation| operation.word());
            let fault =
                call.fault.as_ref().map(|deed| format!("{} {} ", view.theme.glyphs.fault, deed.action));
            let fault = fault.unwrap_or_default();
            match changed.as_str() {
                "" => (format!("{word} {fault}{outcome}"), style),
                changed if fault.is_empty() => (format!("{changed}, by {}", call.caller), styles.text),
                changed => (format!("{changed}, by {}; {fault}{outcome}", call.caller), styles.fault),
            }
        }
        Kind::Waiting(waiting) => (
            format!("{} {} {} waits", waiting.operation, view.theme.glyphs.fault, waiting.fault.action),
            styles.warning,
        ),
        Kind::Command(execution) => (format!("{changed}  : {}", execution.line), styles.command),
        _ => (changed, styles.text),
    }
}

fn call_lines(page: &mut Page<'_>, entry: &Entry, call: &Call, time: &str) {
    let view = page.view;
    let styles = &view.theme.styles;
    let word = call.operation.map_or("a request that is not in the protocol", |operation| operation.word());
    page.heading(&format!("{word} {}", call.volume.as_deref().map(text::clean).unwrap_or_default()));
    let (outcome, style) = row::outcome(view, call);
    page.say(&outcome, style);
    page.say(&format!("at {time} from {}, took {}", call.caller, text::took(call.took)), styles.text);
    for lint in &call.lints {
        page.say(&format!("odd: {}", lint.word()), styles.warning);
    }
    page.heading("What came in");
    let path = call.operation.map_or("", |operation| operation.path());
    page.say(call.request_line.as_deref().unwrap_or(&format!("POST {path}")), styles.text);
    for (name, value) in call.headers.0.iter() {
        page.say(&format!("{name}: {value}"), styles.quiet);
    }
    page.body(&call.body);
    page.heading("What was done");
    match &call.fault {
        Some(deed) => {
            let label = deed.label.as_ref().map_or_else(String::new, |label| format!(" ({label})"));
            page.say(
                &format!("{} rule {}{label}: {}", view.theme.glyphs.fault, deed.id, deed.action),
                styles.fault,
            );
            // What comes next is known as long as the rule itself is.
            if let Some(rule) = view.seen.faults.iter().find(|rule| rule.id == deed.id) {
                page.say(&forecast(rule.rule(), call.caller).to_string(), styles.text);
            }
        }
        None => page.say("no rule acted", styles.quiet),
    }
    others(page, entry, call);
    changes(page, &call.changes);
    page.heading("What went out");
    match call.status {
        Some(status) => {
            page.say(&format!("status {status}"), styles.text);
            page.body(&call.reply);
        }
        None => page.say("no answer", styles.warning),
    }
}

/// Why the other rules that were armed then did not act. Nothing is said of those that are gone since.
fn others(page: &mut Page<'_>, entry: &Entry, call: &Call) {
    let seen = page.view.seen;
    let Some(operation) = call.operation else { return };
    let options = seen.volumes.iter().find(|volume| Some(&*volume.name) == call.volume.as_deref());
    let none = Options::new();
    let facts = Facts {
        operation,
        volume: call.volume.as_deref().unwrap_or_default(),
        id: call.id.as_deref().unwrap_or_default(),
        options: options.map_or(&none, |volume| &volume.options),
        caller: call.caller,
        mounted: call.mounted,
        retry: call.lints.contains(&Lint::EmptyBodyRetry),
    };
    let acted = call.fault.as_ref().map(|deed| deed.id);
    for rule in seen.faults.iter().filter(|rule| Some(rule.id) != acted && rule.since < entry.at) {
        let why = if !rule.rule().matches(&facts) {
            "is not about this call".to_owned()
        } else if let Some(acted) = acted.filter(|acted| *acted < rule.id) {
            format!("was not asked, since rule {acted} came first")
        } else {
            "let it pass: its turn or its chance had not come".to_owned()
        };
        page.say(&format!("rule {} {why}: {}", rule.id, rule.text), page.view.theme.styles.quiet);
    }
}

fn changes(page: &mut Page<'_>, changes: &[Change]) {
    let style = page.view.theme.styles.text;
    for change in changes {
        let name = change.name().map_or_else(String::new, |name| format!("volume {name:?} "));
        page.say(&told(change, &name), style);
    }
}

/// A change in words, after the volume's name.
fn told(change: &Change, name: &str) -> String {
    match change {
        Change::Created { .. } => format!("{name}created"),
        Change::Removed { .. } => format!("{name}removed, with its files"),
        Change::Mounted { id, .. } => format!("{name}mounted by {id}"),
        Change::Unmounted { id, .. } => format!("{name}unmounted by {id}"),
        Change::Forgotten { .. } => format!("{name}forgotten"),
        Change::Restored { .. } => format!("{name}restored"),
        Change::Detached { .. } => format!("{name}lost every mount"),
        Change::Wiped => "every volume and its files are gone".into(),
        Change::Lost => "the driver lost its memory of every volume".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_indented_as_it_was_sent() {
        for (sent, shown) in [
            (r#"{"Name":"v","Opts":null}"#, "{\n  \"Name\": \"v\",\n  \"Opts\": null\n}"),
            ("{}\n", "{}"),
            (r#"{"b":[1, {}],"a":"x\"{,"}"#, "{\n  \"b\": [\n    1,\n    {}\n  ],\n  \"a\": \"x\\\"{,\"\n}"),
            ("not found\n", "not found\n"),
            ("{\"Name\":", "{\"Name\":"),
        ] {
            assert_eq!(printed(&sent.as_bytes().to_vec().into()), shown, "{sent}");
        }
    }

    #[test]
    fn what_is_no_text_is_shown_in_hexadecimal() {
        assert_eq!(printed(&vec![0xff, 0x00, 0x41].into()), "ff 00 41 \n");
    }
}
