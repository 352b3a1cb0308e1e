//! Reports that connections cannot be accepted, as without a free descriptor: seldom, since it is tried ten times a second.

use std::{io, time::Duration};

use parking_lot::Mutex;
use tokio::time::Instant;

/// How much time is between two reports at least.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// What was reported of a listener.
#[derive(Debug, Default)]
pub struct AcceptFailures(Mutex<Reported>);

#[derive(Debug, Default)]
struct Reported {
    /// Whether the last report was a failure.
    failing: bool,
    last: Option<Instant>,
}

impl AcceptFailures {
    /// Accepting has failed.
    pub fn report(&self, error: &io::Error) {
        if self.0.lock().is_news(true) {
            tracing::warn!(%error, "cannot accept connections; voltergeist keeps trying");
        }
    }

    /// A connection was accepted.
    pub fn end(&self) {
        if self.0.lock().is_news(false) {
            tracing::warn!("connections are accepted again");
        }
    }
}

impl Reported {
    /// Whether to report it. With connections that come and go, each second attempt may fail.
    fn is_news(&mut self, failing: bool) -> bool {
        if self.failing == failing {
            return false;
        }
        let now = Instant::now();
        if failing && self.last.is_some_and(|last| now.duration_since(last) < REPORT_INTERVAL) {
            return false;
        }
        self.failing = failing;
        self.last = Some(now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_minute_of_failures_between_connections_is_reported_a_few_times() {
        let mut reported = Reported::default();
        let mut reports = Vec::new();
        for attempt in 0..600 {
            let failing = attempt % 2 == 0;
            if reported.is_news(failing) {
                reports.push(failing);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(reports, [true, false].repeat(6));
        tokio::time::sleep(REPORT_INTERVAL).await;
        assert!(reported.is_news(true) && !reported.is_news(true) && reported.is_news(false));
        assert!(!reported.is_news(false));
    }
}
