//! Notices changes of a directory, without a look at it from time to time.

use std::{io, path::Path};

use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use tokio::net::unix::pipe::Receiver;

/// A directory whose changes the kernel reports.
#[derive(Debug)]
pub struct DirectoryWatch(Receiver);

impl DirectoryWatch {
    /// Watches a directory.
    pub fn new(directory: &Path) -> io::Result<Self> {
        let watch = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let changes = WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::MOVE
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF;
        inotify::add_watch(&watch, directory, changes | WatchFlags::ONLYDIR)?;
        // It reads like a pipe.
        Ok(Self(Receiver::from_owned_fd_unchecked(watch)?))
    }

    /// Waits until something was created, renamed or removed.
    pub async fn changed(&self) {
        let mut events = [0; 4096];
        loop {
            if self.0.readable().await.is_err() {
                std::future::pending::<()>().await;
            }
            match self.0.try_read(&mut events) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                _ => return,
            }
        }
    }
}
