//! The borders between panes, and where the user has moved them.

use serde::{Deserialize, Serialize};

/// The fewest columns and rows that a pane keeps.
const MIN_WIDTH: u16 = 24;
const MIN_HEIGHT: u16 = 4;

/// A border that can be moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Border {
    /// Between the calls and the panes beside them.
    Side,
    /// Between the volumes and the faults below them.
    Faults,
    /// Between the calls and the panes below them.
    Lower,
    /// Between the volumes and the faults beside them.
    Split,
}

/// The borders that were moved: each as thousandths of what it divides, so that they survive a change of the size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Borders {
    side: Option<u16>,
    faults: Option<u16>,
    lower: Option<u16>,
    split: Option<u16>,
}

impl Borders {
    /// The width or the height of the pane beside a border, where it would have a default in so much room.
    pub fn size(mut self, border: Border, room: u16, default: u16) -> u16 {
        let least = match border {
            Border::Side | Border::Split => MIN_WIDTH,
            Border::Faults | Border::Lower => MIN_HEIGHT,
        };
        let Some(share) = *self.share(border) else { return default };
        let chosen = (u32::from(room) * u32::from(share) / 1000) as u16;
        chosen.clamp(least.min(room / 2), room - least.min(room / 2))
    }

    pub(super) const fn share(&mut self, border: Border) -> &mut Option<u16> {
        match border {
            Border::Side => &mut self.side,
            Border::Faults => &mut self.faults,
            Border::Lower => &mut self.lower,
            Border::Split => &mut self.split,
        }
    }
}
