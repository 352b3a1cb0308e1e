//! The first minute: what to do when nobody has called yet.

use ratatui::{buffer::Buffer, layout::Rect, style::Style, text::Line};

use crate::{
    console::{
        clipboard::docker_command,
        input::action::KeyAction,
        model::obstacle::obstacle,
        view::canvas::{View, put},
    },
    domain::{
        model::{driver::OtherPlugin, source_status::Timeline},
        text::{self, shell},
    },
};

/// Draws it in the place of the calls.
pub fn render(view: &View<'_>, area: Rect, buffer: &mut Buffer) {
    let styles = &view.theme.styles;
    let width = usize::from(area.width).saturating_sub(2);
    let mut lines: Vec<(String, Style)> = Vec::new();
    let mut say = |text: &str, style: Style| {
        lines.extend(text::wrap(text, width).into_iter().map(|line| (line, style)));
    };
    if let Some(timeline) = view.snapshot.source.timeline() {
        say(&no_calls_here(view, timeline), styles.text);
        return put_lines(lines, area, buffer);
    }
    // What is selected is copied instead.
    let copies =
        |key: &str| if view.app.rows().follows() { format!(" ({key} copies it)") } else { String::new() };
    let mut copy = view.key(KeyAction::CopyJson);
    if let Some(fix_command) = &view.snapshot.driver.fix_command {
        let first = format!("docker does not find this driver yet. First, run{}", copies(&copy));
        copy = view.key(KeyAction::CopyCurl);
        say(&first, styles.warning);
        say(&text::clean(fix_command), styles.bold);
        say("", styles.text);
    }
    say(&format!("No calls yet. In another terminal, run{}", copies(&copy)), styles.text);
    say(&docker_command(&view.snapshot.driver), styles.bold);
    say("", styles.text);
    let fault = view.key(KeyAction::Preset("fail-mounts"));
    let then = match obstacle(KeyAction::Preset("fail-mounts"), view.snapshot) {
        None => format!(
            " Then press {fault} to fail mounts and run it again: docker shows the error. Press {fault} again to stop."
        ),
        Some(_) => String::new(),
    };
    say(&format!("Every request from docker appears here.{then}"), styles.text);
    others(view, &mut lines, width);
    put_lines(lines, area, buffer);
}

/// How to come to the calls from a place in a recording before which its run has none.
fn no_calls_here(view: &View<'_>, timeline: &Timeline) -> String {
    let key = |action| view.key(action);
    let (run, runs) = timeline.run;
    let later = (timeline.seq < timeline.last_seq || run < runs).then(|| {
        format!(
            "press {} for the next entry, or {} for the next failed call",
            key(KeyAction::NextStep),
            key(KeyAction::NextFailure)
        )
    });
    let earlier = (run > 1).then(|| {
        format!(
            "press {} for the failed calls of earlier runs, or {} for the entry before",
            key(KeyAction::PreviousFailure),
            key(KeyAction::StepBack)
        )
    });
    let ways = later.into_iter().chain(earlier).collect::<Vec<_>>().join("; ");
    let place = if runs > 1 { format!("in run {run} up to here") } else { "up to here".to_owned() };
    if ways.is_empty() { format!("No calls {place}.") } else { format!("No calls {place}: {ways}.") }
}

fn put_lines(lines: Vec<(String, Style)>, area: Rect, buffer: &mut Buffer) {
    for (row, (line, style)) in lines.into_iter().enumerate() {
        put(buffer, area, row as u16, &Line::styled(format!(" {line}"), style));
    }
}

/// The other plugins of the machine, and the command that puts voltergeist in front of each.
fn others(view: &View<'_>, lines: &mut Vec<(String, Style)>, width: usize) {
    let (driver, styles) = (&view.snapshot.driver, &view.theme.styles);
    if driver.others.is_empty() || driver.upstream.is_some() {
        return;
    }
    lines.push((String::new(), styles.text));
    let heading = "Other plugins of this machine, and how to put voltergeist in front of them:";
    lines.extend(text::wrap(heading, width).into_iter().map(|line| (line, styles.text)));
    let width_of = |text: fn(&OtherPlugin) -> &str| {
        driver.others.iter().map(|other| text::width(&text::clean(text(other)))).max().unwrap_or(0)
    };
    let (name, kind) = (width_of(|other| &other.name), width_of(|other| &other.kind));
    for other in &driver.others {
        let (about, style) = match advice(other) {
            Ok(command) => (command, styles.bold),
            Err(reason) => (reason, styles.warning),
        };
        let head = format!(
            "{}  {}  ",
            view.pad(&text::clean(&other.name), name),
            view.pad(&text::clean(&other.kind), kind)
        );
        let indent = text::width(&head);
        let wrapped = text::wrap(&about, width.saturating_sub(indent));
        lines.extend(wrapped.into_iter().enumerate().map(|(row, line)| {
            let head = if row == 0 { head.clone() } else { " ".repeat(indent) };
            (head + &line, style)
        }));
    }
}

/// The command that puts voltergeist in front of a plugin, or why there is none.
fn advice(other: &OtherPlugin) -> Result<String, String> {
    let name = text::clean(&other.name);
    if other.listening == Some(false) {
        let remedy = other.remedy.as_deref().map_or_else(String::new, |remedy| format!("; {remedy}"));
        return Err(format!("dead: docker waits 15 s for it in each volume ls{}", text::clean(&remedy)));
    }
    if other.tls {
        return Err("demands TLS, which docker would not find at voltergeist".into());
    }
    let command = format!("voltergeist --upstream {}", shell::quote(&name));
    // An engine remembers the address of a plugin on TCP.
    Ok(if other.address.starts_with("unix:") { command } else { command + " --name voltergeist" })
}
