//! The volumes: name, open mounts, what is special about them, options.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

use crate::{
    console::{
        layout::pane::Pane,
        model::{mode::Mode, window::Cursor},
        view::canvas::{View, mark, put},
    },
    domain::{model::volume::Volume, text},
};

/// Draws the pane.
pub fn render(view: &View<'_>, area: Rect, buffer: &mut Buffer) {
    let snapshot = view.snapshot;
    let title = format!("Volumes {}", snapshot.volumes.len());
    let mounts = text::counted(snapshot.volumes.open_mounts(), "open mount");
    let state = [Span::styled(mounts, super::header::count_style(snapshot.volumes.open_mounts(), view))];
    let inner = view.pane(Pane::Volumes, &title, &state, area, buffer);
    if snapshot.volumes.is_empty() {
        let says = "No volumes yet.\nAn engine creates them; `conjure NAME` does too.";
        for (row, line) in text::wrap(says, usize::from(inner.width).saturating_sub(2)).iter().enumerate() {
            put(buffer, inner, row as u16, &Line::styled(format!(" {line}"), view.theme.styles.dim));
        }
        return;
    }
    let selected = view.app.volume_row(snapshot);
    let cursor = Cursor { row: selected, top: view.app.volume.1 };
    let rows = cursor.visible(snapshot.volumes.len(), inner.height.into());
    let names = snapshot.volumes.rows(rows.clone()).map(|volume| text::width(&text::clean(&volume.name)));
    let name = names.max().unwrap_or(0).clamp(6, (usize::from(inner.width) / 2).max(8));
    let states = snapshot.volumes.rows(rows.clone()).map(|volume| text::width(&state_of(view, volume).0));
    let columns = (name, states.max().unwrap_or(0).max(13));
    for (line, (row, volume)) in rows.clone().zip(snapshot.volumes.rows(rows)).enumerate() {
        let volume = row_of(view, volume, columns, row == selected);
        view.put_fitted(buffer, inner, line as u16, &volume);
        if row == selected && view.app.focus == Pane::Volumes && matches!(view.app.mode, Mode::Browse) {
            mark(buffer, inner, line as u16, view.theme.styles.selection);
        }
    }
}

/// What is special about a volume, in words.
fn state_of(view: &View<'_>, volume: &Volume) -> (String, Style) {
    let (styles, glyphs) = (&view.theme.styles, view.theme.glyphs);
    if let Some(mask) = volume.mask {
        let mounts = volume.open_mounts();
        let mounted = if mounts > 0 { format!(", mounted {mounts}") } else { String::new() };
        return (format!("{} masked: {}{mounted}", glyphs.forgotten, mask.as_str()), styles.fault);
    }
    match (volume.exists, volume.open_mounts()) {
        (false, 0) => (format!("{} forgotten", glyphs.forgotten), styles.fault),
        (false, mounts) => (format!("{} forgotten, mounted {mounts}", glyphs.forgotten), styles.fault),
        (true, 0) => (format!("{} not mounted", glyphs.idle), styles.dim),
        (true, mounts) => (format!("{} mounted {mounts}", glyphs.mounted), styles.good),
    }
}

/// `columns` are the widths of the name and of the state.
fn row_of(view: &View<'_>, volume: &Volume, columns: (usize, usize), selected: bool) -> Line<'static> {
    let (styles, glyphs) = (&view.theme.styles, view.theme.glyphs);
    let (state, style) = state_of(view, volume);
    let mut spans = vec![
        Span::styled(format!("{:1} ", if selected { glyphs.cursor } else { "" }), styles.focus),
        Span::raw(view.pad(&text::clean(&volume.name), columns.0)),
        Span::raw("  "),
        Span::styled(view.pad(&state, columns.1), style),
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
    if !volume.exists && volume.mask.is_none() {
        spans.push(Span::styled("  still known to the engine", styles.dim));
    }
    Line::from(spans)
}
