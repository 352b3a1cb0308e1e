//! Watches the upstream: whether it listens, and whether it has bound its socket again.

use std::{path::Path, time::Duration};

use futures_util::future::OptionFuture;
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep_until},
};

use super::driver::Forwarding;
use crate::net::{Address, DirectoryWatch, ProcessWatch, is_listening, is_up};

/// How often an upstream that does not listen is probed.
const PROBE_INTERVAL: Duration = Duration::from_millis(100);
/// How often the path is looked at even if no change is noticed.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// Wakes up when the upstream may have changed.
pub struct UpstreamWatch {
    forwarding: Forwarding,
    directory: Option<DirectoryWatch>,
    /// The upstream's process, if it is one of this machine that can be seen.
    process: Option<ProcessWatch>,
    next: Instant,
    /// Whether something suggests that the upstream has started or ended.
    suspicious: bool,
    /// Connects to a TCP port, which may take a while.
    probe: Option<JoinHandle<bool>>,
    /// What the probe has found.
    found: Option<bool>,
    /// Whether the upstream listened when it was last looked at.
    pub was_up: bool,
    /// Whether nothing was at the path then.
    pub was_gone: bool,
    /// Why the path could not be taken again then.
    pub refusal: Option<String>,
}

impl UpstreamWatch {
    /// Watches an upstream, and the directory of the socket whose place was taken.
    pub fn new(forwarding: Forwarding, path: Option<&Path>) -> Self {
        let directory = path.and_then(|path| DirectoryWatch::new(path.parent()?).ok());
        let mut watch = Self {
            forwarding,
            directory,
            process: None,
            next: Instant::now() + LOOK_INTERVAL,
            suspicious: false,
            probe: None,
            found: None,
            was_up: true,
            was_gone: false,
            refusal: None,
        };
        watch.follow_process();
        watch
    }

    /// Follows the process that listens now.
    pub fn follow_process(&mut self) {
        self.process = match &self.forwarding.upstream.address {
            Address::Unix(Some(path)) => ProcessWatch::new(path).ok(),
            Address::Unix(None) | Address::Tcp(_) => None,
        };
    }

    /// Waits until there may be a change.
    pub async fn changed(&mut self) {
        let is_watched = self.directory.is_some();
        let in_directory = OptionFuture::from(self.directory.as_ref().map(DirectoryWatch::changed));
        let process_ended = OptionFuture::from(self.process.as_ref().map(ProcessWatch::ended));
        let probed = OptionFuture::from(self.probe.as_mut());
        let mut has_ended = false;
        self.suspicious = tokio::select! {
            Some(is_up) = probed => {
                (self.probe, self.found) = (None, Some(is_up.unwrap_or(false)));
                false
            }
            Some(()) = in_directory => true,
            Some(()) = process_ended => {
                has_ended = true;
                true
            }
            () = self.forwarding.suspected.notified() => true,
            () = sleep_until(self.next), if is_watched || !self.was_up => false,
        };
        if has_ended {
            self.process = None;
        }
    }

    /// Whether the upstream listens, as far as is known. It is asked only if something suggests a change. The next look
    /// comes soon if it does not, or if it is about to change.
    pub fn is_up(&mut self, is_changing: bool) -> bool {
        let found = self.found.take();
        let is_asked = found.is_none() && (self.suspicious || !self.was_up || self.was_gone);
        let is_up = match &self.forwarding.upstream.address {
            _ if !is_asked => found.unwrap_or(self.was_up),
            Address::Unix(path) => path.as_deref().is_some_and(|path| is_listening(path).unwrap_or(true)),
            address @ Address::Tcp(_) => {
                let address = address.clone();
                self.probe.get_or_insert_with(|| tokio::spawn(async move { is_up(&address).await }));
                self.was_up
            }
        };
        if is_up && self.process.is_none() {
            self.follow_process();
        }
        self.next = Instant::now() + if is_up && !is_changing { LOOK_INTERVAL } else { PROBE_INTERVAL };
        is_up
    }
}
