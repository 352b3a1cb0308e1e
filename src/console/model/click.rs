//! Clicks: what they are on, and which of them belong together.

use std::time::{Duration, Instant};

use ratatui::layout::Position;

use crate::console::{column::Column, input::action::KeyAction};

/// Clicks on one place within this time are one gesture.
const DOUBLE_CLICK: Duration = Duration::from_millis(500);

/// What a click is on, where only the views know it.
#[derive(Clone, Copy, Debug)]
pub enum Clicked {
    /// A hint for a key.
    Hint(KeyAction),
    /// A column header.
    Head(Column),
}

/// Where and when the button was pressed.
#[derive(Clone, Copy, Debug)]
pub struct Click {
    /// Where.
    pub at: Position,
    /// When.
    pub when: Instant,
}

impl Click {
    /// Whether another one at that place and time is the second of a double click.
    pub(super) fn is_same_gesture(&self, at: Position, when: Instant) -> bool {
        self.at == at && when.saturating_duration_since(self.when) < DOUBLE_CLICK
    }
}
