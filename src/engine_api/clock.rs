//! An engine's clock: tokio's time, faster by a factor.
//!
//! A daemon takes 15 s to find that a plugin is gone, and 120 s until a Mount times out. Scenarios and tests
//! do not wait that long.

use std::time::Duration;

use tokio::time::{Instant, error::Elapsed};

use crate::domain::model::speed::EngineSpeed;

/// The time of an engine.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Clock {
    speed: EngineSpeed,
}

impl Clock {
    /// Real time.
    pub const REAL: Self = Self { speed: EngineSpeed::REAL };

    /// Time that passes `speed` times as fast. A speed that is not a positive number counts as 1.
    pub fn faster(speed: f64) -> Self {
        Self { speed: EngineSpeed::times(speed) }
    }

    /// How fast it is.
    pub fn speed(self) -> EngineSpeed {
        self.speed
    }

    pub(crate) async fn sleep(self, engine_time: Duration) {
        tokio::time::sleep(self.speed.real(engine_time)).await;
    }

    /// Gives up after some time, or never.
    pub(crate) async fn timeout<F: Future>(
        self,
        limit: Option<Duration>,
        future: F,
    ) -> Result<F::Output, Elapsed> {
        match limit {
            Some(limit) => tokio::time::timeout(self.speed.real(limit), future).await,
            None => Ok(future.await),
        }
    }

    /// How much time passes for the engine in so much real time.
    pub(crate) fn engine_time(self, real: Duration) -> Duration {
        self.speed.engine_time(real)
    }

    pub(crate) fn since(self, start: Instant) -> Duration {
        self.engine_time(start.elapsed())
    }
}
