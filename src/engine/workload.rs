//! The demo's workload: a few volumes and containers on a simulated daemon.
//!
//! It needs neither Docker nor root, and every fault has the effect that it has with Docker. Each user has one volume
//! and one container and runs at most one command at a time, so that a command that hangs delays no other user and
//! nothing piles up.

use std::{sync::Arc, time::Duration};

use futures_util::future::OptionFuture;
use tokio::{sync::watch, task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{
    rng::Rng,
    simulated::{self, BadAddress, DaemonConfig, Profile},
};
use crate::engine_api::{CliResult, Clock, DockerCommand, Pair, Run, VolumeCommand};

/// How often a command is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkloadRate {
    /// No new command; those in flight finish.
    Paused,
    /// One command per interval.
    Every(Duration),
}

impl WorkloadRate {
    /// The interval at normal speed: slow enough to follow on the screen.
    pub const NORMAL: Duration = Duration::from_millis(500);
}

/// What the workload runs on.
#[derive(Clone, Debug)]
pub struct WorkloadConfig {
    /// The plugin's address, `unix://…` or `tcp://…`.
    pub address: String,
    /// The driver's name.
    pub driver: String,
    /// The same seed gives the same commands.
    pub seed: u64,
    /// Which daemon is simulated.
    pub profile: Profile,
    /// The daemon's clock, for its retries and timeouts. It does not change the rate.
    pub clock: Clock,
}

impl WorkloadConfig {
    /// A current daemon in real time.
    pub fn new(address: &str, driver: &str, seed: u64) -> Self {
        Self {
            address: address.to_owned(),
            driver: driver.to_owned(),
            seed,
            profile: Profile::default(),
            clock: Clock::REAL,
        }
    }
}

/// Runs until the token is cancelled. `on_result` gets each command that has ended; `idle` is true while the workload
/// is paused and no command is in flight.
pub async fn run(
    config: WorkloadConfig,
    mut rate: watch::Receiver<WorkloadRate>,
    idle: watch::Sender<bool>,
    on_result: impl Fn(&DockerCommand, &CliResult),
    shutdown: CancellationToken,
) -> Result<(), BadAddress> {
    let WorkloadConfig { address, driver, seed, profile, clock } = config;
    let config = DaemonConfig { profile, clock, seed, ..DaemonConfig::new(&driver, address.parse()?) };
    let daemon = simulated::start(config);
    let mut workload = Workload::new(driver, seed);
    let mut in_flight = JoinSet::new();
    let mut last = Instant::now();
    loop {
        let now = *rate.borrow_and_update();
        idle.send_replace(now == WorkloadRate::Paused && in_flight.is_empty());
        let next_start = match now {
            WorkloadRate::Paused => None,
            WorkloadRate::Every(interval) => Some(tokio::time::sleep_until(last + interval)),
        };
        tokio::select! {
            biased;
            () = shutdown.cancelled() => return Ok(()),
            Ok(()) = rate.changed() => {}
            Some(Ok((actor, command, result))) = in_flight.join_next() => {
                on_result(&command, &result);
                workload.update(actor, &command, &result);
            }
            Some(()) = OptionFuture::from(next_start) => {
                last = Instant::now();
                if let Some((actor, command)) = workload.next_command() {
                    let daemon = Arc::clone(&daemon);
                    in_flight.spawn(async move {
                        let result = daemon.perform(&command).await;
                        (actor, command, result)
                    });
                }
            }
        }
    }
}

/// What exists of a user's volume and container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum UserState {
    /// Neither.
    Absent,
    /// The volume only.
    VolumeOnly,
    /// The container is running.
    Running,
    /// The container is stopped.
    Stopped,
}

/// One volume, and the container that uses it.
struct VolumeUser {
    volume: &'static str,
    container: &'static str,
    options: &'static [(&'static str, &'static str)],
    state: UserState,
    busy: bool,
}

/// Who runs a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Actor {
    /// A volume user, by its index.
    VolumeUser(usize),
    /// Lists all volumes.
    Lister,
    /// Restarts the daemon after a crash.
    Restarter,
}

struct Workload {
    users: [VolumeUser; 5],
    driver: String,
    rng: Rng,
    listing: bool,
    daemon_down: bool,
    restarting: bool,
}

impl Workload {
    fn new(driver: String, seed: u64) -> Self {
        let user = |volume, container, options| VolumeUser {
            volume,
            container,
            options,
            state: UserState::Absent,
            busy: false,
        };
        let users = [
            user("db1", "postgres", &[("tier", "gold"), ("size", "10g")]),
            user("cache", "redis", &[("tier", "bronze")]),
            user("web-data", "web", &[("tier", "silver")]),
            user("logs", "shipper", &[]),
            user("backup", "restic", &[("tier", "gold"), ("keep", "7d")]),
        ];
        // Not the stream from which the daemon draws its IDs.
        let rng = Rng::new(!seed);
        Self { users, driver, rng, listing: false, daemon_down: false, restarting: false }
    }

