//! The outcome: what the docker command line prints, and how it ends.

use std::fmt;

/// How a command ended, as the user of a shell sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The exit code: 0 for success.
    pub code: u8,
    /// What went to the standard output, without the last line's end.
    pub stdout: String,
    /// What went to the standard error, without the last line's end.
    pub stderr: String,
}

impl Outcome {
    /// Success, with what it printed.
    pub fn success(stdout: impl Into<String>) -> Self {
        Self { code: 0, stdout: stdout.into(), stderr: String::new() }
    }

    /// Failure, with what it complained.
    pub fn failure(code: u8, stderr: impl Into<String>) -> Self {
        Self { code, stdout: String::new(), stderr: stderr.into() }
    }

    /// Whether the exit code is 0.
    pub fn succeeded(&self) -> bool {
        self.code == 0
    }
}

/// The one line that says most: the first complaint, or else the first line of the output.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = if self.succeeded() { &self.stdout } else { &self.stderr };
        f.write_str(told.lines().next().unwrap_or_default())
    }
}
