//! The volume store: which volume is whose, who uses it, and when the daemon forgets it all.
//!
//! Moby `daemon/volume/service/store.go`, its oddities included: any reply to a Get that is not a
//! volume means that there is none, and purges what the daemon knew of it for good.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use futures_util::future::join_all;
use parking_lot::Mutex;

use super::{
    adapter::{Described, Scope},
    client::CallError,
    drivers::{DaemonDriver, Drivers},
    error::{DaemonError, ErrorStatus},
    local::LOCAL,
    locks::Locks,
};
use crate::domain::model::protocol::Options;

/// What the daemon writes down about a volume, and reads again when it starts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    pub driver: String,
    pub labels: Options,
    pub options: Options,
}

/// The records on disk: they outlive the daemon.
pub(super) type RecordsOnDisk = Arc<Mutex<BTreeMap<String, Record>>>;

/// A volume with what its driver and the daemon say of it.
#[derive(Clone)]
pub(super) struct StoredVolume {
    pub driver: DaemonDriver,
    pub described: Described,
    pub labels: Options,
    pub options: Options,
    pub scope: Scope,
}

impl StoredVolume {
    /// The name that the driver gave, which need not be the one that was asked for.
    pub(super) fn name(&self) -> &str {
        &self.described.name
    }
}

/// What is only in the daemon's memory.
#[derive(Default)]
struct StoreMemory {
    /// The driver of each name that was seen.
    names: BTreeMap<String, StoredVolume>,
    references: BTreeMap<String, BTreeSet<String>>,
    labels: BTreeMap<String, Options>,
    options: BTreeMap<String, Options>,
}

/// The volume store of one life of the daemon.
pub(super) struct Store {
    pub drivers: Drivers,
    records: RecordsOnDisk,
    memory: Mutex<StoreMemory>,
    locks: Locks,
}

fn unique(text: &str) -> DaemonError {
    DaemonError::new(ErrorStatus::Conflict, format!("{text}: volume name must be unique"))
}

impl Store {
    pub(super) fn new(drivers: Drivers, records: RecordsOnDisk) -> Self {
        Self { drivers, records, memory: Mutex::default(), locks: Locks::default() }
    }

    /// At the daemon's start: each recorded volume is asked for, all at once. One that its driver
    /// does not know loses its record; one that could not be asked for keeps it, unseen.
    pub(super) async fn restore(&self) {
        let records = self.records.lock().clone();
        join_all(records.into_iter().map(|(name, record)| async move {
            match self.look_up(&record.driver, &name).await {
                Ok(Some(described)) => {
                    let Ok(driver) = self.drivers.find(&record.driver).await else { return };
                    let Record { labels, options, .. } = record;
                    let known = described.name.clone();
                    let mut memory = self.memory.lock();
                    memory.labels.insert(known.clone(), labels.clone());
                    memory.options.insert(known.clone(), options.clone());
                    memory.references.insert(known.clone(), BTreeSet::new());
                    memory.names.insert(
                        known,
                        StoredVolume { driver, described, labels, options, scope: Scope::Local },
                    );
                }
                Ok(None) => {
                    self.records.lock().remove(&name);
                }
                Err(_) => {}
            }
        }))
        .await;
    }

    /// Creates a volume, or finds the one of that name. An empty driver stands for any.
    pub(super) async fn create(
        &self,
        name: &str,
        driver: &str,
        options: &Options,
        labels: &Options,
        user: Option<&str>,
    ) -> Result<StoredVolume, DaemonError> {
        let _one_at_a_time = self.locks.lock(name).await;
        let created = self.create_locked(name, driver, options, labels).await;
        let volume = created.map_err(|error| error.because(&format!("create {name}")))?;
        self.remember(&volume, user);
        Ok(volume)
    }

