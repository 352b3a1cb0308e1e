//! The player: it plays a card on an engine, and leaves nothing behind.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{
    format::Scenario,
    report::{Report, ScenarioResult, StepReport},
    stage::Stage,
};
use crate::{
    engine::{Clock, Engine, Inventory},
    state::{DriverStatus, Hub},
};

/// After which time of the engine it is told that it takes long.
const SLOW: Duration = Duration::from_secs(3);
/// Source: moby, `volume/drivers`: an adapter is kept for the life of the daemon, and each list asks all of them.
const WHY_SLOW: &str = "docker waits for a gone driver, it seems: each list of volumes takes 15 s until docker \
                        is restarted";

/// Who plays.
#[derive(Clone)]
pub struct RunContext {
    /// The engine that is given the docker commands.
    pub engine: Arc<dyn Engine>,
    /// The instance whose driver it calls.
    pub hub: Arc<Hub>,
    /// The engine's clock.
    pub clock: Clock,
    /// How long nothing must be heard for a step to be over, in real time. A real daemon does some of
    /// its work after it has answered.
    pub wait_until_applied: Duration,
    /// How long an audience has to see what came of a step, in real time.
    pub beat: Duration,
    /// Whether the engine has never met the driver.
    pub fresh: bool,
    /// How many steps may be played; raise it to go on. What goes on in the background has its own time limits, and
    /// nobody's pause makes it miss them.
    pub allowed: watch::Receiver<usize>,
}

impl RunContext {
    /// Asks what is on the engine, and tells if that takes long.
    pub(super) async fn look(&self, tell: &mut impl FnMut(Event<'_>)) -> Result<Inventory, String> {
        let mut asked = self.engine.inventory();
        if let Ok(there) = self.clock.timeout(Some(SLOW), &mut asked).await {
            return there;
        }
        tell(Event::Delayed { why: WHY_SLOW });
        asked.await
    }
}

/// What a spectator hears.
#[derive(Clone, Copy, Debug)]
pub enum Event<'e> {
    /// A step begins.
    Begun {
        /// Its place, from 0.
        index: usize,
        /// What is done.
        line: &'e str,
    },
    /// A step is over.
    Ended {
        /// Its place, from 0.
        index: usize,
        /// What became of it.
        report: &'e StepReport,
    },
    /// The engine lets all wait, before the first step or after the last.
    Delayed {
        /// Why, as far as can be told.
        why: &'e str,
    },
}

/// Plays a card to its end, or until it is cancelled. Whatever the card has made is gone afterwards.
pub async fn play(
    scenario: &Scenario,
    context: &RunContext,
    mut tell: impl FnMut(Event<'_>),
    cancel: &CancellationToken,
) -> Report {
    let checked = tokio::select! {
        biased;
        () = cancel.cancelled() => return Report::stopped(scenario),
        checked = check(scenario, context, &mut tell) => checked,
    };
    if let Err(why) = checked {
        return Report::skipped(scenario, why);
    }
    let mut stage = Stage::set(scenario, context).await;
    let result = tokio::select! {
        () = cancel.cancelled() => ScenarioResult::Stopped,
        result = stage.play(&mut tell) => result,
    };
    stage.clear(result, &mut tell).await
}

/// Refuses to touch what the card did not make.
async fn check(
    scenario: &Scenario,
    context: &RunContext,
    tell: &mut impl FnMut(Event<'_>),
) -> Result<(), String> {
    if context.hub.driver_state().status != DriverStatus::Up {
        return Err("the driver is down; bring it up, then play".into());
    }
    let there = context.look(tell).await?;
    let taken = |kind: &str, name: &String| {
        Err(format!("the engine has a {kind} {name:?} that is not the card's; remove it, then play again"))
    };
    let names = scenario.names();
    let known = |name: &&String| {
        there.volumes.contains(*name) || context.hub.with_volumes(|volumes| volumes.record(name).is_some())
    };
    if let Some(name) = names.volumes.iter().find(known) {
        return taken("volume", name);
    }
    match names.containers.iter().find(|name| there.containers.contains(*name)) {
        Some(name) => taken("container", name),
        None => Ok(()),
    }
}
