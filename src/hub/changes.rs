//! Wakes readers when something is new.
//!
//! It is a `tokio::sync::watch` of a counter, but for one thing: that goes through eight lists of waiting readers at each
//! change, which costs a third of what an entry does.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use tokio::sync::Notify;

#[derive(Debug, Default)]
struct SharedVersion {
    /// How many changes there were.
    version: AtomicU64,
    has_ended: AtomicBool,
    changed: Notify,
}

/// Announces changes. Readers see the end when it is dropped.
#[derive(Debug, Default)]
pub struct ChangeSender(Arc<SharedVersion>);

impl ChangeSender {
    /// Something is new.
    pub fn send(&self) {
        self.0.version.fetch_add(1, Ordering::AcqRel);
        self.0.changed.notify_waiters();
    }

    /// A reader of the changes from now on.
    pub fn subscribe(&self) -> Changes {
        Changes { shared: Arc::clone(&self.0), seen: self.0.version.load(Ordering::Acquire) }
    }
}

impl Drop for ChangeSender {
    fn drop(&mut self) {
        self.0.has_ended.store(true, Ordering::Release);
        self.0.changed.notify_waiters();
    }
}

/// There will be no more changes.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("there will be no more changes")]
pub struct NoMoreChanges;

/// Waits for changes. A reader that was away gets one wake-up for all it missed.
#[derive(Clone, Debug)]
pub struct Changes {
    shared: Arc<SharedVersion>,
    seen: u64,
}

impl Changes {
    /// Waits until there is a change that was not seen yet, and marks it as seen.
    pub async fn changed(&mut self) -> Result<(), NoMoreChanges> {
        loop {
            // It is woken by all that happens from here on.
            let changed = self.shared.changed.notified();
            let has_ended = self.shared.has_ended.load(Ordering::Acquire);
            let version = self.shared.version.load(Ordering::Acquire);
            if std::mem::replace(&mut self.seen, version) != version {
                return Ok(());
            }
            if has_ended {
                return Err(NoMoreChanges);
            }
            changed.await;
        }
    }

    /// Whether there is a change that was not seen yet.
    pub fn has_changed(&self) -> bool {
        self.shared.version.load(Ordering::Acquire) != self.seen
    }

    /// Marks all changes as seen.
    pub fn mark_unchanged(&mut self) {
        self.seen = self.shared.version.load(Ordering::Acquire);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn a_reader_is_woken_once_for_all_it_missed_and_sees_the_end_last() {
        let sender = ChangeSender::default();
        let mut changes = sender.subscribe();
        assert_eq!(changes.changed().now_or_never(), None);
        sender.send();
        sender.send();
        assert!(changes.has_changed());
        assert_eq!(changes.changed().await, Ok(()));
        assert_eq!(changes.changed().now_or_never(), None);
        sender.send();
        changes.mark_unchanged();
        assert!(!changes.has_changed());
        sender.send();
        drop(sender);
        assert_eq!(changes.changed().await, Ok(()));
        assert_eq!(changes.changed().await, Err(NoMoreChanges));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn no_wake_up_is_lost_to_a_reader_on_another_thread() {
        const CHANGES: u64 = 20_000;
        let sender = ChangeSender::default();
        let mut changes = sender.subscribe();
        let reader = tokio::spawn(async move { while changes.changed().await.is_ok() {} });
        for _ in 0..CHANGES {
            sender.send();
            tokio::task::yield_now().await;
        }
        drop(sender);
        reader.await.expect("it sees the end");
    }
}
