//! The one arrow back: what a command does to the hub.

use std::{io, sync::Arc};

use jiff::Timestamp;

use super::{DriverStatus, Hub, State, fault_event};
use crate::domain::{
    lang::{
        command::{Command, CommandError, ReleaseTarget, Target},
        duration,
    },
    model::{
        entry::{CommandRun, EntryKind, HeldCall, RuleLifecycle},
        protocol::{BadName, Operation, check_name},
        volume::Change,
    },
    rules::{DryRun, Pattern, ReleaseAction, Rule, dry_run, forecast},
    state::counters::Tally,
    text::counted,
};

/// What came of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandOutput {
    /// In words, for whoever gave it.
    pub text: String,
    /// The number of its entry in the journal; 0 where it left none.
    pub seq: u64,
    /// The entries of the calls that a rule would have hit, after `arm --dry-run`.
    pub hits: Vec<u64>,
}

/// Why a command was not carried out. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum CommandFailed {
    /// The line is no command.
    #[error(transparent)]
    Line(#[from] CommandError),
    /// There is no such volume.
    #[error("there is no volume {0:?}; see the volumes table, or conjure it")]
    NoVolume(String),
    /// The volume is there already.
    #[error("the driver knows a volume {0:?} already; forget it first, or choose another name")]
    VolumeExists(String),
    /// The volume is not forgotten.
    #[error("the volume {0:?} is not forgotten; there is nothing to restore")]
    NotForgotten(String),
    /// The name cannot be a volume's.
    #[error(transparent)]
    Name(#[from] BadName),
    /// No such rule is armed.
    #[error("no rule {0:?} is armed; disarm by number or label, or disarm all")]
    NoRule(String),
    /// The rule can end a real engine.
    #[error(
        "this ends a running dockerd: it reads a null among the volumes of List and dies; if you mean it: {0}"
    )]
    Unconfirmed(String),
    /// No such call waits.
    #[error("no call {0} is waiting; release all, or one by the number of its waiting entry")]
    NotWaiting(u64),
    /// No call at all waits.
    #[error("no call is waiting; arm a rule that holds one, as in get: hold once")]
    NoneWaiting,
    /// The action is not for such a call.
    #[error("{action:?} does not fit call {seq}, which is a {operation}; fail and reply fit every call")]
    Unfit {
        /// The number of its waiting entry.
        seq: u64,
        /// What was asked.
        operation: Operation,
        /// The action's word.
        action: &'static str,
    },
    /// The call's answer has begun.
    #[error("the answer to call {0} is on its way already; release {0} lets the rest of it go at once")]
    OnItsWay(u64),
    /// The driver is up.
    #[error("the driver is up already")]
    AlreadyUp,
    /// There is no such card.
    #[error("there is no card {name:?}{meant}; play with Tab completes their names")]
    NoCard {
        /// Its name.
        name: String,
        /// What may have been meant.
        meant: String,
    },
    /// There is nobody to play.
    #[error("no cards are played here; voltergeist play plays them")]
    NoPlayer,
    /// Another card is played.
    #[error("{0} is being played; wait for its end, or play stop")]
    Busy(String),
    /// A rule would act on the card too.
    #[error("a rule is armed that would act on the card too; disarm all, then play")]
    RulesArmed,
    /// The card can do harm.
    #[error("only as `{0}`: this card can harm the engine, or what else runs on it")]
    Dangerous(String),
    /// No card is played.
    #[error("no card is being played; play CARD begins one")]
    NothingPlayed,
    /// There is no demo.
    #[error("there is nothing to pace here; only `voltergeist demo` has a life of its own")]
    NoDemo,
    /// The disk said no.
    #[error("cannot change the volumes on disk: {0}; make the root writable, and try again")]
    DiskStore(#[source] io::Error),
    /// The shared state writes no files.
    #[error("cannot save here; send the command to the control API or type it in the console")]
    SaveElsewhere,
    /// The file cannot be written.
    #[error(
        "cannot save to {path}: {error}; give the path of a new file, in a directory that is there and can be written to"
    )]
    Save {
        /// Where to.
        path: String,
        /// What the system says.
        error: io::Error,
    },
}

impl Hub {
    /// Reads a command line and carries it out.
    pub fn command_line(&self, line: &str) -> Result<CommandOutput, CommandFailed> {
        self.command(&line.trim().parse()?)
    }

