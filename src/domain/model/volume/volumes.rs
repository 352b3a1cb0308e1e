//! All volumes.

use std::{
    cmp::Ordering,
    collections::BTreeMap,
    ops::{AddAssign, Range, SubAssign},
    sync::Arc,
};

use imbl::Vector;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::record::{Change, Mask, Volume};
use crate::domain::model::protocol::Options;

/// All volumes in the order of their names. A clone shares them, and costs the same for any number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "BTreeMap<String, Arc<Volume>>", from = "BTreeMap<String, Arc<Volume>>")]
pub struct Volumes {
    sorted: Vector<Arc<Volume>>,
    totals: VolumeTotals,
}

/// What would take a look at each record to count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct VolumeTotals {
    open_mounts: u64,
    forgotten: u64,
}

impl VolumeTotals {
    fn of(volume: &Volume) -> Self {
        Self { open_mounts: volume.open_mounts().into(), forgotten: (!volume.exists).into() }
    }
}

impl AddAssign for VolumeTotals {
    fn add_assign(&mut self, more: Self) {
        self.open_mounts += more.open_mounts;
        self.forgotten += more.forgotten;
    }
}

impl SubAssign for VolumeTotals {
    fn sub_assign(&mut self, less: Self) {
        self.open_mounts -= less.open_mounts;
        self.forgotten -= less.forgotten;
    }
}

impl Volumes {
    /// Acts on one change. A change of a volume that is not there changes nothing.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Created { name, options, at } => self.create_or_alter(name, *at, |volume| {
                volume.options.clone_from(options);
                volume.created = *at;
                volume.exists = true;
                volume.mask = None;
            }),
            Change::Masked { name, mask, options, at } => self.create_or_alter(name, *at, |volume| {
                volume.exists = *mask == Mask::Conjured;
                if volume.exists {
                    volume.options.clone_from(options);
                }
                volume.mask = Some(*mask);
            }),
            // What was only conjured does not exist.
            Change::Unmasked { name } if self.mask(name) == Some(Mask::Conjured) => self.put(name, None),
            Change::Unmasked { name } => self.alter(name, |volume| {
                volume.exists |= volume.mask.is_some();
                volume.mask = None;
            }),
            Change::Mounted { name, id, at } => self.create_or_alter(name, *at, |volume| {
                let count = volume.mounts.entry(id.clone()).or_default();
                *count = count.saturating_add(1);
            }),
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
            Change::Removed { name } => self.put(name, None),
            Change::AllDeleted | Change::StateLost => *self = Self::default(),
        }
    }

    /// Puts a record in the place of the one with its name; none ends it.
    pub(in crate::domain::model) fn put(&mut self, name: &str, record: Option<Arc<Volume>>) {
        let index = self.find(name);
        if let Ok(index) = index {
            let before = self.sorted.remove(index);
            self.totals -= VolumeTotals::of(&before);
        }
        if let Some(record) = record {
            self.totals += VolumeTotals::of(&record);
            self.sorted.insert(index.unwrap_or_else(|index| index), record);
        }
    }

    fn create_or_alter(&mut self, name: &str, at: Timestamp, alteration: impl FnOnce(&mut Volume)) {
        if let Err(index) = self.find(name) {
            let (name, options, mounts) = (name.to_owned(), Options::new(), BTreeMap::new());
            let volume = Volume { name, options, created: at, exists: false, mounts, mask: None };
            self.totals += VolumeTotals::of(&volume);
            self.sorted.insert(index, Arc::new(volume));
        }
        self.alter(name, alteration);
    }

    fn alter(&mut self, name: &str, alteration: impl FnOnce(&mut Volume)) {
        if let Ok(index) = self.find(name) {
            let volume = Arc::make_mut(&mut self.sorted[index]);
            let before = VolumeTotals::of(volume);
            alteration(volume);
            let after = VolumeTotals::of(volume);
            self.totals -= before;
            self.totals += after;
        }
    }

    fn find(&self, name: &str) -> Result<usize, usize> {
        self.sorted.binary_search_by(|volume| volume.name.as_str().cmp(name))
    }

    /// A volume's record, forgotten ones included.
    pub fn known(&self, name: &str) -> Option<&Arc<Volume>> {
        self.find(name).ok().and_then(|index| self.sorted.get(index))
    }

    /// A volume that exists for the driver.
    pub fn existing(&self, name: &str) -> Option<&Arc<Volume>> {
        self.known(name).filter(|volume| volume.exists)
    }

    /// How the replies about a volume are masked, if they are.
    pub fn mask(&self, name: &str) -> Option<Mask> {
        self.known(name).and_then(|volume| volume.mask)
    }

    /// The record in a row of the sorted list.
    pub fn get(&self, row: usize) -> Option<&Arc<Volume>> {
        self.sorted.get(row)
    }

    /// The row of a name, or the row that it would have.
    pub fn row(&self, name: &str) -> usize {
        self.find(name).unwrap_or_else(|row| row)
    }

    /// The records in some rows of the sorted list.
    pub fn rows(&self, rows: Range<usize>) -> impl Iterator<Item = &Arc<Volume>> {
        rows.map_while(|row| self.get(row))
    }

    /// The records whose names begin like this, in the order of their names.
    pub fn beginning_with(&self, prefix: &str) -> impl Iterator<Item = &Arc<Volume>> + use<'_> {
        let first = self.row(prefix);
        let after = self.sorted.binary_search_by(|volume| {
            let is_before = volume.name.as_str() < prefix || volume.name.starts_with(prefix);
            if is_before { Ordering::Less } else { Ordering::Greater }
        });
        self.rows(first..after.unwrap_or_else(|row| row))
    }

    /// All records in the order of their names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Arc<Volume>> {
        self.sorted.iter()
    }

    /// Whether this shares its records with another, as a clone does that has not changed. It compares pointers and not
    /// records: the few records of a small list are not shared, so that it is false even for a clone.
    pub fn ptr_eq(&self, other: &Self) -> bool {
        self.sorted.ptr_eq(&other.sorted)
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.sorted.len()
    }

    /// Whether there is no record at all.
    pub fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }

    /// How many mounts are open in all.
    pub fn open_mounts(&self) -> u64 {
        self.totals.open_mounts
    }

    /// How many records are of volumes that do not exist for the driver.
    pub fn forgotten(&self) -> u64 {
        self.totals.forgotten
    }
}

