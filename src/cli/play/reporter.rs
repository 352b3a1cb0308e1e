//! The output of `play`: text, or JSON on stdout with the text on stderr.

use std::{
    io::{self, IsTerminal, Write},
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use crate::{
    cli::output::complain,
    domain::{lang::json, model::scenario::ScenarioResult, text::clean_lines},
    scenario::{Progress, Report, Scenario},
};

/// Takes back the line of a running step on a terminal.
const CLEAR_LINE: &str = "\r\x1b[2K";

/// How many scenarios had which result.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    pub passed: usize,
    pub skipped: usize,
    failed: usize,
}

impl Counts {
    pub fn add(&mut self, result: ScenarioResult) {
        match result {
            ScenarioResult::Passed => self.passed += 1,
            ScenarioResult::Failed => self.failed += 1,
            ScenarioResult::Skipped => self.skipped += 1,
            ScenarioResult::Stopped => {}
        }
    }
}

/// Prints the progress and the results.
pub struct PlayReporter {
    out: Box<dyn Write + Send>,
    json: bool,
    /// Whether a line can be taken back.
    is_terminal: bool,
    /// Whether a delay has been reported: once is enough for all scenarios.
    reported_delay: bool,
    /// The error after which nothing more is printed.
    error: Option<io::Error>,
    stop: CancellationToken,
}

impl PlayReporter {
    pub fn new(json: bool, stop: CancellationToken) -> Self {
        let (stdout, stderr) = (io::stdout(), io::stderr());
        let is_terminal = if json { stderr.is_terminal() } else { stdout.is_terminal() };
        let out: Box<dyn Write + Send> = if json { Box::new(stderr) } else { Box::new(stdout) };
        Self { out, json, is_terminal, reported_delay: false, error: None, stop }
    }

    /// Writes something. If that fails, nothing more is played.
    fn write(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
        let written = || {
            let mut text = Vec::new();
            write(&mut text)?;
            self.out.write_all(clean_lines(&String::from_utf8_lossy(&text)).as_bytes())?;
            self.out.flush()
        };
        if self.error.is_none()
            && let Err(error) = written()
        {
            self.error = Some(error);
            self.stop.cancel();
        }
    }

    fn clear_line(&mut self) {
        // What it writes itself is all that may move the cursor.
        if self.is_terminal && self.error.is_none() {
            self.error = self.out.write_all(CLEAR_LINE.as_bytes()).err();
        }
    }

    pub fn start(&mut self, scenario: &Scenario, number: usize, count: usize) {
        let number = if count > 1 { format!("{number}/{count} ") } else { String::new() };
        self.write(|out| writeln!(out, "{number}{}: {}", scenario.name, scenario.title));
    }

    pub fn progress(&mut self, progress: Progress<'_>) {
        const MAX_COLUMNS: usize = 72;
        match progress {
            Progress::StepStarted { line, .. } if self.is_terminal => {
                let line: String = line.chars().take(MAX_COLUMNS).collect();
                self.write(|out| write!(out, "  · {line}"));
            }
            Progress::StepStarted { .. } => {}
            Progress::StepFinished { report, .. } => {
                self.clear_line();
                self.write(|out| writeln!(out, "{report}"));
            }
            Progress::Delayed { .. } if self.reported_delay => {}
            Progress::Delayed { reason } => {
                self.clear_line();
                complain(reason);
                self.reported_delay = true;
            }
        }
    }

    pub fn result(&mut self, report: &Report, duration: Duration) {
        self.clear_line();
        self.write(|out| writeln!(out, "{report}  ({:.1} s)\n", duration.as_secs_f64()));
        if self.json {
            self.write(|_| json::write_line(&mut io::stdout(), report));
        }
    }

    pub fn summary(&mut self, counts: &Counts, total: usize) {
        if total == 1 {
            return;
        }
        let Counts { passed, skipped, failed } = *counts;
        let not_run = total - passed - skipped - failed;
        let mut text = format!("passed {passed}/{total}");
        for (label, number) in [("failed", failed), ("skipped", skipped), ("not run", not_run)] {
            if number > 0 {
                text.extend([", ", label, " ", &number.to_string()]);
            }
        }
        self.write(|out| writeln!(out, "{text}"));
    }

    /// Returns the error of a failed write. A reader that has closed the pipe is no error.
    pub fn finish(self) -> io::Result<()> {
        match self.error {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
            _ => Ok(()),
        }
    }
}
