//! The speed of the demo workload, and of an engine's clock.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

/// The demo speed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DemoSpeed {
    /// 1 is normal.
    pub times: f64,
    /// Whether it is paused.
    pub paused: bool,
}

/// How fast an engine's clock is: 1 is real time.
///
/// A simulated daemon takes 15 s to find that a plugin is gone, and nobody waits that long for a scenario. What a rule or
/// an outage of the scenario says in seconds is in the same time.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct EngineSpeed(f64);

impl Default for EngineSpeed {
    fn default() -> Self {
        Self::REAL
    }
}

impl EngineSpeed {
    /// Real time.
    pub const REAL: Self = Self(1.0);

    /// So many times as fast. What is not a positive number counts as 1.
    pub fn times(times: f64) -> Self {
        Self(if times.is_finite() && times > 0.0 { times } else { 1.0 })
    }

    /// Whether it is real time.
    pub fn is_real(&self) -> bool {
        *self == Self::REAL
    }

    /// How much real time passes in so much of the engine's.
    pub fn real(self, engine_time: Duration) -> Duration {
        if self.is_real() { engine_time } else { Self::scaled(engine_time, self.0.recip()) }
    }

    /// How much of the engine's time passes in so much real time.
    pub fn engine_time(self, real: Duration) -> Duration {
        if self.is_real() { real } else { Self::scaled(real, self.0) }
    }

    fn scaled(time: Duration, times: f64) -> Duration {
        Duration::try_from_secs_f64(time.as_secs_f64() * times).unwrap_or(Duration::MAX)
    }
}

/// A change of the demo speed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SpeedChange {
    /// Run at this speed.
    Times(f64),
    /// Pause.
    Pause,
    /// Resume at the speed before the pause.
    Continue,
}

impl Default for DemoSpeed {
    fn default() -> Self {
        Self { times: 1.0, paused: false }
    }
}

impl DemoSpeed {
    /// From the slowest to the fastest.
    pub const RANGE: std::ops::RangeInclusive<f64> = 0.1..=64.0;

    /// The speed after a change.
    #[must_use]
    pub fn changed(self, change: SpeedChange) -> Self {
        match change {
            SpeedChange::Times(times) => Self { times, paused: false },
            SpeedChange::Pause => Self { paused: true, ..self },
            SpeedChange::Continue => Self { paused: false, ..self },
        }
    }

    /// The change to the next faster speed. A paused demo resumes first.
    pub fn faster(self) -> Option<SpeedChange> {
        if self.paused {
            return Some(SpeedChange::Continue);
        }
        Some(self.times * 2.0).filter(|times| Self::RANGE.contains(times)).map(SpeedChange::Times)
    }

    /// The change to the next slower speed. Below the slowest it pauses.
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
            Self::Continue => f.write_str("continue"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn below_the_slowest_speed_the_demo_pauses_and_faster_resumes_it() {
        let mut speed = DemoSpeed::default();
        let mut shown = Vec::new();
        while let Some(change) = speed.slower() {
            speed = speed.changed(change);
            shown.push(speed.to_string());
        }
        assert_eq!(shown, ["0.5x", "0.25x", "0.125x", "paused"]);
        speed = speed.changed(speed.faster().expect("it can resume"));
        assert_eq!(speed.to_string(), "0.125x");
    }

    #[test]
    fn an_engines_time_is_real_time_again_and_never_overflows() {
        let fast = EngineSpeed::times(20.0);
        assert_eq!(fast.real(Duration::from_secs(60)), Duration::from_secs(3));
        assert_eq!(fast.engine_time(Duration::from_secs(3)), Duration::from_secs(60));
        assert_eq!(fast.engine_time(Duration::MAX), Duration::MAX);
        for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(EngineSpeed::times(wrong).is_real(), "{wrong}");
        }
    }
}
