//! Syncs a directory once for all changes that wait for it.

use std::io;

use parking_lot::{Condvar, Mutex};

/// Changes that come while a sync is under way share the next one.
#[derive(Debug, Default)]
pub struct GroupSync {
    state: Mutex<SyncState>,
    done: Condvar,
}

#[derive(Debug, Default)]
struct SyncState {
    /// The number of changes that have asked for a sync, and of those that are on the disk.
    asked: u64,
    synced: u64,
    under_way: bool,
}

impl GroupSync {
    /// Returns once a sync has succeeded that began after this call. `sync` is called by one caller at a time.
    pub fn wait(&self, sync: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let mut state = self.state.lock();
        state.asked += 1;
        let own = state.asked;
        while state.synced < own && state.under_way {
            self.done.wait(&mut state);
        }
        if state.synced >= own {
            return Ok(());
        }
        state.under_way = true;
        let group = state.asked;
        drop(state);
        let result = sync();
        let mut state = self.state.lock();
        state.under_way = false;
        if result.is_ok() {
            state.synced = group;
        }
        self.done.notify_all();
        result
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
            mpsc,
        },
        thread,
    };

    use super::*;

    #[test]
    fn changes_that_come_during_a_sync_share_the_next_one() {
        let (group, syncs) = (Arc::new(GroupSync::default()), Arc::new(AtomicUsize::new(0)));
        let (go, wait) = mpsc::channel::<()>();
        let (began, begins) = mpsc::channel();
        let first = thread::spawn({
            let group = Arc::clone(&group);
            move || {
                group.wait(|| {
                    began.send(()).expect("the test waits");
                    wait.recv().map_err(io::Error::other)
                })
            }
        });
        begins.recv().expect("the first sync begins");
        let others = (0..20).map(|_| {
            let (group, syncs) = (Arc::clone(&group), Arc::clone(&syncs));
            thread::spawn(move || {
                group.wait(|| {
                    syncs.fetch_add(1, Ordering::Relaxed);
                    Ok(())
                })
            })
        });
        let others: Vec<_> = others.collect();
        while group.state.lock().asked < 21 {
            thread::yield_now();
        }
        assert_eq!(syncs.load(Ordering::Relaxed), 0, "none begins while one is under way");
        go.send(()).expect("the sync waits");
        for thread in others.into_iter().chain([first]) {
            thread.join().expect("no thread panics").expect("every sync succeeds");
        }
        assert_eq!(syncs.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_sync_that_fails_is_no_sync_for_the_others() {
        let group = GroupSync::default();
        assert!(group.wait(|| Err(io::Error::other("no"))).is_err());
        let mut called = false;
        group
            .wait(|| {
                called = true;
                Ok(())
            })
            .expect("the second sync succeeds");
        assert!(called);
    }
}
