//! Several instances: their names, and of which of them something holds.

use ratatui::text::Span;

use crate::{console::view::canvas::View, domain::text, hub::Snapshot};

/// The name of an instance.
pub fn name(node: &Snapshot) -> String {
    text::clean(node.node.as_deref().unwrap_or_default()).into_owned()
}

/// The chosen instance before the state of a pane, where there are several.
pub fn chosen(view: &View<'_>) -> Span<'static> {
    let node = match &view.snapshot.node {
        Some(_) => name(view.snapshot),
        None if view.snapshot.is_all() => "all nodes".to_owned(),
        None => return Span::raw(""),
    };
    Span::styled(format!("{node} {} ", view.theme.glyphs.dot), view.theme.styles.bold)
}

/// The instances of which something holds, or that it holds of none.
pub fn state(view: &View<'_>, holds: &str, none: &str, of: impl Fn(&Snapshot) -> bool) -> Vec<Span<'static>> {
    let names: Vec<_> = view.snapshot.nodes.iter().filter(|node| of(node)).map(name).collect();
    if names.is_empty() {
        return vec![Span::styled(none.to_owned(), view.theme.styles.dim)];
    }
    vec![Span::styled(format!("{holds} {}", names.join(" ")), view.theme.styles.fault)]
}
