//! The card: what a scenario file says, read and checked before anything is played.

use std::{collections::BTreeMap, ops::Range, str::FromStr, time::Duration};

use serde::Deserialize;
use toml::Spanned;

use crate::{
    domain::{command::Command, duration, protocol::Operation},
    engine::{DockerCommand, VolumeCommand},
};

/// Stands in a card for the driver's name.
const DRIVER: &str = "{driver}";
/// Stands in a card for the driver's address, which a mounted volume has in its file `test`.
const ADDRESS: &str = "{address}";

/// One scenario.
#[derive(Clone, Debug)]
pub struct Card {
    /// The file's name without its ending: what `play` is given.
    pub name: String,
    /// One line that tells what happens.
    pub title: String,
    /// What it shows, in about two sentences.
    pub shows: String,
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

/// Why a file is no card.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {key}: {problem}")]
pub struct CardError {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The key whose value is wrong.
    pub key: String,
    /// What is wrong with it.
    pub problem: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    title: String,
    shows: String,
    #[serde(default)]
    dangerous: bool,
    #[serde(default)]
    slow: bool,
    #[serde(default)]
    fresh: bool,
    #[serde(default)]
    counts: BTreeMap<String, usize>,
    calls: Option<Vec<String>>,
    #[serde(rename = "step")]
    steps: Vec<Spanned<RawStep>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStep {
    say: Option<String>,
    docker: Option<Spanned<String>>,
    command: Option<Spanned<String>>,
    wait: Option<Spanned<String>>,
    #[serde(rename = "await")]
    awaited: Option<Spanned<String>>,
    pending: Option<Spanned<String>>,
    background: Option<Spanned<String>>,
    #[serde(default)]
    fails: OneOrMore,
    #[serde(default)]
    prints: OneOrMore,
    #[serde(default)]
    lacks: OneOrMore,
    calls: Option<Vec<String>>,
    #[serde(default)]
    mounts: BTreeMap<String, u32>,
}

#[derive(Default, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    #[default]
    None,
    One(String),
    More(Vec<String>),
}

impl From<OneOrMore> for Vec<String> {
    fn from(texts: OneOrMore) -> Self {
        match texts {
            OneOrMore::None => Self::new(),
            OneOrMore::One(text) => vec![text],
            OneOrMore::More(texts) => texts,
        }
    }
}

/// A file as it is read, for telling where something in it is.
struct Source<'s> {
    file: &'s str,
    text: &'s str,
}

impl Source<'_> {
    fn error(&self, at: &Range<usize>, key: &str, problem: impl Into<String>) -> CardError {
        let start = at.start.min(self.text.len());
        CardError {
            file: self.file.to_owned(),
            line: self.text[..start].matches('\n').count() + 1,
            key: key.to_owned(),
            problem: problem.into(),
        }
    }

    /// What the TOML reader complains of, with the key on the line that it points to.
    fn toml_error(&self, error: &toml::de::Error) -> CardError {
        let at = error.span().unwrap_or_default();
        let start = at.start.min(self.text.len());
        let begin = self.text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line = self.text[begin..].lines().next().unwrap_or_default();
        let key = line.split('=').next().unwrap_or_default().trim();
        self.error(&at, key, error.message())
    }
}

impl Card {
    /// Reads a file's text. `name` is the card's, `file` is what errors call it.
    pub fn read(name: &str, file: &str, text: &str) -> Result<Self, CardError> {
        let source = Source { file, text };
        let raw: Raw = toml::from_str(text).map_err(|error| source.toml_error(&error))?;
        let mut steps = Vec::new();
        let mut going_on: Vec<String> = Vec::new();
        for step in raw.steps {
            steps.push(read_step(&source, step, raw.dangerous, &mut going_on)?);
        }
        if let Some(label) = going_on.first() {
            return Err(source.error(
                &(text.len()..text.len()),
                "background",
                format!("nothing awaits {label:?}"),
            ));
        }
        if steps.is_empty() {
            return Err(source.error(&(0..0), "step", "there is no step"));
        }
        let known = |word: &str| Operation::from_str(word).is_ok();
        if let Some(word) = raw.counts.keys().find(|word| !known(word)) {
            return Err(source.error(
                &find_key(text, "counts"),
                "counts",
                format!("there is no call {word:?}"),
            ));
        }
        if raw.fresh && !raw.dangerous {
            let problem = "a daemon forgets a driver only when it restarts, so the card is dangerous: say dangerous = true";
            return Err(source.error(&find_key(text, "fresh"), "fresh", problem));
        }
        Ok(Self {
            name: name.to_owned(),
            title: raw.title,
            shows: raw.shows.trim().to_owned(),
            dangerous: raw.dangerous,
            slow: raw.slow,
            fresh: raw.fresh,
            steps,
            calls: Calls { sequence: raw.calls, counts: raw.counts },
        })
    }

