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
    follow::record,
    headless,
    instance::{Instance, InstanceScope},
    places, play, print,
    scenario_service::{self, ScenarioService},
    settings::Settings,
    signals::{self, Signal},
    warnings,
};
use crate::{
    console::{self, ExitReason},
    domain::model::entry::{EngineCommand, EntryKind},
    engine::{
        DockerCommand, Outcome,
        demo::{self, DemoConfig},
        scenario::ScenarioLibrary,
    },
    plugin::ControlAddress,
    state::{DriverInfo, Hub},
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
    let home = if demo { InstanceScope::Demo } else { InstanceScope::System };
    let signal = signals::first()?;
    let library = ScenarioLibrary::new(places::config("scenarios"));
    let instance = Instance::open(home, settings.name(demo), settings, |hub| {
        scenario_service::offer(hub, &library, !demo);
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
    let scenario_service = ScenarioService {
        hub: Arc::clone(&hub),
        library,
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
            scenario_service.direct(closing).await;
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
        say(console::summary(&hub.snapshot(), settings.record.as_deref()).trim_end())?;
    }
    let signal = ended_by.await?.or(interrupted);
    Ok(signal.map_or(ExitCode::SUCCESS, |signal| signal.exit_status().into()))
}

/// Waits until what a card has made is removed, unless somebody cannot wait.
async fn wait_for_card(hub: &Hub, cleared: &CancellationToken) -> io::Result<()> {
    if let Some(scenario) = hub.scenario_under_way() {
        eprintln!("voltergeist: removing what the card {scenario:?} has made; Ctrl-C does not wait for it");
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
    let DriverInfo { name, address, .. } = hub.driver();
    let (set, interval) = watch::channel(demo::DemoSpeed::Every(demo::DemoSpeed::USUAL));
    let (rests, resting) = watch::channel(false);
    tokio::spawn(keep_pace(Arc::clone(hub), set));
    let (hub, shutdown) = (Arc::clone(hub), shutdown.clone());
    tokio::spawn(async move {
        let tell = |command: &DockerCommand, outcome: &Outcome| {
            if !outcome.succeeded() {
                let (command, result) = (command.to_string(), outcome.to_string());
                hub.record(EntryKind::EngineCommand(EngineCommand { command, result, ok: false }));
            }
        };
        let setting = DemoConfig::new(&address, &name, seed);
        if let Err(error) = demo::live(setting, interval, rests, tell, shutdown).await {
            hub.record(EntryKind::Note { text: format!("the simulated daemon cannot start: {error}") });
        }
    });
    resting
}

/// Hands the pace on. While a card is played, the street stands still, so that nobody mistakes its calls for the card's.
async fn keep_pace(hub: Arc<Hub>, set: watch::Sender<demo::DemoSpeed>) {
    let (mut speeds, mut run_requests) = (hub.speeds(), hub.run_requests());
    loop {
        let is_played = run_requests.borrow_and_update().is_some();
        let wanted = speeds.borrow_and_update().filter(|speed| !speed.paused && !is_played);
        set.send_replace(wanted.map_or(demo::DemoSpeed::Paused, |speed| {
            demo::DemoSpeed::Every(demo::DemoSpeed::USUAL.div_f64(speed.times))
        }));
        let changed = tokio::select! {
            changed = speeds.changed() => changed,
            changed = run_requests.changed() => changed,
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
        ExitReason::Interrupted => Some(Signal::INTERRUPT),
        ExitReason::Quit | ExitReason::TerminalGone | ExitReason::Shutdown => None,
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
