//! The player: it plays a card step by step, compares, and leaves nothing behind.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    time::{Instant, timeout},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{
    card::{Action, Card, Step, fill},
    report::{Report, StepReport, Verdict},
    trace::{Line, Trace},
};
use crate::{
    domain::{
        command::{Command, Target},
        volume::Change,
    },
    engine::{Clock, DockerCommand, Engine, Outcome, VolumeCommand},
    hub::{Hub, Standing, Window},
};

/// Longer than any time limit of an engine.
const PATIENCE: Duration = Duration::from_secs(200);

/// Who plays.
#[derive(Clone)]
pub struct Cast {
    /// The engine that is given the docker commands.
    pub engine: Arc<dyn Engine>,
    /// The instance whose driver it calls.
    pub hub: Arc<Hub>,
    /// The engine's clock.
    pub clock: Clock,
    /// How long nothing must be heard for a step to be over, in real time. A real daemon does some of
    /// its work after it has answered.
    pub settle: Duration,
    /// Whether the engine has never met the driver.
    pub fresh: bool,
    /// How many steps may be played; raise it to go on.
    pub allowed: watch::Receiver<usize>,
}

/// What a spectator hears.
#[derive(Clone, Copy, Debug)]
pub enum Event<'e> {
    /// A step begins.
    Begun {
        /// Its place, from 0.
        index: usize,
        /// What is done.
        line: &'e str,
    },
    /// A step is over.
    Ended {
        /// Its place, from 0.
        index: usize,
        /// What became of it.
        report: &'e StepReport,
    },
}

/// Plays a card to its end, or until it is cancelled. Whatever the card has made is gone afterwards.
pub async fn play(
    card: &Card,
    cast: &Cast,
    mut tell: impl FnMut(Event<'_>),
    cancel: &CancellationToken,
) -> Report {
    if let Err(why) = check_names(card, cast).await {
        return Report::skipped(card, why);
    }
    let mut stage = Stage::set(card, cast).await;
    let played = tokio::select! {
        () = cancel.cancelled() => Verdict::Stopped,
        verdict = stage.play(&mut tell) => verdict,
    };
    stage.report.verdict = played;
    stage.clear().await;
    stage.report
}

/// Refuses to touch what the card did not make.
async fn check_names(card: &Card, cast: &Cast) -> Result<(), String> {
    let there = cast.engine.inventory().await?;
    let taken = |kind: &str, name: &String| {
        Err(format!("the engine has a {kind} {name:?} that is not the card's; remove it, then play again"))
    };
    let volumes = card.volumes();
    let known = |name: &&String| {
        there.volumes.contains(*name) || cast.hub.with_volumes(|volumes| volumes.record(name).is_some())
    };
    if let Some(name) = volumes.iter().find(known) {
        return taken("volume", name);
    }
    match card.containers().iter().find(|name| there.containers.contains(*name)) {
        Some(name) => taken("container", name),
        None => Ok(()),
    }
}

/// A card as it is played.
struct Stage<'c> {
    card: &'c Card,
    cast: &'c Cast,
    trace: Trace,
    /// How many calls of the trace belong to steps that are over.
    told: Vec<u64>,
    going_on: BTreeMap<String, AbortOnDropHandle<Outcome>>,
    rules_before: Vec<u32>,
    driver: String,
    address: String,
    report: Report,
}

impl<'c> Stage<'c> {
    async fn set(card: &'c Card, cast: &'c Cast) -> Self {
        if card.fresh && !cast.fresh {
            cast.engine.perform(&DockerCommand::DaemonRestart).await;
        }
        let glance = cast.hub.glance(&Window::default());
        Self {
            card,
            cast,
            trace: Trace::begin(&cast.hub),
            told: Vec::new(),
            going_on: BTreeMap::new(),
            rules_before: glance.faults.iter().map(|rule| rule.id).collect(),
            driver: glance.driver.name,
            address: glance.driver.address,
            report: Report::new(card),
        }
    }

