//! A command in the user's shell, beside the console: without the terminal, and with its output collected.

use std::{
    io::{self, Read as _, pipe},
    os::unix::process::ExitStatusExt as _,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    process::{Child, Command},
    sync::oneshot,
    time::{Instant, timeout, timeout_at},
};

use crate::domain::model::entry::{Body, ShellResult};

/// How long the output may last after the end of the command: something in the background may hold it open.
const OUTPUT_TOLERANCE: Duration = Duration::from_millis(300);

/// How long a command may take to end after SIGTERM.
const END_TOLERANCE: Duration = Duration::from_secs(1);

/// A command that runs. Dropping it kills all of it.
pub struct ShellCommand {
    started: u64,
    line: String,
    since: Instant,
    child: Child,
    group: Option<Pid>,
    output: Arc<Mutex<Output>>,
    output_ended: oneshot::Receiver<()>,
    /// Until when it may end by itself after SIGTERM.
    deadline: Option<Instant>,
}

#[derive(Default)]
struct Output {
    bytes: Vec<u8>,
    length: usize,
}

impl ShellCommand {
    /// Starts a line. `started` is the number of the entry of its start.
    pub fn start(shell: &str, line: &str, started: u64) -> io::Result<Self> {
        let (mut reader, writer) = pipe()?;
        let mut command = Command::new(shell);
        command.arg("-c").arg(line).stdin(Stdio::null()).process_group(0).kill_on_drop(true);
        command.stdout(writer.try_clone()?).stderr(writer);
        let child = command.spawn()?;
        // Its copies of the pipe's end would keep the output open.
        drop(command);
        let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let output = Arc::new(Mutex::new(Output::default()));
        let (ended, output_ended) = oneshot::channel();
        let collected = Arc::clone(&output);
        thread::spawn(move || {
            let mut chunk = [0; 8192];
            while let Ok(length @ 1..) = reader.read(&mut chunk) {
                let mut output = collected.lock().unwrap_or_else(PoisonError::into_inner);
                let room = Body::KEPT.saturating_sub(output.bytes.len());
                output.bytes.extend(&chunk[..length.min(room)]);
                output.length += length;
            }
            let _ = ended.send(());
        });
        let since = Instant::now();
        Ok(Self { started, line: line.to_owned(), since, child, group, output, output_ended, deadline: None })
    }

    /// Asks it to end; it is killed if it does not.
    pub fn end(&mut self) {
        self.signal(if self.deadline.is_some() { Signal::KILL } else { Signal::TERM });
        self.deadline.get_or_insert(Instant::now() + END_TOLERANCE);
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.group {
            let _ = kill_process_group(group, signal);
        }
    }

    /// Waits for its end. It can be dropped and called again.
    pub async fn ended(&mut self) -> io::Result<ShellResult> {
        let status = match self.deadline {
            None => self.child.wait().await?,
            Some(deadline) => {
                if let Ok(status) = timeout_at(deadline, self.child.wait()).await {
                    status?
                } else {
                    self.signal(Signal::KILL);
                    self.child.wait().await?
                }
            }
        };
        let duration = self.since.elapsed();
        let _ = timeout(OUTPUT_TOLERANCE, &mut self.output_ended).await;
        let output = std::mem::take(&mut *self.output.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(ShellResult {
            started: self.started,
            command: self.line.clone(),
            exit: status.code(),
            signal: status.signal(),
            output: Body { bytes: output.bytes.into(), length: output.length },
            duration,
        })
    }
}

impl Drop for ShellCommand {
    fn drop(&mut self) {
        // Once its first process was waited for, the number of the group may belong to others.
        if self.child.id().is_some() {
            self.signal(Signal::KILL);
        }
    }
}
