//! Where a command came from.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use super::peer::Peer;

/// Where a command came from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum Origin {
    /// The program itself.
    #[default]
    Program,
    /// A setting, such as `--arm`.
    Settings,
    /// A key of the console.
    Key {
        /// The key.
        key: Box<str>,
    },
    /// The `:` line of the console.
    Line,
    /// A step of a scenario, or its clean-up.
    Scenario {
        /// Its name.
        scenario: Box<str>,
    },
    /// The control API.
    Api {
        /// Who sent it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        peer: Option<Arc<Peer>>,
    },
}

impl Origin {
    /// A step of a scenario.
    pub fn scenario(name: &str) -> Self {
        Self::Scenario { scenario: name.into() }
    }

    /// How many bytes of memory it holds beside its own size.
    pub(super) fn size_estimate(&self) -> usize {
        match self {
            Self::Key { key: text } | Self::Scenario { scenario: text } => text.len() + 16,
            _ => 0,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Program => f.write_str("by voltergeist"),
            Self::Settings => f.write_str("from the settings"),
            Self::Key { key } => write!(f, "by key {key}"),
            Self::Line => f.write_str("typed"),
            Self::Scenario { scenario } => write!(f, "by scenario {scenario}"),
            Self::Api { peer: None } => f.write_str("by the control API"),
            Self::Api { peer: Some(peer) } => {
                write!(f, "by the control API: {peer}")?;
                match &**peer {
                    Peer::Process { user: Some(user), .. } => write!(f, ", user {user}"),
                    Peer::Process { uid, .. } => write!(f, ", user {uid}"),
                    Peer::Address(_) => Ok(()),
                }
            }
        }
    }
}
