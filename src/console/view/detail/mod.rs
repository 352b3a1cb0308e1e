//! What is open: one entry in full, or one volume's life.

mod call;
mod change;
mod group;
mod life;
mod page;

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use self::page::Page;
use super::{View, layout::Screen, put, row};
use crate::{
    console::{
        action::Action,
        app::{App, Pane},
        grouped_list::Row,
    },
    domain::{
        analysis::groups::CallGroup,
        model::entry::{Entry, EntryKind, HeldCall, RuleEvent},
        rules::Phase,
        text::describe,
    },
    state::Snapshot,
};

/// Draws it.
pub fn render(view: &View<'_>, area: Rect, buffer: &mut Buffer) {
    let entry = view.app.selected();
    let title = match (view.app.focus, entry.map(|entry| &entry.kind)) {
        (Pane::Volumes, _) => "The life of a volume".to_owned(),
        _ if selected_episode(view).is_some() => "Episode".to_owned(),
        (_, Some(EntryKind::Call(call))) => format!("Call {}", call.call),
        (_, Some(EntryKind::Held(waiting))) => format!("Call {} waits", waiting.call),
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
pub fn last_top(app: &App, snapshot: &Snapshot, screen: &Screen) -> usize {
    let inner = screen.detail_inner();
    let view = View { app, snapshot, theme: &app.theme, screen };
    lines(&view, inner.width.into()).len().saturating_sub(inner.height.into())
}

fn lines<'v>(view: &'v View<'v>, width: usize) -> Vec<Line<'static>> {
    let mut page = Page::new(view, width);
    match (view.app.focus, &view.app.life) {
        (Pane::Volumes, Some(life)) => {
            if let Some(volume) = view.app.selected_volume(view.snapshot) {
                life::tell(&mut page, volume, life);
            }
        }
        _ => {
            if let Some(group) = selected_episode(view) {
                group::tell(&mut page, group);
            } else if let Some(entry) = view.app.selected() {
                entry_lines(&mut page, entry);
            }
        }
    }
    page.lines
}

fn selected_episode<'v>(view: &View<'v>) -> Option<&'v CallGroup> {
    match view.app.grouped_list.as_ref()?.selected()? {
        Row::Header(group, _) => Some(group),
        _ => None,
    }
}

/// What the engine does after a call, as it is known now.
fn next_attempt(page: &mut Page<'_>, entry: &Entry) {
    let view = page.view;
    let caller = match &entry.kind {
        EntryKind::Call(call) => call.caller,
        EntryKind::Held(waiting) => waiting.caller,
        _ => return,
    };
    if let Some(next) = view.app.retries.next_attempt(entry, view.snapshot.at) {
        let style = if next.is_open() { view.theme.styles.warning } else { view.theme.styles.text };
        page.say(&format!("{caller} {next}"), style);
        if view.app.retries.chain(entry.seq).is_some_and(|chain| chain.is_mixed) {
            let mixed = "another call was cut off at the same time, and a retry does not say which it is for";
            page.say(mixed, view.theme.styles.quiet);
        }
    }
}

fn entry_lines(page: &mut Page<'_>, entry: &Entry) {
    let view = page.view;
    let styles = &view.theme.styles;
    let time = row::time(view, entry, 12);
    match &entry.kind {
        EntryKind::Call(call) => call::tell(page, entry, call, &time),
        EntryKind::Held(waiting) => {
            page.heading(&format!("{} {}", waiting.operation, waiting.volume.as_deref().unwrap_or_default()));
            page.say(&format!("waits since {time}, from {}", waiting.caller), styles.warning);
            next_attempt(page, entry);
            page.say(
                &format!("because of rule {}: {}", waiting.fault.rule().unwrap_or(0), waiting.fault.action),
                styles.fault,
            );
            waiting_lines(page, entry, waiting);
        }
        EntryKind::Command(run) => {
            page.heading("A command");
            page.say(&format!("at {time}"), styles.quiet);
            page.say(&format!(": {}", run.command), styles.command);
            page.say(&run.result, styles.text);
            change::list(page, &run.changes);
        }
        EntryKind::Rule(event) => {
            let Some(rule) = event.rule() else { return };
            page.heading(&format!("Rule {}", rule.id));
            let change = if let RuleEvent::Spent(_) = event { "spent" } else { "expired" };
            page.say(&format!("{change} at {time}"), styles.text);
            page.say(&rule.text, styles.fault);
        }
        EntryKind::Driver(event) => {
            page.heading("The driver");
            page.say(&format!("at {time}"), styles.quiet);
            page.say(&describe::driver(event), styles.text);
        }
        EntryKind::EngineCommand(run) => {
            page.heading("A command of an engine");
            page.say(&format!("at {time}"), styles.quiet);
            page.say(&format!("$ {}", run.command), styles.strong);
            page.say(&run.result, styles.text);
        }
        EntryKind::Scenario(event) => {
            page.heading("A scenario card");
            page.say(&format!("at {time}"), styles.quiet);
            event.texts().into_iter().for_each(|text| page.say(text, styles.text));
        }
        EntryKind::Note { text } => {
            page.heading("A note");
            page.say(&format!("at {time}"), styles.quiet);
            page.say(text, styles.text);
        }
        // These are no rows of a list.
        EntryKind::Session(_)
        | EntryKind::Registration(_)
        | EntryKind::Released(_)
        | EntryKind::Volume(_) => {}
    }
}

/// The ways out of a wait, with their keys, and the natural answer that all of them begin with.
fn waiting_lines(page: &mut Page<'_>, entry: &Entry, waiting: &HeldCall) {
    let styles = &page.view.theme.styles;
    let key = |action| page.view.key(action);
    let [release, edit, fail] = [Action::Release, Action::EditReply, Action::FailCall].map(key);
    if !page.view.snapshot.held.iter().any(|held| held.seq == entry.seq) {
        return page.say("it waits no more; its end is an entry of its own", styles.quiet);
    }
    let Some(natural) = &waiting.original else {
        return page.say(&format!("{release} sends the rest of its answer at once"), styles.text);
    };
    let is_done = matches!(waiting.fault.phase, Phase::After | Phase::Twice);
    let [natural_end, failed_end] = if is_done {
        page.say("the driver's work is done already", styles.text);
        ["lets it go to its natural answer", "fails it with a message all the same"]
    } else {
        [
            "lets it go: the driver does its work and gives the natural answer",
            "fails it with a message: the driver does nothing",
        ]
    };
    page.say(&format!("{release} {natural_end}"), styles.text);
    page.say(&format!("{edit} does the same with the answer as you edit it, in $EDITOR"), styles.text);
    page.say(&format!("{fail} {failed_end}"), styles.text);
    page.heading("Its natural answer, as things stood when it began to wait");
    page.say(&format!("status {}", natural.status), styles.text);
    page.body(&natural.body);
}
