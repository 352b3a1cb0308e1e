//! The scenarios that can be played.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A scenario that can be played.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScenarioInfo {
    /// Its name, as in `play NAME`.
    pub name: String,
    /// What happens, in one line.
    pub title: String,
    /// What it shows.
    pub description: String,
    /// It can harm a real engine or what else runs on it.
    pub dangerous: bool,
    /// It takes long.
    pub slow: bool,
    /// It is the user's, and not a shipped one.
    pub own: bool,
    /// Why it cannot be played: what is wrong in its file, and where.
    pub problem: Option<String>,
    /// Why it is not for the engine that it would be played on, as far as is known.
    pub obstacle: Option<String>,
}

/// The scenarios that can be played here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScenarioCatalog {
    /// The scenarios, in their order.
    pub scenarios: Arc<[ScenarioInfo]>,
    /// Whether a dangerous scenario could harm an engine that others use.
    pub is_real: bool,
}

impl ScenarioCatalog {
    /// A scenario by its name.
    pub fn get(&self, name: &str) -> Option<&ScenarioInfo> {
        self.scenarios.iter().find(|scenario| scenario.name == name)
    }

    /// Whether a scenario can harm an engine that others use.
    pub fn can_harm(&self, name: &str) -> bool {
        self.is_real && self.get(name).is_some_and(|scenario| scenario.dangerous)
    }
}
