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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;

    use super::*;
    use crate::{
        domain::{
            model::{
                driver::DriverInfo,
                entry::{Cause, Session},
                origin::Origin,
            },
            state::journal::Bounds,
        },
        hub::{Hub, InMemoryStore},
    };

    /// Keeps the options of the last record.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Options>>);

    impl VolumeStore for Kept {
        fn persist(&self, _: &Change, after: Option<&Volume>) -> io::Result<()> {
            *self.0.lock() = after.map(|volume| volume.options.clone()).unwrap_or_default();
            Ok(())
        }
    }

    #[test]
    fn the_store_has_the_value_and_the_state_and_the_entries_do_not() {
        let kept = Kept::default();
        let redaction = Redaction::new(["password".to_owned()]);
        let session = Session::new(7, Volumes::default());
        let hub = Hub::redacted(session, Box::new(kept.clone()), Bounds::default(), redaction);
        let options: Options = [("password".to_owned(), "hunter2".to_owned())].into();
        let created =
            Change::Created { name: "v".into(), options: options.clone(), at: Timestamp::UNIX_EPOCH };
        hub.change(&created, Cause::Call(1)).expect("it is kept");
        assert_eq!(*kept.0.lock(), options);
        // The record is written again from a state that has no value.
        hub.command_line("forget v", Origin::Line).expect("a command");
        assert_eq!(*kept.0.lock(), options);
        hub.command_line("conjure w password=hunter2", Origin::Line).expect("a command");
        let entries = serde_json::to_string(&hub.all_entries()).expect("entries are JSON");
        let state = serde_json::to_string(&hub.checkpoint()).expect("a state is JSON");
        for text in [entries, state] {
            assert!(text.contains("(hidden)") && !text.contains("hunter2"), "{text}");
        }
    }

    #[test]
    fn a_mask_of_a_volume_of_the_upstream_has_no_hidden_value() {
        let redaction = Redaction::new(["password".to_owned()]);
        let session = Session::new(7, Volumes::default());
        let hub = Hub::redacted(session, Box::new(InMemoryStore), Bounds::default(), redaction);
        hub.register(DriverInfo { upstream: Some("local".to_owned()), ..DriverInfo::default() });
        hub.command_line("conjure v password=hunter2", Origin::Line).expect("a command");
        let entries = serde_json::to_string(&hub.all_entries()).expect("entries are JSON");
        let state = serde_json::to_string(&hub.checkpoint()).expect("a state is JSON");
        for text in [entries, state] {
            assert!(text.contains("conjured") && text.contains("(hidden)"), "{text}");
            assert!(!text.contains("hunter2"), "{text}");
        }
    }
}
