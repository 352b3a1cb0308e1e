//! The simulated daemon: what is on its disk, and what is in its memory from one start to the next.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use super::{
    config::DaemonConfig,
    container::Container,
    drivers::Drivers,
    local::LocalDriver,
    store::{RecordsOnDisk, Store},
};
use crate::engine::rng::Rng;

/// A simulated daemon: its disk, and its present life.
pub(super) struct Daemon {
    pub(super) config: DaemonConfig,
    pub(super) rng: Rng,
    pub(super) local: Arc<LocalDriver>,
    pub(super) records: RecordsOnDisk,
    pub(super) containers: Mutex<BTreeMap<String, Arc<Container>>>,
    pub(super) life: Mutex<Arc<Life>>,
}

/// What a daemon has in its memory, from its start to its end.
pub(super) struct Life {
    pub(super) store: Store,
    pub(super) ended: CancellationToken,
}

impl Daemon {
    /// A daemon that has just started for the first time.
    pub(super) fn new(config: DaemonConfig) -> Self {
        let local = Arc::new(LocalDriver::new());
        let records = RecordsOnDisk::default();
        let life = Life::begin(&config, &local, &records);
        Self {
            rng: Rng::new(config.seed),
            local,
            records,
            containers: Mutex::default(),
            life: Mutex::new(Arc::new(life)),
            config,
        }
    }

    pub(super) fn all_containers(&self) -> Vec<Arc<Container>> {
        self.containers.lock().values().cloned().collect()
    }
}

impl Life {
    pub(super) fn begin(config: &DaemonConfig, local: &Arc<LocalDriver>, records: &RecordsOnDisk) -> Self {
        let drivers = Drivers::new(config.plugins.clone(), Arc::clone(local), config.profile, config.clock);
        Self { store: Store::new(drivers, Arc::clone(records)), ended: CancellationToken::new() }
    }
}
