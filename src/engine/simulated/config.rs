//! What a simulated engine is started with.

use std::{collections::BTreeMap, path::PathBuf};

use super::{profile::Profile, transport::DriverAddress};
use crate::engine_api::Clock;

/// What a simulated daemon is made of.
#[derive(Clone, Debug)]
pub struct DaemonConfig {
    /// Which daemon it is.
    pub profile: Profile,
    /// The plugins that it can find, by name.
    pub plugins: BTreeMap<String, DriverAddress>,
    /// How fast its time passes.
    pub clock: Clock,
    /// What its random IDs are drawn from.
    pub seed: u64,
    /// Whether containers keep running while it is restarted.
    pub live_restore: bool,
    /// Where the plugin keeps its volumes. Simulated containers read and write there and nowhere else.
    pub files: Option<PathBuf>,
}

impl DaemonConfig {
    /// A daemon of today in real time, with one plugin.
    pub fn new(plugin: &str, address: DriverAddress) -> Self {
        Self {
            profile: Profile::default(),
            plugins: BTreeMap::from([(plugin.to_owned(), address)]),
            clock: Clock::REAL,
            seed: 0,
            live_restore: false,
            files: None,
        }
    }
}
