//! The console's state, and what keys, commands and entries do to it.

mod act;
pub mod app;
pub mod click;
mod columns;
mod copy;
pub mod dry_run;
pub mod event;
mod fault_keys;
pub mod fault_list;
pub mod grouped_list;
mod held;
mod help;
mod line;
pub mod list;
mod mark_keys;
pub mod marks;
pub mod mode;
mod news;
mod panes;
pub mod picker;
pub mod prompt;
mod question;
pub mod reply_edit;
mod row_order;
mod scenario;
pub mod sequence;
mod shell;
mod ticking;
mod timeline;
pub mod volume_list;
mod volume_rows;
pub mod widths;
pub mod window;

pub use crate::console::layout::pane::Pane;
pub use app::App;
pub use event::{Effect, Event};
