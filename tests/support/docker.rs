//! The docker command line, talking to the daemon of a sandbox.

use std::{
    process::{Command, Output},
    thread::{self, JoinHandle},
    time::Duration,
};

use super::{sandbox::Sandbox, wait_for};

/// The longest that a command may take: longer than dockerd's five tries at a dead plugin, which take 15 s.
const DEADLINE: Duration = Duration::from_secs(60);

/// The address of the sandbox's daemon.
pub fn host(sandbox: &Sandbox) -> String {
    format!("unix://{}", sandbox.path("docker.sock").display())
}

/// A docker command, for its arguments to be added.
pub fn docker(sandbox: &Sandbox) -> Command {
    let mut docker = Command::new("docker");
    docker
        .env("DOCKER_HOST", host(sandbox))
        .env("DOCKER_CONFIG", sandbox.path("cli"))
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
