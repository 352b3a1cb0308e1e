//! What is said while cards are played: in words, or as JSON with the words beside it.

use std::{
    io::{self, IsTerminal, Write},
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use crate::engine::scenario::{Event, Report, Scenario, ScenarioResult};

/// How many cards came to which end.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub held: usize,
    failed: usize,
    skipped: usize,
}

impl Tally {
    pub fn count(&mut self, result: &ScenarioResult) {
        match result {
            ScenarioResult::Passed => self.held += 1,
            ScenarioResult::Failed => self.failed += 1,
            ScenarioResult::Skipped(_) => self.skipped += 1,
            ScenarioResult::Stopped => {}
        }
    }
}

/// Tells of what is played.
pub struct PlayReporter {
    words: Box<dyn Write + Send>,
    json: bool,
    /// Whether a line can be taken back.
    is_terminal: bool,
    /// Once is enough, for all cards.
    told_delay: bool,
    /// Why nobody hears it any more.
    broken: Option<io::Error>,
    stop: CancellationToken,
}

impl PlayReporter {
    pub fn new(json: bool, stop: CancellationToken) -> Self {
        let (stdout, stderr) = (io::stdout(), io::stderr());
        let is_terminal = if json { stderr.is_terminal() } else { stdout.is_terminal() };
        let words: Box<dyn Write + Send> = if json { Box::new(stderr) } else { Box::new(stdout) };
        Self { words, json, is_terminal, told_delay: false, broken: None, stop }
    }

    /// Writes something. When nobody listens, nothing more is played.
    fn write(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
        if self.broken.is_none()
            && let Err(error) = write(&mut self.words).and_then(|()| self.words.flush())
        {
            self.broken = Some(error);
            self.stop.cancel();
        }
    }

    pub fn begin(&mut self, scenario: &Scenario, number: usize, count: usize) {
        let number = if count > 1 { format!("{number}/{count} ") } else { String::new() };
        self.write(|out| writeln!(out, "{number}{}: {}", scenario.name, scenario.title));
    }

    pub fn tell(&mut self, event: Event<'_>) {
        const COLUMNS: usize = 72;
        let is_terminal = self.is_terminal;
        match event {
            Event::Begun { line, .. } if is_terminal => {
                let line: String = line.chars().take(COLUMNS).collect();
                self.write(|out| write!(out, "  · {line}"));
            }
            Event::Begun { .. } => {}
            Event::Ended { report, .. } => self.write(|out| {
                if is_terminal {
                    write!(out, "\r\x1b[2K")?;
                }
                writeln!(out, "{report}")
            }),
            Event::Delayed { .. } if self.told_delay => {}
            Event::Delayed { why } => {
                if is_terminal {
                    // A step that was stopped has left its line.
                    self.write(|out| write!(out, "\r\x1b[2K"));
                }
                eprintln!("voltergeist: {why}");
                self.told_delay = true;
            }
        }
    }

    pub fn conclude(&mut self, report: &Report, took: Duration) {
        let is_terminal = self.is_terminal;
        self.write(|out| {
            if is_terminal {
                // A step that was stopped has left its line.
                write!(out, "\r\x1b[2K")?;
            }
            writeln!(out, "{report}  ({:.1} s)\n", took.as_secs_f64())
        });
        if self.json {
            self.write(|_| {
                let mut line = serde_json::to_vec(report)?;
                line.push(b'\n');
                io::stdout().write_all(&line)
            });
        }
    }

    pub fn sum_up(&mut self, tally: &Tally, count: usize) {
        if count == 1 {
            return;
        }
        let Tally { held, failed, skipped } = *tally;
        let stopped = count - held - failed - skipped;
        let mut words = format!("{held} of {count} cards held");
        for (number, verb) in [(failed, "did not hold"), (skipped + stopped, "not played")] {
            if number > 0 {
                words.extend([", ", &number.to_string(), " ", verb]);
            }
        }
        self.write(|out| writeln!(out, "{words}"));
    }

    /// Whether all of it was heard. A reader who has seen enough is no failure.
    pub fn end(self) -> io::Result<()> {
        match self.broken {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
            _ => Ok(()),
        }
    }
}
