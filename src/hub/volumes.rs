//! Changes of the volumes: first on disk, then in the state, in one order.

use std::{io, sync::Arc};

use super::Hub;
use crate::domain::model::{
    entry::{Cause, EntryKind, VolumeChange},
    past_volumes::PastVolumes,
    volume::{Change, Volume, Volumes},
};

/// Where the volumes persist.
pub trait VolumeStore: Send {
    /// Persists a change. `after` is the volume's record as the change leaves it, if it leaves one.
    fn persist(&mut self, change: &Change, after: Option<&Volume>) -> io::Result<()>;
}

/// A store that persists nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct InMemoryStore;

impl VolumeStore for InMemoryStore {
    fn persist(&mut self, _: &Change, _: Option<&Volume>) -> io::Result<()> {
        Ok(())
    }
}

impl Hub {
    /// Persists one change of the volumes, then records it.
    pub fn change(&self, change: &Change, cause: Cause) -> io::Result<()> {
        let mut store = self.store.lock();
        self.change_in(&mut **store, change, cause)?;
        drop(store);
        self.notify_readers();
        Ok(())
    }

    /// The same for a caller that has locked the store. The entry is pushed before the next change can be persisted, so
    /// that entries and disk have the same order.
    pub(super) fn change_in(
        &self,
        store: &mut dyn VolumeStore,
        change: &Change,
        cause: Cause,
    ) -> io::Result<()> {
        let record = change.name().and_then(|name| self.with_volumes(|volumes| volumes.known(name).cloned()));
        let mut preview: Volumes = record.into_iter().collect();
        preview.apply(change);
        store.persist(change, preview.iter().next().map(Arc::as_ref))?;
        let kind = EntryKind::Volume(Box::new(VolumeChange { cause, change: change.clone() }));
        let mut inner = self.locked.lock();
        inner.push(self.now(), kind);
        Ok(())
    }

    /// Looks at the volumes under the lock. Be short.
    pub fn with_volumes<T>(&self, look: impl FnOnce(&Volumes) -> T) -> T {
        look(self.locked.lock().state.volumes())
    }

    /// A volume, or all of them, and what they were before. Under the lock, records are shared but not copied.
    pub fn past(&self, volume: Option<&str>) -> (Volumes, PastVolumes) {
        let inner = self.locked.lock();
        let (volumes, past_volumes) = (inner.state.volumes(), inner.state.past_volumes().clone());
        let records: Vec<Arc<Volume>> = match volume {
            Some(name) => volumes.known(name).cloned().into_iter().collect(),
            None => volumes.iter().cloned().collect(),
        };
        drop(inner);
        (records.into_iter().collect(), past_volumes)
    }
}
