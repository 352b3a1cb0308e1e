//! The details of an entry, a group or a volume.

mod call;
mod group;
mod history;
mod page;

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use crate::{
    console::{
        input::action::KeyAction,
        layout::{pane::Pane, screen::Screen},
        model::{app::App, grouped_list::GroupedRow},
        view::{
            canvas::{View, put},
            detail::page::{DetailPage, next_attempt},
            row,
        },
    },
    domain::{
        analysis::{groups::CallGroup, retries::began},
        model::entry::{Entry, EntryKind, HeldCall, RuleEvent, ShellEvent},
        rules::Phase,
        text::{self, describe},
    },
    hub::Snapshot,
};

/// Draws it.
pub fn render(view: &View<'_>, area: Rect, buffer: &mut Buffer) {
    let entry = view.app.selected();
    let title = match (view.app.focus, entry.map(|entry| &entry.kind)) {
        (Pane::Volumes, _) => "Volume history".to_owned(),
        _ if selected_group(view).is_some() => "Group".to_owned(),
        (_, Some(EntryKind::Call(call))) => format!("Call {}", call.number),
        (_, Some(EntryKind::Held(held))) => format!("Call {} (held)", held.number),
        _ => "Entry".to_owned(),
    };
    let back = Span::styled(format!("{} closes", view.key(KeyAction::Back)), view.theme.styles.dim);
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
    let mut page = DetailPage::new(view, width);
    match (view.app.focus, &view.app.history) {
        (Pane::Volumes, Some(history)) => {
            if let Some(volume) = view.app.selected_volume(view.snapshot) {
                history::write(&mut page, volume, history);
            }
        }
        _ => {
            if let Some(group) = selected_group(view) {
                group::write(&mut page, group);
            } else if let Some(entry) = view.app.selected() {
                entry_lines(&mut page, entry);
            }
        }
    }
    page.lines
}

fn selected_group<'v>(view: &View<'v>) -> Option<&'v CallGroup> {
    match view.app.grouped_list.as_ref()?.selected()? {
        GroupedRow::Header(group, _) => Some(group),
        _ => None,
    }
}

fn entry_lines(page: &mut DetailPage<'_>, entry: &Entry) {
    let view = page.view;
    let styles = &view.theme.styles;
    let time = row::time(view, began(entry), 12);
    match &entry.kind {
        EntryKind::Call(call) => call::write(page, entry, call, &time),
        EntryKind::Held(held) => {
            let volume = held.volume.as_deref().unwrap_or_default();
            page.heading(&format!("{} {volume}", describe::asked(held.head())));
            page.say(&format!("held since {time}, from {}", held.caller), styles.warning);
            next_attempt(page, entry);
            let rule = held.fault.rule().unwrap_or_default();
            page.say(&format!("by rule {rule}: {}", held.fault.action), styles.fault);
            held_lines(page, entry, held);
        }
        EntryKind::Command(run) => {
            page.heading("Command");
            page.say(&format!("at {time}, {}", run.origin), styles.dim);
            page.say(&format!(": {}", run.command), styles.command);
            page.say(&run.result, styles.text);
            page.changes(&run.changes);
        }
        EntryKind::Rule(event) => {
            let Some(rule) = event.rule() else { return };
            page.heading(&format!("Rule {}", rule.id));
            let change = if let RuleEvent::Spent(_) = &**event { "spent" } else { "expired" };
            page.say(&format!("{change} at {time}"), styles.text);
            page.say(&rule.text, styles.fault);
        }
        EntryKind::Driver(event) => {
            page.heading("Driver");
            page.say(&format!("at {time}"), styles.dim);
            page.say(&describe::driver(event), styles.text);
        }
        EntryKind::EngineCommand(run) => {
            page.heading("Engine command");
            page.say(&format!("at {time}"), styles.dim);
            page.say(&format!("$ {}", run.command), styles.bold);
            page.say(&run.result, styles.text);
        }
        EntryKind::Shell(event) => {
            page.heading("Shell command");
            page.say(&format!("at {time}"), styles.dim);
            page.say(&format!("$ {}", event.command()), styles.bold);
            match event {
                ShellEvent::Started { .. } => {
                    let key = view.key(KeyAction::StopScenario);
                    page.say(&format!("running; {key} ends it"), styles.warning);
                }
                ShellEvent::Finished(result) => {
                    let style = if result.is_ok() { styles.good } else { styles.bad };
                    page.say(&format!("{result} after {}", text::took(result.duration)), style);
                    page.heading("Output");
                    page.output(&result.output);
                }
            }
        }
        EntryKind::Scenario(event) => {
            page.heading("Scenario");
            page.say(&format!("at {time}"), styles.dim);
            event.texts().into_iter().for_each(|text| page.say(text, styles.text));
        }
        EntryKind::Note { text } => {
            page.heading("Note");
            page.say(&format!("at {time}"), styles.dim);
            page.say(text, styles.text);
        }
        EntryKind::Gap(gap) => {
            page.heading("Gap in the recording");
            page.say(&format!("at {time}"), styles.dim);
            page.say(&describe::gap(gap), styles.warning);
        }
        // These are no rows of a list.
        EntryKind::Session(_)
        | EntryKind::Registration(_)
        | EntryKind::Released(_)
        | EntryKind::Connection(_)
        | EntryKind::Volume(_)
        | EntryKind::Unknown => {}
    }
}

/// How to end a held call, with the keys, and its original reply.
fn held_lines(page: &mut DetailPage<'_>, entry: &Entry, held: &HeldCall) {
    let styles = &page.view.theme.styles;
    let key = |action| page.view.key(action);
    let [release, edit, fail] = [KeyAction::Release, KeyAction::EditReply, KeyAction::FailCall].map(key);
    if !page.view.snapshot.held.iter().any(|held| held.seq == entry.seq) {
        return page.say("released; see the later entry for the result", styles.dim);
    }
    let Some(original) = &held.original else {
        return page.say(&format!("{release} sends the rest of the reply at once"), styles.text);
    };
    let is_done = matches!(held.fault.phase, Phase::After | Phase::Twice);
    let [released_end, failed_end] = if is_done {
        page.say("the driver has done its work", styles.text);
        ["releases it: sends the original reply", "fails it with a message anyway"]
    } else {
        [
            "releases it: the driver does its work and replies",
            "fails it with a message; the driver does nothing",
        ]
    };
    page.say(&format!("{release} {released_end}"), styles.text);
    page.say(&format!("{edit} sends the reply after you edit it in $EDITOR"), styles.text);
    page.say(&format!("{fail} {failed_end}"), styles.text);
    page.heading("Original reply, as of when it was held");
    page.say(&format!("status {}", original.status), styles.text);
    page.body(&original.body);
}
