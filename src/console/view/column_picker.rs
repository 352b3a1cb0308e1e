//! The picker of columns: which are shown, and by which one the rows are sorted.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
    widgets::Block,
};

use crate::{
    console::{
        column::Column,
        input::action::KeyAction,
        layout::{
            pane::Pane,
            picker::{self, ColumnsArea},
        },
        model::picker::ColumnPicker,
        view::{
            calls,
            canvas::{View, mark, put},
            volumes,
        },
    },
    domain::text,
};

/// Draws it over everything else.
pub fn render(view: &View<'_>, state: &ColumnPicker, buffer: &mut Buffer) {
    let (styles, glyphs) = (&view.theme.styles, view.theme.glyphs);
    let columns: Vec<Column> = Column::of(state.pane).collect();
    let ColumnsArea { area, rows } = picker::columns((buffer.area.width, buffer.area.height), columns.len());
    let title =
        if state.pane == Pane::Volumes { " Columns of the volumes " } else { " Columns of the calls " };
    let inner = view.popup(area, Block::bordered().title(title), buffer);
    let sort = view.app.columns.sort(state.pane);
    let names = columns.iter().map(|column| text::width(column.name())).max().unwrap_or(0);
    let shown = state.cursor.visible(columns.len(), rows.into());
    for (line, index) in shown.enumerate() {
        let column = columns[index];
        let box_ = match (column.is_fixed(), view.app.columns.shows(column)) {
            (true, _) => "   ",
            (false, true) => "[x]",
            (false, false) => "[ ]",
        };
        let arrow = match (sort.column == column, sort.descending) {
            (false, _) => " ",
            (true, true) => glyphs.descending,
            (true, false) => glyphs.ascending,
        };
        let no_room = if has_room(view, column) { "" } else { "no room now  " };
        let spans = vec![
            Span::styled(format!(" {box_} "), styles.key),
            Span::styled(format!("{} {arrow}  ", view.pad(column.name(), names)), styles.bold),
            Span::styled(no_room, styles.warning),
            Span::styled(column.help(), styles.dim),
        ];
        view.put_fitted(buffer, inner, line as u16, &Line::from(spans));
        if index == state.cursor.row {
            mark(buffer, Rect { height: rows, ..inner }, line as u16, styles.selection);
        }
    }
    let hints = hints(view).into_iter().flat_map(|(key, does)| view.hint(&key, does));
    put(buffer, inner, inner.height.saturating_sub(1), &hints.collect::<Line<'_>>());
}

/// Whether a column is in view where it is chosen.
fn has_room(view: &View<'_>, column: Column) -> bool {
    match column.pane() {
        Pane::Volumes => volumes::has_room(view, column),
        _ => calls::has_room(view, column),
    }
}

/// What the keys do in it.
pub fn hints(view: &View<'_>) -> Vec<(String, &'static str)> {
    vec![("Space".into(), "toggle"), ("Enter".into(), "sort"), (view.key(KeyAction::Back), "close")]
}