    /// The next command of somebody who is idle.
    fn next_command(&mut self) -> Option<(Actor, DockerCommand)> {
        if self.daemon_down {
            let already = std::mem::replace(&mut self.restarting, true);
            return (!already).then_some((Actor::Restarter, DockerCommand::DaemonRestart));
        }
        // A list beside the first use of a driver makes a daemon ask for its capabilities twice, which is a lint.
        let has_volumes = self.users.iter().any(|user| user.state != UserState::Absent);
        if !self.listing && self.rng.draw().is_multiple_of(9) && has_volumes {
            self.listing = true;
            return Some((Actor::Lister, DockerCommand::Volume(VolumeCommand::Ls { driver: None })));
        }
        let idle: Vec<usize> = (0..self.users.len()).filter(|&index| !self.users[index].busy).collect();
        let index = *self.rng.pick(&idle)?;
        self.users[index].busy = true;
        let command = self.users[index].next_command(&self.driver, &self.rng);
        Some((Actor::VolumeUser(index), command))
    }

    fn update(&mut self, actor: Actor, command: &DockerCommand, result: &CliResult) {
        if result.stderr.to_lowercase().contains("connect to the docker ") {
            self.daemon_down = true;
        }
        match actor {
            Actor::VolumeUser(index) => {
                let user = &mut self.users[index];
                user.busy = false;
                user.state = user.state_after(command, result);
            }
            Actor::Lister => self.listing = false,
            Actor::Restarter => {
                (self.daemon_down, self.restarting) = (false, false);
                for user in &mut self.users {
                    if user.state == UserState::Running {
                        user.state = UserState::Stopped;
                    }
                }
            }
        }
    }
}

impl VolumeUser {
    fn next_command(&self, driver: &str, rng: &Rng) -> DockerCommand {
        let name = self.container.to_owned();
        let volume = self.volume.to_owned();
        let mounted = vec![format!("{volume}:/data")];
        let run = Run {
            volumes: mounted,
            volume_driver: Some(driver.to_owned()),
            image: "busybox".into(),
            ..Run::default()
        };
        let inspect = DockerCommand::Volume(VolumeCommand::Inspect { name: volume.clone() });
        let copy = DockerCommand::Cp { source: format!("{name}:/data/."), destination: "/tmp/copy".into() };
        match (self.state, rng.draw() % 6) {
            (UserState::Absent, _) => {
                let pair = |&(key, value): &(&str, &str)| Pair(key.to_owned(), value.to_owned());
                DockerCommand::Volume(VolumeCommand::Create {
                    driver: driver.to_owned(),
                    options: self.options.iter().map(pair).collect(),
                    labels: Vec::new(),
                    name: Some(volume),
                })
            }
            (UserState::VolumeOnly | UserState::Running, 0) => inspect,
            (UserState::VolumeOnly, 1) => DockerCommand::Run(Run {
                rm: true,
                command: ["ls", "-l", "/data"].map(str::to_owned).to_vec(),
                ..run
            }),
            (UserState::VolumeOnly, 2) => {
                DockerCommand::Volume(VolumeCommand::Rm { force: false, name: volume })
            }
            (UserState::VolumeOnly, _) => {
                DockerCommand::Run(Run { detach: true, name: Some(name), command: vec!["top".into()], ..run })
            }
            (UserState::Running, 1 | 2) | (UserState::Stopped, 0) => copy,
            (UserState::Running, 3) => DockerCommand::Restart { name },
            (UserState::Running, _) => DockerCommand::Stop { name },
            (UserState::Stopped, 1) => DockerCommand::Start { name },
            (UserState::Stopped, _) => DockerCommand::Rm { force: true, volumes: false, name },
        }
    }

    fn state_after(&self, command: &DockerCommand, result: &CliResult) -> UserState {
        let error = result.stderr.to_lowercase();
        let gone = error.contains("no such volume");
        match command {
            DockerCommand::Volume(VolumeCommand::Create { .. }) if result.succeeded() => {
                UserState::VolumeOnly
            }
            DockerCommand::Volume(VolumeCommand::Rm { .. }) if result.succeeded() || gone => {
                UserState::Absent
            }
            DockerCommand::Volume(VolumeCommand::Inspect { .. })
                if gone && self.state == UserState::VolumeOnly =>
            {
                UserState::Absent
            }
            // A container that could not be started exists all the same.
            DockerCommand::Run(Run { detach: true, .. }) if !result.succeeded() => UserState::Stopped,
            DockerCommand::Run(Run { detach: true, .. }) => UserState::Running,
            DockerCommand::Start { .. } | DockerCommand::Restart { .. } if result.succeeded() => {
                UserState::Running
            }
            DockerCommand::Restart { .. } | DockerCommand::Stop { .. } => UserState::Stopped,
            DockerCommand::Rm { .. } if result.succeeded() || error.contains("no such container") => {
                UserState::VolumeOnly
            }
            _ => self.state,
        }
    }
}
