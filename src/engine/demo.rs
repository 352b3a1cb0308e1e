//! The demo: a steady, plausible life of a few volumes and containers on a simulated daemon.
//!
//! Somebody who has neither Docker nor root sees a living console, and every fault bites as it would
//! with Docker. Each household is one volume and one container, with at most one command under way, so
//! nothing piles up however much goes wrong, and one that hangs leaves the others alone.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{
    Clock, DockerCommand, Outcome, Pair, Run, VolumeCommand,
    chance::Rng,
    simulated::{self, BadAddress, Config, Profile},
};

/// The time from one command to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DemoSpeed {
    /// No new command; what is under way goes on.
    Paused,
    /// One command each time this has passed.
    Every(Duration),
}

impl DemoSpeed {
    /// Slow enough to be followed.
    pub const USUAL: Duration = Duration::from_millis(500);
}

/// What a demo plays on.
#[derive(Clone, Debug)]
pub struct DemoConfig {
    /// The plugin's address, `unix://…` or `tcp://…`.
    pub address: String,
    /// The driver's name.
    pub driver: String,
    /// The same seed gives the same life.
    pub seed: u64,
    /// Which daemon it is led on.
    pub profile: Profile,
    /// How fast the daemon's time passes: its retries and deadlines, not the pace.
    pub clock: Clock,
}

impl DemoConfig {
    /// A daemon of today, in real time.
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

/// Leads the life until the token is cancelled. `tell` hears of each command that has ended, and `rests` says
/// whether it is paused and nothing is under way any more.
pub async fn live(
    setting: DemoConfig,
    mut speed: watch::Receiver<DemoSpeed>,
    rests: watch::Sender<bool>,
    tell: impl Fn(&DockerCommand, &Outcome),
    shutdown: CancellationToken,
) -> Result<(), BadAddress> {
    let address = setting.address.parse()?;
    let mut config = Config::new(&setting.driver, address);
    config.profile = setting.profile;
    config.clock = setting.clock;
    config.seed = setting.seed;
    let daemon = simulated::start(config);
    let mut street = Workload::new(setting.driver, setting.seed);
    let mut under_way = JoinSet::new();
    let mut last = Instant::now();
    loop {
        let now = *speed.borrow_and_update();
        rests.send_replace(now == DemoSpeed::Paused && under_way.is_empty());
        let turn = async {
            match now {
                DemoSpeed::Paused => std::future::pending().await,
                DemoSpeed::Every(time) => tokio::time::sleep_until(last + time).await,
            }
        };
        tokio::select! {
            biased;
            () = shutdown.cancelled() => return Ok(()),
            Ok(()) = speed.changed() => {}
            Some(Ok((who, command, outcome))) = under_way.join_next() => {
                tell(&command, &outcome);
                street.learn(who, &command, &outcome);
            }
            () = turn => {
                last = Instant::now();
                if let Some((who, command)) = street.next_command() {
                    let daemon = Arc::clone(&daemon);
                    under_way.spawn(async move {
                        let outcome = daemon.perform(&command).await;
                        (who, command, outcome)
                    });
                }
            }
        }
    }
}

/// How far a household has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// There is neither volume nor container.
    Absent,
    /// There is a volume.
    Kept,
    /// A container uses it.
    Running,
    /// The container is there and does not run.
    Stopped,
}

/// One volume, and the container that uses it.
struct VolumeUser {
    volume: &'static str,
    container: &'static str,
    options: &'static [(&'static str, &'static str)],
    stage: Stage,
    busy: bool,
}

/// Who gave a command: a household by its place in the street, or somebody who looks at all volumes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    VolumeUser(usize),
    Lister,
    /// Somebody must start a daemon that died.
    Restarter,
}

struct Workload {
    households: [VolumeUser; 5],
    driver: String,
    chance: Rng,
    looking: bool,
    daemon_down: bool,
    restarting: bool,
}

impl Workload {
    fn new(driver: String, seed: u64) -> Self {
        let household = |volume, container, options| VolumeUser {
            volume,
            container,
            options,
            stage: Stage::Absent,
            busy: false,
        };
        let households = [
            household("db1", "postgres", &[("tier", "gold"), ("size", "10g")]),
            household("cache", "redis", &[("tier", "bronze")]),
            household("web-data", "web", &[("tier", "silver")]),
            household("logs", "shipper", &[]),
            household("backup", "restic", &[("tier", "gold"), ("keep", "7d")]),
        ];
        // Another stream than the daemon's, which draws its IDs from the same seed.
        let chance = Rng::new(!seed);
        Self { households, driver, chance, looking: false, daemon_down: false, restarting: false }
    }

