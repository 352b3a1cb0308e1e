//! Commands in the user's shell.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Body, micros};

/// A command in the user's shell was started from the console, or ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum ShellEvent {
    /// It was started.
    Started {
        /// The line, as it was typed.
        command: String,
    },
    /// It ended.
    Finished(Box<ShellResult>),
}

/// What a command in the user's shell did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ShellResult {
    /// The number of the entry of its start.
    pub started: u64,
    /// The line, as it was typed.
    pub command: String,
    /// Its exit status; none if a signal ended it.
    pub exit: Option<i32>,
    /// The signal that ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    /// What it printed, on standard output and standard error.
    pub output: Body,
    /// How long it ran, in microseconds.
    #[serde(rename = "duration_us", with = "micros")]
    #[cfg_attr(test, schemars(with = "u64"))]
    pub duration: Duration,
}

impl ShellEvent {
    /// The line, as it was typed.
    pub fn command(&self) -> &str {
        match self {
            Self::Started { command } => command,
            Self::Finished(result) => &result.command,
        }
    }

    /// How many bytes of memory it holds beside its own size.
    pub(super) fn size_estimate(&self) -> usize {
        match self {
            Self::Started { command } => command.len(),
            Self::Finished(result) => {
                size_of::<ShellResult>() + result.command.len() + result.output.bytes.len()
            }
        }
    }
}

impl ShellResult {
    /// Whether it succeeded.
    pub fn is_ok(&self) -> bool {
        self.exit == Some(0)
    }

    /// The line of its output that says most: the last one, or if it failed its error. After that many programs print
    /// how they are used.
    pub fn main_line(&self) -> String {
        let output = self.output.text();
        let mut lines = output.lines().map(str::trim).filter(|line| !line.is_empty());
        if self.is_ok() {
            return lines.next_back().unwrap_or_default().to_owned();
        }
        // Docker says before it that it pulls an image.
        let is_error = |line: &&str| line.to_lowercase().contains("error");
        let error = lines.clone().find(is_error).or_else(|| lines.next());
        error.unwrap_or_default().to_owned()
    }
}

/// How it ended: `exit status 0`, `ended by signal 15`.
impl fmt::Display for ShellResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.exit, self.signal) {
            (Some(exit), _) => write!(f, "exit status {exit}"),
            (None, Some(signal)) => write!(f, "ended by signal {signal}"),
            (None, None) => f.write_str("ended"),
        }
    }
}
