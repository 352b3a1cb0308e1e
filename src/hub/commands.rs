//! Commands: each decides on the state, then becomes entries.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{CommandFailed, Hub, Inner, masks, volumes::VolumeLockGuard};
use crate::domain::{
    lang::{
        command::{Command, ReleaseTarget, Target},
        duration,
    },
    model::{
        directory_options::DirectoryOptions,
        driver::{DriverReason, DriverState, DriverStatus},
        entry::{Cause, CommandRun, EntryKind, RuleEvent, VolumeChange},
        fault::ReleasedBy,
        origin::Origin,
        protocol::{check_name, check_options},
        volume::Change,
    },
    rules::{DryRun, Pattern, ReleaseAction, Rule, RuleState, TrackedRule, dry_run, forecast},
    text::{counted, describe},
};

/// The result of a command. As JSON it is the reply to `POST /v1/commands`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandOutput {
    /// What it did, for people.
    #[serde(rename = "result")]
    pub text: String,
    /// The number of its entry in the journal; 0 where it left none.
    pub seq: u64,
    /// The calls that a rule would have hit, after `arm --dry-run`.
    #[serde(rename = "calls")]
    pub hits: Vec<u64>,
}

impl Hub {
    /// Parses a command line and runs it.
    pub fn command_line(&self, line: &str, origin: Origin) -> Result<CommandOutput, CommandFailed> {
        self.command(&line.trim().parse()?, origin)
    }

    /// Runs a command and records it.
    pub fn command(&self, command: &Command, origin: Origin) -> Result<CommandOutput, CommandFailed> {
        match command {
            Command::Arm { rule, dry_run: true, .. } => return Ok(self.describe_dry_run(rule)),
            command if command.is_dangerous() => {
                return Err(CommandFailed::Unconfirmed(command.clone().confirmed().to_string()));
            }
            _ => {}
        }
        let changes = self.change_volumes(command)?;

        let mut inner = self.locked.lock();
        let at = self.now();
        let result = inner.run(command, at)?;
        let (line, origin) = (command.to_string(), Box::new(origin));
        let mut run = EntryKind::Command(Box::new(CommandRun {
            command: line,
            result: result.clone(),
            origin,
            changes,
        }));
        self.redaction.entry(&mut run);
        let seq = inner.push(at, run).seq;
        let is_followed = self.publish_desired_state(&mut inner);
        drop(inner);
        if !is_followed && matches!(command, Command::Up | Command::Down { .. }) {
            self.request_rebind();
        }
        self.rescheduled.notify_one();
        self.changes.send();
        Ok(CommandOutput { text: result, seq, hits: Vec::new() })
    }

    /// Records a command that a layer above has run.
    pub fn record_command(&self, command: &Command, result: String, origin: Origin) -> CommandOutput {
        let (command, origin) = (command.to_string(), Box::new(origin));
        let run = CommandRun { command, result: result.clone(), origin, changes: Vec::new() };
        let seq = self.record(EntryKind::Command(Box::new(run)));
        CommandOutput { text: result, seq, hits: Vec::new() }
    }

    /// Which calls of the journal a rule would have hit.
    pub fn dry_run(&self, rule: &Rule) -> DryRun {
        let seed = self.locked.lock().state.rules().seed();
        let volumes = self.volumes();
        dry_run(rule, seed, &volumes, self.all_entries().iter().map(AsRef::as_ref))
    }

