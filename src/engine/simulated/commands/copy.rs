//! `docker cp`: it mounts every volume of the container, a running one's too, and under the same ID.

use super::Work;
use crate::{
    engine::simulated::{
        container::Container,
        error::{DaemonError, ErrorStatus},
        profile::Profile,
    },
    engine_api::CliResult,
};

impl Work<'_> {
    /// Out of a container, its volumes are mounted once; into one twice, because the destination is looked at first.
    pub(super) async fn cp(self, source: &str, destination: &str) -> Result<CliResult, DaemonError> {
        let (name, path, times) = match (source.split_once(':'), destination.split_once(':')) {
            (Some((name, path)), None) => (name, path, 1),
            (None, Some((name, path))) => (name, path, 2),
            _ => {
                let text = "exactly one of the two places must be CONTAINER:PATH";
                return Ok(CliResult::failure(1, text));
            }
        };
        let container = match self.container(name) {
            Err(error) if error.status == ErrorStatus::NotFound => {
                let message = self.daemon.config.profile.not_found("container", name, &error.text);
                return Ok(CliResult::failure(1, message));
            }
            found => found?,
        };
        for _ in 0..times {
            self.open(&container, path).await?;
        }
        Ok(CliResult::default())
    }

    async fn open(self, container: &Container, path: &str) -> Result<(), DaemonError> {
        let mut state = container.state.lock().await;
        let profile = self.daemon.config.profile;
        let mounted = state.set_up(self.store, &self.daemon.rng, &container.id).await;
        // Unlike runc, the daemon looks for an empty path, and finds nothing.
        let is_missing = state.mounts.iter().any(|mount| mount.path.is_empty() || !mount.is_there());
        // 20.10 cleans up even what a failed Mount never mounted, and so unmounts under a running container.
        if mounted.is_ok() || profile == Profile::Docker20 {
            state.clean_up(self.store, profile).await;
        }
        mounted?;
        if is_missing {
            let text = format!("Could not find the file {path} in container {}", container.name);
            return Err(DaemonError::new(ErrorStatus::NotFound, text));
        }
        Ok(())
    }
}
