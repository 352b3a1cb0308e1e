//! A store that gets the values which no entry has.

use std::{collections::BTreeMap, io};

use parking_lot::Mutex;

use super::VolumeStore;
use crate::domain::{
    model::{
        protocol::Options,
        volume::{Change, Volume, Volumes},
    },
    redaction::Redaction,
};

/// The state has no hidden values, and the records on disk must keep them: a driver that forgot a password would no
/// longer be the one that people test.
pub struct RedactedStore {
    inner: Box<dyn VolumeStore>,
    redaction: Redaction,
    /// The hidden values of each volume.
    hidden: Mutex<BTreeMap<String, Options>>,
}

impl RedactedStore {
    /// A store for these volumes, whose values are not hidden yet.
    pub fn new(inner: Box<dyn VolumeStore>, redaction: Redaction, volumes: &Volumes) -> Self {
        let store = Self { inner, redaction, hidden: Mutex::default() };
        for volume in volumes.iter() {
            store.remember(&volume.name, &volume.options);
        }
        store
    }

    fn remember(&self, name: &str, options: &Options) {
        let hidden: Options = options
            .iter()
            .filter(|(key, _)| self.redaction.hides(key))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        let mut known = self.hidden.lock();
        if hidden.is_empty() {
            known.remove(name);
        } else {
            known.insert(name.to_owned(), hidden);
        }
    }
}

impl VolumeStore for RedactedStore {
    fn persist(&self, change: &Change, after: Option<&Volume>) -> io::Result<()> {
        match change {
            Change::Created { name, options, .. } => self.remember(name, options),
            Change::AllDeleted => self.hidden.lock().clear(),
            _ => {}
        }
        let after = after.map(|volume| {
            let mut volume = volume.clone();
            if let Some(hidden) = self.hidden.lock().get(&volume.name) {
                volume.options.extend(hidden.clone());
            }
            volume
        });
        self.inner.persist(change, after.as_ref())?;
        if let Change::Removed { name } = change {
            self.hidden.lock().remove(name);
        }
        Ok(())
    }
}
