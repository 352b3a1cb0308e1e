//! One life of the program: from the arguments to the orderly end.

use std::{
    fs::OpenOptions,
    hash::{BuildHasher, RandomState},
    io::{self, BufWriter, IsTerminal},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::Context;
use tempfile::TempDir;
use tokio::{sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::{args::Action, command, follow::follow, headless, places, print, settings::Settings, signals};
use crate::{
    console,
    domain::{entry::Kind, journal::Bounds},
    engine::{
        self, DockerCommand, Outcome,
        demo::{Pace, Setting},
    },
    hub::{Driver, Hub, Window},
    server::{ControlAddress, Disk, Places, Plan, Server},
};

/// Runs until the end, and returns the exit status.
pub fn run(action: Option<&Action>, settings: &Settings) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match action {
            Some(Action::Command { line }) => {
                let effect = command::send(&control_address(settings), line.join(" ")).await?;
                say(&effect)?;
                Ok(ExitCode::SUCCESS)
            }
            _ => live(action, settings).await,
        }
    })
}

/// The plugin with a face, until somebody ends it.
async fn live(action: Option<&Action>, settings: &Settings) -> anyhow::Result<ExitCode> {
    let stage = Stage::set(action, settings)?;
    let (disk, volumes) = Disk::open(&stage.root)?;
    // A drawn seed is short, since people read it off the screen and type it again.
    let seed = settings.seed.unwrap_or_else(|| RandomState::new().hash_one(stage.root.as_path()) % 1_000_000);
    let hub = Hub::new(seed, volumes, Box::new(disk.clone()), Bounds::default());
    hub.set_default_expiry(settings.expire);

    let signal = signals::first()?;
    let server = Server::bind(&hub, disk, stage.plan.clone())?;
    let shutdown = CancellationToken::new();
    let recording = settings.record.as_deref().map(|path| record(path, &hub, &shutdown)).transpose()?;
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
    if stage.is_demo() {
        tokio::spawn(demo(Arc::clone(&hub), seed, shutdown.clone()));
    }

    let screen =
        !matches!(action, Some(Action::Serve)) && io::stdin().is_terminal() && io::stdout().is_terminal();
    let ended =
        if screen { show(settings, &hub, &shutdown).await } else { headless::serve(&hub, &shutdown).await };
    shutdown.cancel();
    serving.await.context("the server did not end in order")?;
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

/// Where it all takes place.
struct Stage {
    root: PathBuf,
    plan: Plan,
    /// What a demo is played in. It goes with the stage.
    theatre: Option<TempDir>,
}

impl Stage {
    fn set(action: Option<&Action>, settings: &Settings) -> anyhow::Result<Self> {
        let Settings { root, listen, control, .. } = settings;
        let demo = matches!(action, Some(Action::Demo));
        let theatre = demo.then(tempfile::tempdir).transpose().context("there is no place for a demo")?;
        let mut plan = Plan::new(settings.name(demo));
        plan.places = own_places();
        if let Some(theatre) = &theatre {
            plan.places.sockets = theatre.path().join("plugins");
            plan.places.specs = vec![theatre.path().join("specs")];
        }
        let at_home = || match &theatre {
            Some(theatre) => Ok(theatre.path().join("volumes")),
            None => places::volumes(),
        };
        plan.listen = listen.clone().unwrap_or(plan.listen);
        plan.control = control.clone().unwrap_or(plan.control);
        plan.panic_on = std::env::var("VOLTERGEIST_PANIC_ON").ok();
        Ok(Self { root: root.clone().map_or_else(at_home, Ok)?, plan, theatre })
    }

    fn is_demo(&self) -> bool {
        self.theatre.is_some()
    }
}

/// The places of whoever runs this.
fn own_places() -> Places {
    Places::default().with_runtime(std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).as_deref())
}

/// A life on the simulated daemon. What it tells its users when something goes wrong becomes a note.
async fn demo(hub: Arc<Hub>, seed: u64, shutdown: CancellationToken) {
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
fn control_address(settings: &Settings) -> ControlAddress {
    settings.control.clone().unwrap_or_else(|| {
        let [system, user] = own_places().control_sockets(settings.name(false));
        ControlAddress::Unix(Some(if system.exists() { system } else { user }))
    })
}

fn say(text: &str) -> io::Result<()> {
    print(format!("{text}\n").as_bytes())
}
