//! What runs beside the event loop: commands one after another, and dry runs.

use std::{collections::VecDeque, future::pending, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use tokio::time::{Instant, sleep_until};

use crate::{
    console::{editor::Edited, model::event::Event},
    domain::{
        lang::{command::Command, seek::Seek},
        model::origin::Origin,
        rules::{DryRun, Rule},
    },
    source::Source,
};

/// After this time the bottom line says that a command is still running.
const SLOW_AFTER: Duration = Duration::from_millis(500);

/// A key waits this long at most for the command before it, since what it does may depend on the result: the
/// same key arms and disarms.
const MAX_KEY_DELAY: Duration = Duration::from_millis(100);

/// The number of a held call, and the file that its reply was edited in.
pub type EditedReply = (u64, Edited);

/// Commands and dry runs under way.
pub struct Jobs {
    source: Arc<dyn Source>,
    queue: VecDeque<(Command, Origin, Option<EditedReply>)>,
    running: Option<RunningCommand>,
    dry_run: Option<(u64, BoxFuture<'static, Result<DryRun, String>>)>,
    seek: Option<BoxFuture<'static, Result<(), String>>>,
}

struct RunningCommand {
    line: String,
    since: Instant,
    /// Whether the status line says that it is slow and how many others wait.
    is_announced: bool,
    edited: Option<EditedReply>,
    result: BoxFuture<'static, Result<String, String>>,
}

impl Jobs {
    pub fn new(source: Arc<dyn Source>) -> Self {
        Self { source, queue: VecDeque::new(), running: None, dry_run: None, seek: None }
    }

    /// Runs a command after those before it.
    pub fn run(&mut self, command: Command, origin: Origin, edited: Option<EditedReply>) {
        self.queue.push_back((command, origin, edited));
        if let Some(running) = &mut self.running {
            running.is_announced = false;
        }
        self.start_next();
    }

    /// Starts a dry run. The app has at most one at a time.
    pub fn dry_run(&mut self, number: u64, rule: Rule) {
        self.dry_run = Some((number, self.source.dry_run(rule)));
    }

    /// Goes to a place in the recording, and no longer to the one before.
    pub fn seek(&mut self, seek: Seek) {
        self.seek = Some(self.source.seek(seek));
    }

    /// Until when the next key waits for a command.
    pub fn keys_wait_until(&self) -> Option<Instant> {
        let until = self.running.as_ref()?.since + MAX_KEY_DELAY;
        (Instant::now() < until).then_some(until)
    }

    /// Waits for the result of a job; of a command, with what it was made from. It can be dropped and called again:
    /// nothing is lost.
    pub async fn next(&mut self) -> (Event, Option<EditedReply>) {
        let slow_at = self.running.as_ref().filter(|running| !running.is_announced);
        let slow_at = slow_at.map(|running| sleep_until(running.since + SLOW_AFTER));
        let result = self.running.as_mut().map(|running| &mut running.result);
        let dry_run = self.dry_run.as_mut().map(|(_, result)| result);
        let seek = self.seek.as_mut();
        tokio::select! {
            biased;
            result = or_never(result) => {
                let done = self.running.take().expect("it has just ended");
                self.start_next();
                (Event::CommandDone { line: done.line, result }, done.edited)
            }
            result = or_never(dry_run) => {
                let (number, _) = self.dry_run.take().expect("it has just ended");
                (Event::DryRunDone { number, result }, None)
            }
            result = or_never(seek) => {
                self.seek = None;
                (Event::SeekDone(result), None)
            }
            () = or_never(slow_at) => {
                let running = self.running.as_mut().expect("it is slow");
                running.is_announced = true;
                (Event::StillRunning { line: running.line.clone(), waiting: self.queue.len() }, None)
            }
        }
    }

    fn start_next(&mut self) {
        if self.running.is_none()
            && let Some((command, origin, edited)) = self.queue.pop_front()
        {
            self.running = Some(RunningCommand {
                line: command.to_string(),
                since: Instant::now(),
                is_announced: false,
                edited,
                result: self.source.run(command, origin),
            });
        }
    }
}

/// Waits for a future, or forever where there is none.
pub async fn or_never<F: Future>(future: Option<F>) -> F::Output {
    match future {
        Some(future) => future.await,
        None => pending().await,
    }
}
