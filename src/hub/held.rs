//! Held calls: each waits for its release.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::{sync::oneshot, time::timeout};

use super::{Hub, Inner};
use crate::domain::{
    model::{
        entry::{EntryKind, HeldCall, ReleasedCall},
        fault::{Release, ReleasedBy},
    },
    rules::{CallKey, ReleaseAction},
};

/// Wakes a held call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wakeup {
    /// How it is released, as the entries have it.
    pub release: Release,
    /// The action that replaces its original reply.
    pub action: Option<ReleaseAction>,
}

impl Inner {
    /// The held calls that a command can release, in the order in which they began to wait.
    pub(super) fn releasable(&self) -> Vec<u64> {
        let waits = |call: u64| {
            let sender = self.waiters.get(&call).and_then(Option::as_ref);
            sender.is_some_and(|sender| !sender.is_closed())
        };
        let mut held: Vec<_> = self
            .state
            .held()
            .filter(|(_, call)| waits(call.number))
            .map(|(entry, call)| (entry.seq, call.number))
            .collect();
        held.sort_unstable();
        held.into_iter().map(|(_, call)| call).collect()
    }

    /// Releases the calls at the barrier at which a call waits, if they are enough.
    fn open_barrier(&mut self, at: Timestamp, call: u64) {
        let Some(held) = self.state.held_call(call) else { return };
        let Some(calls) = held.barrier else { return };
        let rule = held.fault.rule();
        let per = rule.and_then(|id| self.state.rules().get(id)).and_then(|rule| rule.rule().per());
        let place = |held: &HeldCall| {
            (held.fault.rule(), held.barrier, per.map(|per| per.key(CallKey::of_call(held.head()))))
        };
        let is_here =
            |other: &u64| self.state.held_call(*other).is_some_and(|other| place(other) == place(held));
        let together: Vec<u64> = self.releasable().into_iter().filter(is_here).collect();
        if together.len() as u64 >= calls {
            for call in together {
                self.release(at, call, ReleasedBy::Barrier, None);
            }
        }
    }

    /// Releases a call, unless its own time is over or it was released already.
    pub(super) fn release(
        &mut self,
        at: Timestamp,
        call: u64,
        by: ReleasedBy,
        action: Option<&ReleaseAction>,
    ) -> bool {
        let release = Release { by, action: action.map(|action| action.to_string().into()) };
        let wakeup = Wakeup { release: release.clone(), action: action.cloned() };
        let sender = self.waiters.get_mut(&call).and_then(Option::take);
        let sent = sender.is_some_and(|sender| sender.send(wakeup).is_ok());
        if sent {
            self.push(at, EntryKind::Released(ReleasedCall { call, release }));
        }
        sent
    }
}

impl Hub {
    /// Records that a call is held, and returns what it waits with.
    pub fn record_held(self: &Arc<Self>, held: HeldCall) -> HeldCallGuard {
        let (call, rule) = (held.number, held.fault.rule());
        let mut held = EntryKind::Held(Box::new(held));
        self.redaction.entry(&mut held);
        let (sender, released) = oneshot::channel();
        let mut inner = self.locked.lock();
        let at = self.now();
        let seq = inner.push(at, held).seq;
        inner.waiters.insert(call, Some(sender));
        inner.open_barrier(at, call);
        // Its rule may have ended since it decided.
        if !inner.state.rule_in_force(rule, at) {
            inner.release(at, call, ReleasedBy::RuleEnded, None);
        }
        self.publish_desired_state(&mut inner);
        drop(inner);
        self.changes.send();
        HeldCallGuard { hub: Arc::clone(self), call, seq, released }
    }

    /// Releases every held call, at the end of the program.
    pub fn release_all(&self) -> usize {
        let mut inner = self.locked.lock();
        let at = self.now();
        let calls = inner.releasable();
        calls.into_iter().filter(|call| inner.release(at, *call, ReleasedBy::Shutdown, None)).count()
    }
}

/// What a held call waits with. It is dropped when the call goes on.
pub struct HeldCallGuard {
    hub: Arc<Hub>,
    /// The call's number.
    pub call: u64,
    /// The `seq` of its `held` entry.
    pub seq: u64,
    released: oneshot::Receiver<Wakeup>,
}

impl HeldCallGuard {
    /// Waits until a command, or the end of the rule, releases the call. Ask again only if the wait was given up.
    pub async fn wait(&mut self) -> Option<Wakeup> {
        (&mut self.released).await.ok()
    }

    /// The same, but at most for a time. After it the call goes on by itself, and no command can reach it any more.
    pub async fn wait_at_most(&mut self, limit: Duration) -> Option<Wakeup> {
        if let Ok(wakeup) = timeout(limit, self.wait()).await {
            return wakeup;
        }
        self.released.close();
        // It may have been released in the last moment.
        self.released.try_recv().ok()
    }
}

impl Drop for HeldCallGuard {
    fn drop(&mut self) {
        let mut inner = self.hub.locked.lock();
        inner.waiters.remove(&self.call);
        self.hub.publish_desired_state(&mut inner);
        drop(inner);
        self.hub.changes.send();
    }
}
