//! The volume plugins of this machine, in the order in which docker finds them.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::paths;
use crate::{
    domain::{model::driver::OtherPlugin, text::shell},
    engine::docker::managed_plugins,
    net::{
        Address, Endpoint, EndpointError, Paths, Upstream, UpstreamError, UpstreamName,
        discovery::{self, PluginFile, PluginKind},
        is_up,
    },
};

/// A plugin, and what it means to docker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ListedPlugin {
    /// The plugin itself.
    #[serde(flatten)]
    pub plugin: OtherPlugin,
    /// What docker finds first under the same name.
    pub shadowed_by: Option<String>,
    /// What it costs, if it costs anything.
    pub cost: Option<&'static str>,
}

/// What a dead plugin costs. Source: moby, pkg/plugins: five attempts within 15 s, in each list of volumes.
const DEAD: &str = "docker volume ls, prune and system df wait 15 s for it";

impl ListedPlugin {
    /// Whether docker looks for it in vain.
    pub fn is_dead(&self) -> bool {
        self.plugin.listening == Some(false) && self.shadowed_by.is_none()
    }

    /// What a dead one does to docker, and what to do about it.
    pub fn warning(&self) -> Option<String> {
        let (cost, remedy) = (self.cost?, self.remedy()?);
        Some(format!(
            "nobody listens at {} (plugin {:?}): {cost}; {remedy}",
            self.plugin.address, self.plugin.name
        ))
    }

    /// The command that removes what slows docker down.
    pub fn remedy(&self) -> Option<String> {
        self.is_dead().then(|| format!("start it, or sudo rm {}", shell::quote(&self.plugin.path)))
    }
}

/// The plugins that docker finds by itself, and those that it runs.
pub async fn list() -> Vec<ListedPlugin> {
    let paths = paths::own();
    let managed = managed(&paths).await;
    list_in(&paths, managed).await
}

/// The plugins that docker runs.
pub async fn managed(paths: &Paths) -> Vec<PluginFile> {
    let plugins = managed_plugins().await.into_iter();
    let files = plugins.map(|plugin| PluginFile::managed(&plugin.name, plugin.path(&paths.sockets)));
    files.collect()
}

/// Where the package of voltergeist that docker runs has its control socket: beside that of the plugin.
const CONTROL_SOCKET: &str = "voltergeist.control";

/// An instance on this machine, by a word: as [`Endpoint::find`] does, and then among the plugins that docker runs.
pub async fn find_instance(word: &str, token: Option<String>) -> Result<Endpoint, EndpointError> {
    let paths = paths::own();
    let is_own = Path::new(word).exists() || paths.control_socket(word).is_some();
    let is_plugin = PluginFile::may_be_managed(word) && !is_own;
    let socket = if is_plugin { managed_control(word, &paths).await } else { None };
    match socket {
        Some(socket) => Ok(Endpoint::socket(word, socket)),
        None => Endpoint::find(word, &paths, token),
    }
}

/// The control socket of the plugin with this name, if docker runs it and it has one.
pub async fn managed_control(name: &str, paths: &Paths) -> Option<PathBuf> {
    let name = name.strip_suffix(":latest").unwrap_or(name);
    let plugin = managed(paths).await.into_iter().find(|plugin| plugin.name == name)?;
    let socket = plugin.path.with_file_name(CONTROL_SOCKET);
    socket.exists().then_some(socket)
}

/// Finds a plugin, if one is named, as docker does: those that it runs come first.
pub async fn find(name: Option<&UpstreamName>) -> Result<Option<Upstream>, UpstreamError> {
    let Some(name) = name else { return Ok(None) };
    let paths = paths::own();
    if let UpstreamName::Plugin(plugin) = name {
        let managed = managed(&paths).await;
        let plugin = plugin.strip_suffix(":latest").unwrap_or(plugin);
        if let Some(file) = managed.iter().find(|file| file.name == plugin) {
            return Ok(Some(Upstream { name: name.clone(), address: file.upstream()? }));
        }
    }
    Upstream::find(name, &paths).map(Some)
}

/// The plugins in these directories, and these of docker's own.
pub async fn list_in(paths: &Paths, managed: Vec<PluginFile>) -> Vec<ListedPlugin> {
    let mut found: Vec<(usize, PluginFile, Option<String>)> = Vec::new();
    let mut names = discovery::names(paths);
    names.extend(managed.iter().map(|plugin| plugin.name.clone()));
    names.sort_unstable();
    names.dedup();
    for name in &names {
        let managed = managed.iter().filter(|plugin| plugin.name == *name).cloned();
        let mut first = None;
        for file in managed.chain(discovery::files(name, paths)) {
            let shadowed_by = first.clone();
            first.get_or_insert_with(|| file.path.display().to_string());
            found.push((rank(&file, paths), file, shadowed_by));
        }
    }
    found.sort_by_key(|(rank, ..)| *rank);
    let mut plugins = Vec::new();
    for (_, file, shadowed_by) in found {
        let listening =
            match file.address.replacen("https://", "tcp://", 1).replacen("http://", "tcp://", 1).parse() {
                Ok(Address::Unix(None)) | Err(_) => None,
                Ok(address) => Some(is_up(&address).await),
            };
        let is_dead = listening == Some(false) && shadowed_by.is_none();
        let plugin = OtherPlugin {
            name: file.name,
            kind: file.kind.as_str().to_owned(),
            path: file.path.display().to_string(),
            address: file.address,
            tls: file.tls,
            listening,
        };
        plugins.push(ListedPlugin { plugin, shadowed_by, cost: is_dead.then_some(DEAD) });
    }
    plugins
}

/// When docker looks at a file: managed plugins, sockets, then the directories of specs.
fn rank(file: &PluginFile, paths: &Paths) -> usize {
    match file.kind {
        PluginKind::Managed => 0,
        PluginKind::Socket => 1,
        PluginKind::Spec | PluginKind::Json => {
            let directory = paths.specs.iter().position(|directory| file.path.starts_with(directory));
            2 + directory.unwrap_or(paths.specs.len())
        }
    }
}
