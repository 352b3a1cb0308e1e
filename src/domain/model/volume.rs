//! The driver's volumes, their open mounts by ID, and the ways to change them.
//!
//! Every change is a [`Change`], whether an engine asked for it, a command made it behind the
//! engine's back, or a recording repeats it. [`Volumes::apply`] is the one place that acts on it, so
//! the volumes are the fold of the changes that the journal holds.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::protocol::{MAX_ID_LEN, Options, check_name, check_options};

/// How many mounts of one volume can be open.
pub const MAX_OPEN_MOUNTS: u32 = 10_000;

/// One volume, as the driver sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Volume {
    /// As the engine sent it, unique in the driver.
    pub name: String,
    /// As given at creation.
    pub options: Options,
    /// When the driver made it, or first heard of it.
    #[cfg_attr(test, schemars(with = "String", extend("format" = "date-time")))]
    pub created: Timestamp,
    /// Whether it exists for the driver. A volume that was forgotten, or mounted without having been
    /// created, keeps its record, so that the console can show what the engine expects.
    pub exists: bool,
    /// How often each ID is mounted. `docker cp` on a running container mounts its ID a second time.
    pub mounts: BTreeMap<String, u32>,
}

impl Volume {
    /// Left out of `List` and answered with `{}` on `Get`: the option `ninja` asks for it.
    pub fn is_ninja(&self) -> bool {
        self.options.contains_key("ninja")
    }

    /// Fails to mount: the option `invalidOption` asks for it.
    pub fn cannot_mount(&self) -> bool {
        self.options.contains_key("invalidOption")
    }

    /// About how many bytes of memory it holds.
    pub(super) fn weight(&self) -> usize {
        let mounts: usize = self.mounts.keys().map(|id| id.len() + 64).sum();
        size_of::<Self>() + 2 * self.name.len() + options_weight(&self.options) + mounts
    }

    /// Whether any mount is open.
    pub fn is_mounted(&self) -> bool {
        !self.mounts.is_empty()
    }

    /// How many mounts are open, each repetition of an ID counted.
    pub fn open_mounts(&self) -> u32 {
        self.mounts.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Whether it is as large as a volume may be, so that no further mount is recorded.
    pub fn is_full(&self) -> bool {
        self.open_mounts() >= MAX_OPEN_MOUNTS
    }

    /// What in a record that was read exceeds the limits, if anything does.
    pub fn excess(&self) -> Option<String> {
        let too_long = self.mounts.keys().any(|id| id.len() > MAX_ID_LEN);
        if self.open_mounts() > MAX_OPEN_MOUNTS || too_long {
            return Some(format!(
                "it has more than {MAX_OPEN_MOUNTS} open mounts, or one with an ID of more than {MAX_ID_LEN} bytes"
            ));
        }
        let limits = check_name(&self.name).and_then(|()| check_options(&self.options));
        limits.err().map(|error| error.to_string())
    }
}

/// One change of the volumes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum Change {
    /// A volume came to be, or was created again with other options. Its open mounts stay.
    Created {
        /// Which volume.
        name: String,
        /// Its options from now on.
        options: Options,
        /// When.
        #[cfg_attr(test, schemars(with = "String", extend("format" = "date-time")))]
        at: Timestamp,
    },
    /// A volume ended with its open mounts.
    Removed {
        /// Which volume.
        name: String,
    },
    /// A mount ID was mounted once more.
    Mounted {
        /// Which volume.
        name: String,
        /// The engine's ID for the mount.
        id: String,
        /// When.
        #[cfg_attr(test, schemars(with = "String", extend("format" = "date-time")))]
        at: Timestamp,
    },
    /// A mount ID was unmounted once.
    Unmounted {
        /// Which volume.
        name: String,
        /// The engine's ID for the mount.
        id: String,
    },
    /// A volume no longer exists for the driver; its files stay.
    Forgotten {
        /// Which volume.
        name: String,
    },
    /// A forgotten volume exists again.
    Restored {
        /// Which volume.
        name: String,
    },
    /// All open mounts of a volume ended at once, without a request of the engine.
    MountsCleared {
        /// Which volume.
        name: String,
    },
    /// Every volume ended, with all files; also with those of volumes that were lost before.
    AllDeleted,
    /// The driver lost its memory of every volume and mount; the files stay.
    StateLost,
}

impl Change {
    /// About how many bytes of memory it holds, for the journal's bound.
    pub fn weight(&self) -> usize {
        let held = match self {
            Self::Created { options, .. } => options_weight(options),
            Self::Mounted { id, .. } | Self::Unmounted { id, .. } => id.len(),
            _ => 0,
        };
        size_of::<Self>() + self.name().map_or(0, str::len) + held + 32
    }

    /// The volume that changes, unless all do.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Created { name, .. }
            | Self::Removed { name }
            | Self::Mounted { name, .. }
            | Self::Unmounted { name, .. }
            | Self::Forgotten { name }
            | Self::Restored { name }
            | Self::MountsCleared { name } => Some(name),
            Self::AllDeleted | Self::StateLost => None,
        }
    }
}

/// About how many bytes of memory options hold.
fn options_weight(options: &Options) -> usize {
    options.iter().map(|(key, value)| key.len() + value.len() + 64).sum()
}

/// All volumes by name. A snapshot shares them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Volumes(BTreeMap<String, Arc<Volume>>);