    /// Carries a command out and notes it in the journal.
    pub fn command(&self, command: &Command) -> Result<CommandOutput, CommandFailed> {
        match command {
            Command::Arm { rule, dry_run: true, .. } => return Ok(self.rehearsed(rule)),
            command if command.is_dangerous() => {
                return Err(CommandFailed::Unconfirmed(command.clone().confirmed().to_string()));
            }
            _ => {}
        }
        let mut store = self.store.lock();
        let at = self.now();
        let changes = self.changes_of(command, at)?;
        for change in &changes {
            self.change_with(&mut **store, change).map_err(CommandFailed::DiskStore)?;
        }
        drop(store);

        let mut state = self.state.lock();
        let effect = state.carry_out(command, at)?;
        let execution = CommandRun { line: command.to_string(), effect: effect.clone(), changes };
        let seq = state.push(at, EntryKind::Command(execution)).seq;
        self.order(&state);
        self.run_request(&state);
        drop(state);
        self.rescheduled.notify_one();
        self.wake();
        Ok(CommandOutput { text: effect, seq, hits: Vec::new() })
    }

    /// Records a command that a layer above has run.
    pub fn record_command(&self, command: &Command, effect: String) -> CommandOutput {
        let run = CommandRun { line: command.to_string(), effect: effect.clone(), changes: Vec::new() };
        let seq = self.record(EntryKind::Command(run));
        CommandOutput { text: effect, seq, hits: Vec::new() }
    }

    /// Which calls of the journal a rule would have hit.
    pub fn dry_run(&self, rule: &Rule) -> DryRun {
        let state = self.state.lock();
        let (seed, volumes) = (state.rules.seed(), state.volumes.clone());
        drop(state);
        dry_run(rule, seed, &volumes, self.all_entries().iter().map(Arc::as_ref))
    }

    fn rehearsed(&self, rule: &Rule) -> CommandOutput {
        const TOLD: usize = 20;
        let DryRun { hits, calls } = self.dry_run(rule);
        let told: Vec<_> = hits.iter().take(TOLD).map(u64::to_string).collect();
        let more = if hits.len() > TOLD { ", …" } else { "" };
        let told = if told.is_empty() { String::new() } else { format!(": {}{more}", told.join(", ")) };
        let state = self.state.lock();
        let is_named = |pattern: &Pattern| state.volumes.iter().any(|volume| pattern.matches(&volume.name));
        let unmet = rule.volume_patterns().find(|pattern| hits.is_empty() && !is_named(pattern));
        let none = unmet.map_or_else(String::new, |name| format!("; there is no volume {} now", name.text()));
        let forecast = forecast(rule, state.tally.usual_caller());
        let calls = counted(calls as u64, "call");
        let text = format!("would have hit {} of {calls}{told}{none}; {forecast}", hits.len());
        CommandOutput { text, seq: 0, hits }
    }

