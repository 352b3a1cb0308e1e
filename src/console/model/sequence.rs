//! The lines of the sequence diagram: which step and which entry each one shows.

use crate::{
    console::{
        layout::{pane::Pane, screen::Screen},
        model::list::EntryList,
    },
    domain::{
        analysis::retries::Retries,
        text::sequence::{DiagramStep, LINES, steps},
    },
};

/// What stands in which line.
pub struct SequenceLines<'a> {
    /// The numbers of the entries in view.
    rows: Vec<u64>,
    /// Their steps.
    pub steps: Vec<DiagramStep<'a>>,
    /// Of which step a line is, by its place, and which of its lines. After its own there may be empty ones.
    pub places: Vec<(usize, usize)>,
}

impl<'a> SequenceLines<'a> {
    /// Those of the entries in view. A pause takes lines too: there are as many as fit, with the selected entry's end.
    pub fn of(calls: &'a EntryList, retries: &'a Retries, screen: &Screen) -> Self {
        let height = screen.rows(Pane::Calls);
        let steps = steps(calls.visible(height), retries);
        let space = usize::from(screen.entry_lines.saturating_sub(LINES));
        let mut places = Vec::new();
        for (index, step) in steps.iter().enumerate() {
            let taken = step.lines() + if step.is_last() { space } else { 0 };
            places.extend((0..taken).map(|line| (index, line)));
        }
        let selected = calls.selected().map(|entry| entry.seq);
        let end = places.iter().rposition(|(step, _)| Some(steps[*step].entry.seq) == selected);
        let above = (end.unwrap_or(0) + 1).saturating_sub(screen.list(Pane::Calls).height.into());
        places.drain(..above);
        Self { rows: calls.visible(height).map(|entry| entry.seq).collect(), steps, places }
    }

    /// Which of the entries in view stands in a line.
    pub fn row_at(&self, line: usize) -> Option<usize> {
        let seq = self.steps[self.places.get(line)?.0].entry.seq;
        self.rows.iter().position(|row| *row == seq)
    }
}
