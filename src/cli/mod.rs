//! The top floor: reads the command line and the environment, and wires everything together.
//!
//! ```text
//! args ─▶ Disk::open ─▶ Hub ─▶ Server::bind ─▶ the console, or JSON lines ─▶ orderly end
//! ```

mod args;
mod command;
mod follow;
mod places;
mod run;
mod signals;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use args::{Action, Cli};

/// The whole program. Exit status: 0 fine, 1 failed while running, 2 wrong usage, 128+N ended by signal N.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let ended = match &cli.action {
        Some(Action::Man) => manual(),
        Some(Action::Completions { shell }) => {
            clap_complete::generate(*shell, &mut Cli::command(), "voltergeist", &mut std::io::stdout());
            Ok(ExitCode::SUCCESS)
        }
        _ => run::run(&cli),
    };
    ended.unwrap_or_else(|error| {
        eprintln!("voltergeist: {error:#}");
        ExitCode::FAILURE
    })
}

fn manual() -> anyhow::Result<ExitCode> {
    clap_mangen::Man::new(Cli::command()).render(&mut std::io::stdout())?;
    Ok(ExitCode::SUCCESS)
}
