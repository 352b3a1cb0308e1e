//! The command line.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum, builder::PossibleValuesParser};

use crate::{
    console::{self, theme::Theme},
    domain::duration,
    server::{ControlAddress, Listen},
};

/// An interactive fault-injection console for Docker volume plugins
///
/// voltergeist is a volume plugin that a real Docker daemon talks to. Every request appears live, and one
/// key makes the plugin misbehave: mounts fail, Get answers nothing, a volume vanishes, the driver is down.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, after_long_help = EXAMPLES)]
#[command(subcommand_help_heading = "Commands", disable_help_subcommand = true)]
pub struct Cli {
    /// What to do instead of opening the console
    #[command(subcommand)]
    pub action: Option<Action>,

    /// The plugin
    #[command(flatten)]
    pub plugin: PluginArgs,

    /// The screen
    #[command(flatten)]
    pub screen: ScreenArgs,
}

const EXAMPLES: &str = "\
Examples:
  sudo voltergeist                         the console, registered with the local Docker
  docker volume create -d voltergeist v1   … and a first call, in another window
  voltergeist demo                         the console at work, without Docker and without root
  sudo voltergeist serve | jq .            one JSON line for each entry, no screen
  sudo voltergeist command 'arm mount first 2: fail \"device busy\"'

Exit status: 0 fine, 1 failed while running, 2 wrong usage, 128+N ended by signal N.";

/// What to do instead of opening the console.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// The console on a simulated daemon with steady traffic; needs neither Docker nor root
    Demo,
    /// The plugin without a screen: one JSON entry a line on stdout
    Serve,
    /// Send one command line to a running instance
    #[command(
        after_help = "Examples:\n  voltergeist command 'arm get: empty'\n  voltergeist command disarm all"
    )]
    Command {
        /// The command line; its words may also be given one by one
        #[arg(required = true, num_args = 1.., trailing_var_arg = true, allow_hyphen_values = true)]
        line: Vec<String>,
    },
    /// Print the manual page
    #[command(hide = true)]
    Man,
    /// Print completions for a shell
    #[command(hide = true)]
    Completions {
        /// For which shell
        shell: clap_complete::Shell,
    },
}

/// How the plugin is found and where it keeps what it has.
#[derive(Debug, Args)]
#[command(next_help_heading = "Plugin")]
pub struct PluginArgs {
    /// The driver's name, as in `--volume-driver NAME` [default: voltergeist, or demo]
    #[arg(long, global = true, env = "VOLTERGEIST_NAME", hide_env_values = true)]
    pub name: Option<String>,

    /// Where volumes live [default: /var/lib/voltergeist/volumes as root, else in the user's state directory;
    /// for the demo a temporary directory]
    #[arg(long, global = true, value_name = "DIR", env = "VOLTERGEIST_ROOT", hide_env_values = true)]
    pub root: Option<PathBuf>,

    /// Where engines reach the plugin: `unix[:PATH]`, or `tcp://HOST:PORT`, which writes a .spec file
    /// [default: a socket in /run/docker/plugins]
    #[arg(long, global = true, value_name = "ADDRESS")]
    pub listen: Option<Listen>,

    /// Where the control API listens: `unix://PATH` or `tcp://HOST:PORT` [default: a socket named after the driver]
    #[arg(long, global = true, value_name = "ADDRESS", env = "VOLTERGEIST_CONTROL", hide_env_values = true)]
    pub control: Option<ControlAddress>,

    /// Append every entry to a file as a JSON line
    #[arg(long, global = true, value_name = "FILE")]
    pub record: Option<PathBuf>,

    /// What chance is drawn from; the same seed and the same calls give the same faults [default: drawn anew]
    #[arg(long, global = true, value_name = "N")]
    pub seed: Option<u64>,

    /// How long a rule lasts that does not say so itself, as 90s or 5m [default: until it is disarmed]
    #[arg(long, global = true, value_name = "DUR", value_parser = lasting)]
    pub expire: Option<Duration>,
}

fn lasting(text: &str) -> Result<Duration, &'static str> {
    duration::parse(text)
        .filter(|lasting| !lasting.is_zero())
        .ok_or("write a duration as 200ms, 90s, 5m or 1h")
}

impl PluginArgs {
    /// The driver's name.
    pub fn name(&self, demo: bool) -> &str {
        self.name.as_deref().unwrap_or(if demo { "demo" } else { "voltergeist" })
    }
}

/// How the console looks.
#[derive(Debug, Args)]
#[command(next_help_heading = "Screen")]
pub struct ScreenArgs {
    /// The colours
    #[arg(long, global = true, value_name = "NAME", default_value = "default", env = "VOLTERGEIST_THEME",
        value_parser = PossibleValuesParser::new(Theme::names()))]
    pub theme: String,

    /// Whether to use colour; `auto` heeds `NO_COLOR`
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: When,

    /// Draw with ASCII characters only, as where the locale is not UTF-8
    #[arg(long, global = true)]
    pub ascii: bool,
}

impl ScreenArgs {
    /// What the console is to look like here.
    pub fn options(&self) -> anyhow::Result<console::Options> {
        let variable = |name: &str| std::env::var(name).ok();
        let colour = match self.color {
            When::Always => true,
            When::Never => false,
            // Set and not empty, as https://no-color.org has it.
            When::Auto => variable("NO_COLOR").is_none_or(|value| value.is_empty()),
        };
        let theme = if colour { &self.theme } else { "mono" };
        let ascii = self.ascii || console::wants_ascii(variable);
        Ok(console::Options {
            theme: Theme::named(theme, ascii)?,
            zone: jiff::tz::TimeZone::system(),
            ..console::Options::default()
        })
    }
}

/// Whether to do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// If it seems right.
    Auto,
    /// In any case.
    Always,
    /// In no case.
    Never,
}
