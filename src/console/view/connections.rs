//! Several instances in the first row: each with its connection, and the chosen one marked.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use crate::{
    console::view::{
        canvas::{View, put_right},
        header,
        nodes::name,
    },
    domain::{
        model::source_status::{Connection, ConnectionState, SourceStatus},
        text,
    },
    hub::{DriverStatus, Snapshot},
};

/// Draws the first row: each instance with its connection, the chosen one marked, and the load.
pub fn render(view: &View<'_>, area: Rect, buffer: &mut Buffer) {
    let (styles, snapshot) = (&view.theme.styles, view.snapshot);
    let cursor = view.theme.glyphs.cursor;
    let all = if snapshot.is_all() { format!(" {cursor}all") } else { String::new() };
    let forms = [(" voltergeist", true), (" voltergeist", false), ("", true), ("", false)];
    let lines = forms.map(|(title, in_words)| {
        let mut spans = vec![Span::styled(title, styles.bold), Span::styled(all.clone(), styles.focus)];
        for node in &snapshot.nodes {
            if let SourceStatus::Remote(connection) = &node.source {
                spans.extend(of_node(view, node, connection, in_words));
            }
        }
        Line::from(spans)
    });
    let room = usize::from(area.width);
    let line = lines.iter().find(|line| line.width() <= room).unwrap_or(&lines[lines.len() - 1]);
    view.put_fitted(buffer, area, 0, line);
    let load = header::load(view).into_iter().find(|load| line.width() + 2 + load.width() <= room);
    if let Some(load) = load {
        put_right(buffer, area, 0, line.width(), &load);
    }
}

/// An instance in the header, with the state of its connection in words or as a symbol.
fn of_node(view: &View<'_>, node: &Snapshot, connection: &Connection, in_words: bool) -> Vec<Span<'static>> {
    let styles = &view.theme.styles;
    let is_chosen = node.node == view.snapshot.node;
    let (symbol, style, state) = header::connection_state(view, connection);
    let is_lost = connection.state != ConnectionState::Connected;
    let cursor = if is_chosen { view.theme.glyphs.cursor } else { "" };
    let name_style = if is_chosen { styles.focus } else { styles.bold };
    let mut spans = vec![
        Span::raw("  "),
        Span::styled(format!("{cursor}{}", name(node)), name_style),
        Span::styled(format!(" {symbol}"), style),
    ];
    let mut say = |text: String, style| spans.push(Span::styled(format!(" {text}"), style));
    if in_words || is_lost {
        let short = if in_words { state } else { "lost".to_owned() };
        say(short, style);
    }
    if node.driver_state.status != DriverStatus::Up && !is_lost {
        say(node.driver_state.status.to_string(), styles.warning);
    }
    if connection.missed > 0 {
        let missed = if in_words {
            text::counted(connection.missed, "entry")
        } else {
            text::grouped(connection.missed)
        };
        say(format!("{missed} missed"), styles.warning);
    }
    if connection.read_only && in_words {
        say("read-only".into(), styles.warning);
    }
    spans
}