    fn describe_dry_run(&self, rule: &Rule) -> CommandOutput {
        const SHOWN: usize = 20;
        let DryRun { hits, calls } = self.dry_run(rule);
        let hits: Vec<_> = hits.iter().map(|hit| hit.call).collect();
        let shown: Vec<_> = hits.iter().take(SHOWN).map(u64::to_string).collect();
        let more = if hits.len() > SHOWN { ", …" } else { "" };
        let shown = if shown.is_empty() { String::new() } else { format!(": {}{more}", shown.join(", ")) };
        let inner = self.locked.lock();
        let is_named =
            |pattern: &Pattern| inner.state.volumes().iter().any(|volume| pattern.matches(&volume.name));
        let unmet = rule.volume_patterns().find(|pattern| hits.is_empty() && !is_named(pattern));
        let none = unmet.map_or_else(String::new, |name| format!("; there is no volume {} now", name.text()));
        let forecast = forecast(rule, inner.state.counters().usual_caller());
        let calls = counted(calls as u64, "call");
        let text = format!("would have hit {} of {calls}{shown}{none}; {forecast}", hits.len());
        CommandOutput { text, seq: 0, hits }
    }

    /// Changes the volumes as a command says, if that is possible. No other change can come between.
    fn change_volumes(&self, command: &Command) -> Result<Vec<Change>, CommandFailed> {
        let volume = match command {
            Command::Forget(name)
            | Command::Restore(name)
            | Command::Unmount(name)
            | Command::Conjure { name, .. } => Some(name.as_str()),
            Command::Wipe | Command::Crash { keep: false } => None,
            _ => return Ok(Vec::new()),
        };
        let guard = self.lock_volumes(volume);
        let changes = self.locked.lock().changes_of(command, self.now())?;
        if *command == Command::Wipe {
            self.remove_all(&guard)?;
        }
        for change in &changes {
            self.persist_and_record(&guard, change, Cause::Command).map_err(CommandFailed::DiskStore)?;
        }
        Ok(changes)
    }

    /// Deletes the files of all volumes. If that fails for some, the state keeps these, and the others are removed.
    fn remove_all(&self, _: &VolumeLockGuard<'_>) -> Result<(), CommandFailed> {
        let names: Vec<_> = self.volumes().iter().map(|volume| volume.name.clone()).collect();
        let (mut removed, mut failed) = (Vec::new(), Vec::new());
        for name in names {
            let change = Change::Removed { name };
            match self.store.persist(&change, None) {
                Ok(()) => removed.push(change),
                Err(error) => failed.push((change, error)),
            }
        }
        let Some((change, error)) = failed.pop() else { return Ok(()) };
        let text = format!(
            "deleted {} of {}; {:?} is left: {error}",
            removed.len(),
            counted((removed.len() + failed.len() + 1) as u64, "volume"),
            change.name().unwrap_or_default()
        );
        for change in removed {
            let kind = EntryKind::Volume(Box::new(VolumeChange { cause: Cause::Command, change }));
            self.locked.lock().push(self.now(), kind);
        }
        self.changes.send();
        Err(CommandFailed::PartlyWiped(text))
    }
}

impl Inner {
    fn changes_of(&self, command: &Command, at: Timestamp) -> Result<Vec<Change>, CommandFailed> {
        if self.state.driver().upstream.is_some() {
            return self.masks_of(command, at);
        }
        let volumes = self.state.volumes();
        let record = |name: &String| volumes.known(name).ok_or_else(|| CommandFailed::NoVolume(name.clone()));
        Ok(match command {
            Command::Forget(name) => {
                if !record(name)?.exists {
                    return Err(CommandFailed::NoVolume(name.clone()));
                }
                vec![Change::Forgotten { name: name.clone() }]
            }
            Command::Restore(name) => {
                if record(name)?.exists {
                    return Err(CommandFailed::NotForgotten(name.clone()));
                }
                vec![Change::Restored { name: name.clone() }]
            }
            Command::Unmount(name) => {
                if !record(name)?.is_mounted() {
                    return Err(CommandFailed::NotMounted(name.clone()));
                }
                vec![Change::MountsCleared { name: name.clone() }]
            }
            Command::Conjure { name, options } => {
                check_name(name)?;
                check_options(options)?;
                DirectoryOptions::read(options, DirectoryOptions::default())?;
                if volumes.existing(name).is_some() {
                    return Err(CommandFailed::VolumeExists(name.clone()));
                }
                vec![Change::Created { name: name.clone(), options: options.clone(), at }]
            }
            Command::Wipe => vec![Change::AllDeleted],
            Command::Crash { keep: false } => vec![Change::StateLost],
            _ => Vec::new(),
        })
    }

