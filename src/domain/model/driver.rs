//! The driver: where engines reach it, and whether they can.

use std::{fmt, sync::Arc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strum::{Display, IntoStaticStr};

/// Where engines find the driver.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DriverInfo {
    /// The name after `--volume-driver`.
    pub name: String,
    /// Its address: `unix:///…` or `tcp://…`.
    pub address: String,
    /// `registered`, or why engines do not find it under its name.
    pub registration: String,
    /// The command that would register it, if it is not registered.
    pub fix_command: Option<String>,
    /// The plugin that calls are forwarded to, and its address; none for the built-in driver.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream: Option<String>,
    /// The other volume plugins that docker finds on this machine, as they were at the start.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<OtherPlugin>,
}

/// Another volume plugin.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OtherPlugin {
    /// The name after `--volume-driver`.
    pub name: String,
    /// `socket`, `spec`, `json` or `managed`.
    pub kind: String,
    /// The file that names it.
    pub path: String,
    /// Where it is said to listen.
    pub address: String,
    /// Whether it demands TLS.
    pub tls: bool,
    /// Whether somebody listens there; none if this cannot be found out.
    pub listening: Option<bool>,
    /// What to do if nobody listens there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl DriverInfo {
    /// How many bytes of memory it holds beside its own size.
    pub(super) fn size_estimate(&self) -> usize {
        let others = self.others.iter().map(|other| {
            let remedy = other.remedy.as_ref().map_or(0, String::len);
            other.name.len() + other.kind.len() + other.path.len() + other.address.len() + remedy
        });
        let others = others.map(|length| length + size_of::<OtherPlugin>()).sum::<usize>();
        self.name.len() + self.address.len() + self.registration.len() + others
    }
}

/// The ways of being unreachable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Display, IntoStaticStr)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Outage {
    /// The socket file exists and nobody listens: connecting is refused.
    Refuse,
    /// The socket file and the registration are gone.
    Unlink,
    /// Connecting succeeds, and nothing is ever answered.
    Blackhole,
    /// Connecting succeeds, and each request is met with a reset.
    Reset,
}

impl Outage {
    /// All of them, in the order in which a key goes through them.
    pub const ALL: [Self; 4] = [Self::Refuse, Self::Unlink, Self::Blackhole, Self::Reset];

    /// Its name in commands and on the screen.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The command that begins it.
    pub fn command(self) -> String {
        format!("down {self}")
    }

    /// Whether engines can connect, whatever happens then.
    pub const fn is_connectable(self) -> bool {
        matches!(self, Self::Blackhole | Self::Reset)
    }

    /// Whether requests reach the driver, so that it can record them.
    pub const fn hears_requests(self) -> bool {
        matches!(self, Self::Reset)
    }
}

/// Whether the driver can be reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum DriverStatus {
    /// It listens and answers.
    #[default]
    Up,
    /// It cannot be reached.
    Down {
        /// In which way.
        #[serde(rename = "outage")]
        kind: Outage,
        /// When it comes up by itself.
        #[cfg_attr(test, schemars(with = "Option<String>", extend("format" = "date-time")))]
        until: Option<Timestamp>,
    },
}

impl DriverStatus {
    /// The outage, if there is one.
    pub const fn outage(self) -> Option<Outage> {
        match self {
            Self::Up => None,
            Self::Down { kind, .. } => Some(kind),
        }
    }
}

impl fmt::Display for DriverStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Up => f.write_str("up"),
            Self::Down { kind, .. } => write!(f, "down {kind}"),
        }
    }
}

/// What the server has to bring about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriverState {
    /// Whether the driver can be reached.
    #[serde(flatten)]
    pub status: DriverStatus,
    /// Grows with each `crash`: connections of an earlier generation are cut.
    pub generation: u64,
    /// Whether the command `quit` was given.
    pub quitting: bool,
}

/// A change of the driver's status, or a failure to bring it about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DriverEvent {
    /// What the status is, or should be if it cannot be brought about.
    #[serde(flatten)]
    pub status: DriverStatus,
    /// Grows with each `crash`.
    pub generation: u64,
    /// Why this entry was written.
    #[serde(flatten)]
    pub reason: DriverReason,
}

/// Why the driver's status changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum DriverReason {
    /// A command: `down` or `up`.
    Command,
    /// The command `crash`.
    Crash,
    /// The time of an outage is over.
    OutageOver,
    /// The socket or the registration cannot be brought into the wanted status. It is tried again until it works.
    CannotBind {
        /// The driver's address.
        address: Arc<str>,
        /// What the system says.
        error: Arc<str>,
    },
    /// The wanted status was reached after all.
    Recovered,
}

impl DriverEvent {
    /// Whether engines can connect to the driver from now on; none if it is not known.
    pub fn is_reachable(&self) -> Option<bool> {
        let wanted = self.status.outage().is_none_or(Outage::hears_requests);
        match self.reason {
            DriverReason::CannotBind { .. } if wanted => Some(false),
            DriverReason::CannotBind { .. } => None,
            _ => Some(wanted),
        }
    }

    /// How many bytes of memory it holds beside its own size.
    pub(super) fn size_estimate(&self) -> usize {
        match &self.reason {
            DriverReason::CannotBind { address, error } => address.len() + error.len() + 32,
            _ => 0,
        }
    }
}
