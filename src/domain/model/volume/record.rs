//! One volume, and what can change about the volumes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use crate::domain::model::protocol::{MAX_ID_LEN, Options, check_name, check_options};

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
    /// How the replies of the upstream about it are masked, if they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mask: Option<Mask>,
}

/// What a command pretends about a volume of the upstream: Get and List are answered so, and nothing else changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Mask {
    /// That it does not exist.
    Forgotten,
    /// That it exists.
    Conjured,
}

impl Mask {
    /// Its name in entries and on the screen.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
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
    pub(in crate::domain::model) fn size_estimate(&self) -> usize {
        let mounts: usize = self.mounts.keys().map(|id| id.len() + 64).sum();
        size_of::<Self>() + 2 * self.name.len() + options_size(&self.options) + mounts
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
    /// The replies of the upstream about a volume are masked from now on.
    Masked {
        /// Which volume.
        name: String,
        /// How.
        mask: Mask,
        /// The options that a conjured one seems to have.
        options: Options,
        /// When.
        #[cfg_attr(test, schemars(with = "String", extend("format" = "date-time")))]
        at: Timestamp,
    },
    /// They are not masked any more.
    Unmasked {
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
    pub fn size_estimate(&self) -> usize {
        let held = match self {
            Self::Created { options, .. } | Self::Masked { options, .. } => options_size(options),
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
            | Self::MountsCleared { name }
            | Self::Masked { name, .. }
            | Self::Unmasked { name } => Some(name),
            Self::AllDeleted | Self::StateLost => None,
        }
    }
}

/// About how many bytes of memory options hold.
fn options_size(options: &Options) -> usize {
    options.iter().map(|(key, value)| key.len() + value.len() + 64).sum()
}