    /// The containers that it makes.
    pub fn containers(&self) -> Vec<String> {
        let runs = self.docker_commands().into_iter().filter_map(|command| match command {
            DockerCommand::Create(run) | DockerCommand::Run(run) => run.name,
            _ => None,
        });
        runs.collect()
    }

    /// The volumes that it makes, but for anonymous ones.
    pub fn volumes(&self) -> Vec<String> {
        let mut names = Vec::new();
        for command in self.docker_commands() {
            match command {
                DockerCommand::Volume(VolumeCommand::Create { name, .. }) => names.extend(name),
                DockerCommand::Create(run) | DockerCommand::Run(run) => {
                    names.extend(
                        run.volumes
                            .iter()
                            .filter_map(|volume| volume.split_once(':').map(|(name, _)| name.to_owned())),
                    );
                }
                _ => {}
            }
        }
        names
    }

    fn docker_commands(&self) -> Vec<DockerCommand> {
        let docker = self.steps.iter().filter(|step| matches!(step.action, Action::Engine { .. }));
        docker.filter_map(|step| step.line.parse().ok()).collect()
    }
}

impl Step {
    /// The line with the driver's name and address in their places.
    pub fn filled(&self, driver: &str, address: &str) -> String {
        fill(&self.line, driver, address)
    }
}

pub(super) fn fill(text: &str, driver: &str, address: &str) -> String {
    text.replace(DRIVER, driver).replace(ADDRESS, address)
}

fn find_key(text: &str, key: &str) -> Range<usize> {
    let at = text.find(&format!("\n{key}")).map_or(0, |newline| newline + 1);
    at..at
}

fn read_step(
    source: &Source<'_>,
    step: Spanned<RawStep>,
    dangerous: bool,
    going_on: &mut Vec<String>,
) -> Result<Step, CardError> {
    let span = step.span();
    let raw = step.into_inner();
    let actions = [
        ("docker", raw.docker),
        ("command", raw.command),
        ("wait", raw.wait),
        ("await", raw.awaited),
        ("pending", raw.pending),
    ];
    let mut given = actions.into_iter().filter_map(|(key, line)| Some((key, line?)));
    let (Some((key, line)), None) = (given.next(), given.next()) else {
        let problem = "a step does exactly one thing: docker, command, wait, await or pending";
        return Err(source.error(&span, "step", problem));
    };
    let at = line.span();
    let line = line.into_inner();
    let wrong = |problem: String| source.error(&at, key, problem);
    if let (Some(background), true) = (&raw.background, key != "docker") {
        return Err(source.error(
            &background.span(),
            "background",
            "only a docker command goes on in the background",
        ));
    }
    let action = match key {
        "docker" => {
            let command: DockerCommand =
                line.parse().map_err(|error: crate::engine::BadLine| wrong(error.problem))?;
            if matches!(command, DockerCommand::DaemonRestart | DockerCommand::DaemonKill) && !dangerous {
                return Err(wrong("it ends whatever else runs on the engine: say dangerous = true".into()));
            }
            let background = raw.background.map(Spanned::into_inner);
            going_on.extend(background.clone());
            Action::Engine { background }
        }
        "command" => {
            check_command(&line, dangerous).map_err(wrong)?;
            Action::Command
        }
        "wait" => Action::Wait(
            duration::parse(&line)
                .ok_or_else(|| wrong(format!("{line:?} is no duration, as 200ms or 15s are")))?,
        ),
        _ if !going_on.contains(&line) => {
            return Err(wrong(format!("no docker command goes on in the background as {line:?}")));
        }
        "await" => {
            going_on.retain(|label| *label != line);
            Action::Await(line.clone())
        }
        _ => Action::Pending(line.clone()),
    };
    let expect = Expectation {
        fails: raw.fails.into(),
        prints: raw.prints.into(),
        lacks: raw.lacks.into(),
        calls: raw.calls,
        mounts: raw.mounts,
    };
    let prints = !(expect.fails.is_empty() && expect.prints.is_empty() && expect.lacks.is_empty());
    let ends = matches!(action, Action::Engine { background: None } | Action::Await(_));
    if prints && !ends {
        let problem = "fails, prints and lacks are about a docker command that ends in this step";
        return Err(source.error(&span, key, problem));
    }
    Ok(Step { say: raw.say, line, action, expect })
}

/// A card may haunt, but not end or empty the instance that plays it.
fn check_command(line: &str, dangerous: bool) -> Result<(), String> {
    let command: Command =
        line.parse().map_err(|error: crate::domain::command::CommandError| error.to_string())?;
    match command {
        Command::Quit | Command::Save(_) | Command::Reset => {
            Err("a card cannot end the instance that plays it, nor write or empty its journal".into())
        }
        Command::Wipe | Command::Crash { keep: false } if !dangerous => {
            Err("it takes volumes that are not the card's: say dangerous = true".into())
        }
        Command::Arm { confirmed: true, .. } if !dangerous => {
            Err("it can end the engine: say dangerous = true".into())
        }
        _ => Ok(()),
    }
}
