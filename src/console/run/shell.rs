//! Commands in the user's shell: each is recorded when it starts and when it has ended.

use std::{io, time::Duration};

use super::Console;
use crate::{
    console::{model::event::Event, shell::ShellCommand},
    domain::model::entry::{ShellEvent, ShellResult},
};

impl Console<'_> {
    pub(super) fn start_shell(&mut self, line: &str) {
        let started = self.source.shell(ShellEvent::Started { command: line.to_owned() });
        let result = match started {
            None => {
                Err("a shell command runs only in the console of the driver itself, not from elsewhere"
                    .into())
            }
            Some(started) => match ShellCommand::start(&self.app.shell, line, started) {
                Ok(shell) => {
                    self.shell = Some(shell);
                    return;
                }
                Err(error) => {
                    let output = format!("cannot run {}: {error}", self.app.shell);
                    Ok(ShellResult {
                        started,
                        command: line.to_owned(),
                        exit: Some(127),
                        signal: None,
                        output: output.into_bytes().into(),
                        duration: Duration::ZERO,
                    })
                }
            },
        };
        self.finish_shell(result);
    }

    pub(super) fn shell_ended(&mut self, result: io::Result<ShellResult>) {
        self.shell = None;
        self.finish_shell(result.map_err(|error| error.to_string()));
    }

    fn finish_shell(&mut self, result: Result<ShellResult, String>) {
        if let Ok(result) = &result {
            self.source.shell(ShellEvent::Finished(Box::new(result.clone())));
        }
        self.snapshot = self.source.snapshot();
        self.app.update(Event::ShellEnded(result), &self.snapshot);
    }
}
