//! Where simulated engines differ on the wire and in their words.

use super::transport::DriverAddress;
use crate::domain::model::protocol::Caller;
pub use crate::engine_api::Profile;

impl Profile {
    pub(super) fn user_agent(self) -> String {
        format!("{}/{}", Caller::SIMULATED_AGENT, self.as_str())
    }

    /// The `Host` header. Until 20.10.26 a Unix socket's was empty.
    pub(super) fn host(self, address: &DriverAddress) -> String {
        match (self, address) {
            (Self::Podman, _) => "plugin".into(),
            (_, DriverAddress::Tcp(authority)) => authority.clone(),
            (Self::Docker20, DriverAddress::Unix(_)) => String::new(),
            (Self::Docker, DriverAddress::Unix(_)) => "plugin.moby.localhost".into(),
        }
    }

    /// The host as Go's errors name it.
    pub(super) fn url_host(self, address: &DriverAddress) -> String {
        match (self, address) {
            (Self::Docker20, DriverAddress::Unix(path)) => path.to_string_lossy().replace('/', "%2F"),
            _ => self.host(address),
        }
    }

    /// How many connections are kept for the next call.
    pub(super) const fn idle_connections(self) -> usize {
        if matches!(self, Self::Docker) { 6 } else { 2 }
    }

    /// How the command line says that something is not there. The daemon's own words are `message`.
    pub(super) fn not_found(self, object: &str, name: &str, message: &str) -> String {
        match (self, object) {
            (Self::Docker, "object") => format!("error: no such object: {name}"),
            (Self::Docker, _) => format!("Error response from daemon: {message}"),
            (Self::Docker20 | Self::Podman, _) => format!("Error: No such {object}: {name}"),
        }
    }

    /// What follows the error of a `docker run`: until docker 28 a full stop, and a hint.
    pub(super) const fn run_hint(self) -> &'static str {
        match self {
            Self::Docker => "\n\nRun 'docker run --help' for more information",
            Self::Docker20 | Self::Podman => ".\nSee 'docker run --help'.",
        }
    }

    /// What the command line says of a daemon that does not answer.
    pub(super) const fn unreachable(self) -> &'static str {
        match self {
            Self::Docker => {
                "failed to connect to the docker API at unix:///var/run/docker.sock; check if the path is correct and if the daemon is running: dial unix /var/run/docker.sock: connect: connection refused"
            }
            Self::Docker20 | Self::Podman => {
                "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"
            }
        }
    }

    /// The last line of a failed `docker start`.
    pub(super) const fn start_hint(self) -> &'static str {
        match self {
            Self::Docker => "failed to start containers",
            Self::Docker20 | Self::Podman => "Error: failed to start containers",
        }
    }

    /// The daemon's complaint about a container that cannot be created or started by the runtime.
    pub(super) fn runtime_error(self, why: &str) -> String {
        let (before, during) = match self {
            Self::Docker => (
                "failed to create task for container: failed to create shim task: ",
                "error during container init: ",
            ),
            Self::Docker20 | Self::Podman => ("failed to create shim task: ", ""),
        };
        format!(
            "{before}OCI runtime create failed: runc create failed: unable to start container process: {during}{why}: unknown"
        )
    }

    /// What the runtime says of a volume whose path is not there.
    pub(super) fn missing_path(self, path: &str, destination: &str) -> String {
        self.runtime_error(&match self {
            Self::Docker => format!("failed to fulfil mount request: open {path}: no such file or directory"),
            Self::Docker20 | Self::Podman => format!(
                "error during container init: error mounting {path:?} to rootfs at {destination:?}: stat {path}: no such file or directory"
            ),
        })
    }
}
