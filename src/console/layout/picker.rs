//! Where the scenario picker is.

use ratatui::layout::Rect;

/// The most columns that it takes.
const MAX_WIDTH: u16 = 110;
/// The lines for the description of the selected scenario, where there is room.
const DESCRIPTION: u16 = 4;

/// Where it is on a screen.
pub fn area(screen: Rect) -> Rect {
    let width = screen.width.min(MAX_WIDTH);
    let height = if screen.height > 30 { screen.height - 8 } else { screen.height };
    Rect {
        x: screen.x + (screen.width - width) / 2,
        y: screen.y + (screen.height - height) / 2,
        width,
        height,
    }
}

/// How many scenarios are in view on a screen.
pub fn rows(screen: Rect) -> u16 {
    let inner = area(screen).height.saturating_sub(2);
    // The filter, the hints, and a gap before the description.
    let description = if inner > 12 { DESCRIPTION + 1 } else { 0 };
    inner.saturating_sub(2 + description)
}
