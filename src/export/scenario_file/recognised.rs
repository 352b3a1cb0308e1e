//! Commands that are recognised from their calls. A command line never reaches a plugin, so names of containers are made
//! up, and what is not sure has a remark.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};

use super::{
    containers::{Containers, fails, finds_nothing},
    write::{Draft, DraftStep},
};
use crate::{
    domain::{
        analysis::{
            groups::{CallGroup, CallGroups, GroupStep},
            retries::began,
            traced_calls::{TracedCall, is_generated, trace},
        },
        lang::command::{Command, ReleaseTarget, Target},
        model::{
            driver::{DriverReason, DriverStatus},
            entry::{Entry, EntryKind, Outcome, ShellEvent},
            origin::Origin,
            protocol::{Caller, Operation},
            scenario::StepKey,
        },
        text::shell,
    },
    engine_api::{DockerCommand, VolumeCommand},
};

/// What happened, in the order of its first entry.
enum Item<'e> {
    Group(&'e CallGroup),
    Command(&'e str),
}

/// The commands of a run.
pub fn draft(entries: &[Arc<Entry>], driver: &str) -> Draft {
    let parts = parts(entries);
    let groups = parts.iter().flat_map(CallGroups::iter);
    let commands = entries.iter().filter_map(|entry| Some((entry.seq, Item::Command(command(entry)?))));
    let mut items: Vec<(u64, Item<'_>)> = groups.map(|group| (group.id(), Item::Group(group))).collect();
    items.extend(commands);
    items.sort_by_key(|(seq, _)| *seq);
    let at = entries.first().map(|entry| entry.at).unwrap_or_default();
    let mut writer = Recogniser {
        entries,
        driver,
        traced: trace(entries),
        containers: Containers::default(),
        volumes: BTreeSet::new(),
        lost: BTreeSet::new(),
        waiting: Vec::new(),
        draft: Draft { title: format!("A run of {at:.0}"), ..Draft::default() },
    };
    for (index, (seq, item)) in items.iter().enumerate() {
        writer.end_before(Some(*seq));
        match item {
            Item::Command(line) => writer.command(line),
            Item::Group(group) => {
                let next = items.get(index + 1).map_or(u64::MAX, |(seq, _)| *seq);
                writer.group(group, next);
            }
        }
    }
    writer.end_before(None);
    writer.draft
}

/// How long an engine may wait before it tries a call again that was cut off.
const RETRY: SignedDuration = SignedDuration::from_secs(10);

/// The groups of calls. Rules are armed and disarmed between the commands of an engine unless one of its calls is under way:
/// no group goes on after that, since the calls after it would be made before it in the scenario.
fn parts(entries: &[Arc<Entry>]) -> Vec<CallGroups> {
    // The earliest arrival among the calls from each entry on.
    let mut arrivals = vec![Timestamp::MAX; entries.len() + 1];
    for (index, entry) in entries.iter().enumerate().rev() {
        let arrival = entry.call().map_or(Timestamp::MAX, |_| began(entry));
        arrivals[index] = arrivals[index + 1].min(arrival);
    }
    let mut parts = vec![CallGroups::default()];
    let (mut cut_off, mut is_down, mut is_typed) = (None, false, false);
    for (index, entry) in entries.iter().enumerate() {
        match &entry.kind {
            EntryKind::Call(call) if call.status.is_none() => cut_off = Some(entry.at),
            EntryKind::Driver(event) => {
                is_down = event.status != DriverStatus::Up;
                if matches!(event.reason, DriverReason::Crash) {
                    cut_off = Some(entry.at);
                }
            }
            EntryKind::Shell(ShellEvent::Started { .. }) => is_typed = true,
            EntryKind::Shell(ShellEvent::Finished(_)) => is_typed = false,
            EntryKind::Command(run)
                if matches!(run.command.parse(), Ok(Command::Arm { .. } | Command::Disarm(_))) =>
            {
                let is_tried_again = cut_off.is_some_and(|cut_off| entry.at.duration_since(cut_off) < RETRY);
                if !is_down && !is_typed && !is_tried_again && arrivals[index] > entry.at {
                    parts.push(CallGroups::default());
                }
            }
            _ => {}
        }
        parts.last_mut().expect("there is one").push(entry);
    }
    parts
}

/// A command that a scenario can run.
fn command(entry: &Entry) -> Option<&str> {
    let EntryKind::Command(run) = &entry.kind else { return None };
    let is_allowed = match run.command.parse().ok()? {
        Command::Quit
        | Command::Save { .. }
        | Command::Reset
        | Command::Play { .. }
        | Command::ControlScenario(_)
        | Command::Speed(_)
        | Command::Load { .. }
        | Command::Arm { dry_run: true, .. } => false,
        _ => !matches!(*run.origin, Origin::Scenario { .. } | Origin::Program),
    };
    is_allowed.then_some(&run.command)
}

struct Recogniser<'e> {
    entries: &'e [Arc<Entry>],
    driver: &'e str,
    traced: BTreeMap<u64, TracedCall>,
    containers: Containers,
    /// The volumes that the scenario has created.
    volumes: BTreeSet<String>,
    /// The volumes of which an engine was answered that there is none. It does not know who uses them.
    lost: BTreeSet<String>,
    /// The labels of the commands in the background, and the last entry of each.
    waiting: Vec<(String, u64)>,
    draft: Draft,
}

impl Recogniser<'_> {
    /// Waits for the commands in the background that end before an entry; without one, for all.
    fn end_before(&mut self, seq: Option<u64>) {
        let (ended, waiting): (Vec<_>, Vec<_>) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|(_, last)| seq.is_none_or(|seq| *last < seq));
        self.waiting = waiting;
        if seq.is_none() && ended.iter().any(|(_, last)| *last == u64::MAX) {
            let mut release = DraftStep::new(StepKey::Command, "release all");
            release.remarks.push("Calls were still held at the end.".to_owned());
            self.draft.steps.push(release);
        }
        for (label, _) in ended {
            let mut step = DraftStep::new(StepKey::WaitFor, label);
            step.may_fail = true;
            self.draft.steps.push(step);
        }
    }

    fn command(&mut self, line: &str) {
        let mut step = DraftStep::new(StepKey::Command, line);
        match line.parse() {
            // Numbers are others in each run.
            Ok(Command::Release { which: ReleaseTarget::Call(_), release_action, confirmed }) => {
                let release = Command::Release { which: ReleaseTarget::All, release_action, confirmed };
                step.text = release.to_string();
                step.remarks.push(format!("It was: {line}"));
            }
            Ok(Command::Disarm(Target::Id(_)) | Command::Move { .. }) => {
                step.remarks.push("The numbers of rules count from 1 in a new run.".to_owned());
            }
            Ok(Command::Conjure { name, .. }) => drop(self.volumes.insert(name)),
            _ => {}
        }
        self.draft.steps.push(step);
    }

    fn group(&mut self, group: &CallGroup, next: u64) {
        self.draft.is_podman |= group.caller() == Caller::Podman;
        let calls = group.members().iter().filter_map(|member| self.traced.get(&member.entry.call_number()?));
        let calls: Vec<_> = calls.filter(|call| !call.is_handshake()).cloned().collect();
        let typed = group.typed().map(|line| self.typed(line, group.id()));
        let mut step = match typed {
            Some(Ok(step)) => step,
            Some(Err(remark)) => {
                self.draft.is_partial = true;
                return self.draft.remarks.push(remark);
            }
            None if calls.is_empty() => return,
            None => {
                self.prepare(group);
                let Some(line) = self.containers.command(group) else {
                    let remark = format!("left out, because no command is known for it: {}", group.name());
                    self.draft.is_partial = true;
                    return self.draft.remarks.push(remark);
                };
                DraftStep::new(StepKey::Docker, line)
            }
        };
        if let [_, others @ ..] = group.commands()
            && !others.is_empty()
            && group.typed().is_none()
        {
            step.remarks.push(format!("It may have been {} too.", others.join(" or ")));
        }
        let is_typed = group.typed().is_some();
        if !is_typed && is_overlooked(group) {
            step.remarks.push("Podman may overlook an error in a reply with status 200.".to_owned());
            step.may_fail = true;
        } else if !is_typed && fails(group) {
            step.fails_with = Some(error_of(group));
        } else if !is_typed && group.has_fault() {
            step.remarks.push("How the command ended with this fault is not known.".to_owned());
            step.may_fail = true;
        }
        let last = group.members().iter().map(|member| member.ended().map_or(u64::MAX, |_| member.entry.seq));
        let last = last.max().unwrap_or_default();
        if last > next {
            let label = format!("command-{}", self.draft.steps.len() + 1);
            step.background = Some(label.clone());
            (step.fails_with, step.may_fail) = (None, false);
            self.waiting.push((label, last));
        } else if self.waiting.is_empty() {
            step.calls = Some(calls.iter().map(ToString::to_string).collect());
        }
        self.draft.calls.extend(calls);
        self.draft.steps.push(step);
        if group.first_fault().is_some_and(|(_, fault)| &*fault.action == "null-entry") {
            self.setup("systemctl restart docker", "A null entry crashes the daemon.");
        }
    }

    /// A docker command that was typed in the console.
    fn typed(&self, line: &str, first: u64) -> Result<DraftStep, String> {
        let command: DockerCommand =
            line.parse().map_err(|error| format!("left out, because a scenario cannot run it: {error}"))?;
        let mut step = DraftStep::new(StepKey::Docker, on_any_driver(command, self.driver).to_string());
        let result =
            self.entries.iter().filter(|entry| entry.seq > first).find_map(|entry| match &entry.kind {
                EntryKind::Shell(ShellEvent::Finished(result)) => Some(result),
                _ => None,
            });
        step.fails_with = result.filter(|result| !result.is_ok()).map(|_| String::new());
        Ok(step)
    }

    /// Creates what was there before the first entry.
    fn prepare(&mut self, group: &CallGroup) {
        let Some(volume) = group.volume().filter(|volume| !is_generated(volume)) else { return };
        let creates = group.members().iter().any(|member| member.operation() == Some(Operation::Create));
        let is_found = group.members().iter().any(|member| {
            let call = member.entry.call();
            call.is_some_and(|call| {
                call.outcome == Outcome::Ok && call.operation == Some(Operation::Get) && !finds_nothing(call)
            })
        });
        if creates {
            self.lost.remove(volume);
        } else if group.steps() == [GroupStep::Look] && fails(group) {
            self.lost.insert(volume.to_owned());
        }
        let is_new = creates || is_found;
        if is_new && self.volumes.insert(volume.to_owned()) && !creates {
            let line = format!("docker volume create -d {{driver}} {}", shell::quote(volume));
            self.setup(&line, "The volume was there before.");
        }
        if group.members().iter().any(|member| member.operation() == Some(Operation::Remove)) {
            if !fails(group) {
                self.volumes.remove(volume);
            }
            let in_the_way = if self.lost.contains(volume) {
                self.containers.take_stopped_users(volume)
            } else {
                self.containers.take_users(volume)
            };
            for name in in_the_way {
                let mut step = DraftStep::new(StepKey::Docker, format!("docker rm -f {name}"));
                step.remarks.push("No call shows when the container was removed.".to_owned());
                self.draft.steps.push(step);
                // It may run here, and then it makes calls.
                self.draft.is_partial = true;
            }
        }
        if let Some(line) = self.containers.missing(group) {
            self.setup(&line, "The container was there before.");
        }
    }

    fn setup(&mut self, line: &str, remark: &str) {
        let mut step = DraftStep::new(StepKey::Docker, line);
        step.remarks.push(remark.to_owned());
        // Its calls are none of the run's.
        self.draft.steps.push(step);
        self.draft.is_partial = true;
    }
}

