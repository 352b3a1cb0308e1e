//! The driver's volumes, their open mounts by ID, and the ways to change them.
//!
//! Every change is a [`Change`], whether an engine asked for it, a command made it behind the
//! engine's back, or a recording repeats it. [`Volumes::apply`] is the one place that acts on it, so
//! the volumes are what the recorded changes add up to.

mod record;
mod volumes;

pub use record::{Change, MAX_OPEN_MOUNTS, Mask, Volume};
pub use volumes::Volumes;
