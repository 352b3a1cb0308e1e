//! What a scenario runs on, and its progress as it is reported while it runs.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use super::{fit::EngineSetup, report::StepReport};
use crate::{
    engine_api::{Clock, Engine, Inventory},
    hub::Hub,
};

/// After this time of the engine, a slow inventory is reported.
const SLOW_INVENTORY: Duration = Duration::from_secs(3);
/// Source: moby, `volume/drivers`: an adapter is kept for the life of the daemon, and each list asks all of them.
const SLOW_REASON: &str = "docker is probably waiting for a driver that is gone: listing volumes takes 15 s until docker \
                           is restarted";

/// What a scenario runs on.
#[derive(Clone)]
pub struct RunContext {
    /// The engine that runs the docker commands.
    pub engine: Arc<dyn Engine>,
    /// Another engine on the same driver, as of another host.
    pub second_engine: Option<Arc<dyn Engine>>,
    /// The instance whose driver the engine calls.
    pub hub: Arc<Hub>,
    /// The engine's clock.
    pub clock: Clock,
    /// A step is over when no entry has been recorded for this long, in real time. A real daemon does some of its
    /// work after it has replied.
    pub quiet_period: Duration,
    /// How long to wait between two steps, in real time, so that an audience can follow.
    pub step_delay: Duration,
    /// Whether the engine has never used the driver.
    pub fresh_engine: bool,
    /// How many steps may start. Commands in the background are not affected: their timeouts keep running.
    pub allowed_steps: watch::Receiver<usize>,
}

impl RunContext {
    /// Both engines, or the only one.
    pub(super) fn engines(&self) -> impl Iterator<Item = &Arc<dyn Engine>> {
        std::iter::once(&self.engine).chain(&self.second_engine)
    }

    /// What matters of it before the first step.
    pub(super) fn engine_setup(&self) -> EngineSetup {
        EngineSetup {
            driver: self.hub.driver().name,
            second_engine: self.second_engine.is_some(),
            fresh_engine: self.fresh_engine,
        }
    }

    /// Asks an engine what is on it, and reports if that is slow.
    pub(super) async fn inventory(
        &self,
        engine: &Arc<dyn Engine>,
        on_progress: &mut impl FnMut(Progress<'_>),
    ) -> Result<Inventory, String> {
        let mut inventory = engine.inventory();
        if let Ok(inventory) = self.clock.timeout(Some(SLOW_INVENTORY), &mut inventory).await {
            return inventory;
        }
        on_progress(Progress::Delayed { reason: SLOW_REASON });
        inventory.await
    }
}

/// What happens while a scenario runs.
#[derive(Clone, Copy, Debug)]
pub enum Progress<'p> {
    /// A step starts.
    StepStarted {
        /// Its index.
        index: usize,
        /// Its line.
        line: &'p str,
    },
    /// A step has ended.
    StepFinished {
        /// Its index.
        index: usize,
        /// Its result.
        report: &'p StepReport,
    },
    /// The engine is slow, before the first step or after the last.
    Delayed {
        /// The probable reason.
        reason: &'p str,
    },
}
