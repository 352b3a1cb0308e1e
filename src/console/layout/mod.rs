//! Where everything is on the screen. It is known to the model and to the views, and knows neither.

pub mod borders;
pub mod counters;
mod moved_border;
pub mod pane;
pub mod picker;
pub mod screen;

/// How many of the latest seconds the sparkline shows.
pub const SPARK: usize = 16;
