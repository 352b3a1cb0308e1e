//! What a real daemon can do.

use std::time::Duration;

use bollard::{Docker, errors::Error, models::LocalNodeState, query_parameters::ListPluginsOptions};
use tokio::time::timeout;

use crate::engine_api::{Abilities, Profile};

/// How long the daemon may take. It takes long only if it is in trouble.
const TIMEOUT: Duration = Duration::from_secs(2);

const NO_SWARM: &str = "the daemon manages no swarm; docker swarm init makes one";

/// What the machine's daemon can do, if it answers in time. `restart` is known only to the caller.
pub async fn abilities(restart: Result<(), &'static str>) -> Option<Abilities> {
    let asked = async {
        let docker = Docker::connect_with_defaults().ok()?.negotiate_version().await.ok()?;
        ask(&docker, restart).await.ok()
    };
    timeout(TIMEOUT, asked).await.ok().flatten()
}

/// Asks a daemon.
pub(super) async fn ask(docker: &Docker, restart: Result<(), &'static str>) -> Result<Abilities, Error> {
    let info = docker.info().await?;
    let plugins = docker.list_plugins(None::<ListPluginsOptions>).await?;
    let swarm = info.swarm.unwrap_or_default();
    let manages_a_swarm =
        swarm.local_node_state == Some(LocalNodeState::ACTIVE) && swarm.control_available == Some(true);
    Ok(Abilities {
        profile: profile(docker),
        restart,
        services: if manages_a_swarm { Ok(()) } else { Err(NO_SWARM) },
        plugins: Ok(plugins.into_iter().map(|plugin| plugin.name).collect()),
        live_restore: Some(info.live_restore_enabled.unwrap_or_default()),
    })
}

/// The version of the daemon's API.
pub(super) fn api_version(docker: &Docker) -> (usize, usize) {
    let version = docker.client_version();
    (version.major_version, version.minor_version)
}

fn profile(docker: &Docker) -> Profile {
    if api_version(docker) <= (1, 41) { Profile::Docker20 } else { Profile::Docker }
}
