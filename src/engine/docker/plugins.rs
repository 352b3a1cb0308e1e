//! The plugins that docker has installed and runs.

use std::{path::Path, time::Duration};

use bollard::{Docker, query_parameters::ListPluginsOptionsBuilder};
use tokio::time::timeout;

/// A plugin that docker runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManagedPlugin {
    /// Its name.
    pub name: String,
    /// Its ID, which names the directory of its socket.
    pub id: String,
    /// The name of its socket.
    pub socket: String,
}

/// How long docker may take for the list. It takes long only if it is in trouble.
const LIST_TIMEOUT: Duration = Duration::from_secs(2);

/// The volume plugins that docker runs; none if there is no docker.
pub async fn managed_plugins() -> Vec<ManagedPlugin> {
    let listed = async {
        let docker = Docker::connect_with_defaults().ok()?;
        docker.list_plugins(Some(ListPluginsOptionsBuilder::new().build())).await.ok()
    };
    let plugins = timeout(LIST_TIMEOUT, listed).await.ok().flatten().unwrap_or_default();
    let volume_plugins = plugins.into_iter().filter(|plugin| {
        plugin.enabled && plugin.config.interface.types.iter().any(|kind| kind.contains("volumedriver"))
    });
    volume_plugins
        .map(|plugin| ManagedPlugin {
            name: plugin.name,
            id: plugin.id.unwrap_or_default(),
            socket: plugin.config.interface.socket,
        })
        .collect()
}

impl ManagedPlugin {
    /// The path of its socket.
    pub fn path(&self, sockets: &Path) -> std::path::PathBuf {
        sockets.join(&self.id).join(&self.socket)
    }
}
