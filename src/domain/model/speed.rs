//! The pace of the demo: how fast its life goes, or that it stands still.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How fast.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DemoSpeed {
    /// So many times the usual.
    pub times: f64,
    /// Whether it stands still for now.
    pub paused: bool,
}

/// How to change it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SpeedChange {
    /// So many times the usual from now on.
    Times(f64),
    /// Stand still.
    Pause,
    /// Go on as before.
    Go,
}

impl Default for DemoSpeed {
    fn default() -> Self {
        Self { times: 1.0, paused: false }
    }
}

impl DemoSpeed {
    /// The slowest and the fastest.
    pub const RANGE: std::ops::RangeInclusive<f64> = 0.1..=50.0;

    /// The pace after a change.
    #[must_use]
    pub fn changed(self, change: SpeedChange) -> Self {
        match change {
            SpeedChange::Times(times) => Self { times, paused: false },
            SpeedChange::Pause => Self { paused: true, ..self },
            SpeedChange::Go => Self { paused: false, ..self },
        }
    }

    /// The change to the next faster pace. What stands still goes on first.
    pub fn faster(self) -> Option<SpeedChange> {
        if self.paused {
            return Some(SpeedChange::Go);
        }
        Some(self.times * 2.0).filter(|times| Self::RANGE.contains(times)).map(SpeedChange::Times)
    }

    /// The change to the next slower pace, which in the end is none.
    pub fn slower(self) -> Option<SpeedChange> {
        let slower = self.times / 2.0;
        match (self.paused, Self::RANGE.contains(&slower)) {
            (true, _) => None,
            (false, true) => Some(SpeedChange::Times(slower)),
            (false, false) => Some(SpeedChange::Pause),
        }
    }
}

impl fmt::Display for DemoSpeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.paused { f.write_str("paused") } else { write!(f, "{}x", self.times) }
    }
}

impl fmt::Display for SpeedChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Times(times) => write!(f, "{times}"),
            Self::Pause => f.write_str("pause"),
            Self::Go => f.write_str("go"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slower_and_slower_it_comes_to_a_halt_and_faster_it_goes_on_where_it_was() {
        let mut speed = DemoSpeed::default();
        let mut told = Vec::new();
        while let Some(change) = speed.slower() {
            speed = speed.changed(change);
            told.push(speed.to_string());
        }
        assert_eq!(told, ["0.5x", "0.25x", "0.125x", "paused"]);
        speed = speed.changed(speed.faster().expect("it can go on"));
        assert_eq!(speed.to_string(), "0.125x");
    }
}
