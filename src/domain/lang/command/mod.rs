//! The command: one vocabulary for keys, the `:` line, HTTP and scenarios.
//!
//! A command is a line of text. Whatever a key does is such a line, so that what was explored by
//! hand can be typed, scripted and replayed. [`Display`](std::fmt::Display) prints a line that parses to the same command.

mod format;
mod parse;
#[cfg(test)]
mod tests;

use std::time::Duration;

use super::filter::Filter;
use crate::domain::{
    model::{protocol::Options, speed::SpeedChange},
    rules::{ReleaseAction, Rule},
};

pub use crate::domain::model::driver::Outage;
pub use parse::CommandError;

/// One thing that a user can ask of voltergeist.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// `arm [--dry-run] [--yes] RULE [as LABEL]`: the rule acts from now on, or is only held against the journal.
    Arm {
        /// The rule.
        rule: Rule,
        /// A name by which to disarm it; one that is armed under it is replaced.
        label: Option<String>,
        /// Tell which calls it would have hit, and arm nothing.
        dry_run: bool,
        /// `--yes`: arm it although it can end a real engine.
        confirmed: bool,
    },
    /// `disarm LABEL|ID|all`: the rule ends at once and lets go what it holds.
    Disarm(Target),
    /// `release [--yes] [CALL|all] [: ACTION]`: a waiting call gets its natural answer, or ends as it is told to.
    Release {
        /// Which calls.
        which: ReleaseTarget,
        /// How they end, if not naturally.
        release_action: Option<ReleaseAction>,
        /// `--yes`: although it can end a real engine.
        confirmed: bool,
    },
    /// `seed N`: chance is drawn from another seed.
    Seed(u64),
    /// `forget VOL`: the volume is gone behind the engine's back.
    Forget(String),
    /// `restore VOL`: a forgotten volume is back.
    Restore(String),
    /// `conjure VOL [k=v …]`: a volume that the engine did not create.
    Conjure {
        /// Its name.
        name: String,
        /// Its options.
        options: Options,
    },
    /// `wipe`: every volume and its files are gone.
    Wipe,
    /// `unmount VOL`: all open mounts of the volume end, unasked.
    Unmount(String),
    /// `down KIND [for DUR]`: the driver cannot be reached.
    Down {
        /// In which way.
        kind: Outage,
        /// Until it comes up by itself.
        lasting: Option<Duration>,
    },
    /// `up`: the driver can be reached again.
    Up,
    /// `crash keep|lose`: the driver dies and is back at once.
    Crash {
        /// Whether it still knows its volumes and mounts.
        keep: bool,
    },
    /// `reset`: counters and journal start anew.
    Reset,
    /// `note TEXT`: a remark in the journal.
    Note(String),
    /// `save PATH [where FILTER]`: entries in a file, in the form that its name ends with.
    Save {
        /// The file.
        path: String,
        /// Which entries.
        which: Filter,
    },
    /// `play CARD [--step] [--dangerous]`: a scenario card is played.
    Play {
        /// Its name.
        scenario: String,
        /// `--step`: each step waits for `play next`.
        stepwise: bool,
        /// `--dangerous`: although it can do harm.
        dangerous: bool,
    },
    /// `play pause|next|go|stop`: what is played goes another way.
    ControlScenario(ScenarioControl),
    /// `speed N|pause|go`: the demo's life goes faster or slower, or stands still.
    Speed(SpeedChange),
    /// `quit`: the end.
    Quit,
}

/// Which way the card that is played shall go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScenarioControl {
    /// No step begins any more.
    Pause,
    /// One more step, then pause.
    Next,
    /// All steps, one after the other.
    Go,
    /// The end, and what the card has made is removed.
    Stop,
}

impl ScenarioControl {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Pause, Self::Next, Self::Go, Self::Stop];

    /// The word that gives it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Next => "next",
            Self::Go => "go",
            Self::Stop => "stop",
        }
    }

    /// The one that a word gives.
    pub fn from_keyword(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|direction| direction.as_str() == word)
    }
}

/// Which rules to disarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// By its number.
    Id(u32),
    /// By its label.
    Label(String),
    /// All of them.
    All,
}

/// Which held calls to release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReleaseTarget {
    /// The one that was held longest.
    Oldest,
    /// The one with this number.
    Call(u64),
    /// All of them.
    All,
}

/// The first words of all commands with the forms that follow them, for help and completion.
pub const FORMS: [(&str, &str, &str); 18] = [
    ("arm", "[--dry-run] [--yes] RULE [as LABEL]", "make calls fail as the rule says"),
    ("disarm", "LABEL|ID|all", "end a rule at once and let go what it holds"),
    (
        "release",
        "[--yes] [CALL|all] [: ACTION]",
        "let a waiting call go: to its natural answer, or to another end",
    ),
    ("seed", "N", "draw chance from another seed"),
    ("forget", "VOL", "lose a volume behind the engine's back"),
    ("restore", "VOL", "bring a forgotten volume back"),
    ("conjure", "VOL [k=v …]", "make a volume that the engine did not create"),
    ("wipe", "", "lose every volume with its files"),
    ("unmount", "VOL", "end all open mounts of a volume, unasked"),
    ("down", "refuse|unlink|blackhole|reset [for DUR]", "make the driver unreachable"),
    ("up", "", "make the driver reachable again"),
    ("crash", "keep|lose", "let the driver die and come back at once"),
    ("reset", "", "start counters and journal anew"),
    ("note", "TEXT", "put a remark into the journal"),
    (
        "save",
        "PATH [where FILTER]",
        "write entries to a file: PATH.md a report, .mmd a diagram, .txt a drawing, else JSON lines",
    ),
    (
        "play",
        "CARD [--step] [--dangerous] | pause|next|go|stop",
        "play a scenario card, or direct the one that is played",
    ),
    ("pace", "N|pause|go", "make the demo's life N times as fast, or let it stand still"),
    ("quit", "", "end voltergeist"),
];

impl Command {
    /// The volume that the command is about.
    pub fn volume(&self) -> Option<&str> {
        match self {
            Self::Forget(name) | Self::Restore(name) | Self::Unmount(name) | Self::Conjure { name, .. } => {
                Some(name)
            }
            _ => None,
        }
    }

    /// Whether it can end a real engine, and nobody has said yes to that yet.
    pub fn is_dangerous(&self) -> bool {
        match self {
            Self::Arm { rule, dry_run: false, confirmed: false, .. } => rule.is_dangerous(),
            Self::Release { release_action: Some(release_action), confirmed: false, .. } => {
                release_action.action.is_dangerous()
            }
            _ => false,
        }
    }

    /// The same command after the question that a destructive one needs.
    #[must_use]
    pub fn confirmed(mut self) -> Self {
        if let Self::Arm { confirmed, .. } | Self::Release { confirmed, .. } = &mut self {
            *confirmed = true;
        }
        self
    }
}
