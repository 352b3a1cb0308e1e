//! One life of the program: from the arguments to the orderly end.

use std::{
    fs::OpenOptions,
    hash::{BuildHasher, RandomState},
    io::{self, BufWriter, ErrorKind, IsTerminal, Write},
    path::Path,
    process::ExitCode,
    sync::Arc,
};

use anyhow::Context;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{
    args::{Action, Cli},
    command,
    follow::follow,
    places, signals,
};
use crate::{
    console,
    domain::journal::Bounds,
    hub::{Hub, Window},
    server::{Disk, Places, Plan, Server},
};

/// Runs until the end, and returns the exit status.
pub fn run(cli: &Cli) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match &cli.action {
            Some(Action::Command { line }) => {
                let effect = command::send(&control_address(cli), line.join(" ")).await?;
                say(&effect)?;
                Ok(ExitCode::SUCCESS)
            }
            _ => live(cli).await,
        }
    })
}

/// The plugin with a face, until somebody ends it.
async fn live(cli: &Cli) -> anyhow::Result<ExitCode> {
    let root = cli.plugin.root.clone().map_or_else(places::volumes, Ok)?;
    let (disk, volumes) = Disk::open(&root)?;
    // A drawn seed is short, since people read it off the screen and type it again.
    let seed = cli.plugin.seed.unwrap_or_else(|| RandomState::new().hash_one(root.as_path()) % 1_000_000);
    let hub = Hub::new(seed, volumes, Box::new(disk.clone()), Bounds::default());

    let signal = signals::first()?;
    let server = Server::bind(&hub, disk, plan(cli))?;
    let shutdown = CancellationToken::new();
    let recording = cli.plugin.record.as_deref().map(|path| record(path, &hub, &shutdown)).transpose()?;
    let serving = tokio::spawn(server.run(shutdown.clone()));
    tokio::spawn({
        let hub = Arc::clone(&hub);
        async move { hub.keep_time().await }
    });
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

    let screen =
        !matches!(cli.action, Some(Action::Serve)) && io::stdin().is_terminal() && io::stdout().is_terminal();
    let shown = if screen { show(cli, &hub, &shutdown).await } else { serve(&hub, &shutdown).await };
    shutdown.cancel();
    serving.await.context("the server did not end in order")?;
    if let Some(recording) = recording {
        recording.await??;
    }
    if shown? == Face::Screen {
        let all = Window { volumes: 0..usize::MAX, ..Window::default() };
        say(console::summary(&hub.glance(&all)).trim_end())?;
    }
    Ok(ended_by.await?.map_or(ExitCode::SUCCESS, |signal| signal.exit_status().into()))
}

fn plan(cli: &Cli) -> Plan {
    let mut plan = Plan::new(&cli.plugin.name);
    plan.listen = cli.plugin.listen.clone();
    if let Some(control) = &cli.plugin.control {
        plan.control = control.clone();
    }
    plan.panic_on = std::env::var("VOLTERGEIST_PANIC_ON").ok();
    plan
}

/// What a user saw of it all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Face {
    Screen,
    Lines,
}

/// The console, until somebody ends it.
async fn show(cli: &Cli, hub: &Arc<Hub>, shutdown: &CancellationToken) -> anyhow::Result<Face> {
    let options = cli.screen.options()?;
    console::run(Arc::clone(hub), options, shutdown.clone()).await.context("the terminal cannot be used")?;
    Ok(Face::Screen)
}

/// No screen: JSON lines on stdout until the end.
async fn serve(hub: &Arc<Hub>, shutdown: &CancellationToken) -> anyhow::Result<Face> {
    let quit = tokio::spawn(until_quit(Arc::clone(hub), shutdown.clone()));
    let followed = follow(Arc::clone(hub), BufWriter::new(io::stdout()), shutdown.clone()).await;
    quit.abort();
    match followed {
        Ok(0) => Ok(Face::Lines),
        Ok(missed) => {
            eprintln!("voltergeist: {missed} entries were not written, because stdout was read too slowly");
            Ok(Face::Lines)
        }
        // Whoever reads has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Face::Lines),
        Err(error) => Err(error).context("cannot write to stdout"),
    }
}

async fn until_quit(hub: Arc<Hub>, shutdown: CancellationToken) {
    let mut changes = hub.changes();
    while !hub.reachability().quitting {
        if changes.changed().await.is_err() {
            return;
        }
    }
    shutdown.cancel();
}

fn record(
    path: &Path,
    hub: &Arc<Hub>,
    shutdown: &CancellationToken,
) -> anyhow::Result<JoinHandle<anyhow::Result<()>>> {
    let shown = path.display().to_string();
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .with_context(|| format!("cannot record to {shown}; choose another file"))?;
    let following = follow(Arc::clone(hub), BufWriter::new(file), shutdown.clone());
    Ok(tokio::spawn(async move {
        let missed = following.await.with_context(|| format!("the recording in {shown} broke off"))?;
        anyhow::ensure!(
            missed == 0,
            "the recording in {shown} misses {missed} entries, because the disk was too slow"
        );
        Ok(())
    }))
}

/// Where a running instance of this name has its control socket.
fn control_address(cli: &Cli) -> crate::server::ControlAddress {
    cli.plugin.control.clone().unwrap_or_else(|| {
        let places = Places::default();
        let system = places.control.join(format!("{}.sock", cli.plugin.name));
        let user = places.runtime.join(format!("{}.control.sock", cli.plugin.name));
        crate::server::ControlAddress::Unix(Some(if system.exists() { system } else { user }))
    })
}

fn say(text: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{text}")
}
