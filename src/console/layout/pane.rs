//! The panes.

/// How the panes share the room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PaneRoom {
    /// Each has a part of it.
    #[default]
    Shared,
    /// The focused one has all of it.
    Zoomed,
}

/// The panes, in the order of Tab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pane {
    /// The calls.
    Calls,
    /// The volumes.
    Volumes,
    /// The faults.
    Faults,
}

impl Pane {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Calls, Self::Volumes, Self::Faults];

    /// The pane so many steps further.
    #[must_use]
    pub fn step(self, by: usize) -> Self {
        Self::ALL[(self as usize + by) % Self::ALL.len()]
    }
}
