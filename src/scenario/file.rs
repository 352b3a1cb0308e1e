//! A scenario: its steps and the expected results. The fields are named like the keys of the file.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::{
    domain::lang::{command::Command, expectation},
    engine_api::{DockerCommand, Profile, ServiceCommand, VolumeCommand},
};

/// The placeholder for the driver's name.
const DRIVER: &str = "{driver}";
/// The placeholder for the driver's address, which is also the content of the file `test` in a mounted volume.
const ADDRESS: &str = "{address}";

/// One scenario.
#[expect(clippy::struct_excessive_bools, reason = "each is a key of the file")]
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The file's name without its extension, as in `play NAME`.
    pub name: String,
    /// What happens, in one line.
    pub title: String,
    /// What it shows, in about two sentences.
    pub description: String,
    /// It can harm a real engine, or disturb other containers on it.
    pub dangerous: bool,
    /// It takes more than 20 seconds of the engine's time.
    pub slow: bool,
    /// It needs a daemon that has never used the driver.
    pub fresh_engine: bool,
    /// It needs what only the built-in driver does: the files and texts that it writes, or its options.
    pub builtin_driver: bool,
    /// Whether it needs that containers keep running while the daemon is restarted, or that they do not.
    pub live_restore: Option<bool>,
    /// The engines that it is for; none stands for every dockerd.
    pub on: Vec<Profile>,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// The exact sequence of all calls.
    pub calls: Option<Vec<String>>,
    /// The number of calls of an operation. Other operations may have any number.
    pub call_counts: BTreeMap<String, usize>,
    /// What must hold of all calls.
    pub expect: Vec<expectation::Expectation>,
}

/// One action and its expected result.
#[derive(Clone, Debug)]
pub struct Step {
    /// The line in the file in which it begins, from 1.
    pub line_number: usize,
    /// The engines that it is for; none stands for all.
    pub on: Vec<Profile>,
    /// A remark for the audience.
    pub say: Option<String>,
    /// The action as it is in the file.
    pub line: String,
    /// The action.
    pub action: ScenarioAction,
    /// The expected result.
    pub expect: StepExpectation,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScenarioAction {
    /// Runs a docker command.
    Docker {
        /// If it runs in the background: its label.
        background: Option<String>,
    },
    /// Runs a voltergeist command.
    Command,
    /// Does nothing for a duration of the engine's time.
    Sleep(Duration),
    /// Waits for the background command with this label.
    WaitFor(String),
    /// Checks that the background command with this label has not ended.
    StillRunning(String),
}

/// The expected result of a step. Texts are compared case-insensitively.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepExpectation {
    /// The docker command fails, and its error contains each of these; if there is none, it succeeds.
    pub fails_with: Vec<String>,
    /// It may fail or succeed.
    pub may_fail: bool,
    /// Its output contains each of these.
    pub output_contains: Vec<String>,
    /// Its output contains none of these.
    pub output_lacks: Vec<String>,
    /// The plugin gets exactly these calls.
    pub calls: Option<Vec<String>>,
    /// The number of open mounts of each volume after the step.
    pub open_mounts: BTreeMap<String, u32>,
    /// What must hold of all calls since the first step.
    pub expect: Vec<expectation::Expectation>,
}

/// Which of two engines on one driver a docker command is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EngineNumber {
    First,
    Second,
}

/// The engine that a line is for, and the line for that engine: `docker -H second …` is for the second one.
pub(super) fn on_engine(line: &str) -> (EngineNumber, Cow<'_, str>) {
    match line.strip_prefix("docker -H second ") {
        Some(rest) => (EngineNumber::Second, format!("docker {rest}").into()),
        None => (EngineNumber::First, line.into()),
    }
}

/// The names in a scenario. None may exist before it is run, so that it touches nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Containers.
    pub containers: BTreeSet<String>,
    /// Volumes.
    pub volumes: BTreeSet<String>,
}

impl Scenario {
    /// Whether it is for an engine.
    pub fn is_for(&self, engine: Profile) -> bool {
        if self.on.is_empty() { engine.is_docker() } else { self.on.contains(&engine) }
    }

    /// The engines that it is for, in words: nothing if it is for every dockerd.
    pub fn engines(&self) -> String {
        let words: Vec<_> = self.on.iter().map(|engine| engine.as_str()).collect();
        if words.is_empty() { String::new() } else { format!("on {}", words.join(" and ")) }
    }

    /// The scenario with those of its steps that are for an engine.
    #[must_use]
    pub fn on_engine(mut self, engine: Profile) -> Self {
        self.steps.retain(|step| step.on.is_empty() || step.on.contains(&engine));
        self
    }

    /// The docker commands of its steps, with the driver's name filled in.
    pub fn docker_commands(&self, driver: &str) -> impl Iterator<Item = DockerCommand> {
        let steps = self.steps.iter().filter(|step| matches!(step.action, ScenarioAction::Docker { .. }));
        steps.filter_map(move |step| on_engine(&step.filled(driver, ADDRESS)).1.parse().ok())
    }

    /// Whether a step is for a second engine.
    pub fn needs_second_engine(&self) -> bool {
        self.steps.iter().any(|step| on_engine(&step.line).0 == EngineNumber::Second)
    }

    /// All containers and volumes that its steps name.
    pub fn names(&self) -> Names {
        let mut names = Names::default();
        self.docker_commands(DRIVER).for_each(|command| names.add(command));
        for step in self.steps.iter().filter(|step| step.action == ScenarioAction::Command) {
            let command: Option<Command> = step.line.parse().ok();
            names.volumes.extend(command.as_ref().and_then(Command::volume).map(str::to_owned));
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
            | DockerCommand::Exec { name, .. }
            | DockerCommand::Logs { name }
            | DockerCommand::Inspect { name } => {
                self.containers.insert(name);
            }
            DockerCommand::Cp { source, destination } => {
                let places = [source, destination];
                let inside = places.iter().filter_map(|place| place.split_once(':'));
                self.containers.extend(inside.map(|(name, _)| name.to_owned()));
            }
            DockerCommand::Service(ServiceCommand::Create { mounts, .. }) => {
                self.volumes.extend(mounts.into_iter().map(|mount| mount.source));
            }
            DockerCommand::Ps { .. }
            | DockerCommand::Plugin(_)
            | DockerCommand::Service(_)
            | DockerCommand::DaemonRestart
            | DockerCommand::DaemonKill => {}
        }
    }
}

impl Step {
    /// The line with the driver's name and address filled in.
    pub fn filled(&self, driver: &str, address: &str) -> String {
        fill(&self.line, driver, address)
    }

    /// The action as it is shown: `$` before a docker command, `:` before a voltergeist command.
    pub fn shown(&self, driver: &str, address: &str) -> String {
        let line = self.filled(driver, address);
        match &self.action {
            ScenarioAction::Docker { background: None } => format!("$ {line}"),
            ScenarioAction::Docker { background: Some(_) } => format!("$ {line} &"),
            ScenarioAction::Command => format!(": {line}"),
            ScenarioAction::Sleep(_) => format!("sleep {line}"),
            ScenarioAction::WaitFor(label) => format!("wait for {label}"),
            ScenarioAction::StillRunning(label) => format!("check that {label} is still running"),
        }
    }
}

pub(super) fn fill(text: &str, driver: &str, address: &str) -> String {
    text.replace(DRIVER, driver).replace(ADDRESS, address)
}
