//! Prints rules, each in one form that parses to the same rule.

use std::{borrow::Cow, fmt};

use super::{
    action::{Action, ErrorForm, Mountpoint, Phase},
    lifetime::{Flap, Lifetime},
    parse,
    release_action::ReleaseAction,
    rule::{ChainStep, Rule},
    selector::Selector,
    template::FieldPath,
    trigger::Trigger,
};
use crate::domain::lang::{duration, json, lexer::quote};

/// A value as it is, or quoted if it would parse as something else.
fn value(text: &str) -> Cow<'_, str> {
    if parse::is_plain(text) { text.into() } else { quote(text).into() }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        join(f, &self.calls, ", ", |f, calls| f.write_str(calls.as_str()))?;
        if !self.selectors.is_empty() {
            f.write_str(" where ")?;
            join(f, &self.selectors, " and ", |f, selector| selector.fmt(f))?;
        }
        write!(f, "{}: ", self.trigger)?;
        join(f, &self.chain, " then ", |f, step| step.fmt(f))?;
        // Directly after a hold, `until` is a barrier.
        let is_hold = |step: &ChainStep| step.action == Action::Hold && step.phase == step.action.phases()[0];
        if self.lifetime.fires.is_some_and(|fires| fires > 1) && self.chain.last().is_some_and(is_hold) {
            write!(f, " {}", Phase::Before.as_str())?;
        }
        self.lifetime.fmt(f)
    }
}

fn join<T>(
    f: &mut fmt::Formatter<'_>,
    items: &[T],
    between: &str,
    print: impl Fn(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    items.iter().enumerate().try_for_each(|(index, item)| {
        f.write_str(if index > 0 { between } else { "" })?;
        print(f, item)
    })
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())?;
        match self {
            Self::Volume(pattern) | Self::Peer(pattern) => write!(f, "={}", value(pattern.text())),
            Self::Id(prefix) => write!(f, "={}", value(prefix)),
            Self::Option(key, None) => write!(f, ".{}", self::key(key)),
            Self::Option(key, Some(pattern)) => {
                write!(f, ".{}={}", self::key(key), value(pattern.text()))
            }
            Self::By(caller) => write!(f, "={caller}"),
            Self::Connection(number) => write!(f, "={number}"),
            Self::FirstContact
            | Self::Known
            | Self::Unknown
            | Self::Mounted
            | Self::Unmounted
            | Self::Retry => Ok(()),
        }
    }
}

/// An option's key ends at `=`.
fn key(text: &str) -> Cow<'_, str> {
    if text.contains('=') { quote(text).into() } else { value(text) }
}

/// Each condition with a space before it.
impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(chance) = self.chance {
            write!(f, " {chance}")?;
        }
        Self::WORDS
            .into_iter()
            .zip([self.nth, self.first, self.every, self.after])
            .try_for_each(|(word, count)| count.map_or(Ok(()), |count| write!(f, " {word} {count}")))?;
        self.per.map_or(Ok(()), |per| write!(f, " per {}", per.as_str()))
    }
}

impl fmt::Display for ChainStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(times) = self.times {
            write!(f, "{times}x ")?;
        }
        f.write_str(&applied(&self.action, self.phase))
    }
}

/// An action, with its phase if that is not the default.
pub(super) fn applied(action: &Action, phase: Phase) -> String {
    if phase == action.phases()[0] { action.to_string() } else { format!("{action} {}", phase.as_str()) }
}

impl fmt::Display for ReleaseAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&applied(&self.action, self.phase))
    }
}

/// Whether a text needs no quotes after `reply`: an object or an array in one line.
fn is_document(line: &str) -> bool {
    line.starts_with(['{', '[']) && json::compact(line).is_some_and(|compact| compact == line)
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())?;
        match self {
            Self::Fail { message, form } => {
                write!(f, " {}", quote(message))?;
                if *form == ErrorForm::default() { Ok(()) } else { write!(f, " as {}", form.as_str()) }
            }
            Self::Reply { body, form } => {
                match body.strip_suffix('\n') {
                    Some(line) if is_document(line) => write!(f, " {line}")?,
                    _ => write!(f, " {}", quote(body))?,
                }
                if *form == ErrorForm::Inband { Ok(()) } else { write!(f, " as {}", form.as_str()) }
            }
            Self::Delay { from, to } if from == to => write!(f, " {}", duration::print(*from)),
            Self::Delay { from, to } => write!(f, " {}..{}", duration::print(*from), duration::print(*to)),
            Self::Barrier { calls, within } => {
                write!(f, " until {calls}")?;
                within.map_or(Ok(()), |within| write!(f, " within {}", duration::print(within)))
            }
            Self::Set { path, value } => write!(f, " {path}={value}"),
            Self::Unset(path) => write!(f, " {path}"),
            Self::Drip { over } => write!(f, " {}", duration::print(*over)),
            Self::Mountpoint(Mountpoint::Path(path)) if path.starts_with('/') => {
                write!(f, " {}", value(path))
            }
            Self::Mountpoint(Mountpoint::Path(path)) => write!(f, " {}", quote(path)),
            Self::Mountpoint(named) => write!(f, " {}", named.as_str()),
            Self::Rename(text) | Self::Scope(text) => write!(f, " {}", value(text)),
            Self::Implements(none) if none.is_empty() => f.write_str(" nothing"),
            Self::Implements(names) => {
                f.write_str(" ")?;
                join(f, names, ",", |f, name| match name.as_str() {
                    "nothing" => f.write_str("\"nothing\""),
                    name if name.contains(',') => f.write_str(&quote(name)),
                    name => f.write_str(&value(name)),
                })
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        join(f, &self.0, ".", |f, key| {
            let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '*');
            if !key.is_empty() && key.chars().all(is_plain) {
                f.write_str(key)
            } else {
                f.write_str(&quote(key))
            }
        })
    }
}

/// Each limit with a space before it.
impl fmt::Display for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.fires {
            Some(1) => f.write_str(" once")?,
            Some(fires) => write!(f, " until {fires}")?,
            None => {}
        }
        if let Some(Flap { up, down }) = self.flap {
            write!(f, " flap {} {}", duration::print(up), duration::print(down))?;
        }
        self.lasting.map_or(Ok(()), |lasting| write!(f, " for {}", duration::print(lasting)))
    }
}
