//! The top floor: reads the command line, the environment and the config file, and wires everything together.
//!
//! ```text
//! args, config ─▶ DiskStore::open ─▶ Hub ─▶ Server::bind ─▶ the console, or JSON lines ─▶ orderly end
//! ```

mod args;
mod config;
mod engine_choice;
mod follow;
mod headless;
mod instance;
mod manual;
mod places;
mod play;
mod run;
mod scenario_service;
mod settings;
mod signals;
mod warnings;

use std::{
    io::{self, ErrorKind, Write as _},
    process::ExitCode,
};

use clap::FromArgMatches as _;

use args::{Action, Cli};
use settings::Settings;

/// A command line or a config file that is wrong.
const USAGE: u8 = 2;

/// The whole program. Exit status: 0 fine, 1 failed while running, 2 wrong usage, 128+N ended by signal N.
pub fn main() -> ExitCode {
    let Cli { action, config, print_config, settings } = parse();
    let printed = match &action {
        _ if print_config => print(config::template().as_bytes()),
        Some(Action::Man) => {
            let mut page = Vec::new();
            manual::write(&mut page).and_then(|()| print(&page))
        }
        Some(Action::Completions { shell }) => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::whole(), "voltergeist", &mut script);
            print(&script)
        }
        _ => {
            return match config::read(config.as_deref()) {
                Ok(file) => live(action.as_ref(), settings, file),
                Err(error) => {
                    eprintln!("voltergeist: {error}");
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

fn live(action: Option<&Action>, settings: Settings, file: Settings) -> ExitCode {
    // The demo and the cards have places of their own, whatever those of the real driver are.
    let file = match action {
        Some(Action::Demo | Action::Play(_)) => {
            Settings { name: None, root: None, listen: None, control: None, record: None, ..file }
        }
        _ => file,
    };
    ended(run::run(action, &settings.or(file)))
}

fn ended(ended: anyhow::Result<ExitCode>) -> ExitCode {
    ended.unwrap_or_else(|error| {
        eprintln!("voltergeist: {error:#}");
        ExitCode::FAILURE
    })
}

/// Prints a text. It is no failure if whoever reads it has seen enough.
fn print(text: &[u8]) -> io::Result<()> {
    match io::stdout().write_all(text) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}
