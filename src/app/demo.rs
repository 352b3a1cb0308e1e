//! The demo: a workload on the simulated daemon, at the speed that the user chooses.

use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    domain::model::entry::{EngineCommand, EntryKind},
    engine::workload::{self, WorkloadConfig, WorkloadRate},
    engine_api::{CliResult, DockerCommand, Profile},
    hub::{DriverInfo, Hub},
};

/// Starts the workload. The receiver is true while it is paused and no command is in flight. A failed command is
/// recorded.
pub fn start(
    hub: &Arc<Hub>,
    profile: Profile,
    seed: u64,
    shutdown: &CancellationToken,
) -> watch::Receiver<bool> {
    let DriverInfo { name, address, .. } = hub.driver();
    let (set_rate, rate) = watch::channel(WorkloadRate::Every(WorkloadRate::NORMAL));
    let (set_idle, idle) = watch::channel(false);
    tokio::spawn(control_rate(Arc::clone(hub), set_rate));
    let (hub, shutdown) = (Arc::clone(hub), shutdown.clone());
    tokio::spawn(async move {
        let on_result = |command: &DockerCommand, result: &CliResult| {
            if !result.succeeded() {
                let (command, result) = (command.to_string(), result.to_string());
                hub.record(EntryKind::EngineCommand(Box::new(EngineCommand { command, result, ok: false })));
            }
        };
        let config = WorkloadConfig { profile, ..WorkloadConfig::new(&address, &name, seed) };
        if let Err(error) = workload::run(config, rate, set_idle, on_result, shutdown).await {
            hub.record(EntryKind::Note { text: format!("cannot start the simulated daemon: {error}") });
        }
    });
    idle
}

/// Sets the rate to the demo speed, and pauses while a scenario runs, so that no call of the workload is taken for one of
/// the scenario.
async fn control_rate(hub: Arc<Hub>, rate: watch::Sender<WorkloadRate>) {
    let (mut speeds, mut play_requests) = (hub.speeds(), hub.play_requests());
    loop {
        let scenario_runs = play_requests.borrow_and_update().is_some();
        let speed = speeds.borrow_and_update().filter(|speed| !speed.paused && !scenario_runs);
        rate.send_replace(speed.map_or(WorkloadRate::Paused, |speed| {
            WorkloadRate::Every(WorkloadRate::NORMAL.div_f64(speed.times))
        }));
        let changed = tokio::select! {
            changed = speeds.changed() => changed,
            changed = play_requests.changed() => changed,
            () = rate.closed() => return,
        };
        if changed.is_err() {
            return;
        }
    }
}
