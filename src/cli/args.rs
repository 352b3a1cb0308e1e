//! The command line.

use std::{env, path::PathBuf};

use clap::{
    Arg, Args as _, Command, CommandFactory as _, Parser, Subcommand, ValueHint,
    builder::PossibleValuesParser,
};
use clap_complete::{ArgValueCandidates, ArgValueCompleter};

use super::{check::CheckArgs, complete, play::PlayArgs, settings::Settings};
use crate::{domain::lang::filter::Filter, engine_api::Profile};

/// An interactive fault-injection console for Docker volume plugins
///
/// voltergeist is a volume plugin that a real Docker daemon talks to. Every request appears live, and one
/// key makes the plugin misbehave: mounts fail, Get returns nothing, a volume disappears, the driver is down.
///
/// Without a command it opens the console. Where there is no terminal, it serves as `voltergeist serve` does.
#[expect(clippy::doc_markdown, reason = "the help shows the words as they are written here")]
#[derive(Debug, Parser)]
#[command(name = "voltergeist", version, propagate_version = true, max_term_width = 100)]
#[command(subcommand_help_heading = "Commands")]
#[command(after_help = "More, with examples: voltergeist --help", after_long_help = super::manual::after_help())]
pub struct Cli {
    /// What to do instead of opening the console
    #[command(subcommand)]
    pub action: Option<CliCommand>,

    /// The config file [default: voltergeist/config.toml in $XDG_CONFIG_HOME]
    ///
    /// Without XDG_CONFIG_HOME, in ~/.config. The command line overrides the file.
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(env = "VOLTERGEIST_CONFIG", hide_env = true)]
    pub config: Option<PathBuf>,

    /// Print a config file with every setting, its default and its meaning
    #[arg(long)]
    pub print_config: bool,

    /// The settings
    #[command(flatten)]
    pub settings: Settings,
}

impl Cli {
    /// The whole command line, with each option shown where it has an effect.
    pub fn whole() -> Command {
        let instances = ArgValueCandidates::new(complete::instances);
        let settings = Settings::augment_args(Command::new("settings"));
        let is_setting = |arg: &Arg| settings.get_arguments().any(|setting| setting.get_id() == arg.get_id());
        let command = Self::command()
            .mut_args(|arg| if is_setting(&arg) { shared(arg) } else { arg })
            .mut_arg("name", |name| name.add(instances));
        // One that a command has itself is not handed down to it.
        let shared: Vec<Arg> = command.get_arguments().filter(|arg| arg.is_global_set()).cloned().collect();
        let but = |shown: &[&str]| -> Vec<Arg> {
            let others = shared.iter().filter(|arg| !shown.contains(&arg.get_id().as_str()));
            others.cloned().map(|arg| arg.hide(true)).collect()
        };
        let screen = ["config", "theme", "color", "ascii", "mouse", "notify"];
        let attach: Vec<&str> = screen.into_iter().chain(["token_file"]).collect();
        let [for_command, for_check, for_attach, for_replay, for_none] = [
            but(&["name", "control", "token_file", "config"]),
            but(&["token_file", "ascii", "time_zone", "config"]),
            but(&attach),
            but(&screen),
            but(&[]),
        ];
        let listen = shared.iter().filter(|arg| arg.get_id() == "listen").cloned();
        let demo_listen: Vec<Arg> = listen.map(|arg| arg.long_help(DEMO_LISTEN)).collect();
        command
            .mut_subcommand("demo", |demo| demo.args(demo_listen))
            .mut_subcommand("command", |command| command.args(for_command))
            .mut_subcommand("check", |check| check.args(for_check))
            .mut_subcommand("attach", |attach| attach.args(for_attach))
            .mut_subcommand("replay", |replay| replay.args(for_replay))
            .mut_subcommand("export", |export| export.args(for_none.clone()))
            .mut_subcommand("man", |man| man.args(for_none.clone()))
            .mut_subcommand("plugins", |plugins| plugins.args(for_none.clone()))
            .mut_subcommand("restore", |restore| restore.args(for_none.clone()))
            .mut_subcommand("completions", |completions| completions.args(for_none))
    }
}

/// A setting as an option of all commands, and as a variable.
fn shared(setting: Arg) -> Arg {
    let variable: &str = format!("VOLTERGEIST_{}", setting.get_id().as_str().to_uppercase()).leak();
    setting.global(true).env(variable).hide_env(true)
}

/// The same command line, on which an empty variable counts as unset.
pub fn without_empty_variables(command: Command) -> Command {
    let unset = |arg: Arg| {
        let is_empty = arg.get_env().and_then(env::var_os).is_some_and(|value| value.is_empty());
        if is_empty { arg.env(None::<&str>) } else { arg }
    };
    command.mut_args(unset).mut_subcommands(without_empty_variables)
}

/// The simulated daemon needs no place that Docker knows.
const DEMO_LISTEN: &str = "\
Where engines reach the plugin: unix, unix:PATH or tcp://HOST:PORT

By default on a Unix socket in a temporary directory, where only the simulated daemon looks for it.";

