//! Changes of the volumes: first on disk, then in the state.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    io,
    sync::Arc,
};

use parking_lot::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::Hub;
use crate::domain::model::{
    entry::{Cause, EntryKind, VolumeChange},
    past_volumes::PastVolumes,
    volume::{Change, Volume, Volumes},
};

/// Where the volumes persist.
pub trait VolumeStore: Send + Sync {
    /// Persists a change, or has changed nothing. `after` is the volume's record as the change leaves it, if it leaves
    /// one. Two changes of one volume never run at the same time.
    fn persist(&self, change: &Change, after: Option<&Volume>) -> io::Result<()>;
}

/// A store that persists nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct InMemoryStore;

impl VolumeStore for InMemoryStore {
    fn persist(&self, _: &Change, _: Option<&Volume>) -> io::Result<()> {
        Ok(())
    }
}

/// The order of changes: those of one volume come one after another, and one of all volumes excludes every other.
#[derive(Debug)]
pub struct VolumeLocks {
    all: RwLock<()>,
    /// A volume has one of them by the hash of its name.
    volumes: [Mutex<()>; Self::COUNT],
}

/// Locks one volume, or all, against other changes.
pub enum VolumeLockGuard<'l> {
    /// One volume.
    One { _all: RwLockReadGuard<'l, ()>, _volume: MutexGuard<'l, ()> },
    /// All of them.
    All { _all: RwLockWriteGuard<'l, ()> },
}

impl Default for VolumeLocks {
    fn default() -> Self {
        Self { all: RwLock::default(), volumes: std::array::from_fn(|_| Mutex::default()) }
    }
}

impl VolumeLocks {
    const COUNT: usize = 64;

    /// Waits until a volume, or without a name all of them, can be changed.
    fn acquire(&self, name: Option<&str>) -> VolumeLockGuard<'_> {
        let Some(name) = name else { return VolumeLockGuard::All { _all: self.all.write() } };
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        let index = usize::try_from(hasher.finish() % Self::COUNT as u64).unwrap_or_default();
        VolumeLockGuard::One { _all: self.all.read(), _volume: self.volumes[index].lock() }
    }
}

impl Hub {
    /// Persists one change of the volumes, then records it.
    pub fn change(&self, change: &Change, cause: Cause) -> io::Result<()> {
        let guard = self.lock_volumes(change.name());
        self.persist_and_record(&guard, change, cause)?;
        drop(guard);
        self.changes.send();
        Ok(())
    }

    /// Decides on a change of one volume by its record, persists the change and records it. No other change of the
    /// volume comes in between.
    pub fn change_volume(
        &self,
        name: &str,
        cause: Cause,
        decide: impl FnOnce(Option<&Volume>) -> io::Result<Option<Change>>,
    ) -> io::Result<Option<Change>> {
        let guard = self.lock_volumes(Some(name));
        let record = self.volumes().known(name).cloned();
        let Some(change) = decide(record.as_deref())? else { return Ok(None) };
        self.persist_and_record(&guard, &change, cause)?;
        drop(guard);
        self.changes.send();
        Ok(Some(change))
    }

    /// Waits until a volume, or without a name all of them, can be changed.
    pub(super) fn lock_volumes(&self, name: Option<&str>) -> VolumeLockGuard<'_> {
        self.volume_locks.acquire(name)
    }

    /// Persists a change, then records it. The entry is pushed before the next change of the volume can be
    /// persisted, so that its entries and the disk have the same order.
    pub(super) fn persist_and_record(
        &self,
        _: &VolumeLockGuard<'_>,
        change: &Change,
        cause: Cause,
    ) -> io::Result<()> {
        let record = change.name().and_then(|name| self.volumes().known(name).cloned());
        let mut preview: Volumes = record.into_iter().collect();
        preview.apply(change);
        self.store.persist(change, preview.iter().next().map(Arc::as_ref))?;
        let mut kind = EntryKind::Volume(Box::new(VolumeChange { cause, change: change.clone() }));
        self.redaction.entry(&mut kind);
        let mut inner = self.locked.lock();
        inner.push(self.now(), kind);
        Ok(())
    }

    /// The volumes as they are now.
    pub fn volumes(&self) -> Volumes {
        self.locked.lock().state.volumes().clone()
    }

    /// The volumes, and what they were before.
    pub fn past(&self) -> (Volumes, PastVolumes) {
        let inner = self.locked.lock();
        (inner.state.volumes().clone(), inner.state.past_volumes().clone())
    }
}
