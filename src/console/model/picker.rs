//! The pickers: that of scenarios, with what is typed in it and what is left to choose from, and that of columns.

use tui_input::Input;

use crate::{
    console::layout::pane::Pane, console::model::window::Cursor, domain::model::scenario::ScenarioInfo,
    hub::Snapshot,
};

/// The open picker.
#[derive(Clone, Debug, Default)]
pub struct Picker {
    /// Words that a scenario must contain.
    pub filter: Input,
    /// The place in what is left.
    pub cursor: Cursor,
    /// Whether each step waits for a key.
    pub stepwise: bool,
}

impl Picker {
    /// The scenarios that contain all words of the filter. Exact names come first, then prefixes, then other parts of names,
    /// and those that are not for the engine come last.
    pub fn catalog<'s>(&self, snapshot: &'s Snapshot) -> Vec<&'s ScenarioInfo> {
        let filter = self.filter.value().to_lowercase();
        let fits = |scenario: &&ScenarioInfo| {
            let problem = scenario.problem.as_deref().unwrap_or_default();
            let text = format!("{} {} {} {problem}", scenario.name, scenario.title, scenario.description)
                .to_lowercase();
            filter.split_whitespace().all(|word| text.contains(word))
        };
        let mut catalog: Vec<_> = snapshot.catalog.scenarios.iter().filter(fits).collect();
        let meant = filter.trim();
        catalog.sort_by_key(|ScenarioInfo { name, obstacle, .. }| {
            (name != meant, !name.starts_with(meant), !name.contains(meant), obstacle.is_some())
        });
        catalog
    }

    /// The selected scenario.
    pub fn selected<'s>(&self, snapshot: &'s Snapshot) -> Option<&'s ScenarioInfo> {
        let catalog = self.catalog(snapshot);
        catalog.get(self.cursor.row.min(catalog.len().saturating_sub(1))).copied()
    }
}

/// The open picker of columns.
#[derive(Clone, Debug)]
pub struct ColumnPicker {
    /// Whose columns.
    pub pane: Pane,
    /// The place among them.
    pub cursor: Cursor,
}
