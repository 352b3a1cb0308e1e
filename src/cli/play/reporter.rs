//! The output of `play`: text, or JSON on stdout with the text on stderr.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::summary::{Played, ResultCounts, Results};
use crate::{
    cli::{
        annotation::{Annotation, ReportFormat},
        output::complain,
    },
    domain::{lang::json, model::scenario::ScenarioResult, text::clean_lines},
    scenario::{Progress, Report, Scenario},
};

/// Takes back the line of a running step on a terminal.
const CLEAR_LINE: &str = "\r\x1b[2K";

/// How wide the bar is that shows how many scenarios are done.
const BAR: usize = 20;

/// A line of JSON.
#[derive(Serialize)]
struct JsonReport<'r> {
    #[serde(flatten)]
    report: &'r Report,
    seed: u64,
}

/// Prints the progress and the results.
pub struct PlayReporter {
    out: Box<dyn Write + Send>,
    json: bool,
    format: ReportFormat,
    /// The number of the scenario, and how many there are.
    place: (usize, usize),
    /// Whether a line can be taken back.
    is_terminal: bool,
    /// Whether a delay has been reported: once is enough for all scenarios.
    reported_delay: bool,
    /// The error after which nothing more is printed.
    error: Option<io::Error>,
    stop: CancellationToken,
}

impl PlayReporter {
    pub fn new(json: bool, format: ReportFormat, stop: CancellationToken) -> Self {
        let (stdout, stderr) = (io::stdout(), io::stderr());
        let is_terminal = if json { stderr.is_terminal() } else { stdout.is_terminal() };
        let out: Box<dyn Write + Send> = if json { Box::new(stderr) } else { Box::new(stdout) };
        Self { out, json, format, place: (1, 1), is_terminal, reported_delay: false, error: None, stop }
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
        self.place = (number, count);
        let number = if count > 1 { format!("{number}/{count} ") } else { String::new() };
        self.write(|out| writeln!(out, "{number}{}: {}", scenario.name, scenario.title));
    }

    pub fn progress(&mut self, progress: Progress<'_>) {
        const MAX_COLUMNS: usize = 72;
        match progress {
            Progress::StepStarted { line, .. } if self.is_terminal => {
                let text: String = format!("{}· {line}", bar(self.place)).chars().take(MAX_COLUMNS).collect();
                self.write(|out| write!(out, "  {text}"));
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

    pub fn result(&mut self, played: &Played) {
        let Played { report, seed, duration, .. } = played;
        self.clear_line();
        self.write(|out| writeln!(out, "{report}  ({:.1} s)\n", duration.as_secs_f64()));
        if self.json {
            self.write(|_| json::write_line(&mut io::stdout(), &JsonReport { report, seed: *seed }));
        }
        if self.format == ReportFormat::Github && report.result == ScenarioResult::Failed {
            let (text, place) = played.problem();
            let title = format!("scenario {}", report.name);
            self.write(|out| writeln!(out, "{}", Annotation { title: &title, text: &text, place }));
        }
    }

    pub fn summary(&mut self, results: &Results, total: usize) {
        if total == 1 {
            return;
        }
        self.write(|out| writeln!(out, "{}", results.table()));
        let ResultCounts { passed, skipped, failed } = results.counts();
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

/// How many scenarios are done, if there are several: `[=====>              ] 7/25 `.
fn bar((number, count): (usize, usize)) -> String {
    if count < 2 {
        return String::new();
    }
    let done = (number - 1) * BAR / count;
    format!("[{:BAR$}] {number}/{count} ", "=".repeat(done) + ">")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_grows_with_each_scenario_that_is_done() {
        for (place, expected) in [
            ((1, 1), ""),
            ((1, 2), "[>                   ] 1/2 "),
            ((2, 2), "[==========>         ] 2/2 "),
            ((55, 55), "[===================>] 55/55 "),
        ] {
            assert_eq!(bar(place), expected);
        }
    }
}