    async fn create_locked(
        &self,
        name: &str,
        driver: &str,
        options: &Options,
        labels: &Options,
    ) -> Result<StoredVolume, DaemonError> {
        if let Some(volume) = self.check_conflict(name, driver).await? {
            return Ok(volume);
        }
        if driver.is_empty()
            && let Ok(volume) = self.get_locked(name, "").await
        {
            return Ok(volume);
        }
        let driver = self.drivers.find(if driver.is_empty() { LOCAL } else { driver }).await?;
        let described = if let Ok(described) = driver.get(name).await {
            described
        } else {
            driver.create(name, options).await?;
            Described { name: name.to_owned(), ..Described::default() }
        };
        {
            let mut memory = self.memory.lock();
            memory.labels.insert(name.to_owned(), labels.clone());
            memory.options.insert(name.to_owned(), options.clone());
            memory.references.insert(name.to_owned(), BTreeSet::new());
        }
        let record =
            Record { driver: driver.name().to_owned(), labels: labels.clone(), options: options.clone() };
        self.records.lock().insert(name.to_owned(), record);
        let scope = driver.scope().await;
        Ok(StoredVolume { driver, described, labels: labels.clone(), options: options.clone(), scope })
    }

    /// The volume that has the name already; nothing if the name is free, or is now that it was purged.
    async fn check_conflict(&self, name: &str, driver: &str) -> Result<Option<StoredVolume>, DaemonError> {
        let Some(known) = self.memory.lock().names.get(name).cloned() else { return Ok(None) };
        let owner = known.driver.name();
        let conflict = !driver.is_empty() && self.drivers.find(driver).await?.name() != owner;
        match self.look_up(owner, known.name()).await {
            Err(error) => Err(unique(&format!(
                "found reference to volume '{name}' in driver '{owner}', but got an error while checking the driver: {error}"
            ))),
            Ok(Some(_)) if conflict => Err(unique(&format!("driver '{owner}' already has volume '{name}'"))),
            Ok(Some(_)) => Ok(Some(known)),
            Ok(None) if !self.users(known.name()).is_empty() => Err(unique(&format!(
                "found references to volume '{name}' in driver '{owner}' but the volume was not found in the driver -- you may need to remove containers referencing this volume or force remove the volume to re-create it"
            ))),
            Ok(None) => {
                self.purge(name);
                Ok(None)
            }
        }
    }

    /// Asks for a volume. With a driver, only that one is asked.
    pub(super) async fn get(
        &self,
        name: &str,
        driver: &str,
        user: Option<&str>,
    ) -> Result<StoredVolume, DaemonError> {
        let _one_at_a_time = self.locks.lock(name).await;
        let got = self.get_locked(name, driver).await;
        let volume = got.map_err(|error| error.because(format!("get {name}").trim_end()))?;
        self.remember(&volume, user);
        Ok(volume)
    }

    async fn get_locked(&self, name: &str, driver: &str) -> Result<StoredVolume, DaemonError> {
        // So a volume without a name, which a plugin's reply can make, is never forgotten.
        if name.is_empty() {
            let text = "error setting volume metadata: key required";
            return Err(DaemonError::new(ErrorStatus::Internal, text));
        }
        let mut record = self.records.lock().get(name).cloned().unwrap_or_default();
        if record.driver.is_empty() {
            driver.clone_into(&mut record.driver);
        } else if !driver.is_empty() && driver != record.driver {
            return Err(DaemonError::new(
                ErrorStatus::Conflict,
                "provided volume driver does not match stored driver",
            ));
        }
        if record.driver.is_empty() {
            let seen = self.memory.lock().names.get(name).map(|volume| volume.driver.name().to_owned());
            if let Some(seen) = seen {
                record.driver = seen;
                self.records.lock().insert(name.to_owned(), record.clone());
            }
        }
        if record.driver.is_empty() {
            return self.probe(name, record).await;
        }
        let Some(described) = self.look_up(&record.driver, name).await? else {
            self.purge(name);
            return Err(DaemonError::no_such_volume());
        };
        let driver = self.drivers.find(&record.driver).await?;
        let scope = driver.scope().await;
        Ok(StoredVolume { driver, described, labels: record.labels, options: record.options, scope })
    }

    /// Asks one driver after the other for a volume that nobody has heard of.
    async fn probe(&self, name: &str, mut record: Record) -> Result<StoredVolume, DaemonError> {
        for driver in self.drivers.all().await {
            if let Ok(described) = driver.get(name).await {
                driver.name().clone_into(&mut record.driver);
                self.records.lock().insert(name.to_owned(), record.clone());
                let scope = driver.scope().await;
                let Record { labels, options, .. } = record;
                return Ok(StoredVolume { driver, described, labels, options, scope });
            }
        }
        Err(DaemonError::no_such_volume())
    }

