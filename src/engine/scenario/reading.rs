//! Reading a card: what its file may say, and what is told of one that says something else.

use std::{collections::BTreeMap, ops::Range, str::FromStr};

use serde::Deserialize;
use toml::Spanned;

use super::format::{Action, Calls, Expectation, Scenario, Step};
use crate::{
    domain::{
        lang::{
            command::{Command, CommandError},
            duration,
        },
        model::protocol::Operation,
    },
    engine::{BadLine, DockerCommand},
};

/// Why a file is no card.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {key}: {problem}")]
pub struct ScenarioError {
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
    description: String,
    #[serde(default)]
    dangerous: bool,
    #[serde(default)]
    slow: bool,
    #[serde(default)]
    fresh_engine: bool,
    #[serde(default)]
    call_counts: BTreeMap<String, usize>,
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
    sleep: Option<Spanned<String>>,
    wait_for: Option<Spanned<String>>,
    still_running: Option<Spanned<String>>,
    background: Option<Spanned<String>>,
    #[serde(default)]
    fails_with: OneOrMore,
    #[serde(default)]
    output_contains: OneOrMore,
    #[serde(default)]
    output_lacks: OneOrMore,
    calls: Option<Vec<String>>,
    #[serde(default)]
    open_mounts: BTreeMap<String, u32>,
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
    fn error(&self, at: &Range<usize>, key: &str, problem: impl Into<String>) -> ScenarioError {
        let start = at.start.min(self.text.len());
        ScenarioError {
            file: self.file.to_owned(),
            line: self.text[..start].matches('\n').count() + 1,
            key: key.to_owned(),
            problem: problem.into(),
        }
    }

    /// What the TOML reader complains of, with the key on the line that it points to.
    fn toml_error(&self, error: &toml::de::Error) -> ScenarioError {
        let at = error.span().unwrap_or_default();
        let start = at.start.min(self.text.len());
        let begin = self.text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line = self.text[begin..].lines().next().unwrap_or_default();
        let key = line.split('=').next().unwrap_or_default().trim();
        self.error(&at, key, error.message())
    }
}

impl Scenario {
    /// Reads a file's text. `name` is the card's, `file` is what errors call it.
    pub fn read(name: &str, file: &str, text: &str) -> Result<Self, ScenarioError> {
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
                format!("no wait_for {label:?} follows"),
            ));
        }
        if steps.is_empty() {
            return Err(source.error(&(0..0), "step", "there is no step"));
        }
        let known = |word: &str| Operation::from_str(word).is_ok();
        if let Some(word) = raw.call_counts.keys().find(|word| !known(word)) {
            return Err(source.error(
                &find_key(text, "call_counts"),
                "call_counts",
                format!("there is no call {word:?}"),
            ));
        }
        if raw.fresh_engine && !raw.dangerous {
            let problem = "a daemon forgets a driver only when it restarts, so the card is dangerous: say dangerous = true";
            return Err(source.error(&find_key(text, "fresh_engine"), "fresh_engine", problem));
        }
        Ok(Self {
            name: name.to_owned(),
            title: raw.title,
            description: raw.description.trim().to_owned(),
            dangerous: raw.dangerous,
            slow: raw.slow,
            fresh: raw.fresh_engine,
            steps,
            calls: Calls { sequence: raw.calls, counts: raw.call_counts },
        })
    }
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
) -> Result<Step, ScenarioError> {
    let span = step.span();
    let raw = step.into_inner();
    let actions = [
        ("docker", raw.docker),
        ("command", raw.command),
        ("sleep", raw.sleep),
        ("wait_for", raw.wait_for),
        ("still_running", raw.still_running),
    ];
    let mut given = actions.into_iter().filter_map(|(key, line)| Some((key, line?)));
    let (Some((key, line)), None) = (given.next(), given.next()) else {
        let problem = "a step does exactly one thing: docker, command, sleep, wait_for or still_running";
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
            check_docker(&line, dangerous).map_err(wrong)?;
            let background = raw.background.map(Spanned::into_inner);
            going_on.extend(background.clone());
            Action::Engine { background }
        }
        "command" => {
            check_command(&line, dangerous).map_err(wrong)?;
            Action::Command
        }
        "sleep" => Action::Wait(
            duration::parse(&line)
                .ok_or_else(|| wrong(format!("{line:?} is no duration, as 200ms or 15s are")))?,
        ),
        _ if !going_on.contains(&line) => {
            return Err(wrong(format!("no docker command goes on in the background as {line:?}")));
        }
        "wait_for" => {
            going_on.retain(|label| *label != line);
            Action::Await(line.clone())
        }
        _ => Action::Pending(line.clone()),
    };
    let expect = Expectation {
        fails: raw.fails_with.into(),
        prints: raw.output_contains.into(),
        lacks: raw.output_lacks.into(),
        calls: raw.calls,
        mounts: raw.open_mounts,
    };
    let prints = !(expect.fails.is_empty() && expect.prints.is_empty() && expect.lacks.is_empty());
    let ends = matches!(action, Action::Engine { background: None } | Action::Await(_));
    if prints && !ends {
        let problem =
            "fails_with, output_contains and output_lacks need a docker command that ends in this step";
        return Err(source.error(&span, key, problem));
    }
    Ok(Step { say: raw.say, line, action, expect })
}