impl Volumes {
    /// Acts on one change. A change of a volume that is not there changes nothing.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Created { name, options, at } => {
                let volume = self.entry(name, *at);
                volume.options.clone_from(options);
                volume.created = *at;
                volume.exists = true;
            }
            Change::Mounted { name, id, at } => {
                let count = self.entry(name, *at).mounts.entry(id.clone()).or_default();
                *count = count.saturating_add(1);
            }
            Change::Unmounted { name, id } => self.alter(name, |volume| {
                let left = volume.mounts.get(id).map_or(0, |count| count.saturating_sub(1));
                if left == 0 {
                    volume.mounts.remove(id);
                } else {
                    volume.mounts.insert(id.clone(), left);
                }
            }),
            Change::Forgotten { name } => self.alter(name, |volume| volume.exists = false),
            Change::Restored { name } => self.alter(name, |volume| volume.exists = true),
            Change::MountsCleared { name } => self.alter(name, |volume| volume.mounts.clear()),
            Change::Removed { name } => {
                self.0.remove(name);
            }
            Change::AllDeleted | Change::StateLost => self.0.clear(),
        }
    }

    /// Puts a record in the place of the one with its name; none ends it.
    pub(super) fn put(&mut self, name: &str, record: Option<Arc<Volume>>) {
        match record {
            Some(record) => self.0.insert(name.to_owned(), record),
            None => self.0.remove(name),
        };
    }

    fn entry(&mut self, name: &str, at: Timestamp) -> &mut Volume {
        let unheard_of = || {
            Arc::new(Volume {
                name: name.to_owned(),
                options: Options::new(),
                created: at,
                exists: false,
                mounts: BTreeMap::new(),
            })
        };
        Arc::make_mut(self.0.entry(name.to_owned()).or_insert_with(unheard_of))
    }

    fn alter(&mut self, name: &str, alteration: impl FnOnce(&mut Volume)) {
        if let Some(volume) = self.0.get_mut(name) {
            alteration(Arc::make_mut(volume));
        }
    }

    /// A volume's record, forgotten ones included.
    pub fn known(&self, name: &str) -> Option<&Arc<Volume>> {
        self.0.get(name)
    }

    /// A volume that exists for the driver.
    pub fn existing(&self, name: &str) -> Option<&Arc<Volume>> {
        self.known(name).filter(|volume| volume.exists)
    }

    /// All records in the order of their names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Arc<Volume>> {
        self.0.values()
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no record at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Arc<Volume>> for Volumes {
    fn from_iter<I: IntoIterator<Item = Arc<Volume>>>(volumes: I) -> Self {
        Self(volumes.into_iter().map(|volume| (volume.name.clone(), volume)).collect())
    }
}

impl FromIterator<Volume> for Volumes {
    fn from_iter<I: IntoIterator<Item = Volume>>(volumes: I) -> Self {
        Self(volumes.into_iter().map(|volume| (volume.name.clone(), Arc::new(volume))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn created(name: &str) -> Change {
        Change::Created { name: name.into(), options: Options::new(), at: Timestamp::UNIX_EPOCH }
    }

    fn mounted(name: &str, id: &str) -> Change {
        Change::Mounted { name: name.into(), id: id.into(), at: Timestamp::UNIX_EPOCH }
    }

    fn unmounted(name: &str, id: &str) -> Change {
        Change::Unmounted { name: name.into(), id: id.into() }
    }

    fn after(changes: &[Change]) -> Volumes {
        let mut volumes = Volumes::default();
        for change in changes {
            volumes.apply(change);
        }
        volumes
    }

    #[test]
    fn an_id_mounted_twice_stays_mounted_after_one_unmount() {
        let volumes = after(&[created("v"), mounted("v", "a"), mounted("v", "a"), unmounted("v", "a")]);
        assert_eq!(volumes.existing("v").expect("created").mounts, [("a".to_owned(), 1)].into());
    }

    #[test]
    fn an_unmount_of_an_unknown_id_leaves_the_others() {
        let volumes = after(&[created("v"), mounted("v", "a"), unmounted("v", "b")]);
        assert_eq!(volumes.existing("v").expect("created").open_mounts(), 1);
    }

    #[test]
    fn a_mount_of_an_unknown_volume_is_remembered_but_does_not_create_it() {
        let volumes = after(&[mounted("v", "a")]);
        assert!(volumes.existing("v").is_none());
        assert!(volumes.known("v").expect("recorded").is_mounted());
    }

    #[test]
    fn a_forgotten_volume_keeps_its_record_until_restored() {
        let forgotten = Change::Forgotten { name: "v".into() };
        let restored = Change::Restored { name: "v".into() };
        let before = after(&[created("v"), mounted("v", "a")]);
        let between = after(&[created("v"), mounted("v", "a"), forgotten.clone()]);
        assert!(between.existing("v").is_none() && between.known("v").is_some());
        assert_eq!(after(&[created("v"), mounted("v", "a"), forgotten, restored]), before);
    }

    #[test]
    fn a_change_of_a_volume_that_is_not_there_changes_nothing() {
        for change in [
            unmounted("v", "a"),
            Change::Removed { name: "v".into() },
            Change::Forgotten { name: "v".into() },
            Change::Restored { name: "v".into() },
            Change::MountsCleared { name: "v".into() },
        ] {
            assert_eq!(after(std::slice::from_ref(&change)), Volumes::default(), "{change:?}");
        }
    }
}
