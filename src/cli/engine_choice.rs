//! Where scenario cards are played: a real engine, or a simulated one that is made for each card.

use std::{path::PathBuf, sync::Arc, time::Duration};

use clap::ValueEnum;
use tokio::sync::watch;

use crate::{
    engine::{
        Clock, Engine,
        docker::{ConnectError, RealDocker, Supervisor, Systemd},
        scenario::RunContext,
        simulated::{self, BadAddress, Config},
    },
    state::{DriverInfo, Hub},
};

/// What a card is played on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum EngineKind {
    /// A daemon that is made for each card, and needs nothing
    #[default]
    Simulated,
    /// The machine's own, found as the docker command finds it
    Docker,
}

/// A place to play in.
pub enum EngineChoice {
    /// With a simulated daemon for each card.
    Simulated {
        /// Where the plugin has its volumes.
        files: PathBuf,
        /// What its random IDs are drawn from.
        seed: u64,
        /// How fast its time passes.
        speed: f64,
    },
    /// With a real one.
    Docker(Arc<RealDocker>),
}

impl EngineChoice {
    /// Connects to the real engine. It is restarted only where cards may harm it.
    pub async fn docker(may_harm: bool) -> Result<Self, ConnectError> {
        let systemd = || Arc::new(Systemd) as Arc<dyn Supervisor>;
        let supervisor = (may_harm && is_own_daemon()).then(systemd);
        Ok(Self::Docker(Arc::new(RealDocker::connect(None, supervisor).await?)))
    }

    /// Who plays a card with the driver of an instance.
    pub fn context(
        &self,
        hub: &Arc<Hub>,
        beat: Duration,
        allowed: watch::Receiver<usize>,
    ) -> Result<RunContext, BadAddress> {
        let (engine, clock, wait_until_applied): (Arc<dyn Engine>, _, _) = match self {
            Self::Simulated { files, seed, speed } => {
                let DriverInfo { name, address, .. } = hub.driver();
                let clock = Clock::faster(*speed);
                let config = Config {
                    clock,
                    seed: *seed,
                    files: Some(files.clone()),
                    ..Config::new(&name, address.parse()?)
                };
                (simulated::start(config), clock, Duration::from_millis(20))
            }
            // It does some of its work after it has answered.
            Self::Docker(engine) => {
                (Arc::clone(engine) as Arc<dyn Engine>, Clock::REAL, Duration::from_millis(300))
            }
        };
        let fresh = matches!(self, Self::Simulated { .. });
        Ok(RunContext { engine, hub: Arc::clone(hub), clock, wait_until_applied, beat, fresh, allowed })
    }
}

/// Whether the daemon that is asked is the one that this machine's systemd starts.
fn is_own_daemon() -> bool {
    const OWN: [&str; 3] = ["", "unix:///var/run/docker.sock", "unix:///run/docker.sock"];
    std::env::var("DOCKER_HOST").map_or(true, |host| OWN.contains(&host.as_str()))
}
