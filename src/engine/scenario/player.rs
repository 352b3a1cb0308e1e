//! The player: it plays a card on an engine, and leaves nothing behind.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{
    card::Card,
    report::{Report, StepReport, Verdict},
    stage::Stage,
};
use crate::{
    engine::{Clock, Engine},
    hub::{Hub, Standing},
};

/// Who plays.
#[derive(Clone)]
pub struct Cast {
    /// The engine that is given the docker commands.
    pub engine: Arc<dyn Engine>,
    /// The instance whose driver it calls.
    pub hub: Arc<Hub>,
    /// The engine's clock.
    pub clock: Clock,
    /// How long nothing must be heard for a step to be over, in real time. A real daemon does some of
    /// its work after it has answered.
    pub settle: Duration,
    /// How long an audience has to see what came of a step, in real time.
    pub beat: Duration,
    /// Whether the engine has never met the driver.
    pub fresh: bool,
    /// How many steps may be played; raise it to go on. What goes on in the background has its own time limits, and
    /// nobody's pause makes it miss them.
    pub allowed: watch::Receiver<usize>,
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
}

/// Plays a card to its end, or until it is cancelled. Whatever the card has made is gone afterwards.
pub async fn play(
    card: &Card,
    cast: &Cast,
    mut tell: impl FnMut(Event<'_>),
    cancel: &CancellationToken,
) -> Report {
    if let Err(why) = check(card, cast).await {
        return Report::skipped(card, why);
    }
    let mut stage = Stage::set(card, cast).await;
    let verdict = tokio::select! {
        () = cancel.cancelled() => Verdict::Stopped,
        verdict = stage.play(&mut tell) => verdict,
    };
    stage.clear(verdict).await
}

/// Refuses to touch what the card did not make.
async fn check(card: &Card, cast: &Cast) -> Result<(), String> {
    if cast.hub.reachability().standing != Standing::Up {
        return Err("the driver is down; bring it up, then play".into());
    }
    let there = cast.engine.inventory().await?;
    let taken = |kind: &str, name: &String| {
        Err(format!("the engine has a {kind} {name:?} that is not the card's; remove it, then play again"))
    };
    let names = card.names();
    let known = |name: &&String| {
        there.volumes.contains(*name) || cast.hub.with_volumes(|volumes| volumes.record(name).is_some())
    };
    if let Some(name) = names.volumes.iter().find(known) {
        return taken("volume", name);
    }
    match names.containers.iter().find(|name| there.containers.contains(*name)) {
        Some(name) => taken("container", name),
        None => Ok(()),
    }
}
