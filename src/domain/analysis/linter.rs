//! Lints: oddities of the protocol, marked on the call that shows them.
//!
//! Nine show when the call arrives, and `leaked-mount` when it ends. None is an error: the call is
//! answered as any other.

use serde::{Deserialize, Serialize};

use crate::domain::{
    model::{
        entry::{Call, Outcome},
        protocol::{Caller, Operation},
        volume::{Change, Volume},
    },
    rules::RequestContext,
};

/// What no healthy engine and driver exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lint {
    /// A call about a volume that does not name one.
    NamelessRequest,
    /// A body that was empty where one is due: `dockerd` retries so.
    EmptyBodyRetry,
    /// A Create of a volume that is there.
    DuplicateCreate,
    /// A Mount of a volume that the driver does not know.
    MountOfUnknownVolume,
    /// A mount that the engine was told had failed, yet is open in the driver.
    LeakedMount,
    /// A Mount with an ID that is mounted.
    ReusedMountId,
    /// An Unmount of an ID that is not mounted.
    UnmountOfUnknownId,
    /// A Remove of a volume with open mounts.
    RemoveWhileMounted,
    /// A second request for the capabilities by the same engine.
    RepeatedCapabilities,
    /// A Path call between a List and its reply's use: one call per volume that nobody needs.
    PathDuringList,
}

impl Lint {
    /// All of them, in the order of their documentation.
    pub const ALL: [Self; 10] = [
        Self::NamelessRequest,
        Self::EmptyBodyRetry,
        Self::DuplicateCreate,
        Self::MountOfUnknownVolume,
        Self::LeakedMount,
        Self::ReusedMountId,
        Self::UnmountOfUnknownId,
        Self::RemoveWhileMounted,
        Self::RepeatedCapabilities,
        Self::PathDuringList,
    ];

    /// Its name on the screen, in filters and in the journal.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NamelessRequest => "nameless-request",
            Self::EmptyBodyRetry => "empty-body-retry",
            Self::DuplicateCreate => "duplicate-create",
            Self::MountOfUnknownVolume => "mount-of-unknown-volume",
            Self::LeakedMount => "leaked-mount",
            Self::ReusedMountId => "reused-mount-id",
            Self::UnmountOfUnknownId => "unmount-of-unknown-id",
            Self::RemoveWhileMounted => "remove-while-mounted",
            Self::RepeatedCapabilities => "repeated-capabilities",
            Self::PathDuringList => "path-during-list",
        }
    }

    /// What it means, and why it happens.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::NamelessRequest => {
                "a call about a volume names none. The driver refuses it; dockerd sends such calls when \
                 it retries with an empty body."
            }
            Self::EmptyBodyRetry => {
                "the body is empty where this caller sends one. dockerd retries so after a connection \
                 that broke (moby #39331): it has used the body up."
            }
            Self::DuplicateCreate => {
                "a Create of a volume that is there. The engine did not see it, because a Get failed or \
                 another engine made it; its options replace the old ones."
            }
            Self::MountOfUnknownVolume => {
                "a Mount of a volume that the driver does not admit to. The engine remembers a volume \
                 that was forgotten, removed or never created."
            }
            Self::LeakedMount => {
                "a Mount did its work, and the engine was told that it failed, or had given up. No \
                 Unmount will follow: the mount stays open until somebody ends it."
            }
            Self::ReusedMountId => {
                "a Mount with an ID that is mounted on this volume. docker cp on a running container does \
                 so, and dockerd after a failed Unmount or a crash."
            }
            Self::UnmountOfUnknownId => {
                "an Unmount of an ID that is not mounted. The driver lost its memory, or the mount ended \
                 behind the engine's back."
            }
            Self::RemoveWhileMounted => {
                "a Remove of a volume with open mounts. The engine has lost its references, as it does \
                 after a bad Get."
            }
            Self::RepeatedCapabilities => {
                "an engine that was told the capabilities asks again without a new handshake. Managed \
                 plugins are asked before each Get."
            }
            Self::PathDuringList => {
                "a Path right after a List by the same engine: one call for each volume, which nobody \
                 needs. dockerd's own tests hold it to none."
            }
        }
    }
}

/// Marks calls. It remembers of each caller what makes a later call odd.
#[derive(Debug, Default)]
pub struct Linter([Memory; Caller::ALL.len()]);

#[derive(Clone, Copy, Debug, Default)]
struct Memory {
    /// It has been told the capabilities since its handshake.
    knows_capabilities: bool,
    /// Its latest call, other than Path, was a List.
    listed: bool,
}

