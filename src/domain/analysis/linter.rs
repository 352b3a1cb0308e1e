//! Finds protocol warnings.
//!
//! All but `leaked-mount` show when a call arrives, and that one when it ends. A lint does not change the reply.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::domain::{
    model::{
        entry::{Call, Outcome},
        lint::Lint,
        protocol::{Caller, Operation},
        volume::{Change, Volume, Volumes},
    },
    rules::RequestContext,
};

/// How many failed Unmounts are remembered.
const MAX_FAILED_UNMOUNTS: usize = 256;

/// Finds lints. It remembers what makes a later call odd.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Linter {
    callers: [CallerHistory; Caller::ALL.len()],
    /// The volumes and mount IDs whose latest Unmount failed, the oldest first.
    failed_unmounts: VecDeque<(Box<str>, Box<str>)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct CallerHistory {
    /// How many handshakes no request for the capabilities has followed yet. Several engines of one kind can share a
    /// driver, each with a handshake of its own. None before the first: an engine sends none to a managed plugin.
    handshakes: Option<u64>,
    /// Its latest call, other than Path, was a List.
    listed: bool,
}

impl Linter {
    /// The lints of a call as it arrives. `volume` is the record of the volume that it names.
    pub fn on_arrival(&self, context: &RequestContext<'_>, volume: Option<&Volume>) -> Vec<Lint> {
        let history = &self.callers[context.caller as usize];
        let is = |operation| context.operation == Some(operation);
        let nameless = context.operation.is_some_and(Operation::requires_volume) && context.volume.is_empty();
        let exists = volume.is_some_and(|volume| volume.exists);
        let id_is_mounted = volume.is_some_and(|volume| volume.mounts.contains_key(context.id));
        let unmount_failed = || self.failed_unmount(context.volume, context.id).is_some();
        let lints = [
            (nameless, Lint::NamelessRequest),
            (context.retry, Lint::EmptyBodyRetry),
            (is(Operation::Create) && exists, Lint::DuplicateCreate),
            (is(Operation::Mount) && !exists && !nameless, Lint::MountOfUnknownVolume),
            (is(Operation::Mount) && id_is_mounted && unmount_failed(), Lint::ReusedMountId),
            (is(Operation::Unmount) && !id_is_mounted && !nameless, Lint::UnmountOfUnknownId),
            (is(Operation::Remove) && context.mounted, Lint::RemoveWhileMounted),
            (is(Operation::Capabilities) && history.handshakes == Some(0), Lint::RepeatedCapabilities),
            (is(Operation::Path) && history.listed, Lint::PathDuringList),
        ];
        lints.into_iter().filter_map(|(applies, lint)| applies.then_some(lint)).collect()
    }

    /// The lint that only the end of a call shows.
    pub fn at_end(call: &Call, volumes: &Volumes) -> Option<Lint> {
        let leaks = engine_saw_failure(call)
            && match call.operation {
                Some(Operation::Mount) => {
                    call.changes.iter().any(|change| matches!(change, Change::Mounted { .. }))
                }
                Some(Operation::Unmount) => mount(call).is_some_and(|(name, id)| {
                    volumes.known(name).is_some_and(|volume| volume.mounts.contains_key(id))
                }),
                _ => false,
            };
        leaks.then_some(Lint::LeakedMount)
    }

    /// Learns from the end of a call.
    pub fn apply(&mut self, call: &Call) {
        let Some(operation) = call.operation else { return };
        let history = &mut self.callers[call.caller as usize];
        match operation {
            Operation::Activate => {
                history.listed = false;
                *history.handshakes.get_or_insert_default() += 1;
            }
            Operation::Path => {}
            _ => history.listed = operation == Operation::List,
        }
        if operation == Operation::Capabilities && call.outcome == Outcome::Ok {
            history.handshakes = history.handshakes.map(|handshakes| handshakes.saturating_sub(1));
        }
        if let (Operation::Mount | Operation::Unmount, Some((name, id))) = (operation, mount(call)) {
            if let Some(index) = self.failed_unmount(name, id) {
                self.failed_unmounts.remove(index);
            }
            if operation == Operation::Unmount && engine_saw_failure(call) {
                if self.failed_unmounts.len() == MAX_FAILED_UNMOUNTS {
                    self.failed_unmounts.pop_front();
                }
                self.failed_unmounts.push_back((name.into(), id.into()));
            }
        }
    }

