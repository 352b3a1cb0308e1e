//! What starts the daemon, and can end it.

use futures_util::{FutureExt, future::BoxFuture};
use tokio::process::Command;

/// Restarts a daemon. Both calls may return before it answers again.
pub trait Supervisor: Send + Sync {
    /// Ends it in good order and starts it again.
    fn restart(&self) -> BoxFuture<'_, Result<(), String>>;

    /// Kills it and starts it again.
    fn kill(&self) -> BoxFuture<'_, Result<(), String>>;
}

/// The machine's own daemon under systemd.
#[derive(Clone, Copy, Debug, Default)]
pub struct Systemd;

async fn systemctl(words: &[&str]) -> Result<(), String> {
    let line = format!("systemctl {}", words.join(" "));
    let done = Command::new("systemctl").args(words).output().await;
    match done {
        Ok(done) if done.status.success() => Ok(()),
        Ok(done) => Err(format!("{line}: {}", String::from_utf8_lossy(&done.stderr).trim())),
        Err(error) => Err(format!("{line}: {error}")),
    }
}

impl Supervisor for Systemd {
    fn restart(&self) -> BoxFuture<'_, Result<(), String>> {
        systemctl(&["restart", "docker"]).boxed()
    }

    /// systemd starts a killed daemon again by itself; asking for it as well does no harm.
    fn kill(&self) -> BoxFuture<'_, Result<(), String>> {
        async {
            systemctl(&["kill", "--signal=KILL", "docker"]).await?;
            systemctl(&["start", "docker"]).await
        }
        .boxed()
    }
}
