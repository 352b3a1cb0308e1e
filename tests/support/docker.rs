//! The docker command line, talking to the daemon of a sandbox.

use std::{
    path::Path,
    process::{Command, Output},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::{sandbox::Sandbox, wait_for};

/// The longest that a command may take: longer than dockerd's five tries at a dead plugin, which take 15 s.
const DEADLINE: Duration = Duration::from_secs(60);

/// The address of the sandbox's daemon.
pub fn host(sandbox: &Sandbox) -> String {
    format!("unix://{}", sandbox.path("docker.sock").display())
}

/// The address of the sandbox's second daemon.
pub fn second_host(sandbox: &Sandbox) -> String {
    format!("unix://{}", sandbox.path("docker2.sock").display())
}

/// A docker command, for its arguments to be added.
pub fn docker(sandbox: &Sandbox) -> Command {
    command(&host(sandbox), &sandbox.path("cli"))
}

fn command(host: &str, config: &Path) -> Command {
    let mut docker = Command::new("docker");
    docker
        .env("DOCKER_HOST", host)
        .env("DOCKER_CONFIG", config)
        .env_remove("DOCKER_CONTEXT")
        .env_remove("DOCKER_API_VERSION");
    docker
}

/// A command on its way.
pub struct Running(JoinHandle<Outcome>);

impl Running {
    pub fn start(mut command: Command) -> Self {
        Self(thread::spawn(move || Outcome {
            output: command.output().expect("the command starts"),
            command: format!("{command:?}"),
        }))
    }

    pub fn is_running(&self) -> bool {
        !self.0.is_finished()
    }

    pub fn finish(self) -> Outcome {
        self.finish_within(DEADLINE)
    }

    pub fn finish_within(self, deadline: Duration) -> Outcome {
        wait_for(deadline, || self.0.is_finished().then_some(())).expect("the command ends in time");
        self.0.join().expect("the command was run")
    }
}

/// Commands that are run again and again until they are stopped.
pub struct Load {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Vec<Run>>>,
}

/// A command of a load.
pub struct Run {
    pub started: Instant,
    pub ended: Instant,
    pub outcome: Outcome,
}

impl Load {
    /// Starts so many commands at a time, each given as the words after `docker`.
    pub fn start(sandbox: &Sandbox, parallel: usize, line: &'static str) -> Self {
        let stop = Arc::<AtomicBool>::default();
        let threads = (0..parallel).map(|_| {
            let (host, config, stop) = (host(sandbox), sandbox.path("cli"), Arc::clone(&stop));
            thread::spawn(move || {
                let mut runs = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let started = Instant::now();
                    let mut command = command(&host, &config);
                    command.args(line.split_whitespace());
                    let outcome = Running::start(command).finish();
                    runs.push(Run { started, ended: Instant::now(), outcome });
                }
                runs
            })
        });
        Self { threads: threads.collect(), stop }
    }

    /// Waits for the commands under way, and returns all.
    pub fn stop(self) -> Vec<Run> {
        self.stop.store(true, Ordering::Relaxed);
        self.threads.into_iter().flat_map(|thread| thread.join().expect("no command hangs")).collect()
    }
}

/// What became of a command.
#[must_use]
pub struct Outcome {
    command: String,
    output: Output,
}

impl Outcome {
    /// What the command printed; panics if it failed.
    pub fn succeeds(self) -> String {
        let (all, command) = (self.all_output(), &self.command);
        assert!(self.output.status.success(), "failed: {command}\n{all}");
        let printed = String::from_utf8_lossy(&self.output.stdout);
        printed.trim().to_owned()
    }

    /// All that the command printed, errors included; panics if it succeeded.
    pub fn fails(self) -> String {
        let (all, command) = (self.all_output(), &self.command);
        assert!(!self.output.status.success(), "succeeded: {command}\n{all}");
        all
    }

    /// Whether the command succeeded.
    pub fn is_success(&self) -> bool {
        self.output.status.success()
    }

    /// The exit status, if it was not ended by a signal.
    pub fn code(&self) -> Option<i32> {
        self.output.status.code()
    }

    /// All that the command printed, errors included, whatever became of it.
    pub fn all_output(&self) -> String {
        let of = |bytes| String::from_utf8_lossy(bytes);
        format!("{}{}", of(&self.output.stdout), of(&self.output.stderr))
    }
}
