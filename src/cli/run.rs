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
    instance::{Home, Instance},
    places, play, print,
    settings::Settings,
    signals,
};
use crate::{
    console,
    domain::entry::Kind,
    engine::{
        self, DockerCommand, Outcome,
        demo::{Pace, Setting},
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
    let instance = Instance::open(home, settings.name(demo), settings)?;
    let (hub, shutdown) = (Arc::clone(&instance.hub), instance.shutdown.clone());
    let recording = settings.record.as_deref().map(|path| record(path, &hub, &shutdown)).transpose()?;
    let ended_by = tokio::spawn({
        let shutdown = shutdown.clone();
        async move {
            tokio::select! {
                biased;
                signal = signal => {
                    shutdown.cancel();
                    Some(signal)
                }
                () = shutdown.cancelled() => None,
            }
        }
    });
    if demo {
        tokio::spawn(street(Arc::clone(&hub), instance.seed, shutdown.clone()));
    }

    let screen =
        !matches!(action, Some(Action::Serve)) && io::stdin().is_terminal() && io::stdout().is_terminal();
    let ended =
        if screen { show(settings, &hub, &shutdown).await } else { headless::serve(&hub, &shutdown).await };
    instance.close().await?;
    if let Some(recording) = recording {
        recording.await??;
    }
    ended?;
    if screen {
        let all = Window { volumes: 0..usize::MAX, ..Window::default() };
        say(console::summary(&hub.glance(&all)).trim_end())?;
    }
    Ok(ended_by.await?.map_or(ExitCode::SUCCESS, |signal| signal.exit_status().into()))
}

/// A life on the simulated daemon. What it tells its users when something goes wrong becomes a note.
async fn street(hub: Arc<Hub>, seed: u64, shutdown: CancellationToken) {
    let Driver { name, address, .. } = hub.glance(&Window::default()).driver;
    let (_pace, pace) = watch::channel(Pace::default());
    let tell = |command: &DockerCommand, outcome: &Outcome| {
        if !outcome.succeeded() {
            hub.record(Kind::Note { text: format!("$ {command}  → {outcome}") });
        }
    };
    let lived = engine::demo::live(Setting::new(&address, &name, seed), pace, tell, shutdown).await;
    if let Err(error) = lived {
        hub.record(Kind::Note { text: format!("the simulated daemon cannot start: {error}") });
    }
}

/// The console, until somebody ends it.
async fn show(settings: &Settings, hub: &Arc<Hub>, shutdown: &CancellationToken) -> anyhow::Result<()> {
    let options = settings.console(|name| std::env::var(name).ok())?;
    console::run(Arc::clone(hub), options, shutdown.clone()).await.context("the terminal cannot be used")?;
    Ok(())
}

/// Where a running instance of this name has its control socket.
fn control_address(settings: &Settings) -> ControlAddress {
    settings.control.clone().unwrap_or_else(|| {
        let [system, user] = places::own().control_sockets(settings.name(false));
        ControlAddress::Unix(Some(if system.exists() { system } else { user }))
    })
}

fn say(text: &str) -> io::Result<()> {
    print(format!("{text}\n").as_bytes())
}
