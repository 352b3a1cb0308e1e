//! Moving a border: by a key, or with the mouse.

use ratatui::layout::Position;

use crate::console::layout::{
    borders::{Border, Borders},
    screen::{Screen, Shape},
};

/// How far a key moves a border, in thousandths.
const STEP: u16 = 20;

impl Borders {
    /// Moves a border to a place on the screen.
    pub fn drag(&mut self, border: Border, to: Position, screen: &Screen) {
        let body = screen.body;
        let (part, whole) = match border {
            Border::Side => (body.right().saturating_sub(to.x), body.width),
            Border::Faults | Border::Lower => (body.bottom().saturating_sub(to.y), body.height),
            Border::Split => (to.x.saturating_sub(body.x), body.width),
        };
        *self.share(border) = Some((u32::from(part) * 1000 / u32::from(whole.max(1))).min(1000) as u16);
    }

    /// Moves a border one step by a key. False if there is none in that direction.
    pub fn step(&mut self, is_vertical: bool, forward: bool, screen: &Screen) -> bool {
        let (Some(volumes), Some(faults)) = (screen.volumes, screen.faults) else { return false };
        let (border, grows, part) = match (screen.shape, is_vertical) {
            (Shape::Wide, false) => (Border::Side, !forward, faults.width),
            (Shape::Wide, true) => (Border::Faults, !forward, faults.height),
            (Shape::Medium, false) => (Border::Split, forward, volumes.width),
            (Shape::Medium, true) => (Border::Lower, !forward, volumes.height),
            (Shape::Narrow, _) => return false,
        };
        let whole = if is_vertical { screen.body.height } else { screen.body.width };
        // A step is a row or a column at least.
        let step = STEP.max(1000 / whole.max(1) + 1);
        let now = (u32::from(part) * 1000 / u32::from(whole.max(1))) as u16;
        *self.share(border) = Some(if grows { (now + step).min(1000) } else { now.saturating_sub(step) });
        true
    }
}

impl Screen {
    /// The border at a place on the screen.
    pub fn border_at(&self, at: Position) -> Option<Border> {
        let (volumes, faults) = (self.volumes?, self.faults?);
        match self.shape {
            Shape::Wide if at.x == volumes.x && self.body.contains(at) => Some(Border::Side),
            Shape::Wide if at.y == faults.y && faults.contains(at) => Some(Border::Faults),
            Shape::Medium if at.x == faults.x && faults.contains(at) => Some(Border::Split),
            Shape::Medium if at.y == faults.y && self.body.contains(at) => Some(Border::Lower),
            _ => None,
        }
    }
}
