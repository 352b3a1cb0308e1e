//! Notices the end of the process that listens on a Unix socket.

use std::{io, path::Path};

use rustix::process::{PidfdFlags, pidfd_open};
use tokio::net::unix::pipe::Receiver;

use super::{probe::connect, socket::peer_process};

/// A process that listens on a socket.
#[derive(Debug)]
pub struct ProcessWatch(Receiver);

impl ProcessWatch {
    /// Watches the process that listens at a path.
    pub fn new(socket: &Path) -> io::Result<Self> {
        let listener = peer_process(&connect(socket)?)?;
        let listener = listener.ok_or_else(|| io::Error::other("it is in another PID namespace"))?;
        // It becomes readable as a pipe does.
        Ok(Self(Receiver::from_owned_fd_unchecked(pidfd_open(listener, PidfdFlags::NONBLOCK)?)?))
    }

    /// Waits until it has ended.
    pub async fn ended(&self) {
        if self.0.readable().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        process::{Command, Stdio},
        time::Duration,
    };

    use super::*;

    #[tokio::test]
    async fn the_end_of_a_process_is_noticed() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().expect("cat starts");
        let pid = rustix::process::Pid::from_child(&child);
        let pidfd = pidfd_open(pid, PidfdFlags::NONBLOCK).expect("it runs");
        let watch = ProcessWatch(Receiver::from_owned_fd_unchecked(pidfd).expect("it can be polled"));
        let soon = tokio::time::timeout(Duration::from_millis(50), watch.ended());
        assert!(soon.await.is_err(), "it runs");
        drop(child.stdin.take());
        watch.ended().await;
        child.wait().expect("it has ended");
    }

    #[tokio::test]
    async fn the_process_is_the_one_that_listens() {
        let place = tempfile::tempdir().expect("a temporary directory can be made");
        let path = place.path().join("p.sock");
        ProcessWatch::new(&path).expect_err("nobody listens");
        let _listener = std::os::unix::net::UnixListener::bind(&path).expect("it can be bound");
        let watch = ProcessWatch::new(&path).expect("this process listens");
        assert!(tokio::time::timeout(Duration::from_millis(50), watch.ended()).await.is_err());
    }
}
