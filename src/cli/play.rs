//! `voltergeist play`: plays scenario cards, and says of each step what was expected and what was seen.

mod list;
mod teller;

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::bail;
use clap::Args;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use self::teller::{Tally, Teller};
use super::{
    USAGE,
    follow::record,
    instance::{Home, Instance},
    places,
    settings::Settings,
    signals,
    theatre::{EngineKind, Theatre},
};
use crate::{
    engine::scenario::{self, Card, Shelf, ShelfError},
    hub::Window,
};

/// The driver that cards are played with. It is the same each time, since a daemon keeps looking for every
/// driver that it has met.
const DRIVER: &str = "voltergeist-play";

/// How fast the time of a simulated daemon passes: fast enough for its minute to be three seconds, and slow
/// enough for a busy machine to keep up.
const SPEED: f64 = 20.0;

/// What to play, and where.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
#[derive(Clone, Debug, Args)]
pub struct PlayArgs {
    /// The cards, by name or by the path of a file; none lists them
    #[arg(value_name = "CARD")]
    cards: Vec<String>,

    /// Play all cards; on a real engine, only those that cannot harm it
    #[arg(long, conflicts_with = "cards")]
    all: bool,

    /// List the cards
    #[arg(long, conflicts_with_all = ["cards", "all"])]
    list: bool,

    /// What to play on
    #[arg(long, value_enum, default_value_t, value_name = "ENGINE")]
    engine: EngineKind,

    /// Print one line of JSON for each card
    #[arg(long)]
    json: bool,

    /// On a real engine, play also what can harm it or whatever else runs there
    #[arg(long)]
    dangerous: bool,
}

impl PlayArgs {
    fn may_harm(&self) -> bool {
        self.dangerous || self.engine == EngineKind::Simulated
    }

    /// The cards to play, in order.
    fn choose(&self, from: &Shelf) -> Result<Vec<Card>, Refused> {
        let cards = if self.all {
            from.all().into_iter().collect::<Result<Vec<_>, _>>()?
        } else {
            self.cards.iter().map(|name| from.find(name)).collect::<Result<Vec<_>, _>>()?
        };
        let mut cards: Vec<Card> = cards.into_iter().map(|shelved| shelved.card).collect();
        if self.all {
            cards.retain(|card| self.may_harm() || !card.dangerous);
        }
        match cards.iter().find(|card| card.dangerous && !self.may_harm()) {
            Some(card) => Err(Refused::Dangerous(card.name.clone())),
            None => Ok(cards),
        }
    }
}

/// Why nothing is played.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error(transparent)]
    Shelf(#[from] ShelfError),
    #[error(
        "the card {0:?} can harm a real engine, or what else runs on it; play it on a simulated one, or if you \
         mean it: --dangerous"
    )]
    Dangerous(String),
}

/// Lists or plays, and returns the exit status.
pub async fn run(args: &PlayArgs, settings: &Settings) -> anyhow::Result<ExitCode> {
    let shelf = Shelf::new(places::config("scenarios"));
    if args.list || (args.cards.is_empty() && !args.all) {
        return list::print(&shelf, args.json);
    }
    let cards = match args.choose(&shelf) {
        Ok(cards) => cards,
        Err(refused) => {
            eprintln!("voltergeist: {refused}");
            return Ok(USAGE.into());
        }
    };
    let signal = signals::first()?;
    tokio::pin!(signal);
    let engine = async {
        match args.engine {
            EngineKind::Simulated => Ok(None),
            EngineKind::Docker => Theatre::docker(args.dangerous).await.map(Some),
        }
    };
    let docker = tokio::select! {
        docker = engine => docker?,
        signal = &mut signal => return Ok(signal.exit_status().into()),
    };
    let home = if docker.is_some() { Home::Guest } else { Home::Rehearsal };
    let instance = Instance::open(home, settings.name.as_deref().unwrap_or(DRIVER), settings, |_| {})?;
    let theatre = docker.unwrap_or_else(|| Theatre::Simulated {
        files: instance.root.clone(),
        seed: instance.seed,
        speed: SPEED,
    });
    let stop = CancellationToken::new();
    let mut teller = Teller::new(args.json, stop.clone());
    let path = settings.record.as_deref();
    let recording = path.map(|path| record(path, &instance.hub, &instance.shutdown)).transpose()?;
    let mut playing = Box::pin(play_all(&cards, &theatre, &instance, &mut teller, &stop));
    let (played, ended_by) = tokio::select! {
        played = &mut playing => (Some(played), None),
        signal = signal => {
            stop.cancel();
            // What the card has made is removed now, unless somebody cannot wait for it.
            let impatient = signals::first()?;
            tokio::select! {
                played = &mut playing => (Some(played), Some(signal)),
                _ = impatient => (None, Some(signal)),
            }
        }
    };
    drop(playing);
    instance.close().await?;
    if let Some(recording) = recording {
        recording.await??;
    }
    if played.is_none() {
        eprintln!("voltergeist: not all was removed; see docker ps -a --filter label=voltergeist.scenario");
    }
    if matches!(theatre, Theatre::Docker(_)) {
        // Source: moby, daemon/volume/drivers: an adapter is kept for the life of the daemon, and each list asks it.
        eprintln!(
            "voltergeist: docker keeps looking for the driver; until it restarts, or you play again, \
             `docker volume ls` takes 15 s longer"
        );
    }
    let held = played.transpose()?.unwrap_or(false);
    teller.end()?;
    Ok(match ended_by {
        Some(signal) => signal.exit_status().into(),
        None if held => ExitCode::SUCCESS,
        None => ExitCode::FAILURE,
    })
}

/// Plays one card after the other, until one is stopped. Says whether all have held.
async fn play_all(
    cards: &[Card],
    theatre: &Theatre,
    instance: &Instance,
    teller: &mut Teller,
    stop: &CancellationToken,
) -> anyhow::Result<bool> {
    let driver = instance.hub.glance(&Window::default()).driver;
    if let (Theatre::Docker(_), Some(remedy)) = (theatre, driver.remedy) {
        bail!("docker does not find the driver, {}; play as root, or: {remedy}", driver.registration);
    }
    let (_all, allowed) = watch::channel(usize::MAX);
    let mut tally = Tally::default();
    for (index, card) in cards.iter().enumerate() {
        teller.begin(card, index + 1, cards.len());
        let cast = theatre.cast(&instance.hub, Duration::ZERO, allowed.clone())?;
        let begun = Instant::now();
        let report = scenario::play(card, &cast, |event| teller.tell(event), stop).await;
        teller.conclude(&report, begun.elapsed());
        tally.count(&report.verdict);
        if stop.is_cancelled() {
            break;
        }
    }
    teller.sum_up(&tally, cards.len());
    Ok(tally.held == cards.len())
}
