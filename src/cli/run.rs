//! One life of the program: from the arguments to the orderly end.

use std::{
    io::{self, IsTerminal},
    process::ExitCode,
    sync::Arc,
};

use anyhow::Context;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{
    args::Action,
    command,
    director::{self, Director},
    follow::record,
    headless,
    instance::{Home, Instance},
    places, play, print,
    settings::Settings,
    signals::{self, Signal},
    warnings,
};
use crate::{
    console::{self, Ending},
    domain::{entry::Kind, pace::Pace},
    engine::{
        DockerCommand, Outcome,
        demo::{self, Setting},
        scenario::Shelf,
    },
    hub::{Driver, Hub, Window},
    server::ControlAddress,
};

/// Runs until the end, and returns the exit status.
pub fn run(action: Option<&Action>, settings: &Settings) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = runtime.block_on(async {
        match action {
            Some(Action::Command { line }) => {
                let effect = command::send(&control_address(settings), line.join(" ")).await?;
                say(&effect)?;
                Ok(ExitCode::SUCCESS)
            }
            Some(Action::Play(args)) => play::run(args, settings).await,
            _ => live(action, settings).await,
        }
    });
    // A thread that waits for a disk that does not answer must not block the end.
    runtime.shutdown_background();
    ended
}

/// The plugin with a face, until somebody ends it.
async fn live(action: Option<&Action>, settings: &Settings) -> anyhow::Result<ExitCode> {
    let demo = matches!(action, Some(Action::Demo));
    let home = if demo { Home::Demo } else { Home::Machine };
    let signal = signals::first()?;
    let shelf = Shelf::new(places::config("scenarios"));
    let instance = Instance::open(home, settings.name(demo), settings, |hub| {
        director::offer(hub, &shelf, !demo);
        if demo {
            hub.set_pace(Pace::default());
        }
    })?;
    let (hub, shutdown) = (Arc::clone(&instance.hub), instance.shutdown.clone());
    let recording = settings.record.as_deref().map(|path| record(path, &hub, &shutdown)).transpose()?;
    let closing = CancellationToken::new();
    let ended_by = tokio::spawn({
        let closing = closing.clone();
        async move {
            tokio::select! {
                biased;
                signal = signal => {
                    closing.cancel();
                    Some(signal)
                }
                () = closing.cancelled() => None,
            }
        }
    });
    let director = Director {
        hub: Arc::clone(&hub),
        shelf,
        files: instance.root.clone(),
        seed: instance.seed,
        demo: demo.then(|| street(&hub, instance.seed, &shutdown)),
    };
    // A card that is played is ended before the driver is, since what it has made can be removed only while that answers.
    let cleared = CancellationToken::new();
    tokio::spawn({
        let closing = closing.clone();
        // Also if the director should break down.
        let cleared = cleared.clone().drop_guard();
        async move {
            director.direct(closing).await;
            drop(cleared);
        }
    });

    let screen =
        !matches!(action, Some(Action::Serve)) && io::stdin().is_terminal() && io::stdout().is_terminal();
    let ended = if screen {
        show(settings, &hub, &closing).await
    } else {
        // Its reader hears of that too.
        headless::serve(&hub, &cleared).await.map(|()| None)
    };
    closing.cancel();
    wait_for_card(&hub, &cleared).await?;
    instance.close().await?;
    if let Some(recording) = recording {
        recording.await??;
    }
    let interrupted = ended?;
    if screen {
        let all = Window { volumes: 0..usize::MAX, ..Window::default() };
        say(console::summary(&hub.glance(&all), settings.record.as_deref()).trim_end())?;
    }
    let signal = ended_by.await?.or(interrupted);
    Ok(signal.map_or(ExitCode::SUCCESS, |signal| signal.exit_status().into()))
}

/// Waits until what a card has made is removed, unless somebody cannot wait.
async fn wait_for_card(hub: &Hub, cleared: &CancellationToken) -> io::Result<()> {
    if let Some(card) = hub.glance(&Window::default()).playbill.under_way() {
        eprintln!("voltergeist: removing what the card {card:?} has made; Ctrl-C does not wait for it");
    }
    let impatient = signals::first()?;
    tokio::select! {
        () = cleared.cancelled() => {}
        _ = impatient => {
            eprintln!("voltergeist: not all was removed; see docker ps -a --filter label=voltergeist.scenario");
        }
    }
    Ok(())
}

/// Begins a life on the simulated daemon, and returns what says whether it has come to rest. What it tells its users
/// when something goes wrong becomes a note.
fn street(hub: &Arc<Hub>, seed: u64, shutdown: &CancellationToken) -> watch::Receiver<bool> {
    let Driver { name, address, .. } = hub.glance(&Window::default()).driver;
    let (set, pace) = watch::channel(demo::Pace::Every(demo::Pace::USUAL));
    let (rests, resting) = watch::channel(false);
    tokio::spawn(keep_pace(Arc::clone(hub), set));
    let (hub, shutdown) = (Arc::clone(hub), shutdown.clone());
    tokio::spawn(async move {
        let tell = |command: &DockerCommand, outcome: &Outcome| {
            if !outcome.succeeded() {
                hub.record(Kind::Note { text: format!("$ {command}  → {outcome}") });
            }
        };
        let setting = Setting::new(&address, &name, seed);
        if let Err(error) = demo::live(setting, pace, rests, tell, shutdown).await {
            hub.record(Kind::Note { text: format!("the simulated daemon cannot start: {error}") });
        }
    });
    resting
}

/// Hands the pace on. While a card is played, the street stands still, so that nobody mistakes its calls for the card's.
async fn keep_pace(hub: Arc<Hub>, set: watch::Sender<demo::Pace>) {
    let (mut paces, mut cues) = (hub.paces(), hub.cues());
    loop {
        let is_played = cues.borrow_and_update().is_some();
        let wanted = paces.borrow_and_update().filter(|pace| !pace.paused && !is_played);
        set.send_replace(
            wanted
                .map_or(demo::Pace::Paused, |pace| demo::Pace::Every(demo::Pace::USUAL.div_f64(pace.times))),
        );
        let changed = tokio::select! {
            changed = paces.changed() => changed,
            changed = cues.changed() => changed,
            () = set.closed() => return,
        };
        if changed.is_err() {
            return;
        }
    }
}

/// The console, until somebody ends it; says by which signal, if it was one.
async fn show(
    settings: &Settings,
    hub: &Arc<Hub>,
    shutdown: &CancellationToken,
) -> anyhow::Result<Option<Signal>> {
    let options = settings.console(|name| std::env::var(name).ok())?;
    warnings::to_journal(hub);
    let ending = console::run(Arc::clone(hub), options, shutdown.clone()).await;
    Ok(match ending.context("the terminal cannot be used")? {
        Ending::Interrupted => Some(Signal::INTERRUPT),
        Ending::Quit | Ending::TerminalGone | Ending::Shutdown => None,
    })
}

/// Where a running instance of this name has its control socket.
fn control_address(settings: &Settings) -> ControlAddress {
    settings.control.clone().unwrap_or_else(|| {
        let [system, user] = places::own().control_sockets(settings.name(false));
        // Where there is none, the one that an instance of this user would have.
        let by_system = system.exists() || !user.exists() && rustix::process::geteuid().is_root();
        ControlAddress::Unix(Some(if by_system { system } else { user }))
    })
}

fn say(text: &str) -> io::Result<()> {
    print(format!("{text}\n").as_bytes())
}
