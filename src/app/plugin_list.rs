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
        takeover::{self, Holder},
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
    /// What a dead one does to docker, and what to do about it.
    pub fn warning(&self) -> Option<String> {
        let (cost, remedy) = (self.cost?, self.plugin.remedy.as_ref()?);
        Some(format!(
            "nobody listens at {} (plugin {:?}): {cost}; {remedy}",
            self.plugin.address, self.plugin.name
        ))
    }
}

/// What to do about a plugin that does not listen at its address: what slows docker down goes, but not what a
/// voltergeist in front of the plugin will need.
fn remedy(file: &PluginFile, address: &Address) -> String {
    if let Address::Unix(Some(path)) = address {
        match takeover::holder(path) {
            Some(Holder::Running) => {
                let name = shell::quote(&file.name);
                return format!("the voltergeist there is down: voltergeist command --name {name} up");
            }
            Some(Holder::Killed) => {
                let path = path.display().to_string();
                let path = shell::quote(&path);
                return format!("a voltergeist was killed in front of it: sudo voltergeist restore {path}");
            }
            None => {}
        }
    }
    format!("start it, or sudo rm {}", shell::quote(&file.path.display().to_string()))
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
        let address = file.address.replacen("https://", "tcp://", 1).replacen("http://", "tcp://", 1).parse();
        let address = address.ok().filter(|address| *address != Address::Unix(None));
        let listening = match &address {
            None => None,
            Some(address) => Some(is_up(address).await),
        };
        let is_dead = listening == Some(false) && shadowed_by.is_none();
        let remedy = address.filter(|_| is_dead).map(|address| remedy(&file, &address));
        let plugin = OtherPlugin {
            name: file.name,
            kind: file.kind.as_str().to_owned(),
            path: file.path.display().to_string(),
            address: file.address,
            tls: file.tls,
            listening,
            remedy,
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

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::net::UnixListener};

    use super::*;
    use crate::net::LockFile;

    #[tokio::test]
    async fn the_remedy_for_a_dead_socket_keeps_what_a_voltergeist_there_needs() {
        let place = tempfile::tempdir().expect("a temporary directory can be made");
        let at = |name: &str| place.path().join(name);
        let paths = Paths { sockets: place.path().into(), specs: Vec::new(), ..Paths::default() };
        let socket = at("real.sock");
        let path = socket.display();
        let remedy = || async {
            let plugin = list_in(&paths, Vec::new()).await.pop().expect("it is listed").plugin;
            (plugin.listening, plugin.remedy)
        };
        let dead = |remedy: String| (Some(false), Some(remedy));
        let listener = UnixListener::bind(&socket).expect("it can be bound");
        assert_eq!(remedy().await, (Some(true), None));
        drop(listener);
        assert_eq!(remedy().await, dead(format!("start it, or sudo rm {path}")));

        let _plugin = UnixListener::bind(at(".real.voltergeist")).expect("it can be bound");
        let killed = format!("a voltergeist was killed in front of it: sudo voltergeist restore {path}");
        assert_eq!(remedy().await, dead(killed.clone()));
        fs::write(at("..real.voltergeist.lock"), format!("{path}\n")).expect("the directory is writable");
        assert_eq!(remedy().await, dead(killed.clone()));

        let lock =
            |path: &Path| LockFile::acquire(path).expect("the directory is writable").expect("it is free");
        let down = "the voltergeist there is down: voltergeist command --name real up".to_owned();
        let in_front = lock(&at(".real.voltergeist"));
        assert_eq!(remedy().await, dead(down.clone()));
        drop(in_front);
        let _own = lock(&socket);
        assert_eq!(remedy().await, dead(killed), "the plugin is a voltergeist too");
        fs::remove_file(at(".real.voltergeist")).expect("it is there");
        assert_eq!(remedy().await, dead(down));
    }
}
