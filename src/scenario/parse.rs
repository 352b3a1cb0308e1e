//! Parses a scenario file, and reports errors with file, line and key.

mod raw;
#[cfg(test)]
mod tests;

use std::{ops::Range, str::FromStr};

use toml::Spanned;

use super::file::{Scenario, ScenarioAction, Step, StepExpectation, on_engine};
use crate::{
    domain::{
        lang::{
            command::{Command, CommandError},
            duration, expectation,
        },
        model::protocol::Operation,
    },
    engine_api::{BadLine, DockerCommand, PluginCommand},
};
use raw::{RawScenario, RawStep};

/// Why a file is not a valid scenario.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {key}: {problem}")]
pub struct ScenarioError {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The invalid key.
    pub key: String,
    /// What is wrong.
    pub problem: String,
}

/// The text of a file, to locate errors in it.
struct SourceText<'s> {
    file: &'s str,
    text: &'s str,
}

impl SourceText<'_> {
    fn error(&self, at: &Range<usize>, key: &str, problem: impl Into<String>) -> ScenarioError {
        ScenarioError {
            file: self.file.to_owned(),
            line: self.line(at.start),
            key: key.to_owned(),
            problem: problem.into(),
        }
    }

    /// The line of a place in the text.
    fn line(&self, at: usize) -> usize {
        self.text[..at.min(self.text.len())].matches('\n').count() + 1
    }

    /// A TOML error, with the key on its line.
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
    /// Parses the text of a file. `name` is the scenario's name, `file` the file's name in errors.
    pub fn parse(name: &str, file: &str, text: &str) -> Result<Self, ScenarioError> {
        let source = SourceText { file, text };
        let raw: RawScenario = toml::from_str(text).map_err(|error| source.toml_error(&error))?;
        let mut steps = Vec::new();
        let mut running: Vec<String> = Vec::new();
        for step in raw.steps {
            steps.push(parse_step(&source, step, raw.dangerous, &mut running)?);
        }
        if let Some(label) = running.first() {
            return Err(source.error(
                &(text.len()..text.len()),
                "background",
                format!("missing a later step with wait_for = {label:?}"),
            ));
        }
        if steps.is_empty() {
            return Err(source.error(&(0..0), "step", "missing; a scenario has at least one step"));
        }
        let known = |word: &str| Operation::from_str(word).is_ok();
        if let Some(word) = raw.call_counts.keys().find(|word| !known(word)) {
            return Err(source.error(
                &find_key(text, "call_counts"),
                "call_counts",
                format!("unknown operation {word:?}"),
            ));
        }
        if raw.fresh_engine && !raw.dangerous {
            let problem =
                "requires dangerous = true, since a daemon forgets a driver only when it is restarted";
            return Err(source.error(&find_key(text, "fresh_engine"), "fresh_engine", problem));
        }
        Ok(Self {
            name: name.to_owned(),
            title: raw.title,
            description: raw.description.trim().to_owned(),
            dangerous: raw.dangerous,
            slow: raw.slow,
            fresh_engine: raw.fresh_engine,
            builtin_driver: raw.builtin_driver,
            live_restore: raw.live_restore,
            on: raw.on.0,
            steps,
            calls: raw.calls,
            call_counts: raw.call_counts,
            expect: parse_expectations(&source, raw.expect)?,
        })
    }
}

fn find_key(text: &str, key: &str) -> Range<usize> {
    let at = text.find(&format!("\n{key}")).map_or(0, |newline| newline + 1);
    at..at
}

