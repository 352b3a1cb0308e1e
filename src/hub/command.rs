//! The one arrow back: what a command does to the hub.

use std::{io, sync::Arc};

use jiff::Timestamp;

use super::{Hub, Standing, State, fault_event};
use crate::domain::{
    command::{Command, CommandError, Released, Target},
    duration,
    entry::{Execution, FaultFate, Kind, Waiting},
    fault::{Ending, Pattern, Rehearsal, Rule, forecast, would_hit},
    protocol::{BadName, Operation, check_name},
    tally::Tally,
    text::counted,
    volume::Change,
};

/// What came of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
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
    Haunted,
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
    Disk(#[source] io::Error),
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
    pub fn command_line(&self, line: &str) -> Result<Effect, CommandFailed> {
        self.command(&line.trim().parse()?)
    }

    /// Carries a command out and notes it in the journal.
    pub fn command(&self, command: &Command) -> Result<Effect, CommandFailed> {
        match command {
            Command::Arm { rule, dry_run: true, .. } => return Ok(self.rehearsed(rule)),
            command if command.is_dangerous() => {
                return Err(CommandFailed::Unconfirmed(command.clone().confirmed().to_string()));
            }
            _ => {}
        }
        let written = match command {
            Command::Save { path, which } => self.save(path, which)?,
            _ => String::new(),
        };
        let mut store = self.store.lock();
        let at = self.now();
        let changes = self.changes_of(command, at)?;
        for change in &changes {
            self.change_with(&mut **store, change).map_err(CommandFailed::Disk)?;
        }
        drop(store);

        let mut state = self.state.lock();
        let effect = state.carry_out(command, &written, at)?;
        let execution = Execution { line: command.to_string(), effect: effect.clone(), changes };
        let seq = state.push(at, Kind::Command(execution)).seq;
        self.order(&state);
        self.cue(&state);
        drop(state);
        self.rescheduled.notify_one();
        self.wake();
        Ok(Effect { text: effect, seq, hits: Vec::new() })
    }

    /// Which calls of the journal a rule would have hit.
    pub fn would_hit(&self, rule: &Rule) -> Rehearsal {
        let state = self.state.lock();
        let (seed, volumes) = (state.rules.seed(), state.volumes.clone());
        drop(state);
        would_hit(rule, seed, &volumes, self.all_entries().iter().map(Arc::as_ref))
    }

    fn rehearsed(&self, rule: &Rule) -> Effect {
        const TOLD: usize = 20;
        let Rehearsal { hits, calls } = self.would_hit(rule);
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
        Effect { text, seq: 0, hits }
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
                vec![Change::Detached { name: name.clone() }]
            }
            Command::Conjure { name, options } => {
                check_name(name)?;
                if state.volumes.known(name).is_some() {
                    return Err(CommandFailed::VolumeExists(name.clone()));
                }
                vec![Change::Created { name: name.clone(), options: options.clone(), at }]
            }
            Command::Wipe => vec![Change::Wiped],
            Command::Crash { keep: false } => vec![Change::Lost],
            _ => Vec::new(),
        })
    }
}

impl State {
    /// Does what a command does beside changing volumes, and says what came of it all.
    fn carry_out(
        &mut self,
        command: &Command,
        written: &str,
        at: Timestamp,
    ) -> Result<String, CommandFailed> {
        Ok(match command {
            Command::Arm { rule, label, .. } => {
                self.rules.forget_ended(|id| self.waiting.values().any(|waiter| waiter.rule == id));
                let (armed, replaced) = self.rules.arm(rule.clone(), label.as_deref(), at);
                let event = fault_event(armed, FaultFate::Armed);
                let text = format!("armed rule {}: {}", armed.id, armed.text);
                if let Some(replaced) = &replaced {
                    self.end_rule(at, replaced, FaultFate::Disarmed);
                }
                self.push(at, Kind::Fault(event));
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
                    self.end_rule(at, rule, FaultFate::Disarmed);
                }
                format!("{} disarmed", counted(disarmed.len() as u64, "rule"))
            }
            Command::Release { which, ending, .. } => self.release(*which, ending.as_ref())?,
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
                self.reachability.standing = Standing::Down { kind: *kind, until };
                let lasting = lasting.map(|lasting| format!(" for {}", duration::print(lasting)));
                format!("the driver is down: {kind}{}", lasting.unwrap_or_default())
            }
            Command::Up => {
                if self.reachability.standing == Standing::Up {
                    return Err(CommandFailed::AlreadyUp);
                }
                self.reachability.standing = Standing::Up;
                "the driver is up".into()
            }
            Command::Crash { keep } => {
                self.reachability.life += 1;
                let memory =
                    if *keep { "knows its volumes still" } else { "has lost its memory of every volume" };
                format!("the driver crashed and is back; it {memory}")
            }
            Command::Reset => {
                // The player holds the card against what the journal has of it.
                if let Some(card) = self.playbill.under_way() {
                    return Err(CommandFailed::Busy(card.to_owned()));
                }
                self.journal.clear();
                self.tally = Tally::default();
                self.admitted = 0;
                "counters and journal start anew".into()
            }
            Command::Note(text) => text.clone(),
            Command::Save { path, .. } => format!("{written} saved to {path}"),
            Command::Play { card, stepwise, dangerous } => self.play(card, *stepwise, *dangerous)?,
            Command::Direct(direction) => self.direct(*direction)?,
            Command::Pace(change) => self.set_pace(*change)?,
            Command::Quit => self.quit(),
        })
    }
}

impl State {
    /// Lets waiting calls go. Either all that are meant can end so, or none is let go.
    fn release(&mut self, which: Released, ending: Option<&Ending>) -> Result<String, CommandFailed> {
        let meant: Vec<u64> = match which {
            Released::Oldest => self.held().map(|waiter| waiter.entry.seq).take(1).collect(),
            Released::All => self.held().map(|waiter| waiter.entry.seq).collect(),
            Released::Seq(seq) => {
                self.held().map(|waiter| waiter.entry.seq).filter(|held| *held == seq).collect()
            }
        };
        match (which, ending) {
            (Released::Seq(seq), _) if meant.is_empty() => return Err(CommandFailed::NotWaiting(seq)),
            (_, Some(_)) if meant.is_empty() => return Err(CommandFailed::NoneWaiting),
            (_, Some(ending)) => meant.iter().try_for_each(|seq| self.can_end(*seq, ending))?,
            (_, None) => {}
        }
        let mut released = 0;
        for seq in meant {
            let gone = self.waiting.get_mut(&seq).is_some_and(|waiter| waiter.let_go(ending));
            released += usize::from(gone);
        }
        match which {
            Released::Seq(seq) => Ok(format!("call {seq} released")),
            _ => Ok(format!("{} released", counted(released as u64, "call"))),
        }
    }

    fn can_end(&self, seq: u64, ending: &Ending) -> Result<(), CommandFailed> {
        let Some(Kind::Waiting(waiting)) = self.waiting.get(&seq).map(|waiter| &waiter.entry.kind) else {
            return Err(CommandFailed::NotWaiting(seq));
        };
        let Waiting { operation, natural, .. } = waiting;
        match natural {
            None => Err(CommandFailed::OnItsWay(seq)),
            Some(_) if ending.action.fits(*operation) => Ok(()),
            Some(_) => Err(CommandFailed::Unfit { seq, operation: *operation, action: ending.action.word() }),
        }
    }
}
