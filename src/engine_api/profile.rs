//! Profiles: which engine of which time.

use std::{fmt, str::FromStr};

use clap::ValueEnum;

/// An engine of some time. Engines differ in what they send to a plugin, and in their words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Profile {
    /// dockerd 20.10 and the docker command line of its time
    #[value(name = "20.10")]
    Docker20,
    /// dockerd of 2026 (API 1.56)
    #[default]
    #[value(name = "current")]
    Docker,
    /// podman
    Podman,
}

impl Profile {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Docker20, Self::Docker, Self::Podman];

    /// The word for it in options, scenarios and the `User-Agent`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Docker20 => "20.10",
            Self::Docker => "current",
            Self::Podman => "podman",
        }
    }

    /// What a simulated one is called.
    pub const fn simulated(self) -> &'static str {
        match self {
            Self::Docker20 => "a simulated dockerd 20.10",
            Self::Docker => "a simulated daemon",
            Self::Podman => "a simulated podman",
        }
    }

    /// Whether it is a dockerd.
    pub const fn is_docker(self) -> bool {
        !matches!(self, Self::Podman)
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Profile {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|profile| profile.as_str() == word);
        found.ok_or_else(|| {
            format!("unknown engine {word:?}; choose {}", Self::ALL.map(Self::as_str).join(", "))
        })
    }
}
