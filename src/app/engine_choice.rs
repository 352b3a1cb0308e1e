//! The engine that a scenario runs on: a real one, or a new simulated one for each scenario.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::sync::watch;

use crate::{
    engine::{
        docker::{self, ConnectError, RealDocker, Supervisor, Systemd},
        simulated::{self, BadAddress, DaemonConfig},
    },
    engine_api::{Abilities, Clock, Engine, Profile},
    hub::{DriverInfo, Hub},
    scenario::{RunContext, Scenario},
};

/// What scenarios run on.
pub enum EngineChoice {
    /// A simulated daemon for each scenario.
    Simulated {
        /// Which daemon is simulated.
        profile: Profile,
        /// Where the plugin stores its volumes.
        files: PathBuf,
        /// The seed of the daemon's random IDs.
        seed: u64,
        /// The speed of the daemon's clock.
        speed: f64,
    },
    /// A real daemon.
    Docker(Arc<RealDocker>),
}

impl EngineChoice {
    /// Connects to the real daemon. Only with `dangerous` can a scenario restart it.
    pub async fn docker(dangerous: bool) -> Result<Self, ConnectError> {
        let supervisor = match restart_obstacle(dangerous) {
            None => Ok(Arc::new(Systemd) as Arc<dyn Supervisor>),
            Some(obstacle) => Err(obstacle),
        };
        Ok(Self::Docker(Arc::new(RealDocker::connect(None, supervisor).await?)))
    }

    /// Sets the seed of a simulated daemon's random IDs.
    pub fn reseed(&mut self, to: u64) {
        if let Self::Simulated { seed, .. } = self {
            *seed = to;
        }
    }

    /// Ends its use. Returns what stays on it that was not there before, in words.
    pub async fn close(&self) -> Option<String> {
        match self {
            Self::Simulated { .. } => None,
            Self::Docker(engine) => engine.remove_image().await,
        }
    }

    /// Which engine it is.
    pub fn profile(&self) -> Profile {
        match self {
            Self::Simulated { profile, .. } => *profile,
            Self::Docker(engine) => engine.profile(),
        }
    }

    /// What a scenario runs on, with the driver of an instance.
    pub fn context(
        &self,
        scenario: &Scenario,
        hub: &Arc<Hub>,
        step_delay: Duration,
        allowed_steps: watch::Receiver<usize>,
    ) -> Result<RunContext, BadAddress> {
        let mut second_engine = None;
        let (engine, clock, quiet_period): (Arc<dyn Engine>, _, _) = match self {
            Self::Simulated { profile, files, seed, speed } => {
                let DriverInfo { name, address, .. } = hub.driver();
                let clock = Clock::faster(*speed);
                let config = DaemonConfig {
                    profile: *profile,
                    clock,
                    seed: *seed,
                    live_restore: scenario.live_restore.unwrap_or_default(),
                    files: Some(files.clone()),
                    ..DaemonConfig::new(&name, address.parse()?)
                };
                // Another host has other random IDs.
                second_engine =
                    Some(simulated::start(DaemonConfig { seed: seed.wrapping_add(1), ..config.clone() }));
                (simulated::start(config), clock, Duration::from_millis(20))
            }
            // It does some of its work after it has replied.
            Self::Docker(engine) => {
                (Arc::clone(engine) as Arc<dyn Engine>, Clock::REAL, Duration::from_millis(300))
            }
        };
        let fresh_engine = matches!(self, Self::Simulated { .. });
        let hub = Arc::clone(hub);
        Ok(RunContext {
            engine,
            second_engine,
            hub,
            clock,
            quiet_period,
            step_delay,
            fresh_engine,
            allowed_steps,
        })
    }
}

/// What the machine's daemon can do for a scenario that may be dangerous, if it answers in time.
pub async fn docker_abilities() -> Option<Abilities> {
    docker::abilities(restart_obstacle(true).map_or(Ok(()), Err)).await
}

/// Why the daemon cannot be restarted from here, if it cannot.
fn restart_obstacle(dangerous: bool) -> Option<&'static str> {
    match () {
        () if !dangerous => Some("the daemon is restarted only with --dangerous"),
        () if !is_local_daemon() => Some("the daemon that DOCKER_HOST names cannot be restarted from here"),
        () if !Path::new("/run/systemd/system").is_dir() => {
            Some("the daemon cannot be restarted: this machine has no systemd")
        }
        () => None,
    }
}

/// Whether the daemon is the one that this machine's systemd starts.
fn is_local_daemon() -> bool {
    const LOCAL: [&str; 3] = ["", "unix:///var/run/docker.sock", "unix:///run/docker.sock"];
    std::env::var("DOCKER_HOST").map_or(true, |host| LOCAL.contains(&host.as_str()))
}
