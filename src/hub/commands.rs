//! Commands: each decides on the state, then becomes entries.

use jiff::Timestamp;

use super::{CommandFailed, Hub, Inner};
use crate::domain::{
    lang::{
        command::{Command, ReleaseTarget, Target},
        duration,
    },
    model::{
        driver::{DriverReason, DriverState, DriverStatus},
        entry::{Cause, CommandRun, EntryKind, RuleEvent},
        fault::ReleasedBy,
        protocol::check_name,
        volume::Change,
    },
    rules::{DryRun, Pattern, ReleaseAction, Rule, RuleState, TrackedRule, dry_run, forecast},
    text::counted,
};

/// The result of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandOutput {
    /// What it did, for people.
    pub text: String,
    /// The number of its entry in the journal; 0 where it left none.
    pub seq: u64,
    /// The calls that a rule would have hit, after `arm --dry-run`.
    pub hits: Vec<u64>,
}

impl Hub {
    /// Parses a command line and runs it.
    pub fn command_line(&self, line: &str) -> Result<CommandOutput, CommandFailed> {
        self.command(&line.trim().parse()?)
    }

    /// Runs a command and records it.
    pub fn command(&self, command: &Command) -> Result<CommandOutput, CommandFailed> {
        match command {
            Command::Arm { rule, dry_run: true, .. } => return Ok(self.describe_dry_run(rule)),
            command if command.is_dangerous() => {
                return Err(CommandFailed::Unconfirmed(command.clone().confirmed().to_string()));
            }
            _ => {}
        }
        let changes = if changes_volumes(command) { self.change_volumes(command)? } else { Vec::new() };

        let mut inner = self.locked.lock();
        let at = self.now();
        let result = inner.run(command, at)?;
        let run = CommandRun { command: command.to_string(), result: result.clone(), changes };
        let seq = inner.push(at, EntryKind::Command(run)).seq;
        self.publish_targets(&mut inner);
        drop(inner);
        self.rescheduled.notify_one();
        self.notify_readers();
        Ok(CommandOutput { text: result, seq, hits: Vec::new() })
    }

    /// Records a command that a layer above has run.
    pub fn record_command(&self, command: &Command, result: String) -> CommandOutput {
        let run = CommandRun { command: command.to_string(), result: result.clone(), changes: Vec::new() };
        let seq = self.record(EntryKind::Command(run));
        CommandOutput { text: result, seq, hits: Vec::new() }
    }

    /// Which calls of the journal a rule would have hit.
    pub fn dry_run(&self, rule: &Rule) -> DryRun {
        let seed = self.locked.lock().state.rules().seed();
        let (volumes, _) = self.past(None);
        dry_run(rule, seed, &volumes, self.all_entries().iter().map(AsRef::as_ref))
    }

    fn describe_dry_run(&self, rule: &Rule) -> CommandOutput {
        const SHOWN: usize = 20;
        let DryRun { hits, calls } = self.dry_run(rule);
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
        let mut store = self.store.lock();
        let changes = self.locked.lock().changes_of(command, self.now())?;
        for change in &changes {
            self.change_in(&mut **store, change, Cause::Command).map_err(CommandFailed::DiskStore)?;
        }
        Ok(changes)
    }
}

/// Whether a command changes volumes, so that it needs the store.
const fn changes_volumes(command: &Command) -> bool {
    matches!(
        command,
        Command::Forget(_)
            | Command::Restore(_)
            | Command::Unmount(_)
            | Command::Conjure { .. }
            | Command::Wipe
            | Command::Crash { keep: false }
    )
}

impl Inner {
    fn changes_of(&self, command: &Command, at: Timestamp) -> Result<Vec<Change>, CommandFailed> {
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
                record(name)?;
                vec![Change::MountsCleared { name: name.clone() }]
            }
            Command::Conjure { name, options } => {
                check_name(name)?;
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
        Ok(match command {
            Command::Arm { rule, label, .. } => self.arm(rule, label.as_deref(), at),
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
                let until = lasting.and_then(|lasting| at.checked_add(lasting).ok());
                let down = DriverStatus::Down { kind: *kind, until };
                self.push_driver(at, down, generation, DriverReason::Command);
                let lasting = lasting.map(|lasting| format!(" for {}", duration::print(lasting)));
                format!("the driver is down: {kind}{}", lasting.unwrap_or_default())
            }
            Command::Up if status == DriverStatus::Up => return Err(CommandFailed::AlreadyUp),
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
        let armed = rules.arming(rule, label, at);
        let text =
            armed.rule().map_or_else(String::new, |rule| format!("armed rule {}: {}", rule.id, rule.text));
        self.push(at, EntryKind::Rule(armed));
        if let Some((rule, RuleState::Armed)) = replaced {
            self.push(at, EntryKind::Rule(RuleEvent::Disarmed(rule)));
        }
        self.release_calls_of_inactive_rules(at);
        text
    }

    fn disarm(&mut self, target: &Target, at: Timestamp) -> Result<String, CommandFailed> {
        let rules: Vec<_> = self.state.rules().targets(target).map(TrackedRule::as_text).collect();
        match target {
            Target::Id(id) if rules.is_empty() => return Err(CommandFailed::NoRule(id.to_string())),
            Target::Label(label) if rules.is_empty() => return Err(CommandFailed::NoRule(label.clone())),
            _ => {}
        }
        let text = format!("{} disarmed", counted(rules.len() as u64, "rule"));
        for rule in rules {
            self.push(at, EntryKind::Rule(RuleEvent::Disarmed(rule)));
        }
        self.release_calls_of_inactive_rules(at);
        Ok(text)
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
        let operation = held.operation;
        if held.original.is_none() {
            return Err(CommandFailed::OnItsWay(call));
        }
        if !action.action.applies_to(operation) {
            return Err(CommandFailed::Unfit { call, operation, action: action.action.as_str() });
        }
        Ok(())
    }
}