impl FromIterator<Arc<Volume>> for Volumes {
    fn from_iter<I: IntoIterator<Item = Arc<Volume>>>(volumes: I) -> Self {
        volumes.into_iter().map(|volume| (volume.name.clone(), volume)).collect::<BTreeMap<_, _>>().into()
    }
}

impl FromIterator<Volume> for Volumes {
    fn from_iter<I: IntoIterator<Item = Volume>>(volumes: I) -> Self {
        volumes.into_iter().map(Arc::new).collect()
    }
}

impl From<BTreeMap<String, Arc<Volume>>> for Volumes {
    fn from(volumes: BTreeMap<String, Arc<Volume>>) -> Self {
        let mut all = Self::default();
        for volume in volumes.into_values() {
            all.totals += VolumeTotals::of(&volume);
            all.sorted.push_back(volume);
        }
        all
    }
}

impl From<Volumes> for BTreeMap<String, Arc<Volume>> {
    fn from(volumes: Volumes) -> Self {
        volumes.iter().map(|volume| (volume.name.clone(), Arc::clone(volume))).collect()
    }
}

#[cfg(test)]
impl schemars::JsonSchema for Volumes {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Volumes".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        generator.subschema_for::<BTreeMap<String, Volume>>()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
    fn those_that_begin_alike_are_found_without_the_others() {
        let volumes = after(&["a", "ab", "abc", "abd", "ac", "b", "\u{e9}a"].map(created));
        for (prefix, expected) in [
            ("", &["a", "ab", "abc", "abd", "ac", "b", "\u{e9}a"][..]),
            ("a", &["a", "ab", "abc", "abd", "ac"]),
            ("ab", &["ab", "abc", "abd"]),
            ("abcd", &[]),
            ("c", &[]),
            ("\u{e9}", &["\u{e9}a"]),
        ] {
            let found: Vec<_> = volumes.beginning_with(prefix).map(|volume| &*volume.name).collect();
            assert_eq!(found, expected, "{prefix:?}");
        }
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
    fn a_mask_pretends_until_it_is_taken_off_or_the_volume_is_created() {
        let masked = |mask| Change::Masked {
            name: "v".into(),
            mask,
            options: Options::new(),
            at: Timestamp::UNIX_EPOCH,
        };
        let unmasked = Change::Unmasked { name: "v".into() };
        let before = after(&[created("v"), mounted("v", "a")]);
        let hidden = [created("v"), mounted("v", "a"), masked(Mask::Forgotten)];
        assert!(after(&hidden).existing("v").is_none());
        assert_eq!(after(&[&hidden[..], std::slice::from_ref(&unmasked)].concat()), before);
        assert_eq!(after(&[&hidden[..], &[created("v")]].concat()), before);
        assert!(after(&[masked(Mask::Conjured)]).existing("v").is_some());
        assert_eq!(after(&[masked(Mask::Conjured), unmasked]), Volumes::default());
    }

    #[test]
    fn a_change_of_a_volume_that_is_not_there_changes_nothing() {
        for change in [
            unmounted("v", "a"),
            Change::Removed { name: "v".into() },
            Change::Forgotten { name: "v".into() },
            Change::Restored { name: "v".into() },
            Change::MountsCleared { name: "v".into() },
            Change::Unmasked { name: "v".into() },
        ] {
            assert_eq!(after(std::slice::from_ref(&change)), Volumes::default(), "{change:?}");
        }
    }

    proptest! {
        #[test]
        fn the_records_are_sorted_and_counted_after_any_changes(
            changes in prop::collection::vec((0_usize..9, "[a-d]", "[12]"), 0..40)
        ) {
            let changes: Vec<_> = changes
                .into_iter()
                .map(|(kind, name, id)| match kind {
                    0..3 => created(&name),
                    3 | 4 => mounted(&name, &id),
                    5 => unmounted(&name, &id),
                    6 => Change::Removed { name },
                    7 => Change::Forgotten { name },
                    _ => Change::Restored { name },
                })
                .collect();
            let volumes = after(&changes);
            let names: Vec<_> = volumes.iter().map(|volume| volume.name.clone()).collect();
            prop_assert!(names.is_sorted_by(|one, next| one < next), "{names:?}");
            let open_mounts: u64 = volumes.iter().map(|volume| u64::from(volume.open_mounts())).sum();
            prop_assert_eq!(volumes.open_mounts(), open_mounts);
            prop_assert_eq!(volumes.forgotten(), volumes.iter().filter(|volume| !volume.exists).count() as u64);
            let again: Volumes = serde_json::from_str(&serde_json::to_string(&volumes)?)?;
            prop_assert_eq!(again, volumes);
        }
    }
}