impl Linter {
    /// What is odd about a call as it arrives. `volume` is the record of the volume that it names.
    pub fn arrived(&mut self, facts: &RequestContext<'_>, volume: Option<&Volume>) -> Vec<Lint> {
        let memory = &mut self.0[facts.caller as usize];
        let is = |operation| facts.operation == operation;
        let nameless = facts.operation.requires_volume() && facts.volume.is_empty();
        let known = volume.is_some_and(|volume| volume.known);
        let id_is_mounted = volume.is_some_and(|volume| volume.mounts.contains_key(facts.id));
        let odd = [
            (nameless, Lint::NamelessRequest),
            (facts.retry, Lint::EmptyBodyRetry),
            (is(Operation::Create) && known, Lint::DuplicateCreate),
            (is(Operation::Mount) && !known && !nameless, Lint::MountOfUnknownVolume),
            (is(Operation::Mount) && id_is_mounted, Lint::ReusedMountId),
            (is(Operation::Unmount) && !id_is_mounted && !nameless, Lint::UnmountOfUnknownId),
            (is(Operation::Remove) && facts.mounted, Lint::RemoveWhileMounted),
            (is(Operation::Capabilities) && memory.knows_capabilities, Lint::RepeatedCapabilities),
            (is(Operation::Path) && memory.listed, Lint::PathDuringList),
        ];
        match facts.operation {
            Operation::Activate => *memory = Memory::default(),
            Operation::Path => {}
            _ => memory.listed = is(Operation::List),
        }
        odd.into_iter().filter_map(|(odd, lint)| odd.then_some(lint)).collect()
    }

    /// Learns from the end of a call, and marks what only the end shows.
    pub fn ended(&mut self, call: &mut Call) {
        if call.operation == Some(Operation::Capabilities) && call.outcome == Outcome::Answered {
            self.0[call.caller as usize].knows_capabilities = true;
        }
        // A broken answer that does not say no, such as `{}`, is a success to an engine.
        let told_of_failure = match call.outcome {
            Outcome::Answered => false,
            Outcome::Failed => call.status.is_none() || call.error.is_some(),
            Outcome::Abandoned | Outcome::Panicked => true,
        };
        let mounted = call.changes.iter().any(|change| matches!(change, Change::Mounted { .. }));
        if told_of_failure && mounted && !call.lints.contains(&Lint::LeakedMount) {
            call.lints.push(Lint::LeakedMount);
        }
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
            let (known, mounted) = match name {
                "old" => (true, false),
                "busy" => (true, true),
                "lost" => (false, true),
                _ => return None,
            };
            let mounts = mounted.then(|| ("7f".to_owned(), 1)).into_iter().collect();
            let created = Timestamp::UNIX_EPOCH;
            Some(Volume { name: name.into(), options: Options::new(), created, known, mounts })
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
            let facts =
                RequestContext { operation, volume: name, id, options: &NO_OPTIONS, caller, mounted, retry };
            let lints = linter.arrived(&facts, record.as_ref());
            linter.ended(&mut Call::answered(operation, caller));
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
    fn capabilities_that_were_not_told_may_be_asked_for_again() {
        let mut linter = Linter::default();
        let facts = RequestContext {
            operation: Operation::Capabilities,
            volume: "",
            id: "",
            options: &NO_OPTIONS,
            caller: Caller::Docker,
            mounted: false,
            retry: false,
        };
        let mut call = Call { outcome: Outcome::Failed, ..Call::answered(facts.operation, facts.caller) };
        linter.ended(&mut call);
        assert_eq!(linter.arrived(&facts, None), []);
    }

    #[test]
    fn a_mount_leaks_if_it_is_open_and_the_engine_was_told_that_it_failed() {
        let mounted = Change::Mounted { name: "v".into(), id: "7f".into(), at: Timestamp::UNIX_EPOCH };
        for (outcome, status, error, changed, leaks) in [
            (Outcome::Failed, Some(500), Some("boom"), true, true),
            (Outcome::Failed, None, None, true, true),
            (Outcome::Abandoned, None, None, true, true),
            (Outcome::Panicked, Some(500), None, true, true),
            (Outcome::Failed, Some(200), None, true, false),
            (Outcome::Answered, Some(200), None, true, false),
            (Outcome::Failed, Some(500), Some("boom"), false, false),
        ] {
            let mut call = Call {
                outcome,
                status,
                error: error.map(Into::into),
                changes: Vec::from_iter(changed.then(|| mounted.clone())),
                ..Call::answered(Operation::Mount, Caller::Docker)
            };
            Linter::default().ended(&mut call);
            Linter::default().ended(&mut call);
            let expected: &[Lint] = if leaks { &[Lint::LeakedMount] } else { &[] };
            assert_eq!(call.lints, expected, "{outcome:?} {status:?} {error:?} {changed}");
        }
    }
}
