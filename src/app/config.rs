//! What an instance is started with.

use std::{path::PathBuf, time::Duration};

use crate::{
    domain::{
        lang::command::Command,
        model::{directory_options::DirectoryOptions, speed::EngineSpeed},
    },
    net::{Address, Upstream},
};

/// What an instance is started with. `None` stands for the default of the [scope](super::InstanceScope).
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The driver's name.
    pub name: String,
    /// Where volumes are stored.
    pub root: Option<PathBuf>,
    /// Where engines reach the plugin.
    pub listen: Option<Address>,
    /// Where the control API is.
    pub control: Option<Address>,
    /// Where commands over a TCP control address may save files.
    pub save_directory: Option<PathBuf>,
    /// How the directories of volumes are made whose options say nothing.
    pub directories: DirectoryOptions,
    /// The file with the token for a control API on TCP.
    pub token_file: Option<PathBuf>,
    /// How long the head of a request may take; without it any time.
    pub header_timeout: Option<Duration>,
    /// Whether a change of a volume survives a loss of power before it is answered.
    pub sync: bool,
    /// The file to which every entry is appended.
    pub record: Option<PathBuf>,
    /// The options whose values are in no entry.
    pub redact: Vec<String>,
    /// The random seed.
    pub seed: Option<u64>,
    /// How long a rule lasts that does not say so.
    pub expire: Option<Duration>,
    /// Commands that are run before the first request: rules to arm, an outage to begin with.
    pub commands: Vec<Command>,
    /// How fast the clock is that the durations of these commands are meant in.
    pub speed: EngineSpeed,
    /// Whether the rules of the last run are armed again, with what they have counted.
    pub keep_rules: bool,
    /// The plugin to forward calls to, instead of the built-in driver.
    pub upstream: Option<Upstream>,
    /// Whether to take the place of that plugin's socket, instead of listening beside it.
    pub takes_over: bool,
    /// For tests: the volume whose calls panic.
    pub panic_on: Option<String>,
}
