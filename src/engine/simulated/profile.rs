//! Profiles: which engine is simulated, and where engines differ on the wire and in their words.

use super::transport::Address;
use crate::domain::model::protocol::Caller;

/// An engine of some time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// `dockerd` 20.10.24 and the docker command line of its time.
    Docker20,
    /// `dockerd` of 2026 (API 1.56).
    #[default]
    Docker,
    /// podman 6.
    Podman,
}

impl Profile {
    /// The word for it in the `User-Agent` and on the screen.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Docker20 => "20.10",
            Self::Docker => "now",
            Self::Podman => "podman",
        }
    }

    pub(super) fn user_agent(self) -> String {
        format!("{}/{}", Caller::SIMULATED_AGENT, self.as_str())
    }

    /// The `Host` header. Until 20.10.26 a Unix socket's was empty.
    pub(super) fn host(self, address: &Address) -> String {
        match (self, address) {
            (Self::Podman, _) => "plugin".into(),
            (_, Address::Tcp(authority)) => authority.clone(),
            (Self::Docker20, Address::Unix(_)) => String::new(),
            (Self::Docker, Address::Unix(_)) => "plugin.moby.localhost".into(),
        }
    }

    /// The host as Go's errors name it.
    pub(super) fn url_host(self, address: &Address) -> String {
        match (self, address) {
            (Self::Docker20, Address::Unix(path)) => path.to_string_lossy().replace('/', "%2F"),
            _ => self.host(address),
        }
    }

    /// How many connections are kept for the next call.
    pub(super) const fn idle_connections(self) -> usize {
        if matches!(self, Self::Docker) { 6 } else { 2 }
    }

    /// How the command line says that something is not there. The daemon's own words are `message`.
    pub(super) fn not_found(self, object: &str, name: &str, message: &str) -> String {
        match self {
            Self::Docker => format!("Error response from daemon: {message}"),
            Self::Docker20 | Self::Podman => format!("Error: No such {object}: {name}"),
        }
    }

    /// What follows the error of a `docker run`.
    pub(super) const fn run_hint(self) -> &'static str {
        match self {
            Self::Docker => "\nRun 'docker run --help' for more information",
            Self::Docker20 | Self::Podman => "See 'docker run --help'.",
        }
    }
}