    async fn play(&mut self, tell: &mut impl FnMut(Event<'_>)) -> Verdict {
        let mut allowed = self.cast.allowed.clone();
        for (index, step) in self.card.steps.iter().enumerate() {
            // A director who is gone leaves the play to itself.
            let _ = allowed.wait_for(|allowed| *allowed > index).await;
            let line = step.filled(&self.driver, &self.address);
            tell(Event::Begun { index, line: &line });
            let report = self.play_step(step, line).await;
            tell(Event::Ended { index, report: &report });
            let held = report.held();
            self.report.steps.push(report);
            if !held {
                // What follows would only repeat that something is wrong.
                return Verdict::Failed;
            }
        }
        self.report.problems = self.wrong_counts();
        if self.report.problems.is_empty() { Verdict::Held } else { Verdict::Failed }
    }

    async fn play_step(&mut self, step: &Step, line: String) -> StepReport {
        let begun = Instant::now();
        let done = self.perform(step, &line).await;
        self.quiet().await;
        let calls = self.new_calls();
        let mut problems = Vec::new();
        let (seen, shown) = match done {
            Ok(Done::Ended(outcome)) => {
                problems.extend(self.compare(step, &outcome));
                let shown = match &step.action {
                    Action::Await(label) => format!("await {label}"),
                    _ => format!("$ {line}"),
                };
                (seen(&outcome), shown)
            }
            Ok(Done::Said { seen, shown }) => (seen, shown),
            Err(problem) => {
                problems.push(problem);
                (String::new(), line)
            }
        };
        if let Some(expected) = &step.expect.calls {
            let expected: Vec<_> =
                expected.iter().map(|call| fill(call, &self.driver, &self.address)).collect();
            if calls != expected {
                problems.push(format!("expected the calls {}", listed(&expected)));
            }
        }
        for (volume, expected) in &step.expect.mounts {
            let open = |volumes: &crate::domain::volume::Volumes| {
                volumes.record(volume).map_or(0, |volume| volume.open_mounts())
            };
            let open = self.cast.hub.with_volumes(open);
            if open != *expected {
                problems.push(format!("expected {expected} open mounts of {volume}, and there are {open}"));
            }
        }
        let expected = in_words(step);
        StepReport {
            line: shown,
            say: step.say.clone(),
            expected,
            seen,
            calls,
            problems,
            took: begun.elapsed(),
        }
    }

    async fn perform(&mut self, step: &Step, line: &str) -> Result<Done, String> {
        let said = |seen: &str, shown: String| Ok(Done::Said { seen: seen.to_owned(), shown });
        match &step.action {
            Action::Engine { background } => {
                let command: DockerCommand = line.parse().map_err(|error| format!("{error}"))?;
                let engine = Arc::clone(&self.cast.engine);
                let running = tokio::spawn(async move { engine.perform(&command).await });
                let running = AbortOnDropHandle::new(running);
                match background {
                    Some(label) => {
                        self.going_on.insert(label.clone(), running);
                        said("goes on", format!("$ {line} &"))
                    }
                    None => self.end_of(running).await.map(Done::Ended),
                }
            }
            Action::Await(label) => {
                let running = self.going_on.remove(label).ok_or("it is not going on")?;
                self.end_of(running).await.map(Done::Ended)
            }
            Action::Pending(label) => {
                let pending = self.going_on.get(label).is_some_and(|running| !running.is_finished());
                let shown = format!("pending {label}");
                if pending { said("it has not ended", shown) } else { Err("it has come to its end".into()) }
            }
            Action::Command => {
                let effect = self.cast.hub.command_line(line).map_err(|error| error.to_string())?;
                self.cast.hub.settle().await;
                said(&effect.text, format!(": {line}"))
            }
            Action::Wait(time) => {
                self.cast.clock.sleep(*time).await;
                said("", format!("wait {line}"))
            }
        }
    }

    async fn end_of(&self, mut running: AbortOnDropHandle<Outcome>) -> Result<Outcome, String> {
        match self.cast.clock.timeout(Some(PATIENCE), &mut running).await {
            Ok(Ok(outcome)) => Ok(outcome),
            Ok(Err(error)) => Err(format!("the engine broke down: {error}")),
            Err(_) => Err(format!("it did not end within {} s of the engine's time", PATIENCE.as_secs())),
        }
    }

    fn compare(&self, step: &Step, outcome: &Outcome) -> Vec<String> {
        let has = |text: &str, part: &str| {
            let part = fill(part, &self.driver, &self.address);
            text.to_lowercase().contains(&part.to_lowercase())
        };
        let mut problems = Vec::new();
        let expect = &step.expect;
        match (expect.fails.is_empty(), outcome.succeeded()) {
            (true, false) => problems.push(format!("it failed with exit code {}", outcome.code)),
            (false, true) => problems.push("it succeeded".into()),
            _ => {}
        }
        let complaint = format!("{}\n{}", outcome.stderr, outcome.stdout);
        let missing = |text: &str, part: &&String| !has(text, part);
        problems.extend(
            expect
                .fails
                .iter()
                .filter(|part| missing(&complaint, part))
                .map(|part| format!("it did not say {part:?}")),
        );
        problems.extend(
            expect
                .prints
                .iter()
                .filter(|part| missing(&outcome.stdout, part))
                .map(|part| format!("it did not print {part:?}")),
        );
        problems.extend(
            expect
                .lacks
                .iter()
                .filter(|part| has(&outcome.stdout, part))
                .map(|part| format!("it printed {part:?}")),
        );
        problems
    }

    /// Waits until nothing more is heard of the step.
    async fn quiet(&self) {
        let mut changes = self.cast.hub.changes();
        while timeout(self.cast.settle, changes.changed()).await.is_ok_and(|changed| changed.is_ok()) {}
    }

    /// The calls that belong to no step yet.
    fn new_calls(&mut self) -> Vec<String> {
        let mut new = Vec::new();
        for (number, line) in self.trace.lines() {
            if !self.told.contains(&number) {
                self.told.push(number);
                new.extend(self.counts(&line).then(|| line.to_string()));
            }
        }
        new
    }

    /// A daemon that has met the driver does without an introduction, so cards speak of it only if they make sure of it.
    fn counts(&self, line: &Line) -> bool {
        self.card.fresh || !line.is_introduction()
    }

    fn wrong_counts(&mut self) -> Vec<String> {
        let lines: Vec<_> = self.trace.lines().into_values().filter(|line| self.counts(line)).collect();
        self.report.calls = lines.iter().map(Line::to_string).collect();
        let seen = |word: &str| lines.iter().filter(|line| line.operation.word() == word).count();
        let wrong = self.card.calls.counts.iter().filter(|(word, count)| seen(word) != **count);
        wrong
            .map(|(word, count)| format!("expected {count} calls of {word}, and there were {}", seen(word)))
            .collect()
    }

    /// Takes back all that the card has done: rules, outages, containers, volumes.
    async fn clear(&mut self) {
        let hub = &self.cast.hub;
        let armed = hub.glance(&Window::default()).faults;
        for rule in armed.iter().filter(|rule| !self.rules_before.contains(&rule.id)) {
            // A rule that has ended meanwhile needs no disarming.
            let _ = hub.command(&Command::Disarm(Target::Id(rule.id)));
        }
        if hub.reachability().standing != Standing::Up {
            let _ = hub.command(&Command::Up);
            hub.settle().await;
        }
        for running in std::mem::take(&mut self.going_on).into_values() {
            let _ = self.end_of(running).await;
        }
        self.report.calls = self
            .trace
            .lines()
            .into_values()
            .filter(|line| self.counts(line))
            .map(|line| line.to_string())
            .collect();
        if let Err(problem) = self.remove_all().await {
            self.report.problems.push(problem);
            self.report.verdict = match std::mem::replace(&mut self.report.verdict, Verdict::Failed) {
                Verdict::Held => Verdict::Failed,
                other => other,
            };
        }
    }

    async fn remove_all(&self) -> Result<(), String> {
        let Cast { engine, hub, .. } = self.cast;
        let there = match engine.inventory().await {
            Ok(there) => there,
            Err(_) => {
                engine.perform(&DockerCommand::DaemonRestart).await;
                engine.inventory().await?
            }
        };
        let containers = self.card.containers().into_iter().filter(|name| there.containers.contains(name));
        for name in containers {
            engine.perform(&DockerCommand::Rm { force: true, volumes: true, name }).await;
        }
        engine.sweep().await;
        for name in self.card.volumes() {
            if there.volumes.contains(&name) {
                engine
                    .perform(&DockerCommand::Volume(VolumeCommand::Rm { force: true, name: name.clone() }))
                    .await;
            }
            if hub.with_volumes(|volumes| volumes.record(&name).is_some()) {
                hub.change(&Change::Removed { name }).map_err(|error| error.to_string())?;
            }
        }
        let left = engine.inventory().await?;
        let left: Vec<_> = [(self.card.containers(), left.containers), (self.card.volumes(), left.volumes)]
            .into_iter()
            .flat_map(|(mine, there)| mine.into_iter().filter(move |name| there.contains(name)))
            .collect();
        if left.is_empty() { Ok(()) } else { Err(format!("left on the engine: {}", left.join(", "))) }
    }
}

/// What came of what was done.
enum Done {
    /// A docker command ended.
    Ended(Outcome),
    /// Something else happened.
    Said { seen: String, shown: String },
}

fn seen(outcome: &Outcome) -> String {
    let texts = [outcome.stdout.as_str(), outcome.stderr.as_str()];
    let told = texts.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n");
    match (outcome.code, told.is_empty()) {
        (0, true) => "success".into(),
        (code, true) => format!("exit code {code}"),
        _ => told,
    }
}

fn listed(texts: &[String]) -> String {
    if texts.is_empty() { "none".into() } else { texts.join(", ") }
}

fn in_words(step: &Step) -> String {
    let expect = &step.expect;
    let quoted =
        |texts: &[String]| texts.iter().map(|text| format!("{text:?}")).collect::<Vec<_>>().join(" and ");
    let ends = matches!(step.action, Action::Engine { background: None } | Action::Await(_));
    let mut words = Vec::new();
    if ends && expect.fails.is_empty() {
        words.push("success".to_owned());
    }
    for (verb, texts) in
        [("failure with", &expect.fails), ("printing", &expect.prints), ("not printing", &expect.lacks)]
    {
        if !texts.is_empty() {
            words.push(format!("{verb} {}", quoted(texts)));
        }
    }
    if let Some(calls) = &expect.calls {
        words.push(format!("the calls {}", listed(calls)));
    }
    words.extend(expect.mounts.iter().map(|(volume, open)| format!("{open} open mounts of {volume}")));
    words.join(", ")
}
