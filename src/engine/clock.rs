//! The daemon's clock: tokio's time, made faster by a factor.
//!
//! A daemon takes 15 s to find a plugin dead and 120 s to give up a mount. In play and in tests
//! nobody waits for that.

use std::time::Duration;

use tokio::time::{Instant, error::Elapsed};

/// Time as the daemon feels it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clock {
    speed: f64,
}

impl Clock {
    /// Time as it is.
    pub const REAL: Self = Self { speed: 1.0 };

    /// Time that passes `speed` times as fast. Anything that is not a positive number is taken for 1.
    pub fn faster(speed: f64) -> Self {
        Self { speed: if speed.is_finite() && speed > 0.0 { speed } else { 1.0 } }
    }

    fn real(self, felt: Duration) -> Duration {
        felt.div_f64(self.speed)
    }

    pub(super) async fn sleep(self, felt: Duration) {
        tokio::time::sleep(self.real(felt)).await;
    }

    /// Gives up after some time, or never.
    pub(super) async fn timeout<F: Future>(
        self,
        limit: Option<Duration>,
        future: F,
    ) -> Result<F::Output, Elapsed> {
        match limit {
            Some(limit) => tokio::time::timeout(self.real(limit), future).await,
            None => Ok(future.await),
        }
    }

    pub(super) fn felt(self, real: Duration) -> Duration {
        real.mul_f64(self.speed)
    }

    pub(super) fn since(self, start: Instant) -> Duration {
        self.felt(start.elapsed())
    }
}
