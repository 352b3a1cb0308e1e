//! The result of a docker command: what the command line prints, and its exit code.

use std::fmt;

/// How a command ended, as the user of a shell sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CliResult {
    /// The exit code: 0 for success.
    pub code: u8,
    /// The standard output, without the final newline.
    pub stdout: String,
    /// The standard error, without the final newline.
    pub stderr: String,
}

impl CliResult {
    /// Success with this output.
    pub fn success(stdout: impl Into<String>) -> Self {
        Self { code: 0, stdout: stdout.into(), stderr: String::new() }
    }

    /// Failure with this error.
    pub fn failure(code: u8, stderr: impl Into<String>) -> Self {
        Self { code, stdout: String::new(), stderr: stderr.into() }
    }

    /// Whether the exit code is 0.
    pub fn succeeded(&self) -> bool {
        self.code == 0
    }
}

/// The first line of the output, or of the error if the command failed.
impl fmt::Display for CliResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = if self.succeeded() { &self.stdout } else { &self.stderr };
        f.write_str(text.lines().next().unwrap_or_default())
    }
}
