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

fn scaled(room: u16, share: Option<u16>, default: u16, least: u16) -> u16 {
    let chosen = share.map_or(default, |share| (u32::from(room) * u32::from(share) / 1000) as u16);
    if share.is_some() { chosen.clamp(least.min(room / 2), room - least.min(room / 2)) } else { chosen }
}

impl Borders {
    /// The width of the panes beside the calls.
    pub fn side_width(&self, room: u16, default: u16) -> u16 {
        scaled(room, self.side, default, MIN_WIDTH)
    }

    /// The height of the faults below the volumes.
    pub fn faults_height(&self, room: u16, default: u16) -> u16 {
        scaled(room, self.faults, default, MIN_HEIGHT)
    }

    /// The height of the panes below the calls.
    pub fn lower_height(&self, room: u16, default: u16) -> u16 {
        scaled(room, self.lower, default, MIN_HEIGHT)
    }

    /// The width of the volumes beside the faults.
    pub fn split_width(&self, room: u16, default: u16) -> u16 {
        scaled(room, self.split, default, MIN_WIDTH)
    }

    pub(super) fn share(&mut self, border: Border) -> &mut Option<u16> {
        match border {
            Border::Side => &mut self.side,
            Border::Faults => &mut self.faults,
            Border::Lower => &mut self.lower,
            Border::Split => &mut self.split,
        }
    }
}