/// Whether what failed was reported in a way that podman overlooks.
fn is_overlooked(group: &CallGroup) -> bool {
    let call = group.decisive().entry.call();
    group.caller() == Caller::Podman
        && call.is_some_and(|call| call.outcome == Outcome::Error && call.status == Some(200))
}

/// What the driver said, as far as an engine repeats it: of a Get only that there is no such volume.
fn error_of(group: &CallGroup) -> String {
    let call = group.decisive().entry.call();
    let call = call.filter(|call| call.status.is_some() && call.operation != Some(Operation::Get));
    let error = call.and_then(|call| call.error.as_deref()).unwrap_or_default().trim();
    if error.contains('\n') { String::new() } else { error.to_owned() }
}

/// The same command for the driver of any instance.
fn on_any_driver(command: DockerCommand, driver: &str) -> DockerCommand {
    let replaced = |name: String| if name == driver { "{driver}".to_owned() } else { name };
    match command {
        DockerCommand::Volume(VolumeCommand::Create { driver, options, labels, name }) => {
            DockerCommand::Volume(VolumeCommand::Create { driver: replaced(driver), options, labels, name })
        }
        DockerCommand::Volume(VolumeCommand::Ls { driver }) => {
            DockerCommand::Volume(VolumeCommand::Ls { driver: driver.map(replaced) })
        }
        DockerCommand::Run(mut run) => {
            run.volume_driver = run.volume_driver.map(replaced);
            DockerCommand::Run(run)
        }
        DockerCommand::Create(mut run) => {
            run.volume_driver = run.volume_driver.map(replaced);
            DockerCommand::Create(run)
        }
        other => other,
    }
}
