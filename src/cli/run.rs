//! Runs a command of the program, and says what it prints and its exit status.

use std::{
    collections::BTreeSet,
    io::{self, IsTerminal},
    path::Path,
    process::ExitCode,
    sync::Arc,
    thread,
    time::Duration,
};

use anyhow::Context;
use terminal_colorsaurus::{QueryOptions, ThemeMode, theme_mode};
use tokio::{runtime::Handle, sync::oneshot, time::sleep};

use super::{
    args::CliCommand,
    check, command,
    output::{NOT_REMOVED, complain, print, stdout_closed},
    play, plugins, serve,
    settings::{DEFAULT_NAME, Settings},
};
use crate::{
    app::{Services, Shutdown, Signal, line_output::LineFormat, logging::LogFile, paths, plugin_list},
    console::{self, ExitReason},
    export,
    net::{Address, Endpoint},
    recording::RecordingFile,
    source::{LocalSource, MergedSource, RecordingSource, RemoteSource, Source},
};

/// Runs until the end, and returns the exit status.
pub fn run(action: Option<&CliCommand>, settings: &Settings) -> anyhow::Result<ExitCode> {
    let log = LogFile::open(settings.log(variable)?)?;
    if matches!(
        action,
        Some(
            CliCommand::Attach { .. }
                | CliCommand::Check(_)
                | CliCommand::Play(_)
                | CliCommand::Replay { .. }
        )
    ) {
        log.only();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(async {
        match action {
            Some(CliCommand::Command { json, line }) => {
                command::send(&control_address(settings).await, settings, *json, line.join(" ")).await?;
                Ok(ExitCode::SUCCESS)
            }
            Some(CliCommand::Check(args)) => check::run(args, settings).await,
            Some(CliCommand::Export { file, out, which }) => super::export::run(file, out, which),
            Some(CliCommand::Attach { instances, read_only }) => {
                attach(instances, *read_only, settings).await
            }
            Some(CliCommand::Play(args)) => play::run(args, settings).await,
            Some(CliCommand::Replay { file }) => replay(file, settings).await,
            Some(CliCommand::Plugins { json }) => plugins::list(*json).await,
            Some(CliCommand::Restore { paths }) => plugins::restore(paths),
            _ => run_instance(action, settings, &log).await,
        }
    });
    // A thread that waits for a disk that does not answer must not prevent the end.
    runtime.shutdown_background();
    result
}

/// Runs an instance with the console or, without a terminal or for `serve`, with JSON lines on stdout.
async fn run_instance(
    action: Option<&CliCommand>,
    settings: &Settings,
    log: &LogFile,
) -> anyhow::Result<ExitCode> {
    let demo = if let Some(CliCommand::Demo { profile }) = action { Some(*profile) } else { None };
    let mut config = settings.config(if demo.is_some() { "demo" } else { DEFAULT_NAME });
    config.upstream = plugin_list::find(settings.upstream.as_ref()).await?;
    config.takes_over &= demo.is_none();
    let format = match action {
        Some(CliCommand::Serve { format }) if format == "text" => {
            let (symbols, zone) = settings.text(variable)?;
            LineFormat::Text { symbols, zone }
        }
        _ => LineFormat::Json,
    };
    let services = Services::start(&config, demo)?;
    let has_screen = !matches!(action, Some(CliCommand::Serve { .. })) && has_terminal();
    if has_screen {
        log.and_journal(services.hub());
    } else {
        log.and_stderr();
    }
    let driver = services.hub().driver();
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        driver = driver.name,
        address = driver.address,
        "started"
    );
    let (shown, lines) = if has_screen {
        (show(settings, &services).await, None)
    } else {
        (Ok(None), Some(serve::serve(&services, format).await))
    };
    services.shutdown.requested.cancel();
    // Nobody reads a terminal that is gone or stopped, and writing to it could block.
    let is_silent = has_screen && matches!(shown, Ok(None | Some(ExitReason::TerminalGone)));
    let says = |text: &str| {
        if !is_silent {
            complain(text);
        }
    };
    if let Some(scenario) = services.hub().scenario_under_way() {
        says(&format!("removing what scenario {scenario:?} created; Ctrl-C skips it"));
    }
    if !services.wait_for_cleanup().await {
        says(NOT_REMOVED);
    }
    let (hub, signal) = (services.hub().clone(), services.shutdown.signal());
    tracing::info!(signal = signal.map(Signal::exit_status), "ending");
    let closed = services.close().await;
    if let Some(lines) = lines {
        lines.finish().await?;
    }
    let own = shown?.and_then(signal_of);
    // What goes wrong without a terminal can be said nowhere, and the status has its reason already.
    if !is_silent {
        closed?;
    }
    if has_screen && !is_silent {
        print(export::summary(&hub.snapshot(), settings.record.as_deref()).as_bytes())?;
    }
    Ok(signal.or(own).map_or(ExitCode::SUCCESS, |signal| signal.exit_status().into()))
}

