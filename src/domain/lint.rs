//! Lints: oddities of the protocol, marked on the call that shows them.

use serde::{Deserialize, Serialize};

/// What no healthy engine and driver exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lint {
    /// A call about a volume that does not name one.
    NamelessRequest,
    /// A body that was empty where one is due: `dockerd` retries so.
    EmptyBodyRetry,
    /// A Create of a volume that is there.
    DuplicateCreate,
    /// A Mount of a volume that the driver does not know.
    MountOfUnknownVolume,
    /// A mount that the engine was told had failed, yet is open in the driver.
    LeakedMount,
    /// A Mount with an ID that is mounted.
    ReusedMountId,
    /// An Unmount of an ID that is not mounted.
    UnmountOfUnknownId,
    /// A Remove of a volume with open mounts.
    RemoveWhileMounted,
    /// A second request for the capabilities by the same engine.
    RepeatedCapabilities,
    /// A Path call between a List and its reply's use: one call per volume that nobody needs.
    PathDuringList,
}

impl Lint {
    /// All of them, in the order of their documentation.
    pub const ALL: [Self; 10] = [
        Self::NamelessRequest,
        Self::EmptyBodyRetry,
        Self::DuplicateCreate,
        Self::MountOfUnknownVolume,
        Self::LeakedMount,
        Self::ReusedMountId,
        Self::UnmountOfUnknownId,
        Self::RemoveWhileMounted,
        Self::RepeatedCapabilities,
        Self::PathDuringList,
    ];

    /// Its name on the screen, in filters and in the journal.
    pub const fn word(self) -> &'static str {
        match self {
            Self::NamelessRequest => "nameless-request",
            Self::EmptyBodyRetry => "empty-body-retry",
            Self::DuplicateCreate => "duplicate-create",
            Self::MountOfUnknownVolume => "mount-of-unknown-volume",
            Self::LeakedMount => "leaked-mount",
            Self::ReusedMountId => "reused-mount-id",
            Self::UnmountOfUnknownId => "unmount-of-unknown-id",
            Self::RemoveWhileMounted => "remove-while-mounted",
            Self::RepeatedCapabilities => "repeated-capabilities",
            Self::PathDuringList => "path-during-list",
        }
    }
}
