//! Finds protocol warnings.
//!
//! All but `leaked-mount` show when a call arrives, and that one when it ends. A lint does not change the reply.

use serde::{Deserialize, Serialize};

use crate::domain::{
    model::{
        entry::{Call, Outcome},
        lint::Lint,
        protocol::{Caller, Operation},
        volume::{Change, Volume},
    },
    rules::RequestContext,
};

/// Finds lints. It remembers of each caller what makes a later call odd.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Linter([CallerHistory; Caller::ALL.len()]);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct CallerHistory {
    /// It got the capabilities since its handshake.
    knows_capabilities: bool,
    /// Its latest call, other than Path, was a List.
    listed: bool,
}

impl Linter {
    /// The lints of a call as it arrives. `volume` is the record of the volume that it names.
    pub fn on_arrival(&self, context: &RequestContext<'_>, volume: Option<&Volume>) -> Vec<Lint> {
        let history = &self.0[context.caller as usize];
        let is = |operation| context.operation == operation;
        let nameless = context.operation.requires_volume() && context.volume.is_empty();
        let exists = volume.is_some_and(|volume| volume.exists);
        let id_is_mounted = volume.is_some_and(|volume| volume.mounts.contains_key(context.id));
        let lints = [
            (nameless, Lint::NamelessRequest),
            (context.retry, Lint::EmptyBodyRetry),
            (is(Operation::Create) && exists, Lint::DuplicateCreate),
            (is(Operation::Mount) && !exists && !nameless, Lint::MountOfUnknownVolume),
            (is(Operation::Mount) && id_is_mounted, Lint::ReusedMountId),
            (is(Operation::Unmount) && !id_is_mounted && !nameless, Lint::UnmountOfUnknownId),
            (is(Operation::Remove) && context.mounted, Lint::RemoveWhileMounted),
            (is(Operation::Capabilities) && history.knows_capabilities, Lint::RepeatedCapabilities),
            (is(Operation::Path) && history.listed, Lint::PathDuringList),
        ];
        lints.into_iter().filter_map(|(applies, lint)| applies.then_some(lint)).collect()
    }

    /// The lint that only the end of a call shows.
    pub fn at_end(call: &Call) -> Option<Lint> {
        // A broken reply without an error, such as `{}`, is a success to an engine.
        let engine_saw_failure = match call.outcome {
            Outcome::Ok => false,
            Outcome::Error => call.status.is_none() || call.error.is_some(),
            Outcome::Cancelled | Outcome::Panicked => true,
        };
        let mounted = call.changes.iter().any(|change| matches!(change, Change::Mounted { .. }));
        (engine_saw_failure && mounted).then_some(Lint::LeakedMount)
    }

    /// Learns from the end of a call.
    pub fn apply(&mut self, call: &Call) {
        let Some(operation) = call.operation else { return };
        let history = &mut self.0[call.caller as usize];
        match operation {
            Operation::Activate => *history = CallerHistory::default(),
            Operation::Path => {}
            _ => history.listed = operation == Operation::List,
        }
        history.knows_capabilities |= operation == Operation::Capabilities && call.outcome == Outcome::Ok;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use jiff::Timestamp;

    use super::*;
    use crate::domain::model::protocol::Options;

    static NO_OPTIONS: LazyLock<Options> = LazyLock::new(Options::new);

    /// The marks of calls in the words `[CALLER] OPERATION [VOLUME [ID]]` or `OPERATION retried`. The volume `old`
    /// is there, `busy` is mounted under `7f`, and `lost` is forgotten and mounted under `7f`.
    fn marks(calls: &[&str]) -> Vec<String> {
        let volume = |name: &str| {
            let (exists, mounted) = match name {
                "old" => (true, false),
                "busy" => (true, true),
                "lost" => (false, true),
                _ => return None,
            };
            let mounts = mounted.then(|| ("7f".to_owned(), 1)).into_iter().collect();
            let created = Timestamp::UNIX_EPOCH;
            Some(Volume { name: name.into(), options: Options::new(), created, exists, mounts })
        };
        let mut linter = Linter::default();
        let mut mark = |call: &&str| {
            let mut words = call.split(' ').peekable();
            let caller = words.next_if_eq(&"podman").map_or(Caller::Docker, |_| Caller::Podman);
            let operation: Operation = words.next().and_then(|word| word.parse().ok()).expect(call);
            let retry = words.next_if_eq(&"retried").is_some();
            let (name, id) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            let record = volume(name);
            let mounted = record.as_ref().is_some_and(Volume::is_mounted);
            let context =
                RequestContext { operation, volume: name, id, options: &NO_OPTIONS, caller, mounted, retry };
            let lints = linter.on_arrival(&context, record.as_ref());
            linter.apply(&Call::ok(operation, caller));
            lints.into_iter().map(Lint::as_str).collect::<Vec<_>>().join(" ")
        };
        calls.iter().map(&mut mark).collect()
    }

    #[test]
    fn a_call_is_marked_with_what_is_odd_about_it() {
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
            ("mount lost 7f", "mount-of-unknown-volume reused-mount-id"),
            ("mount busy 7f", "reused-mount-id"),
            ("mount busy 8a", ""),
            ("unmount busy 7f", ""),
            ("unmount busy 8a", "unmount-of-unknown-id"),
            ("unmount new 7f", "unmount-of-unknown-id"),
            ("remove old", ""),
            ("remove busy", "remove-while-mounted"),
            ("remove new", ""),
        ] {
            assert_eq!(marks(&[call]), [expected], "{call}");
        }
    }

    #[test]
    fn a_call_is_odd_after_others() {
        for (calls, expected) in [
            (&["activate", "capabilities", "capabilities"][..], "repeated-capabilities"),
            (&["capabilities", "activate", "capabilities"], ""),
            (&["capabilities", "podman capabilities"], ""),
            (&["list", "path old"], "path-during-list"),
            (&["list", "path old", "path busy"], "path-during-list"),
            (&["list", "get old", "path old"], ""),
            (&["list", "podman path old"], ""),
            (&["path old"], ""),
        ] {
            assert_eq!(marks(calls).last().map(String::as_str), Some(expected), "{calls:?}");
        }
    }

    #[test]
    fn capabilities_that_were_not_reported_may_be_asked_for_again() {
        let mut linter = Linter::default();
        let context = RequestContext {
            operation: Operation::Capabilities,
            volume: "",
            id: "",
            options: &NO_OPTIONS,
            caller: Caller::Docker,
            mounted: false,
            retry: false,
        };
        linter.apply(&Call { outcome: Outcome::Error, ..Call::ok(context.operation, context.caller) });
        assert_eq!(linter.on_arrival(&context, None), []);
    }

    #[test]
    fn a_mount_leaks_if_it_is_open_and_the_engine_learned_that_it_failed() {
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
            assert_eq!(Linter::at_end(&call), expected, "{outcome:?} {status:?} {error:?} {changed}");
        }
    }
}
