//! Who calls: the engines are distinguished by the headers that they send.

use serde::{Deserialize, Serialize};
use strum::{Display, IntoStaticStr};

use super::Operation;

/// The client, identified by its headers.
///
/// `dockerd` sends `Accept: application/vnd.docker.plugins.v1.2+json` and no Content-Type; podman sends
/// `Host: plugin`, a Content-Type and no Accept.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, Display, IntoStaticStr,
)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Caller {
    /// A real `dockerd`.
    Docker,
    /// A real podman.
    Podman,
    /// The simulated daemon, which says so in its `User-Agent`.
    Simulated,
    /// Anybody else: curl, a test, a plugin helper.
    #[default]
    Other,
}

impl Caller {
    /// The `User-Agent` by which the simulated daemon makes itself known.
    pub const SIMULATED_AGENT: &str = "voltergeist-simulated";

    /// That of the simulated podman, whose calls are like podman's.
    const SIMULATED_PODMAN: &str = "voltergeist-simulated/podman";

    /// All of them.
    pub const ALL: [Self; 4] = [Self::Docker, Self::Podman, Self::Simulated, Self::Other];

    /// The word for it in rules and on the screen.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Whether this end sends a body with a call, so that an empty one means a retry. Podman lists with
    /// an empty body; `dockerd` leaves it empty for the handshake alone, until it retries.
    pub const fn sends_body_for(self, operation: Operation) -> bool {
        match operation {
            Operation::Activate => false,
            Operation::Capabilities | Operation::List => matches!(self, Self::Docker | Self::Simulated),
            _ => true,
        }
    }

    /// Identifies the caller by its headers, which `header` looks up by lower-case name.
    pub fn from_headers<'h>(header: impl Fn(&str) -> Option<&'h str>) -> Self {
        let starts = |name, prefix: &str| header(name).is_some_and(|value| value.starts_with(prefix));
        if header("user-agent") == Some(Self::SIMULATED_PODMAN) {
            Self::Podman
        } else if starts("user-agent", Self::SIMULATED_AGENT) {
            Self::Simulated
        } else if starts("accept", "application/vnd.docker.plugins.") {
            Self::Docker
        } else if header("host") == Some("plugin")
            && starts("content-type", "application/vnd.docker.plugins.")
        {
            Self::Podman
        } else {
            Self::Other
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caller_is_identified_by_its_headers() {
        let caller = |headers: &'static [(&str, &str)]| {
            Caller::from_headers(|name| headers.iter().find(|(key, _)| *key == name).map(|(_, value)| *value))
        };
        assert_eq!(
            caller(&[
                ("accept", "application/vnd.docker.plugins.v1.2+json"),
                ("user-agent", "Go-http-client/1.1")
            ]),
            Caller::Docker
        );
        assert_eq!(
            caller(&[("host", "plugin"), ("content-type", "application/vnd.docker.plugins.v1.1+json")]),
            Caller::Podman
        );
        assert_eq!(
            caller(&[
                ("user-agent", "voltergeist-simulated/20.10"),
                ("accept", "application/vnd.docker.plugins.v1.2+json")
            ]),
            Caller::Simulated
        );
        assert_eq!(caller(&[("user-agent", "voltergeist-simulated/podman")]), Caller::Podman);
        assert_eq!(caller(&[("user-agent", "curl/8.0"), ("accept", "*/*")]), Caller::Other);
    }
}
