//! An instance with its services: recording, scenarios, the demo's workload and the orderly end.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{
    config::Config,
    demo,
    instance::{Instance, InstanceScope},
    paths,
    plugin_list::{self, ListedPlugin},
    recording::RecordingHandle,
    scenario_service::{ScenarioService, publish_catalog},
    shutdown::Shutdown,
};
use crate::{
    domain::model::entry::EntryKind,
    engine_api::Profile,
    hub::{DriverInfo, Hub},
    net::takeover::{Restored, restore, taken_in},
    scenario::ScenarioLibrary,
};

/// Restores plugins' sockets that a killed process has left in other places.
fn restore_plugins(hub: &Hub) {
    for path in taken_in(&paths::own().sockets) {
        let text = match restore(&path) {
            Ok(Restored::Done) => {
                format!("{} was left by a killed voltergeist, and is restored", path.display())
            }
            Ok(Restored::Nothing | Restored::InUse) => continue,
            Err(error) => {
                format!("cannot restore {}: {error}; run voltergeist restore as root", path.display())
            }
        };
        hub.record(EntryKind::Note { text });
    }
}

/// Records which other plugins docker finds on this machine, and which of them slow it down.
async fn name_other_plugins(hub: Arc<Hub>) {
    let plugins = plugin_list::list().await;
    let driver = hub.driver();
    let others: Vec<_> = plugins
        .iter()
        .filter(|listed| listed.shadowed_by.is_none() && listed.plugin.name != driver.name)
        .map(|listed| listed.plugin.clone())
        .collect();
    if others.is_empty() {
        return;
    }
    hub.register(DriverInfo { others, ..driver });
    for text in plugins.iter().filter_map(ListedPlugin::warning) {
        hub.record(EntryKind::Note { text });
    }
}

/// A running instance with its services.
pub struct Services {
    /// The end of the program. The services stop when it is requested.
    pub shutdown: Shutdown,
    /// Cancelled once nothing of a scenario remains to be removed.
    pub cleaned_up: CancellationToken,
    /// Cancelled once the server has ended, after which nothing more is recorded.
    pub ended: CancellationToken,
    instance: Instance,
    recording: Option<RecordingHandle>,
}

impl Services {
    /// Starts an instance and its services; for a demo, a workload on a simulated daemon too.
    pub fn start(config: &Config, demo: Option<Profile>) -> anyhow::Result<Self> {
        let (demo, profile) = (demo.is_some(), demo.unwrap_or_default());
        let shutdown = Shutdown::watch()?;
        let scope = if demo { InstanceScope::Demo } else { InstanceScope::System };
        let library = ScenarioLibrary::new(paths::config("scenarios"));
        let instance = Instance::open(scope, config, |hub| {
            publish_catalog(hub, &library, !demo, |_| None);
        })?;
        let hub = &instance.hub;
        if !demo {
            restore_plugins(hub);
            tokio::spawn(name_other_plugins(Arc::clone(hub)));
        }
        let recording = RecordingHandle::start(config, hub)?;
        let scenarios = ScenarioService {
            hub: Arc::clone(hub),
            library,
            profile,
            files: instance.root.clone(),
            seed: instance.seed,
            demo_idle: demo.then(|| demo::start(hub, profile, instance.seed, &instance.shutdown)),
        };
        let cleaned_up = CancellationToken::new();
        tokio::spawn({
            let requested = shutdown.requested.clone();
            // Also if the service panics.
            let cleaned_up = cleaned_up.clone().drop_guard();
            async move {
                scenarios.run(requested).await;
                drop(cleaned_up);
            }
        });
        Ok(Self { shutdown, cleaned_up, ended: CancellationToken::new(), instance, recording })
    }

    /// The shared state.
    pub fn hub(&self) -> &Arc<Hub> {
        &self.instance.hub
    }

    /// Waits until everything that a scenario created is removed, which is possible only while the driver answers.
    /// False if a signal has cut the wait short.
    pub async fn wait_for_cleanup(&self) -> bool {
        tokio::select! {
            biased;
            () = self.cleaned_up.cancelled() => true,
            () = self.shutdown.forced.cancelled() => false,
        }
    }

    /// Stops the server, then completes what is written of its entries: calls end while it stops.
    pub async fn close(self) -> anyhow::Result<()> {
        let closed = self.instance.close().await;
        self.ended.cancel();
        match self.recording {
            Some(recording) => recording.finish().await.and(closed),
            None => closed,
        }
    }
}
