//! What is open: one entry in full, or one volume's life.

mod call;
mod change;
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
    },
    domain::entry::{Entry, Kind},
    hub::Snapshot,
};

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
    let mut page = Page::new(view, width);
    match (view.app.focus, &view.app.life) {
        (Pane::Volumes, Some(life)) => {
            if let Some(volume) = view.app.selected_volume(view.seen) {
                life::tell(&mut page, volume, life);
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

fn entry_lines(page: &mut Page<'_>, entry: &Entry) {
    let view = page.view;
    let styles = &view.theme.styles;
    let time = row::time(view, entry, 12);
    match &entry.kind {
        Kind::Call(call) => call::tell(page, entry, call, &time),
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
            change::list(page, &execution.changes);
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
        Kind::Play(event) => {
            page.heading("A scenario card");
            page.say(&format!("at {time}"), styles.quiet);
            event.texts().into_iter().for_each(|text| page.say(text, styles.text));
        }
        Kind::Note { text } => {
            page.heading("A note");
            page.say(&format!("at {time}"), styles.quiet);
            page.say(text, styles.text);
        }
    }
}
