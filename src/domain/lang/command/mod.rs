//! The command language of keys, the `:` line, HTTP and scenarios.
//!
//! A command is one line of text, and every key runs one. [`Display`](std::fmt::Display) prints a line that parses to
//! the same command.

mod format;
mod parse;
#[cfg(test)]
mod tests;

use std::time::Duration;

use strum::{EnumString, IntoStaticStr};

use super::filter::Filter;
use crate::domain::{
    model::{protocol::Options, speed::SpeedChange},
    rules::{ReleaseAction, Rule},
};

pub use crate::domain::model::driver::Outage;
pub use parse::CommandError;

/// A command.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// `arm [--dry-run] [--yes] RULE [as LABEL]`
    Arm {
        /// The rule.
        rule: Rule,
        /// A name to disarm it by. It replaces a rule that is armed with the same label.
        label: Option<String>,
        /// Only report which calls in the journal it would have matched.
        dry_run: bool,
        /// `--yes`: arm a rule that can crash a real engine.
        confirmed: bool,
    },
    /// `move RULE before RULE`: changes the order of the rules.
    Move {
        /// Which rule.
        rule: Target,
        /// It comes directly before this one.
        before: Target,
    },
    /// `load [--yes] PATH`: arms the rules in a file.
    Load {
        /// The file.
        path: String,
        /// `--yes`: arm rules that can crash a real engine.
        confirmed: bool,
    },
    /// `disarm LABEL|ID|all`: removes rules and releases the calls that they hold.
    Disarm(Target),
    /// `release [--yes] [CALL|all] [: ACTION]`
    Release {
        /// Which held calls.
        which: ReleaseTarget,
        /// What they get instead of their original reply.
        release_action: Option<ReleaseAction>,
        /// `--yes`: send a reply that can crash a real engine.
        confirmed: bool,
    },
    /// `seed N`: sets the random seed.
    Seed(u64),
    /// `forget VOL`: hides a volume from the engine.
    Forget(String),
    /// `restore VOL`: shows a forgotten volume again.
    Restore(String),
    /// `conjure VOL [k=v …]`: creates a volume that no engine asked for.
    Conjure {
        /// Its name.
        name: String,
        /// Its options.
        options: Options,
    },
    /// `wipe`: deletes all volumes and their files.
    Wipe,
    /// `unmount VOL`: closes all mounts of a volume that no engine asked to unmount.
    Unmount(String),
    /// `down KIND [for DUR]`: makes the driver unreachable.
    Down {
        /// In which way.
        kind: Outage,
        /// How long; without it until `up`.
        lasting: Option<Duration>,
    },
    /// `up`: ends an outage.
    Up,
    /// `crash keep|lose`: restarts the driver.
    Crash {
        /// Whether volumes and mounts are kept.
        keep: bool,
    },
    /// `reset`: clears counters and journal.
    Reset,
    /// `note TEXT`: adds a note to the journal.
    Note(String),
    /// `save PATH [where FILTER]`: writes entries to a file, in the format of its extension.
    Save {
        /// The file.
        path: String,
        /// Which entries.
        which: Filter,
    },
    /// `play SCENARIO [--step] [--dangerous]`
    Play {
        /// Its name.
        scenario: String,
        /// `--step`: each step waits for `play next`.
        stepwise: bool,
        /// `--dangerous`: play a scenario that can do harm.
        dangerous: bool,
    },
    /// `play pause|next|continue|stop`: controls the running scenario.
    ControlScenario(ScenarioControl),
    /// `speed N|pause|continue`: sets the demo speed.
    Speed(SpeedChange),
    /// `quit`
    Quit,
}

/// Controls the running scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum ScenarioControl {
    /// Start no further step.
    Pause,
    /// Run one step, then pause.
    Next,
    /// Run all remaining steps.
    Continue,
    /// Stop, and remove what the scenario has created.
    Stop,
}

impl ScenarioControl {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Pause, Self::Next, Self::Continue, Self::Stop];

    /// The word after `play`.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Which rules to disarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// By ID.
    Id(u32),
    /// By label.
    Label(String),
    /// All of them.
    All,
}

/// Which held calls to release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReleaseTarget {
    /// The one held longest.
    Oldest,
    /// By its call number.
    Call(u64),
    /// All of them.
    All,
}

/// All commands: the first word, its arguments, and what it does. For help and completion.
pub const FORMS: [(&str, &str, &str); 20] = [
    ("arm", "[--dry-run] [--yes] RULE [as LABEL]", "inject faults into the calls that RULE matches"),
    ("disarm", "LABEL|ID|all", "remove a rule and release the calls it holds"),
    ("move", "RULE before RULE", "change the order of the rules; the first that acts on a call wins"),
    ("load", "[--yes] PATH", "arm the rules in a file, one a line, as save PATH.rules writes them"),
    ("release", "[--yes] [CALL|all] [: ACTION]", "release held calls: to their original reply, or to ACTION"),
    ("seed", "N", "set the random seed"),
    ("forget", "VOL", "hide a volume from the engine"),
    ("restore", "VOL", "show a forgotten volume again"),
    ("conjure", "VOL [k=v …]", "create a volume behind the engine's back"),
    ("wipe", "", "delete all volumes and their files"),
    ("unmount", "VOL", "close all mounts of a volume behind the engine's back"),
    ("down", "refuse|unlink|blackhole|reset [for DUR]", "make the driver unreachable"),
    ("up", "", "make the driver reachable again"),
    ("crash", "keep|lose", "restart the driver; keep or lose its volumes and mounts"),
    ("reset", "", "reset counters and journal"),
    ("note", "TEXT", "add a note to the journal"),
    (
        "save",
        "PATH [where FILTER]",
        "write entries to a file: .md a report, .mmd a Mermaid diagram, .txt a text diagram, .har an HTTP archive, .toml a scenario, .rules the rules, .jsonl the entries",
    ),
    (
        "play",
        "SCENARIO [--step] [--dangerous] | pause|next|continue|stop",
        "play a scenario, or control the one that is running",
    ),
    ("speed", "N|pause|continue", "set the demo speed; 1 is normal"),
    ("quit", "", "quit voltergeist"),
];

impl Command {
    /// The volume that the command names.
    pub fn volume(&self) -> Option<&str> {
        match self {
            Self::Forget(name) | Self::Restore(name) | Self::Unmount(name) | Self::Conjure { name, .. } => {
                Some(name)
            }
            _ => None,
        }
    }

    /// Whether it can crash a real engine and still lacks `--yes`.
    pub fn is_dangerous(&self) -> bool {
        match self {
            Self::Arm { rule, dry_run: false, confirmed: false, .. } => rule.is_dangerous(),
            Self::Release { release_action: Some(release_action), confirmed: false, .. } => {
                release_action.action.is_dangerous()
            }
            _ => false,
        }
    }

    /// The same command with `--yes`.
    #[must_use]
    pub fn confirmed(mut self) -> Self {
        if let Self::Arm { confirmed, .. } | Self::Release { confirmed, .. } | Self::Load { confirmed, .. } =
            &mut self
        {
            *confirmed = true;
        }
        self
    }
}