    /// Pushes the entries that a command leads to, beside those about volumes and its own, and returns its result.
    fn run(&mut self, command: &Command, at: Timestamp) -> Result<String, CommandFailed> {
        let DriverState { status, generation, .. } = self.state.driver_state();
        if self.state.driver().upstream.is_some()
            && let Some(text) = masks::result(command)
        {
            return Ok(text);
        }
        Ok(match command {
            Command::Arm { rule, label, .. } => self.arm(rule, label.as_deref(), at),
            Command::Move { rule, before } => self.move_rule(rule, before, at)?,
            Command::Load { .. } => return Err(CommandFailed::LoadElsewhere),
            Command::Disarm(target) => self.disarm(target, at)?,
            Command::Release { which, release_action, .. } => {
                self.release_calls(*which, release_action.as_ref(), at)?
            }
            Command::Seed(seed) => format!("random seed: {seed}"),
            Command::Forget(name) => format!("forgot {name:?}; its files are kept"),
            Command::Restore(name) => format!("restored {name:?}"),
            Command::Unmount(name) => format!("unmounted {name:?}"),
            Command::Conjure { name, .. } => format!("created {name:?}"),
            Command::Wipe => "deleted all volumes and their files".into(),
            Command::Down { kind, lasting } => {
                let until = lasting.and_then(|lasting| at.checked_add(self.speed.real(lasting)).ok());
                let down = DriverStatus::Down { kind: *kind, until };
                self.push_driver(at, down, generation, DriverReason::Command);
                let lasting = lasting.map(|lasting| format!(" for {}", duration::print(lasting)));
                format!("the driver is down: {kind}{}", lasting.unwrap_or_default())
            }
            Command::Up if status == DriverStatus::Up && self.state.bind_error().is_none() => {
                return Err(CommandFailed::AlreadyUp);
            }
            Command::Up => {
                self.push_driver(at, DriverStatus::Up, generation, DriverReason::Command);
                "the driver is up".into()
            }
            Command::Crash { keep } => {
                self.push_driver(at, status, generation + 1, DriverReason::Crash);
                let memory = if *keep { "volumes kept" } else { "all volumes lost" };
                format!("the driver restarted; {memory}")
            }
            Command::Reset => {
                // The player reads the entries of its scenario from the journal.
                if let Some(scenario) = self.state.scenario().under_way() {
                    return Err(CommandFailed::Busy(scenario.to_owned()));
                }
                "counters and journal reset".into()
            }
            Command::Note(text) => text.clone(),
            Command::Save { .. } => return Err(CommandFailed::SaveElsewhere),
            Command::Play { scenario, stepwise, dangerous } => {
                self.play_result(scenario, *stepwise, *dangerous)?
            }
            Command::ControlScenario(control) => self.control_result(*control)?,
            Command::Speed(change) => self.speed_result(*change)?,
            Command::Quit => self.quit_result(),
        })
    }

    fn arm(&mut self, rule: &Rule, label: Option<&str>, at: Timestamp) -> String {
        let target = label.map(|label| Target::Label(label.to_owned()));
        let rules = self.state.rules();
        let replaced = target.as_ref().and_then(|target| rules.targets(target).next());
        let replaced = replaced.map(|rule| (rule.as_text(), rule.state));
        let armed = rules.arming(rule, label, at, self.speed);
        let text =
            armed.rule().map_or_else(String::new, |rule| format!("armed rule {}: {}", rule.id, rule.text));
        self.push(at, EntryKind::Rule(Box::new(armed)));
        if let Some((rule, RuleState::Armed)) = replaced {
            self.push(at, EntryKind::Rule(Box::new(RuleEvent::Disarmed(rule))));
        }
        self.release_calls_of_inactive_rules(at);
        text
    }