    /// What a driver says of a volume. Only a driver that cannot be asked is an error; whatever else
    /// it answers means that there is no such volume.
    async fn look_up(&self, driver: &str, name: &str) -> Result<Option<Described>, DaemonError> {
        let context = || format!("error while checking if volume {name:?} exists in driver {driver:?}");
        let driver = self.drivers.find(driver).await.map_err(|error| error.because(&context()))?;
        match driver.get(name).await {
            Ok(described) => Ok(Some(described)),
            Err(CallError::Refused(_)) => Ok(None),
            Err(error) => Err(DaemonError::from(error).because(&context())),
        }
    }

    /// Removes a volume that nobody uses. With `force` it is forgotten even if the driver fails.
    pub(super) async fn remove(&self, volume: &StoredVolume, force: bool) -> Result<(), DaemonError> {
        let name = volume.name();
        let _one_at_a_time = self.locks.lock(name).await;
        let users = self.users(name);
        if !users.is_empty() {
            let users: Vec<_> = users.into_iter().collect();
            let text = format!("remove {name}: volume is in use - [{}]", users.join(", "));
            return Err(DaemonError::new(ErrorStatus::Conflict, text));
        }
        let volume = self.get_locked(name, volume.driver.name()).await?;
        let removed = volume.driver.remove(volume.name()).await;
        if removed.is_ok() || force {
            self.purge(name);
        }
        removed.map_err(|error| DaemonError::from(error).because(&format!("remove {name}")))
    }

    /// Ends a container's use of a volume.
    pub(super) async fn release(&self, name: &str, user: &str) {
        let _one_at_a_time = self.locks.lock(name).await;
        if let Some(users) = self.memory.lock().references.get_mut(name) {
            users.remove(user);
        }
    }

    /// All volumes of all drivers, or of one. A driver that cannot say has those that the daemon remembers.
    pub(super) async fn list(&self, only: Option<&str>) -> Result<Vec<StoredVolume>, DaemonError> {
        let drivers = self.drivers.all().await;
        let asked = drivers.into_iter().filter(|driver| only.is_none_or(|only| only == driver.name()));
        let lists = join_all(asked.map(|driver| self.list_of(driver))).await;
        let mut volumes = Vec::new();
        for list in lists {
            for volume in list? {
                let _nobody_works_on_it = self.locks.lock(volume.name()).await;
                let owner =
                    self.memory.lock().names.get(volume.name()).map(|known| known.driver.name().to_owned());
                if owner.is_none_or(|owner| owner == volume.driver.name()) {
                    volumes.push(volume);
                }
            }
        }
        volumes.sort_by(|one, other| one.name().cmp(other.name()));
        Ok(volumes)
    }

    async fn list_of(&self, driver: DaemonDriver) -> Result<Vec<StoredVolume>, DaemonError> {
        let described = match driver.list().await {
            Ok(described) => described,
            Err(CallError::Fatal) => return Err(CallError::Fatal.into()),
            Err(_) => {
                let memory = self.memory.lock();
                let remembered = memory.names.values().filter(|known| known.driver.name() == driver.name());
                return Ok(remembered.cloned().collect());
            }
        };
        let mut volumes = Vec::new();
        for described in described {
            let scope = driver.scope().await;
            let memory = self.memory.lock();
            let of = |map: &BTreeMap<String, Options>| map.get(&described.name).cloned().unwrap_or_default();
            let (labels, options) = (of(&memory.labels), of(&memory.options));
            volumes.push(StoredVolume { driver: driver.clone(), described, labels, options, scope });
        }
        Ok(volumes)
    }

    fn remember(&self, volume: &StoredVolume, user: Option<&str>) {
        let mut memory = self.memory.lock();
        memory.names.insert(volume.name().to_owned(), volume.clone());
        if let Some(user) = user {
            memory.references.entry(volume.name().to_owned()).or_default().insert(user.to_owned());
        }
    }

    /// Who uses a volume, by container ID.
    pub(super) fn users(&self, name: &str) -> BTreeSet<String> {
        self.memory.lock().references.get(name).cloned().unwrap_or_default()
    }

    /// Forgets all about a volume: labels, options, users and the record on disk.
    fn purge(&self, name: &str) {
        self.records.lock().remove(name);
        let mut memory = self.memory.lock();
        memory.names.remove(name);
        memory.references.remove(name);
        memory.labels.remove(name);
        memory.options.remove(name);
    }
}