/// Shows running instances.
async fn attach(instances: &[String], read_only: bool, settings: &Settings) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(
        has_terminal(),
        "attach needs a terminal; for scripts: voltergeist command, or the API in docs/control.md"
    );
    let token = settings.token()?;
    if instances.is_empty() {
        let endpoint = Endpoint::only(&paths::own())?;
        return show_source(RemoteSource::connect(endpoint, read_only).await?, settings).await;
    }
    let mut nodes = Vec::new();
    for word in instances {
        let endpoint = plugin_list::find_instance(word, token.clone()).await?;
        let name = endpoint.label().to_owned();
        nodes.push((name, RemoteSource::connect(endpoint, read_only).await?));
    }
    if twice(&nodes).is_some() {
        for (name, source) in &mut nodes {
            name.clone_from(&source.snapshot().driver.name);
        }
    }
    if let Some(name) = twice(&nodes) {
        anyhow::bail!(
            "two instances would be called {name:?}; name each once, and start them with different --name"
        );
    }
    match nodes.pop() {
        Some((_, only)) if nodes.is_empty() => show_source(only, settings).await,
        last => {
            nodes.extend(last);
            show_source(MergedSource::new(nodes), settings).await
        }
    }
}

/// A name that more than one of the instances has.
fn twice<T>(nodes: &[(String, T)]) -> Option<&str> {
    let mut names = BTreeSet::new();
    nodes.iter().map(|(name, _)| &**name).find(|name| !names.insert(*name))
}

/// Shows a recording.
async fn replay(file: &Path, settings: &Settings) -> anyhow::Result<ExitCode> {
    let source = RecordingSource::open(RecordingFile::open(file)?)?;
    anyhow::ensure!(has_terminal(), "replay needs a terminal; its lines are JSON: jq . {}", file.display());
    show_source(source, settings).await
}

fn has_terminal() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

async fn show_source(source: Arc<dyn Source>, settings: &Settings) -> anyhow::Result<ExitCode> {
    let shutdown = Shutdown::watch()?;
    let reason = console::run(source, console_options(settings)?, shutdown.requested.clone()).await;
    let interrupted = signal_of(reason.context("cannot use the terminal")?);
    Ok(shutdown.signal().or(interrupted).map_or(ExitCode::SUCCESS, |signal| signal.exit_status().into()))
}

fn console_options(settings: &Settings) -> anyhow::Result<console::ConsoleOptions> {
    settings.console(variable, background_is_light)
}

/// How long a terminal may take to say its background. Each that answers at all says at once whether it knows it, so
/// only one that is slow or mute makes anybody wait; an answer that came later would be read as keys.
const BACKGROUND_TIMEOUT: Duration = Duration::from_secs(1);

/// Whether the background of the terminal is light. To be asked before anything else reads from the terminal.
fn background_is_light() -> Option<bool> {
    let mut options = QueryOptions::default();
    options.timeout = BACKGROUND_TIMEOUT;
    theme_mode(options).ok().map(|mode| mode == ThemeMode::Light)
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn signal_of(reason: ExitReason) -> Option<Signal> {
    match reason {
        ExitReason::Interrupted => Some(Signal::INTERRUPT),
        ExitReason::TerminalGone => Some(Signal::HANGUP),
        ExitReason::Quit | ExitReason::Shutdown => None,
    }
}

/// How long the console may take to end, since it waits for its terminal.
const CONSOLE_TIMEOUT: Duration = Duration::from_secs(3);

/// Shows the console until it ends. Returns no reason if its terminal does not take what is written.
async fn show(settings: &Settings, services: &Services) -> anyhow::Result<Option<ExitReason>> {
    let options = console_options(settings)?;
    let requested = services.shutdown.requested.clone();
    let source = LocalSource::new(services.hub().clone());
    let (sender, ended) = oneshot::channel();
    let (runtime, stop) = (Handle::current(), requested.clone());
    // On a thread of its own, since writing to a terminal that nobody reads blocks.
    thread::spawn(move || drop(sender.send(runtime.block_on(console::run(source, options, stop)))));
    let mut desired_state = services.hub().watch_desired_state();
    let stuck = async {
        tokio::select! {
            () = requested.cancelled() => {}
            _ = desired_state.wait_for(|desired_state| desired_state.quitting) => {}
        }
        sleep(CONSOLE_TIMEOUT).await;
    };
    tokio::select! {
        biased;
        reason = ended => Ok(Some(reason.context("the console panicked")?.context("cannot use the terminal")?)),
        () = stuck => {
            console::give_up_terminal();
            Ok(None)
        }
        // The console would notice it only when it draws.
        () = stdout_closed() => Ok(Some(ExitReason::TerminalGone)),
    }
}

/// The control socket of the running instance with this name.
async fn control_address(settings: &Settings) -> Address {
    if let Some(control) = &settings.control {
        return control.clone();
    }
    let (name, paths) = (settings.name.as_deref().unwrap_or(DEFAULT_NAME), paths::own());
    let socket = match paths.control_socket(name) {
        None => plugin_list::managed_control(name, &paths).await,
        socket => socket,
    };
    if socket.is_some() {
        return Address::Unix(socket);
    }
    let [system, user] = paths.control_sockets(name);
    // If there is none, the one that an instance of this user would have.
    let is_system = system.exists() || !user.exists() && rustix::process::geteuid().is_root();
    Address::Unix(Some(if is_system { system } else { user }))
}
