//! The volumes: name, open mounts, what is special about them, options.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use super::{View, mark, put};
use crate::{
    console::{
        app::{Mode, Pane},
        text,
        window::Cursor,
    },
    domain::volume::Volume,
};

/// Draws the pane.
pub fn render(view: &View<'_>, area: Rect, buffer: &mut Buffer) {
    let seen = view.seen;
    let title = format!("Volumes {}", seen.volume_count);
    let mounts = text::counted(seen.open_mounts, "open mount");
    let state = [Span::styled(mounts, super::header::count_style(seen.open_mounts, view))];
    let inner = view.pane(Pane::Volumes, &title, &state, area, buffer);
    if seen.volumes.is_empty() {
        let lines = ["No volumes yet.", "An engine creates them; `conjure NAME` does too."];
        for (row, line) in lines.into_iter().enumerate() {
            put(buffer, inner, row as u16, &Line::styled(format!(" {line}"), view.theme.styles.quiet));
        }
        return;
    }
    let selected = view.app.volume_row(seen);
    let cursor = Cursor { row: selected, top: view.app.volume.1 };
    let rows = cursor.visible(seen.volumes.len(), inner.height.into());
    let names = seen.volumes[rows.clone()].iter().map(|volume| text::width(&text::clean(&volume.name)));
    let name = names.max().unwrap_or(0).clamp(6, (usize::from(inner.width) / 2).max(8));
    for (line, row) in rows.enumerate() {
        put(buffer, inner, line as u16, &row_of(view, &seen.volumes[row], name, row == selected));
        if row == selected && view.app.focus == Pane::Volumes && matches!(view.app.mode, Mode::Browse) {
            mark(buffer, inner, line as u16, view.theme.styles.selection);
        }
    }
}

fn row_of(view: &View<'_>, volume: &Volume, name: usize, selected: bool) -> Line<'static> {
    let (styles, glyphs) = (&view.theme.styles, view.theme.glyphs);
    let (sign, state, style) = match (volume.known, volume.open_mounts()) {
        (false, mounts) => (
            glyphs.forgotten,
            format!("forgotten{}", if mounts > 0 { format!(", mounted {mounts}") } else { String::new() }),
            styles.fault,
        ),
        (true, 0) => (glyphs.idle, "not mounted".to_owned(), styles.quiet),
        (true, mounts) => (glyphs.mounted, format!("mounted {mounts}"), styles.good),
    };
    let mut spans = vec![
        Span::styled(format!("{:1} ", if selected { glyphs.cursor } else { "" }), styles.focus),
        Span::raw(view.pad(&text::clean(&volume.name), name)),
        Span::raw("  "),
        Span::styled(view.pad(&format!("{sign} {state}"), 13), style),
    ];
    if volume.is_ninja() {
        spans.push(Span::styled("  ninja: not in List, {} on Get", styles.warning));
    }
    if volume.cannot_mount() {
        spans.push(Span::styled("  cannot be mounted", styles.warning));
    }
    let own = volume.options.iter().filter(|(key, _)| !matches!(key.as_str(), "ninja" | "invalidOption"));
    for (key, value) in own {
        let option = if value.is_empty() { key.clone() } else { format!("{key}={value}") };
        spans.push(Span::styled(format!("  {}", text::clean(&option)), styles.text));
    }
    if !volume.known {
        spans.push(Span::styled("  the engine still believes in it", styles.quiet));
    }
    Line::from(spans)
}