fn parse_step(
    source: &SourceText<'_>,
    step: Spanned<RawStep>,
    dangerous: bool,
    running: &mut Vec<String>,
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
        let problem = "a step needs exactly one of docker, command, sleep, wait_for and still_running";
        return Err(source.error(&span, "step", problem));
    };
    let at = line.span();
    let line = line.into_inner();
    let invalid = |problem: String| source.error(&at, key, problem);
    if let (Some(background), true) = (&raw.background, key != "docker") {
        return Err(source.error(
            &background.span(),
            "background",
            "only a docker command can run in the background",
        ));
    }
    let action = match key {
        "docker" => {
            check_docker(&line, dangerous).map_err(invalid)?;
            let background = raw.background.map(Spanned::into_inner);
            running.extend(background.clone());
            ScenarioAction::Docker { background }
        }
        "command" => {
            check_command(&line, dangerous).map_err(invalid)?;
            ScenarioAction::Command
        }
        "sleep" => ScenarioAction::Sleep(
            duration::parse(&line)
                .ok_or_else(|| invalid(format!("invalid duration {line:?}; write it like 200ms or 15s")))?,
        ),
        _ if !running.contains(&line) => {
            return Err(invalid(format!("no docker command runs in the background as {line:?}")));
        }
        "wait_for" => {
            running.retain(|label| *label != line);
            ScenarioAction::WaitFor(line.clone())
        }
        _ => ScenarioAction::StillRunning(line.clone()),
    };
    let expect = StepExpectation {
        fails_with: raw.fails_with.into(),
        may_fail: raw.may_fail,
        output_contains: raw.output_contains.into(),
        output_lacks: raw.output_lacks.into(),
        calls: raw.calls,
        open_mounts: raw.open_mounts,
        expect: parse_expectations(source, raw.expect)?,
    };
    if expect.may_fail && !expect.fails_with.is_empty() {
        return Err(source.error(&span, "may_fail", "contradicts fails_with; leave one of them out"));
    }
    let has_output = expect.may_fail
        || !(expect.fails_with.is_empty()
            && expect.output_contains.is_empty()
            && expect.output_lacks.is_empty());
    let ends = matches!(action, ScenarioAction::Docker { background: None } | ScenarioAction::WaitFor(_));
    if has_output && !ends {
        let problem = "fails_with, may_fail, output_contains and output_lacks need a docker command that ends in this step";
        return Err(source.error(&span, key, problem));
    }
    Ok(Step { line_number: source.line(span.start), on: raw.on.0, say: raw.say, line, action, expect })
}

fn parse_expectations(
    source: &SourceText<'_>,
    texts: Vec<Spanned<String>>,
) -> Result<Vec<expectation::Expectation>, ScenarioError> {
    let parse = |text: Spanned<String>| {
        let parsed = text.get_ref().parse();
        parsed.map_err(|error: expectation::ExpectationError| {
            source.error(&text.span(), "expect", format!("{:?}: {error}", text.get_ref()))
        })
    };
    texts.into_iter().map(parse).collect()
}

/// A scenario cannot mount host directories, and needs `dangerous` to stop the daemon.
fn check_docker(line: &str, dangerous: bool) -> Result<(), String> {
    let command: DockerCommand = on_engine(line).1.parse().map_err(|error: BadLine| error.problem)?;
    match command {
        DockerCommand::DaemonRestart | DockerCommand::DaemonKill if !dangerous => {
            Err("requires dangerous = true, since it can stop other containers".into())
        }
        DockerCommand::Plugin(PluginCommand::Disable { .. } | PluginCommand::Enable { .. }) if !dangerous => {
            Err("requires dangerous = true, since the plugin is not the scenario's".into())
        }
        DockerCommand::Create(run) | DockerCommand::Run(run)
            if run.volumes.iter().any(|volume| volume.starts_with('/') && volume.contains(':')) =>
        {
            Err("a scenario cannot mount a host directory".into())
        }
        _ => Ok(()),
    }
}

/// A scenario cannot end the instance that runs it or clear its journal.
fn check_command(line: &str, dangerous: bool) -> Result<(), String> {
    let command: Command = line.parse().map_err(|error: CommandError| error.to_string())?;
    match command {
        Command::Quit | Command::Save { .. } | Command::Reset => {
            Err("a scenario cannot quit, save or reset the instance that runs it".into())
        }
        Command::Play { .. } | Command::ControlScenario(_) | Command::Speed(_) => {
            Err("a scenario cannot play scenarios or change the demo speed".into())
        }
        Command::Wipe | Command::Crash { keep: false } if !dangerous => {
            Err("requires dangerous = true, since it removes volumes that the scenario did not create".into())
        }
        Command::Arm { confirmed: true, .. } if !dangerous => {
            Err("requires dangerous = true, since it can crash the engine".into())
        }
        _ => Ok(()),
    }
}