    fn move_rule(&mut self, rule: &Target, before: &Target, at: Timestamp) -> Result<String, CommandFailed> {
        let rules = self.state.rules();
        let one = |target: &Target| {
            let found = rules.targets(target).next().map(TrackedRule::as_text);
            found.ok_or_else(|| CommandFailed::NoRule(target.to_string()))
        };
        let (rule, before) = (one(rule)?, one(before)?.id);
        let text = format!("rule {} is now before rule {before}", rule.id);
        self.push(at, EntryKind::Rule(Box::new(RuleEvent::Moved { rule, before })));
        Ok(text)
    }

    fn disarm(&mut self, target: &Target, at: Timestamp) -> Result<String, CommandFailed> {
        let targets = self.state.rules().targets(target);
        let (rules, states): (Vec<_>, Vec<_>) = targets.map(|rule| (rule.as_text(), rule.state)).unzip();
        match target {
            Target::Id(id) if rules.is_empty() => return Err(CommandFailed::NoRule(id.to_string())),
            Target::Label(label) if rules.is_empty() => return Err(CommandFailed::NoRule(label.clone())),
            _ => {}
        }
        for rule in rules {
            self.push(at, EntryKind::Rule(Box::new(RuleEvent::Disarmed(rule))));
        }
        let released = self.release_calls_of_inactive_rules(at);
        Ok(disarmed_text(&states, released))
    }

    /// Releases held calls. Either the action fits all of them, or none is released.
    fn release_calls(
        &mut self,
        which: ReleaseTarget,
        action: Option<&ReleaseAction>,
        at: Timestamp,
    ) -> Result<String, CommandFailed> {
        let mut calls = self.releasable();
        match which {
            ReleaseTarget::Oldest => calls.truncate(1),
            ReleaseTarget::All => {}
            ReleaseTarget::Call(call) => calls.retain(|held| *held == call),
        }
        match (which, action) {
            (ReleaseTarget::Call(call), _) if calls.is_empty() => {
                return Err(CommandFailed::NotWaiting(call));
            }
            (_, Some(_)) if calls.is_empty() => return Err(CommandFailed::NoneWaiting),
            (_, Some(action)) => calls.iter().try_for_each(|call| self.check_action(*call, action))?,
            (_, None) => {}
        }
        let mut released = 0;
        for call in calls {
            released += u64::from(self.release(at, call, ReleasedBy::Command, action));
        }
        Ok(match which {
            ReleaseTarget::Call(call) => format!("call {call} released"),
            _ => format!("{} released", counted(released, "call")),
        })
    }

    /// Whether a held call can end with an action.
    fn check_action(&self, call: u64, action: &ReleaseAction) -> Result<(), CommandFailed> {
        let held = self.state.held_call(call).ok_or(CommandFailed::NotWaiting(call))?;
        if held.original.is_none() {
            return Err(CommandFailed::OnItsWay(call));
        }
        if !action.action.applies_to(held.operation) {
            let asked = describe::asked(held.head());
            return Err(CommandFailed::Unfit { call, asked, action: action.action.as_str() });
        }
        Ok(())
    }
}

/// What disarming did to rules in these states, and to the calls that they held. Only an armed rule is disarmed; one that
/// had ended is removed.
fn disarmed_text(states: &[RuleState], released: u64) -> String {
    let of = |state| states.iter().filter(|other| **other == state).count() as u64;
    let (armed, spent, expired) = (of(RuleState::Armed), of(RuleState::Spent), of(RuleState::Expired));
    let parts = [
        (armed > 0 || states.is_empty()).then(|| format!("{} disarmed", counted(armed, "rule"))),
        (spent > 0).then(|| format!("{} removed", counted(spent, "spent rule"))),
        (expired > 0).then(|| format!("{} removed", counted(expired, "expired rule"))),
        (released > 0).then(|| format!("{} released", counted(released, "held call"))),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
