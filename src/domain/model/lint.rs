//! Lints: protocol warnings on a call.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

/// A protocol warning: something that a healthy engine and driver do not do.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    IntoStaticStr,
    VariantArray,
)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Lint {
    /// A call about a volume that does not name one.
    NamelessRequest,
    /// A body that was empty where one is due: `dockerd` retries so.
    EmptyBodyRetry,
    /// A Create of a volume that is there.
    DuplicateCreate,
    /// A Mount of a volume that the driver does not know.
    MountOfUnknownVolume,
    /// A mount that is open in the driver, but not for the engine, which saw a failure.
    LeakedMount,
    /// A Mount with an ID that is mounted since its Unmount failed.
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
    pub const ALL: [Self; Self::VARIANTS.len()] = *Self::VARIANTS.first_chunk().expect("all of them");

    /// Its name on the screen, in filters and in the journal.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// What it means, and why it happens.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::NamelessRequest => {
                "a request for a volume without a name. The driver rejects it; dockerd sends such \
                 requests when it retries with an empty body."
            }
            Self::EmptyBodyRetry => {
                "the body is empty although this caller sends one. dockerd retries like this after a lost \
                 connection (moby #39331), because it has consumed the body."
            }
            Self::DuplicateCreate => {
                "a Create of a volume that exists. The engine did not see it, because a Get failed or \
                 another engine created it; its options replace the old ones."
            }
            Self::MountOfUnknownVolume => {
                "a Mount of a volume that does not exist for the engine. The engine remembers a volume \
                 that was forgotten, removed or never created."
            }
            Self::LeakedMount => {
                "a Mount was done, or an Unmount was not, but the engine got an error or had timed out. No \
                 Unmount will follow: the mount stays open until someone closes it."
            }
            Self::ReusedMountId => {
                "a Mount with an ID whose Unmount failed and which is still mounted. dockerd does this: a \
                 driver that counts mounts has two, and gets one Unmount."
            }
            Self::UnmountOfUnknownId => {
                "an Unmount of an ID that is not mounted. The driver lost its state, or the mount was \
                 closed behind the engine's back."
            }
            Self::RemoveWhileMounted => {
                "a Remove of a volume with open mounts. The engine has lost its references, as after a \
                 failed Get."
            }
            Self::RepeatedCapabilities => {
                "an engine that knows the capabilities requests them again without a new handshake."
            }
            Self::PathDuringList => {
                "a Path directly after a List by the same engine: one unnecessary request per volume. \
                 dockerd's own tests forbid it."
            }
        }
    }
}
