//! The command line: reads arguments, environment and config file, prints, and sets the exit status.

mod args;
mod command;
mod complete;
mod config;
mod manual;
mod output;
mod play;
mod plugins;
mod run;
mod serve;
mod settings;

use std::process::ExitCode;

use crate::app::takeover_guard;

use clap::{CommandFactory as _, FromArgMatches as _};
use clap_complete::CompleteEnv;

use args::{Action, Cli};
use output::{USAGE, complain, print};
use settings::Settings;

/// The whole program. Exit status: 0 fine, 1 failed while running, 2 wrong usage, 128+N ended by signal N.
pub fn main() -> ExitCode {
    // A shell asks for completions by an environment variable. Then this prints them and ends.
    CompleteEnv::with_factory(Cli::whole).complete();
    let Cli { action, config, print_config, settings } = parse();
    let printed = match &action {
        _ if print_config => print(config::template().as_bytes()),
        Some(Action::Man) => {
            let mut page = Vec::new();
            manual::write(Cli::command(), &mut page).and_then(|()| print(&page))
        }
        Some(Action::Completions { shell }) => {
            let mut script = Vec::new();
            complete::script(shell, &mut script).and_then(|()| print(&script))
        }
        Some(Action::Guard { path }) => takeover_guard::guard(path),
        _ => {
            return match config::read(config.as_deref()) {
                Ok(file) => run_with(action.as_ref(), settings, file),
                Err(error) => {
                    complain(&error.to_string());
                    USAGE.into()
                }
            };
        }
    };
    ended(printed.map(|()| ExitCode::SUCCESS).map_err(anyhow::Error::from))
}

/// Reads the command line, or ends with what is wrong in it.
fn parse() -> Cli {
    Cli::from_arg_matches(&Cli::whole().get_matches()).unwrap_or_else(|error| error.exit())
}

fn run_with(action: Option<&Action>, settings: Settings, file: Settings) -> ExitCode {
    // The config file is about the real driver; the demo and scenarios have their own name and paths.
    let file = match action {
        Some(Action::Demo { .. } | Action::Play(_)) => Settings {
            name: None,
            root: None,
            listen: None,
            upstream: None,
            control: None,
            record: None,
            ..file
        },
        _ => file,
    };
    ended(run::run(action, &settings.or(file)))
}

fn ended(ended: anyhow::Result<ExitCode>) -> ExitCode {
    ended.unwrap_or_else(|error| {
        complain(&format!("{error:#}"));
        ExitCode::FAILURE
    })
}
