//! How wide the columns of the calls must be for what they have shown.

use crate::domain::{analysis::traced_calls::is_generated, model::entry::Entry, text};

/// As many cells are enough of the name of an anonymous volume, as of a container's ID.
const GENERATED: usize = 12;

/// How wide the widest volume name and the widest action of a fault are so far, so that no column jumps.
#[derive(Clone, Copy, Debug, Default)]
pub struct Widths {
    /// That of the volumes' names.
    pub volume: usize,
    /// That of the faults' actions.
    pub action: usize,
}

impl Widths {
    pub(super) fn add(&mut self, entry: &Entry) {
        let Some(call) = entry.head() else { return };
        let width = |text: &str| text::width(&text::clean(text));
        // The name of an anonymous volume says nothing after its first letters.
        let name = |name: &str| if is_generated(name) { GENERATED } else { width(name) };
        self.volume = self.volume.max(call.volume.map_or(0, name));
        self.action = self.action.max(call.fault.map_or(0, |fault| width(&fault.action)));
    }
}
