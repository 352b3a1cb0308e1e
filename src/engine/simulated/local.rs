//! The driver `local`, which every daemon has: names with options, and a directory that is only imagined.

use std::collections::BTreeMap;

use parking_lot::Mutex;

use super::adapter::Described;

pub(super) const LOCAL: &str = "local";

/// The daemon's own driver. It survives restarts, as its directory does.
#[derive(Debug, Default)]
pub(super) struct LocalDriver(Mutex<BTreeMap<String, Described>>);

impl LocalDriver {
    pub(super) fn create(&self, name: &str) {
        let volume = Described {
            name: name.to_owned(),
            mountpoint: format!("/var/lib/docker/volumes/{name}/_data"),
            ..Described::default()
        };
        self.0.lock().entry(name.to_owned()).or_insert(volume);
    }

    pub(super) fn get(&self, name: &str) -> Option<Described> {
        self.0.lock().get(name).cloned()
    }

    pub(super) fn list(&self) -> Vec<Described> {
        self.0.lock().values().cloned().collect()
    }

    pub(super) fn remove(&self, name: &str) {
        self.0.lock().remove(name);
    }
}
