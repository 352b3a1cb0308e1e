//! Prints a command as the line that parses to it.

use std::{borrow::Cow, fmt};

use super::{Command, ReleaseTarget, ScenarioControl, Target};
use crate::domain::lang::{duration, lexer::quote};

/// A word as it is, or quoted if it would not parse as one word.
fn word(text: &str) -> Cow<'_, str> {
    let plain = !text.is_empty() && !text.starts_with('"') && !text.contains(char::is_whitespace);
    if plain { text.into() } else { quote(text).into() }
}

/// An option key; unlike a [`word`] it ends at `=`.
fn key(text: &str) -> Cow<'_, str> {
    if text.contains('=') { quote(text).into() } else { word(text) }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "{id}"),
            Self::Label(label) => f.write_str(label),
            Self::All => f.write_str("all"),
        }
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Arm { rule, label, dry_run, confirmed } => {
                f.write_str("arm ")?;
                f.write_str(if *dry_run { "--dry-run " } else { "" })?;
                f.write_str(if *confirmed { "--yes " } else { "" })?;
                write!(f, "{rule}")?;
                label.as_ref().map_or(Ok(()), |label| write!(f, " as {label}"))
            }
            Self::Move { rule, before } => write!(f, "move {rule} before {before}"),
            Self::Load { path, confirmed } => {
                write!(f, "load {}{}", if *confirmed { "--yes " } else { "" }, word(path))
            }
            Self::Disarm(target) => write!(f, "disarm {target}"),
            Self::Release { which, release_action, confirmed } => {
                f.write_str(if *confirmed { "release --yes" } else { "release" })?;
                match which {
                    ReleaseTarget::Oldest => {}
                    ReleaseTarget::Call(call) => write!(f, " {call}")?,
                    ReleaseTarget::All => f.write_str(" all")?,
                }
                release_action.as_ref().map_or(Ok(()), |release_action| write!(f, ": {release_action}"))
            }
            Self::Seed(seed) => write!(f, "seed {seed}"),
            Self::Forget(name) => write!(f, "forget {}", word(name)),
            Self::Restore(name) => write!(f, "restore {}", word(name)),
            Self::Unmount(name) => write!(f, "unmount {}", word(name)),
            Self::Conjure { name, options } => {
                write!(f, "conjure {}", word(name))?;
                options.iter().try_for_each(|(name, value)| write!(f, " {}={}", key(name), word(value)))
            }
            Self::Wipe => f.write_str("wipe"),
            Self::Down { kind, lasting: None } => write!(f, "down {kind}"),
            Self::Down { kind, lasting: Some(lasting) } => {
                write!(f, "down {kind} for {}", duration::print(*lasting))
            }
            Self::Up => f.write_str("up"),
            Self::Crash { keep: true } => f.write_str("crash keep"),
            Self::Crash { keep: false } => f.write_str("crash lose"),
            Self::Reset => f.write_str("reset"),
            Self::Note(text) => write!(f, "note {text}"),
            Self::Save { path, which } => {
                write!(f, "save {}", word(path))?;
                if which.is_empty() { Ok(()) } else { write!(f, " where {which}") }
            }
            Self::Play { scenario, stepwise, dangerous } => {
                let is_keyword = scenario.parse::<ScenarioControl>().is_ok() || scenario.starts_with("--");
                let scenario = if is_keyword { quote(scenario).into() } else { word(scenario) };
                write!(f, "play {scenario}")?;
                f.write_str(if *stepwise { " --step" } else { "" })?;
                f.write_str(if *dangerous { " --dangerous" } else { "" })
            }
            Self::ControlScenario(control) => write!(f, "play {}", control.as_str()),
            Self::Speed(change) => write!(f, "speed {change}"),
            Self::Quit => f.write_str("quit"),
        }
    }
}
