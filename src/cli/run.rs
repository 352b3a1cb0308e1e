//! Runs a command of the program, and says what it prints and its exit status.

use std::{
    io::{self, IsTerminal},
    process::ExitCode,
};

use anyhow::Context;

use super::{
    args::Action,
    output::{NOT_REMOVED, complain, print},
    play, serve,
    settings::{DEFAULT_NAME, Settings},
};
use crate::{
    api::client,
    app::{Services, Signal, logging, paths},
    console::{self, ExitReason},
    export,
    net::Address,
    source::LocalSource,
};

/// Runs until the end, and returns the exit status.
pub fn run(action: Option<&Action>, settings: &Settings) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(async {
        match action {
            Some(Action::Command { line }) => {
                let output = client::send(&control_address(settings), line.join(" ")).await?;
                print(format!("{output}\n").as_bytes())?;
                Ok(ExitCode::SUCCESS)
            }
            Some(Action::Play(args)) => play::run(args, settings).await,
            _ => run_instance(action, settings).await,
        }
    });
    // A thread that waits for a disk that does not answer must not prevent the end.
    runtime.shutdown_background();
    result
}

/// Runs an instance with the console or, without a terminal or for `serve`, with JSON lines on stdout.
async fn run_instance(action: Option<&Action>, settings: &Settings) -> anyhow::Result<ExitCode> {
    let demo = matches!(action, Some(Action::Demo));
    let config = settings.config(if demo { "demo" } else { DEFAULT_NAME });
    let services = Services::start(&config, demo)?;
    let has_screen =
        !matches!(action, Some(Action::Serve)) && io::stdin().is_terminal() && io::stdout().is_terminal();
    let result = if has_screen {
        show(settings, &services).await
    } else {
        serve::serve(&services).await.map(|()| None)
    };
    services.shutdown.requested.cancel();
    if let Some(scenario) = services.running_scenario() {
        complain(&format!("removing what scenario {scenario:?} created; Ctrl-C skips it"));
    }
    if !services.wait_for_cleanup().await {
        complain(NOT_REMOVED);
    }
    let (hub, signal) = (services.hub().clone(), services.shutdown.signal());
    services.close().await?;
    let interrupted = result?;
    if has_screen {
        print(export::summary(&hub.snapshot(), settings.record.as_deref()).as_bytes())?;
    }
    Ok(signal.or(interrupted).map_or(ExitCode::SUCCESS, |signal| signal.exit_status().into()))
}

/// Shows the console until it ends. Returns SIGINT if Ctrl-C has ended it.
async fn show(settings: &Settings, services: &Services) -> anyhow::Result<Option<Signal>> {
    let options = settings.console(|name| std::env::var(name).ok())?;
    logging::to_journal(services.hub());
    let requested = services.shutdown.requested.clone();
    let reason = console::run(LocalSource::new(services.hub().clone()), options, requested).await;
    Ok(match reason.context("cannot use the terminal")? {
        ExitReason::Interrupted => Some(Signal::INTERRUPT),
        ExitReason::Quit | ExitReason::TerminalGone | ExitReason::Shutdown => None,
    })
}

/// The control socket of the running instance with this name.
fn control_address(settings: &Settings) -> Address {
    settings.control.clone().unwrap_or_else(|| {
        let [system, user] = paths::own().control_sockets(settings.name.as_deref().unwrap_or(DEFAULT_NAME));
        // If there is none, the one that an instance of this user would have.
        let is_system = system.exists() || !user.exists() && rustix::process::geteuid().is_root();
        Address::Unix(Some(if is_system { system } else { user }))
    })
}