    /// What somebody who has nothing to do would do next.
    fn next_command(&mut self) -> Option<(Who, DockerCommand)> {
        if self.daemon_down {
            let begun = std::mem::replace(&mut self.restarting, true);
            return (!begun).then_some((Who::Restarter, DockerCommand::DaemonRestart));
        }
        if !self.looking && self.chance.draw().is_multiple_of(9) {
            self.looking = true;
            return Some((Who::Lister, DockerCommand::Volume(VolumeCommand::Ls { driver: None })));
        }
        let idle: Vec<usize> =
            (0..self.households.len()).filter(|&index| !self.households[index].busy).collect();
        let index = *self.chance.pick(&idle)?;
        self.households[index].busy = true;
        let command = self.households[index].next_command(&self.driver, &self.chance);
        Some((Who::VolumeUser(index), command))
    }

    fn learn(&mut self, who: Who, command: &DockerCommand, outcome: &Outcome) {
        if outcome.stderr.starts_with("Cannot connect to the Docker daemon") {
            self.daemon_down = true;
        }
        match who {
            Who::VolumeUser(index) => {
                let household = &mut self.households[index];
                household.busy = false;
                household.stage = household.stage_after(command, outcome);
            }
            Who::Lister => self.looking = false,
            Who::Restarter => {
                (self.daemon_down, self.restarting) = (false, false);
                for household in &mut self.households {
                    if household.stage == Stage::Running {
                        household.stage = Stage::Stopped;
                    }
                }
            }
        }
    }
}

impl VolumeUser {
    fn next_command(&self, driver: &str, chance: &Rng) -> DockerCommand {
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
        match (self.stage, chance.draw() % 6) {
            (Stage::Absent, _) => {
                let pair = |&(key, value): &(&str, &str)| Pair(key.to_owned(), value.to_owned());
                DockerCommand::Volume(VolumeCommand::Create {
                    driver: driver.to_owned(),
                    options: self.options.iter().map(pair).collect(),
                    labels: Vec::new(),
                    name: Some(volume),
                })
            }
            (Stage::Kept | Stage::Running, 0) => inspect,
            (Stage::Kept, 1) => DockerCommand::Run(Run {
                rm: true,
                command: ["ls", "-l", "/data"].map(str::to_owned).to_vec(),
                ..run
            }),
            (Stage::Kept, 2) => DockerCommand::Volume(VolumeCommand::Rm { force: false, name: volume }),
            (Stage::Kept, _) => {
                DockerCommand::Run(Run { detach: true, name: Some(name), command: vec!["top".into()], ..run })
            }
            (Stage::Running, 1 | 2) | (Stage::Stopped, 0) => copy,
            (Stage::Running, 3) => DockerCommand::Restart { name },
            (Stage::Running, _) => DockerCommand::Stop { name },
            (Stage::Stopped, 1) => DockerCommand::Start { name },
            (Stage::Stopped, _) => DockerCommand::Rm { force: true, volumes: false, name },
        }
    }

    fn stage_after(&self, command: &DockerCommand, outcome: &Outcome) -> Stage {
        let told = outcome.stderr.to_lowercase();
        let gone = told.contains("no such volume");
        match command {
            DockerCommand::Volume(VolumeCommand::Create { .. }) if outcome.succeeded() => Stage::Kept,
            DockerCommand::Volume(VolumeCommand::Rm { .. }) if outcome.succeeded() || gone => Stage::Absent,
            DockerCommand::Volume(VolumeCommand::Inspect { .. }) if gone && self.stage == Stage::Kept => {
                Stage::Absent
            }
            // A container that could not start is there all the same, and in the way of the next one.
            DockerCommand::Run(Run { detach: true, .. }) if !outcome.succeeded() => Stage::Stopped,
            DockerCommand::Run(Run { detach: true, .. }) => Stage::Running,
            DockerCommand::Start { .. } | DockerCommand::Restart { .. } if outcome.succeeded() => {
                Stage::Running
            }
            DockerCommand::Restart { .. } | DockerCommand::Stop { .. } => Stage::Stopped,
            DockerCommand::Rm { .. } if outcome.succeeded() || told.contains("no such container") => {
                Stage::Kept
            }
            _ => self.stage,
        }
    }
}
