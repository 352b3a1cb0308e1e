//! The card: what is done in a scenario, in which order, and what must come of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::check::in_words;
use crate::{
    domain::lang::command::Command,
    engine::{DockerCommand, VolumeCommand},
};

/// Stands in a card for the driver's name.
const DRIVER: &str = "{driver}";
/// Stands in a card for the driver's address, which a mounted volume has in its file `test`.
const ADDRESS: &str = "{address}";

/// One scenario.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The file's name without its ending: what `play` is given.
    pub name: String,
    /// One line that tells what happens.
    pub title: String,
    /// What it description, in about two sentences.
    pub description: String,
    /// It can harm a real engine, or whatever else runs on it.
    pub dangerous: bool,
    /// It takes the engine longer than 20 seconds.
    pub slow: bool,
    /// It needs a daemon that has never met the driver.
    pub fresh: bool,
    /// What is done, in order.
    pub steps: Vec<Step>,
    /// What the plugin must have seen of it in all.
    pub calls: Calls,
}

/// One thing that is done, and what must come of it.
#[derive(Clone, Debug)]
pub struct Step {
    /// A remark for the audience.
    pub say: Option<String>,
    /// What is done, as the card has it.
    pub line: String,
    /// What is done.
    pub action: Action,
    /// What must come of it.
    pub expect: Expectation,
}

/// What is done in a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Somebody types a docker command. With a label, nobody waits for its end.
    Engine {
        /// Under which label it goes on.
        background: Option<String>,
    },
    /// Somebody gives voltergeist a command.
    Command,
    /// Nothing is done for some time of the engine's.
    Wait(Duration),
    /// A docker command that goes on comes to its end.
    Await(String),
    /// A docker command that goes on has not come to its end.
    Pending(String),
}

/// What must come of a step. Texts are looked for without regard to case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expectation {
    /// The docker command fails with each of these in what it says; if there is none, it succeeds.
    pub fails: Vec<String>,
    /// It prints each of these.
    pub prints: Vec<String>,
    /// It prints none of these.
    pub lacks: Vec<String>,
    /// The plugin sees exactly these calls.
    pub calls: Option<Vec<String>>,
    /// The plugin has so many open mounts of these volumes afterwards.
    pub mounts: BTreeMap<String, u32>,
}

/// What the plugin must have seen at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// Exactly these calls.
    pub sequence: Option<Vec<String>>,
    /// So many calls of an operation, by its word. What is not named may be any number.
    pub counts: BTreeMap<String, usize>,
}

/// Whatever a card names. None of it may be there before the card is played, so that it touches nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Containers.
    pub containers: BTreeSet<String>,
    /// Volumes.
    pub volumes: BTreeSet<String>,
}

impl Scenario {
    /// All containers and volumes that its steps name.
    pub fn names(&self) -> Names {
        let mut names = Names::default();
        for step in &self.steps {
            match &step.action {
                Action::Engine { .. } => step.line.parse().into_iter().for_each(|command| names.add(command)),
                Action::Command => {
                    let command: Option<Command> = step.line.parse().ok();
                    names.volumes.extend(command.as_ref().and_then(Command::volume).map(str::to_owned));
                }
                _ => {}
            }
        }
        names
    }
}

impl Names {
    fn add(&mut self, command: DockerCommand) {
        match command {
            DockerCommand::Volume(command) => match command {
                VolumeCommand::Create { name, .. } => self.volumes.extend(name),
                VolumeCommand::Inspect { name } | VolumeCommand::Rm { name, .. } => {
                    self.volumes.insert(name);
                }
                VolumeCommand::Ls { .. } | VolumeCommand::Prune { .. } => {}
            },
            DockerCommand::Create(run) | DockerCommand::Run(run) => {
                let named = run.volumes.iter().filter_map(|volume| volume.split_once(':'));
                self.volumes.extend(named.map(|(name, _)| name.to_owned()));
                self.containers.extend(run.name.into_iter().chain(run.volumes_from));
            }
            DockerCommand::Start { name }
            | DockerCommand::Restart { name }
            | DockerCommand::Stop { name }
            | DockerCommand::Kill { name }
            | DockerCommand::Rm { name, .. }
            | DockerCommand::Inspect { name } => {
                self.containers.insert(name);
            }
            DockerCommand::Cp { source, destination } => {
                let places = [source, destination];
                let inside = places.iter().filter_map(|place| place.split_once(':'));
                self.containers.extend(inside.map(|(name, _)| name.to_owned()));
            }
            DockerCommand::DaemonRestart | DockerCommand::DaemonKill => {}
        }
    }
}

impl Step {
    /// The line with the driver's name and address in their places.
    pub fn filled(&self, driver: &str, address: &str) -> String {
        fill(&self.line, driver, address)
    }

    /// What is done, as an audience reads it: `$` before a docker command, `:` before one to voltergeist.
    pub fn shown(&self, driver: &str, address: &str) -> String {
        let line = self.filled(driver, address);
        match &self.action {
            Action::Engine { background: None } => format!("$ {line}"),
            Action::Engine { background: Some(_) } => format!("$ {line} &"),
            Action::Command => format!(": {line}"),
            Action::Wait(_) => format!("sleep {line}"),
            Action::Await(label) => format!("wait for {label}"),
            Action::Pending(label) => format!("check that {label} is still running"),
        }
    }

    /// What must come of it, in words.
    pub fn expected(&self) -> String {
        in_words(self)
    }
}

pub(super) fn fill(text: &str, driver: &str, address: &str) -> String {
    text.replace(DRIVER, driver).replace(ADDRESS, address)
}