/// A card may use no file of the host, and end a daemon only if it says so.
fn check_docker(line: &str, dangerous: bool) -> Result<(), String> {
    let command: DockerCommand = line.parse().map_err(|error: BadLine| error.problem)?;
    match command {
        DockerCommand::DaemonRestart | DockerCommand::DaemonKill if !dangerous => {
            Err("it ends whatever else runs on the engine: say dangerous = true".into())
        }
        DockerCommand::Create(run) | DockerCommand::Run(run)
            if run.volumes.iter().any(|volume| volume.starts_with('/') && volume.contains(':')) =>
        {
            Err("a card mounts volumes, and no directory of the host".into())
        }
        _ => Ok(()),
    }
}

/// A card may haunt, but not end or empty the instance that plays it.
fn check_command(line: &str, dangerous: bool) -> Result<(), String> {
    let command: Command = line.parse().map_err(|error: CommandError| error.to_string())?;
    match command {
        Command::Quit | Command::Save { .. } | Command::Reset => {
            Err("a card cannot end the instance that plays it, nor write or empty its journal".into())
        }
        Command::Play { .. } | Command::ControlScenario(_) | Command::Speed(_) => {
            Err("a card cannot play cards, nor change the pace".into())
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

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "title = \"t\"\ndescription = \"s\"\n";

    fn read(text: &str) -> Result<Scenario, ScenarioError> {
        Scenario::read("card", "card.toml", text)
    }

    #[test]
    fn a_card_says_what_is_done_and_what_comes_of_it() {
        let steps = r#"
            [[step]]
            docker = "docker volume create -d {driver} ghost"
            calls = ["get ghost", "create ghost"]

            [[step]]
            docker = "docker volume rm ghost"
            background = "rm"

            [[step]]
            sleep = "2s"

            [[step]]
            wait_for = "rm"
            fails_with = "no"
        "#;
        let scenario = read(&format!("{HEAD}call_counts = {{ create = 1 }}\n{steps}")).expect("a good card");
        let actions: Vec<_> = scenario.steps.iter().map(|step| &step.action).collect();
        assert_eq!(
            actions,
            [
                &Action::Engine { background: None },
                &Action::Engine { background: Some("rm".into()) },
                &Action::Wait(std::time::Duration::from_secs(2)),
                &Action::Await("rm".into()),
            ]
        );
        assert_eq!(scenario.steps[3].expect.fails, ["no"]);
        assert_eq!(scenario.steps[0].filled("d", "a"), "docker volume create -d d ghost");
        assert_eq!(scenario.names().volumes, ["ghost".to_owned()].into());
    }

    #[test]
    fn a_malformed_card_is_told_by_file_line_and_key() {
        for (body, expected) in [
            ("title = 5", "card.toml:1: title: invalid type: integer `5`, expected a string"),
            ("titel = \"t\"", "card.toml:1: titel: unknown field `titel`, expected one of"),
            ("title = \"t\"\ndescription = \"s\"", "missing field `step`"),
            ("title = \"t", "card.toml:1: title: "),
            (
                "title = \"t\"\ndescription = \"s\"\ncall_counts = { mounts = 1 }\n[[step]]\nsleep = \"1s\"",
                "card.toml:3: call_counts: there is no call \"mounts\"",
            ),
            (
                "title = \"t\"\ndescription = \"s\"\nfresh_engine = true\n[[step]]\nsleep = \"1s\"",
                "card.toml:3: fresh_engine: a daemon forgets a driver only when it restarts",
            ),
        ] {
            let error = read(body).expect_err(body).to_string();
            assert!(error.contains(expected), "{body}: {error}");
        }
        for (step, expected) in [
            ("docker = \"docker volume creat x\"", "card.toml:4: docker: unrecognized subcommand 'creat'"),
            ("say = \"hm\"", "card.toml:3: step: a step does exactly one thing"),
            ("sleep = \"1s\"\ncommand = \"up\"", "card.toml:3: step: a step does exactly one thing"),
            ("sleep = \"soon\"", "card.toml:4: sleep: \"soon\" is no duration"),
            (
                "command = \"dwon\"",
                "card.toml:4: command: column 1: unknown command \"dwon\", did you mean \"down\"?",
            ),
            ("command = \"quit\"", "card.toml:4: command: a card cannot end the instance"),
            ("command = \"wipe\"", "card.toml:4: command: it takes volumes that are not the card's"),
            ("command = \"arm --yes list: null-entry\"", "card.toml:4: command: it can end the engine"),
            ("docker = \"systemctl restart docker\"", "card.toml:4: docker: it ends whatever else runs"),
            (
                "docker = \"docker run -v /etc:/x busybox\"",
                "card.toml:4: docker: a card mounts volumes, and no directory",
            ),
            (
                "wait_for = \"run\"",
                "card.toml:4: wait_for: no docker command goes on in the background as \"run\"",
            ),
            ("sleep = \"1s\"\nbackground = \"b\"", "card.toml:5: background: only a docker command"),
            (
                "sleep = \"1s\"\nfails_with = \"no\"",
                "card.toml:3: sleep: fails_with, output_contains and output_lacks need",
            ),
            ("docker = \"docker volume ls\"\nbackground = \"b\"", "background: no wait_for \"b\" follows"),
        ] {
            let error = read(&format!("{HEAD}[[step]]\n{step}")).expect_err(step).to_string();
            assert!(error.contains(expected), "{step}: {error}");
        }
    }
}