/// What to do instead of opening the console.
#[derive(Debug, Subcommand)]
pub enum CliCommand {
    /// Open the console on a simulated daemon; needs neither Docker nor root
    Demo {
        /// Which engine is simulated
        #[arg(long, value_enum, default_value_t, value_name = "PROFILE")]
        profile: Profile,
    },
    /// Run the plugin without a screen: one JSON entry per line on stdout
    ///
    /// Exits when its output is closed, so `voltergeist serve | head` works.
    Serve {
        /// What is on stdout: json, every entry for programs; text, lines for people
        #[arg(long, value_name = "FORMAT", default_value = "json", hide_default_value = true)]
        #[arg(value_parser = PossibleValuesParser::new(["json", "text"]), hide_possible_values = true)]
        format: String,
    },
    /// Play scenarios on an engine, and report whether each passed
    ///
    /// A scenario runs docker commands while it injects faults, and says what the result of each must be. Everything
    /// that it creates is removed at the end, also after Ctrl-C. The exit status is 0 if all scenarios passed.
    #[command(override_usage = "\
voltergeist play [OPTIONS] [SCENARIO]...
       voltergeist play [OPTIONS] --all
       voltergeist play --list")]
    #[command(after_help = "\
Examples:
  voltergeist play                                  list the scenarios
  voltergeist play empty-retry data-lost            on a simulated daemon
  sudo voltergeist play --engine docker empty-retry
  voltergeist play ./mine.toml --json")]
    Play(PlayArgs),
    /// Test what must hold of a running instance or a recording
    ///
    /// The exit status is 0 if all expectations are met; else it is 1, and what was found is printed, with the calls that
    /// show it. docs/ci.md has the language and a whole job.
    #[command(after_help = "\
Examples:
  voltergeist check run.jsonl 'mount == unmount' 'lint == 0'
  voltergeist check voltergeist 'open-mounts == 0' --wait 30s
  voltergeist check run.jsonl 'sequence get create get mount'
  voltergeist check run.jsonl 'count(get where volume=db* and status=5xx) == 3'
  voltergeist check run.jsonl 'p99(get) < 50ms' --junit report.xml
  voltergeist check tcp://host:4322 --token-file FILE --file expect.toml")]
    Check(CheckArgs),
    /// Open the console on running instances, here or on other machines
    ///
    /// Without a name, attaches to the only instance of this machine. It reconnects by itself. Commands run on the
    /// instance; files are saved here. Several instances have one list by time: `@` chooses the one whose volumes and
    /// faults are shown and to which commands go, `A` all of them.
    #[command(after_help = "\
Examples:
  voltergeist attach                         the only instance of this machine
  voltergeist attach demo                    one by its name
  voltergeist attach a b ssh://root@host/c   several in one console
  voltergeist attach /run/voltergeist/x.sock its control socket
  voltergeist attach ssh://root@host/demo    on another machine, with your own ssh
  voltergeist attach tcp://host:4322 --token-file FILE")]
    Attach {
        /// A name, a control socket, `tcp://HOST:PORT` or `ssh://[USER@]HOST[:PORT][/NAME]`
        #[arg(value_name = "NAME|ADDRESS", add = ArgValueCompleter::new(complete::more_instances))]
        instances: Vec<String>,
        /// Send no commands
        #[arg(long)]
        read_only: bool,
    },
    /// Open the console on a recording: the state at any of its entries
    ///
    /// A file may hold several runs, one after another. It opens at the end of the last, and follows the file as it
    /// grows. `[` and `]` go to the failures before and after, `{` and `}` to the commands, `<` and `.` one entry back
    /// and forward, `:seek 12:03:04` or `:seek 4711` anywhere; Space plays it, and `+` and `-` set the speed.
    Replay {
        /// A file that `--record` has written
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
    /// Convert a recording to an HTTP archive, a scenario or a report
    ///
    /// The extension of the new file says what it becomes: .har, .toml, .md, .mmd, .txt, .jsonl or .rules. Each is made
    /// of the last run in the recording, if there are several. A scenario gives the same commands, and expects the same
    /// calls.
    #[command(after_help = "\
Examples:
  voltergeist export run.jsonl run.har
  voltergeist export run.jsonl db1.md --where 'volume=db1'
  voltergeist export run.jsonl mine.toml && voltergeist play ./mine.toml")]
    Export {
        /// A file that `--record` has written
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// The new file
        #[arg(value_name = "OUT", value_hint = ValueHint::FilePath)]
        out: PathBuf,
        /// Only the entries that match a filter, as after / in the console
        #[arg(long = "where", value_name = "FILTER", default_value = "", hide_default_value = true)]
        which: Filter,
    },
    /// Send one command line to a running instance
    ///
    /// The line is what can be typed after `:` in the console; options go before it. Prints the result. For an
    /// invalid line, prints the error with its column and exits with status 1.
    #[command(after_help = "\
Examples:
  voltergeist command 'arm get: empty'
  voltergeist command 'arm mount first 2: fail \"device busy\" as busy'
  voltergeist command disarm busy")]
    Command {
        /// Print the result as JSON: result, seq, calls
        #[arg(long)]
        json: bool,
        /// The command line; its words may also be given one by one
        #[arg(required = true, num_args = 1.., trailing_var_arg = true, allow_hyphen_values = true)]
        #[arg(add = ArgValueCompleter::new(complete::command_word))]
        line: Vec<String>,
    },
    /// List the volume plugins of this machine, as docker finds them
    ///
    /// Shows whether each is listening, and how a dead one slows docker.
    Plugins {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Restore the sockets of plugins after voltergeist was killed
    ///
    /// The guard process and the next start of voltergeist do this by themselves.
    Restore {
        /// Sockets that are not in a plugin directory of docker, or directories with such sockets
        #[arg(value_name = "PATH", value_hint = ValueHint::FilePath)]
        paths: Vec<PathBuf>,
    },
    /// Wait for the end of stdin, then restore the socket of a plugin
    #[command(hide = true)]
    Guard {
        /// The path of its socket
        path: PathBuf,
    },
    /// Print the manual page
    #[command(hide = true)]
    Man,
    /// Print completions for a shell
    #[command(hide = true)]
    Completions {
        /// For which shell
        #[arg(value_parser = PossibleValuesParser::new(["bash", "zsh", "fish"]))]
        shell: String,
    },
}
