//! Where the pickers are: that of scenarios, and that of columns.

use ratatui::layout::Rect;

/// The most columns that it takes.
const MAX_WIDTH: u16 = 110;
/// The lines for the description of the selected scenario, where there is room.
const DESCRIPTION: u16 = 4;

/// Where it is on a screen.
pub fn area(screen: Rect) -> Rect {
    let width = screen.width.min(MAX_WIDTH);
    let height = if screen.height > 30 { screen.height - 8 } else { screen.height };
    centered(screen, width, height)
}

/// A size in the middle of a screen that has room for it.
pub const fn centered(screen: Rect, width: u16, height: u16) -> Rect {
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

/// The picker of columns.
#[derive(Clone, Copy, Debug)]
pub struct ColumnsArea {
    /// All of it.
    pub area: Rect,
    /// How many columns are in view.
    pub rows: u16,
}

/// The most columns of the screen that the picker of columns takes.
const MAX_COLUMNS_WIDTH: u16 = 66;

/// Where the picker of so many columns is on a screen of a size.
pub fn columns((width, height): (u16, u16), count: usize) -> ColumnsArea {
    // The frame, and the hints.
    let rows = (count as u16).min(height.saturating_sub(3));
    let (inner_width, inner_height) = (width.min(MAX_COLUMNS_WIDTH), (rows + 3).min(height));
    let area = centered(Rect::new(0, 0, width, height), inner_width, inner_height);
    ColumnsArea { area, rows }
}
