//! The command line: reads arguments, environment and config file, prints, and sets the exit status.

mod annotation;
mod args;
mod check;
mod command;
mod complete;
pub mod config;
mod export;
mod junit;
mod manual;
mod output;
mod play;
mod plugins;
mod run;
mod serve;
mod setting_values;
mod settings;

use std::process::ExitCode;

use crate::app::takeover_guard;

use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _, error::ErrorKind, parser::ValueSource};
use clap_complete::CompleteEnv;

use args::{Cli, CliCommand};
use output::{USAGE, complain, print};
use settings::Settings;

/// The whole program. Exit status: 0 fine, 1 failed while running, 2 wrong usage, 128+N ended by signal N.
pub fn main() -> ExitCode {
    // A shell asks for completions by an environment variable. Then this prints them and ends.
    CompleteEnv::with_factory(Cli::whole).complete();
    let Cli { action, config, print_config, settings } = parse();
    let printed = match &action {
        _ if print_config => print(config::template().as_bytes()),
        Some(CliCommand::Man) => {
            let mut page = Vec::new();
            manual::write(Cli::command(), &mut page).and_then(|()| print(&page))
        }
        Some(CliCommand::Completions { shell }) => {
            let mut script = Vec::new();
            complete::script(shell, &mut script).and_then(|()| print(&script))
        }
        Some(CliCommand::Guard { path }) => takeover_guard::guard(path),
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

/// Reads the command line and the variables, or ends with what is wrong in them.
fn parse() -> Cli {
    let mut command = args::without_empty_variables(Cli::whole());
    let matches = command.get_matches_mut();
    let cli = Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command));
    let checked = cli.and_then(|mut cli| {
        settle(&mut cli.settings, &matches)
            .map_err(|text| command.error(ErrorKind::ArgumentConflict, text))?;
        Ok(cli)
    });
    checked.unwrap_or_else(|error| error.exit())
}

/// Lets the command line go before the variables where both say how the driver begins, and refuses what contradicts
/// itself.
fn settle(settings: &mut Settings, matches: &ArgMatches) -> Result<(), String> {
    let Some(pair) = settings.contradiction() else { return Ok(()) };
    let is_typed =
        pair.map(|name| matches.value_source(&name.replace('-', "_")) == Some(ValueSource::CommandLine));
    match (pair, is_typed) {
        (["start-down", _], [true, false]) => settings.listen_after = None,
        (["start-down", _], [false, true]) => settings.start_down = None,
        ([one, other], [one_typed, other_typed]) => {
            let shown = |name: &str, is_typed| {
                let variable = || format!("VOLTERGEIST_{}", name.replace('-', "_").to_uppercase());
                if is_typed { format!("--{name}") } else { variable() }
            };
            let (one, other) = (shown(one, one_typed), shown(other, other_typed));
            return Err(format!("{one} and {other} contradict each other; leave one of them out"));
        }
    }
    Ok(())
}

fn run_with(action: Option<&CliCommand>, settings: Settings, file: Settings) -> ExitCode {
    // The config file is about the real driver; the demo and scenarios have their own name and paths.
    let file = match action {
        Some(CliCommand::Demo { .. } | CliCommand::Play(_)) => Settings {
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
    let settings = settings.or(file);
    if let Some([one, other]) = settings.contradiction() {
        // Each source alone was checked when it was read.
        let both = format!("{one} and {other} contradict each other, and one of them is in the config file");
        complain(&format!("{both}; leave one of them out, or set --{other}=false"));
        return USAGE.into();
    }
    ended(run::run(action, &settings))
}

fn ended(ended: anyhow::Result<ExitCode>) -> ExitCode {
    ended.unwrap_or_else(|error| {
        complain(&format!("{error:#}"));
        ExitCode::FAILURE
    })
}
