//! What happened to volumes, in words.

use crate::{console::view::detail::page::DetailPage, domain::model::volume::Change};

/// All of some changes, a line each.
pub fn list(page: &mut DetailPage<'_>, changes: &[Change]) {
    let style = page.view.theme.styles.text;
    for change in changes {
        let name = change.name().map_or_else(String::new, |name| format!("volume {name:?} "));
        page.say(&describe(change, &name), style);
    }
}

/// A change in words, after the volume's name.
pub fn describe(change: &Change, name: &str) -> String {
    match change {
        Change::Created { .. } => format!("{name}created"),
        Change::Removed { .. } => format!("{name}removed with its files"),
        Change::Mounted { id, .. } => format!("{name}mounted by {id}"),
        Change::Unmounted { id, .. } => format!("{name}unmounted by {id}"),
        Change::Forgotten { .. } => format!("{name}forgotten"),
        Change::Restored { .. } => format!("{name}restored"),
        Change::MountsCleared { .. } => format!("{name}unmounted everywhere"),
        Change::AllDeleted => "all volumes and files deleted".into(),
        Change::StateLost => "all volumes lost; files kept".into(),
    }
}