    /// What a command changes in the volumes, if what it asks is possible.
    fn changes_of(&self, command: &Command, at: Timestamp) -> Result<Vec<Change>, CommandFailed> {
        let state = self.state.lock();
        let record =
            |name: &String| state.volumes.record(name).ok_or_else(|| CommandFailed::NoVolume(name.clone()));
        Ok(match command {
            Command::Forget(name) => {
                if !record(name)?.known {
                    return Err(CommandFailed::NoVolume(name.clone()));
                }
                vec![Change::Forgotten { name: name.clone() }]
            }
            Command::Restore(name) => {
                if record(name)?.known {
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
                if state.volumes.known(name).is_some() {
                    return Err(CommandFailed::VolumeExists(name.clone()));
                }
                vec![Change::Created { name: name.clone(), options: options.clone(), at }]
            }
            Command::Wipe => vec![Change::AllDeleted],
            Command::Crash { keep: false } => vec![Change::StateLost],
            _ => Vec::new(),
        })
    }
}

impl State {
    /// Does what a command does beside changing volumes, and says what came of it all.
    fn carry_out(&mut self, command: &Command, at: Timestamp) -> Result<String, CommandFailed> {
        Ok(match command {
            Command::Arm { rule, label, .. } => {
                self.rules.forget_ended(|id| self.waiting.values().any(|waiter| waiter.rule == id));
                let (armed, replaced) = self.rules.arm(rule.clone(), label.as_deref(), at);
                let event = fault_event(armed, RuleLifecycle::Armed);
                let text = format!("armed rule {}: {}", armed.id, armed.text);
                if let Some(replaced) = &replaced {
                    self.end_rule(at, replaced, RuleLifecycle::Disarmed);
                }
                self.push(at, EntryKind::Fault(event));
                text
            }
            Command::Disarm(target) => {
                let disarmed = self.rules.disarm(target);
                match target {
                    Target::Id(id) if disarmed.is_empty() => {
                        return Err(CommandFailed::NoRule(id.to_string()));
                    }
                    Target::Label(label) if disarmed.is_empty() => {
                        return Err(CommandFailed::NoRule(label.clone()));
                    }
                    _ => {}
                }
                for rule in &disarmed {
                    self.end_rule(at, rule, RuleLifecycle::Disarmed);
                }
                format!("{} disarmed", counted(disarmed.len() as u64, "rule"))
            }
            Command::Release { which, release_action, .. } => {
                self.release(*which, release_action.as_ref())?
            }
            Command::Seed(seed) => {
                self.rules.reseed(*seed);
                format!("chance is drawn from seed {seed}")
            }
            Command::Forget(name) => format!("{name:?} is forgotten; its files are kept"),
            Command::Restore(name) => format!("{name:?} is back"),
            Command::Unmount(name) => format!("all mounts of {name:?} ended"),
            Command::Conjure { name, .. } => format!("{name:?} is there"),
            Command::Wipe => "every volume and its files are gone".into(),
            Command::Down { kind, lasting } => {
                let until = lasting.and_then(|lasting| at.checked_add(lasting).ok());
                self.reachable.status = DriverStatus::Down { kind: *kind, until };
                let lasting = lasting.map(|lasting| format!(" for {}", duration::print(lasting)));
                format!("the driver is down: {kind}{}", lasting.unwrap_or_default())
            }
            Command::Up => {
                if self.reachable.status == DriverStatus::Up {
                    return Err(CommandFailed::AlreadyUp);
                }
                self.reachable.status = DriverStatus::Up;
                "the driver is up".into()
            }
            Command::Crash { keep } => {
                self.reachable.life += 1;
                let memory =
                    if *keep { "knows its volumes still" } else { "has lost its memory of every volume" };
                format!("the driver crashed and is back; it {memory}")
            }
            Command::Reset => {
                // The player holds the card against what the journal has of it.
                if let Some(scenario) = self.scenarios.under_way() {
                    return Err(CommandFailed::Busy(scenario.to_owned()));
                }
                self.journal.clear();
                self.tally = Tally::default();
                self.admitted = 0;
                "counters and journal start anew".into()
            }
            Command::Note(text) => text.clone(),
            Command::Save { .. } => return Err(CommandFailed::SaveElsewhere),
            Command::Play { scenario, stepwise, dangerous } => self.play(scenario, *stepwise, *dangerous)?,
            Command::ControlScenario(direction) => self.direct(*direction)?,
            Command::Speed(change) => self.set_speed(*change)?,
            Command::Quit => self.quit(),
        })
    }
}

impl State {
    /// Lets waiting calls go. Either all that are meant can end so, or none is let go.
    fn release(
        &mut self,
        which: ReleaseTarget,
        release_action: Option<&ReleaseAction>,
    ) -> Result<String, CommandFailed> {
        let meant: Vec<u64> = match which {
            ReleaseTarget::Oldest => self.held().map(|waiter| waiter.entry.seq).take(1).collect(),
            ReleaseTarget::All => self.held().map(|waiter| waiter.entry.seq).collect(),
            ReleaseTarget::Call(seq) => {
                self.held().map(|waiter| waiter.entry.seq).filter(|held| *held == seq).collect()
            }
        };
        match (which, release_action) {
            (ReleaseTarget::Call(seq), _) if meant.is_empty() => return Err(CommandFailed::NotWaiting(seq)),
            (_, Some(_)) if meant.is_empty() => return Err(CommandFailed::NoneWaiting),
            (_, Some(release_action)) => {
                meant.iter().try_for_each(|seq| self.can_end(*seq, release_action))?;
            }
            (_, None) => {}
        }
        let mut released = 0;
        for seq in meant {
            let gone = self.waiting.get_mut(&seq).is_some_and(|waiter| waiter.release_held(release_action));
            released += usize::from(gone);
        }
        match which {
            ReleaseTarget::Call(seq) => Ok(format!("call {seq} released")),
            _ => Ok(format!("{} released", counted(released as u64, "call"))),
        }
    }

    fn can_end(&self, seq: u64, release_action: &ReleaseAction) -> Result<(), CommandFailed> {
        let Some(EntryKind::Held(waiting)) = self.waiting.get(&seq).map(|waiter| &waiter.entry.kind) else {
            return Err(CommandFailed::NotWaiting(seq));
        };
        let HeldCall { operation, natural, .. } = waiting;
        match natural {
            None => Err(CommandFailed::OnItsWay(seq)),
            Some(_) if release_action.action.applies_to(*operation) => Ok(()),
            Some(_) => Err(CommandFailed::Unfit {
                seq,
                operation: *operation,
                action: release_action.action.as_str(),
            }),
        }
    }
}