    fn failed_unmount(&self, name: &str, id: &str) -> Option<usize> {
        self.failed_unmounts.iter().position(|(volume, failed)| (&**volume, &**failed) == (name, id))
    }
}

/// The volume and the mount ID of a call that names both.
fn mount(call: &Call) -> Option<(&str, &str)> {
    call.volume.as_deref().zip(call.mount_id.as_deref())
}

/// A broken reply without an error, such as `{}`, is a success to an engine.
fn engine_saw_failure(call: &Call) -> bool {
    match call.outcome {
        Outcome::Ok => false,
        Outcome::Error => call.status.is_none() || call.error.is_some(),
        Outcome::Cancelled | Outcome::Panicked => true,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use jiff::Timestamp;

    use super::*;
    use crate::domain::model::protocol::Options;

    static NO_OPTIONS: LazyLock<Options> = LazyLock::new(Options::new);

    fn ended(operation: Operation, caller: Caller, name: &str, id: &str, failed: bool) -> Call {
        let non_empty = |text: &str| (!text.is_empty()).then(|| text.into());
        let (outcome, error) = if failed { (Outcome::Error, non_empty("busy")) } else { (Outcome::Ok, None) };
        let (volume, mount_id) = (non_empty(name), non_empty(id));
        Call { volume, mount_id, outcome, error, ..Call::ok(operation, caller) }
    }

    /// The lints of calls in the words `[CALLER] [failed] OPERATION [VOLUME [ID]]` or `OPERATION retried`. The volume
    /// `old` exists, `busy` is mounted under `7f`, and `lost` is forgotten and mounted under `7f`.
    fn lints(calls: &[&str]) -> Vec<String> {
        let volume = |name: &str| {
            let (exists, mounted) = match name {
                "old" => (true, false),
                "busy" => (true, true),
                "lost" => (false, true),
                _ => return None,
            };
            let mounts = mounted.then(|| ("7f".to_owned(), 1)).into_iter().collect();
            let created = Timestamp::UNIX_EPOCH;
            Some(Volume { name: name.into(), options: Options::new(), created, exists, mounts, mask: None })
        };
        let mut linter = Linter::default();
        let mut lint = |call: &&str| {
            let mut words = call.split(' ').peekable();
            let caller = words.next_if_eq(&"podman").map_or(Caller::Docker, |_| Caller::Podman);
            let failed = words.next_if_eq(&"failed").is_some();
            let operation: Operation = words.next().and_then(|word| word.parse().ok()).expect(call);
            let retry = words.next_if_eq(&"retried").is_some();
            let (name, id) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            let record = volume(name);
            let mounted = record.as_ref().is_some_and(Volume::is_mounted);
            let context = RequestContext {
                volume: name,
                id,
                mounted,
                retry,
                ..RequestContext::new(operation, caller, &NO_OPTIONS)
            };
            let lints = linter.on_arrival(&context, record.as_ref());
            linter.apply(&ended(operation, caller, name, id, failed));
            lints.into_iter().map(Lint::as_str).collect::<Vec<_>>().join(" ")
        };
        calls.iter().map(&mut lint).collect()
    }

    #[test]
    fn a_call_can_have_a_lint_on_its_own() {
        for (call, expected) in [
            ("get old", ""),
            ("get", "nameless-request"),
            ("list", ""),
            ("list retried", "empty-body-retry"),
            ("mount retried", "nameless-request empty-body-retry"),
            ("unmount retried", "nameless-request empty-body-retry"),
            ("create new", ""),
            ("create lost", ""),
            ("create old", "duplicate-create"),
            ("mount old 7f", ""),
            ("mount new 7f", "mount-of-unknown-volume"),
            ("mount lost 8a", "mount-of-unknown-volume"),
            ("mount lost 7f", "mount-of-unknown-volume"),
            ("mount busy 7f", ""),
            ("mount busy 8a", ""),
            ("unmount busy 7f", ""),
            ("unmount busy 8a", "unmount-of-unknown-id"),
            ("unmount new 7f", "unmount-of-unknown-id"),
            ("remove old", ""),
            ("remove busy", "remove-while-mounted"),
            ("remove new", ""),
        ] {
            assert_eq!(lints(&[call]), [expected], "{call}");
        }
    }

    #[test]
    fn a_call_can_have_a_lint_after_others() {
        for (calls, expected) in [
            (&["activate", "capabilities", "capabilities"][..], "repeated-capabilities"),
            (&["activate", "capabilities", "activate", "capabilities"], ""),
            (&["activate", "activate", "capabilities", "capabilities"], ""),
            (&["capabilities", "capabilities"], ""),
            (&["activate", "failed capabilities", "capabilities"], ""),
            (&["failed unmount busy 7f", "mount busy 7f"], "reused-mount-id"),
            (&["failed unmount busy 7f", "unmount busy 7f", "mount busy 7f"], ""),
            (&["failed unmount busy 7f", "mount busy 7f", "mount busy 7f"], ""),
            (&["failed unmount busy 7f", "mount old 7f"], ""),
            (&["capabilities", "podman capabilities"], ""),
            (&["list", "path old"], "path-during-list"),
            (&["list", "path old", "path busy"], "path-during-list"),
            (&["list", "get old", "path old"], ""),
            (&["list", "podman path old"], ""),
            (&["path old"], ""),
        ] {
            assert_eq!(lints(calls).last().map(String::as_str), Some(expected), "{calls:?}");
        }
    }

    #[test]
    fn a_bounded_number_of_failed_unmounts_is_remembered() {
        let mut linter = Linter::default();
        for id in 0..=MAX_FAILED_UNMOUNTS {
            linter.apply(&ended(Operation::Unmount, Caller::Docker, "v", &id.to_string(), true));
        }
        assert_eq!(linter.failed_unmounts.len(), MAX_FAILED_UNMOUNTS);
        assert_eq!(linter.failed_unmount("v", "0"), None);
    }

    #[test]
    fn a_mount_leaks_if_it_is_done_and_the_engine_saw_a_failure() {
        let mounted = Change::Mounted { name: "v".into(), id: "7f".into(), at: Timestamp::UNIX_EPOCH };
        for (outcome, status, error, changed, leaks) in [
            (Outcome::Error, Some(500), Some("boom"), true, true),
            (Outcome::Error, None, None, true, true),
            (Outcome::Cancelled, None, None, true, true),
            (Outcome::Panicked, Some(500), None, true, true),
            (Outcome::Error, Some(200), None, true, false),
            (Outcome::Ok, Some(200), None, true, false),
            (Outcome::Error, Some(500), Some("boom"), false, false),
        ] {
            let call = Call {
                outcome,
                status,
                error: error.map(Into::into),
                changes: Vec::from_iter(changed.then(|| mounted.clone())),
                ..Call::ok(Operation::Mount, Caller::Docker)
            };
            let expected = leaks.then_some(Lint::LeakedMount);
            assert_eq!(
                Linter::at_end(&call, &Volumes::default()),
                expected,
                "{outcome:?} {status:?} {error:?} {changed}"
            );
        }
    }

    #[test]
    fn an_unmount_leaks_if_the_engine_saw_a_failure_and_the_mount_is_open() {
        let mut volumes = Volumes::default();
        let (name, at) = ("v".to_owned(), Timestamp::UNIX_EPOCH);
        volumes.apply(&Change::Created { name: name.clone(), options: Options::new(), at });
        volumes.apply(&Change::Mounted { name, id: "7f".into(), at });
        for (id, failed, leaks) in [("7f", true, true), ("7f", false, false), ("8a", true, false)] {
            let call = ended(Operation::Unmount, Caller::Docker, "v", id, failed);
            let expected = leaks.then_some(Lint::LeakedMount);
            assert_eq!(Linter::at_end(&call, &volumes), expected, "{id} {failed}");
        }
    }
}
