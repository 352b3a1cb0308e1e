//! Call sequences as they were watched on real engines, and the groups that they make.

use proptest::prelude::*;

use super::*;
use crate::domain::model::entry::{AppliedFault, Body, Call, EntryKind, HeldCall, ShellEvent, ShellResult};

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).expect("a time")
}

/// Calls in the words `[CALLER:] OPERATION[!][#ID] [VOLUME]`, each 2 ms after the one before and 1 ms long. `!`
/// says no, `~` is cut off; an operation with `?` is a retry, which has no body. `+500` lets 500 ms pass.
struct Fixture {
    now: i64,
    seq: u64,
    groups: CallGroups,
    mounted: Vec<String>,
}

impl Fixture {
    fn new() -> Self {
        Self { now: 0, seq: 0, groups: CallGroups::default(), mounted: Vec::new() }
    }

    fn record(&mut self, calls: &str) {
        for call in calls.split(',').map(str::trim).filter(|call| !call.is_empty()) {
            match call.strip_prefix('+') {
                Some(millis) => self.now += millis.parse::<i64>().expect(call),
                None => {
                    self.call(call);
                }
            }
        }
    }

    fn call(&mut self, text: &str) -> Option<u64> {
        let (caller, rest) = match text.split_once(": ") {
            Some((word, rest)) => (Caller::ALL.into_iter().find(|caller| caller.as_str() == word), rest),
            None => (Some(Caller::Docker), text),
        };
        let mut words = rest.split(' ');
        let word = words.next().unwrap_or_default();
        let volume = words.next();
        let (word, id) = word.split_once('#').map_or((word, None), |(word, id)| (word, Some(id)));
        let sign = word.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        let operation: Operation = word[..word.len() - sign.len()].parse().expect(text);
        let is_retry = sign.contains('?');
        let has_body = !is_retry && operation != Operation::Activate;
        let lost = sign.contains('~');
        let failed = lost || sign.contains('!');
        let volume =
            if is_retry || !operation.requires_volume() { None } else { Some(volume.unwrap_or("v")) };
        let again =
            operation == Operation::Mount && id.is_some_and(|id| self.mounted.iter().any(|at| at == id));
        match (operation, id) {
            (Operation::Mount, Some(id)) => self.mounted.push(id.to_owned()),
            (Operation::Unmount, Some(id)) => {
                let one = self.mounted.iter().position(|mounted| mounted == id);
                one.map(|one| self.mounted.remove(one));
            }
            _ => {}
        }
        self.now += 2;
        self.push(EntryKind::Call(Box::new(Call {
            volume: volume.map(Into::into),
            mount_id: id.map(Into::into),
            request: Body::from(if has_body { b"{}".to_vec() } else { Vec::new() }),
            outcome: if failed { Outcome::Error } else { Outcome::Ok },
            status: if lost { None } else { Some(200) },
            error: failed.then(|| "no such volume".into()),
            id_mounted: again,
            duration: Duration::from_millis(1),
            ..Call::ok(operation, caller.expect(text))
        })))
    }

    fn push(&mut self, kind: EntryKind) -> Option<u64> {
        self.seq += 1;
        self.groups.push(&Arc::new(Entry::new(self.seq, at(self.now), kind)))
    }

    /// The groups in words: name, volume, number of calls.
    fn described(&self) -> Vec<String> {
        let described = |group: &CallGroup| {
            let volume = group.volume().map_or_else(String::new, |volume| format!(" {volume}"));
            format!("{}{volume} ({})", group.name(), group.members().len())
        };
        self.groups.iter().map(described).collect()
    }
}

fn described(calls: &str) -> Vec<String> {
    let mut fixture = Fixture::new();
    fixture.record(calls);
    fixture.described()
}

#[test]
fn each_docker_command_is_one_group() {
    let anonymous = "ab".repeat(32);
    let run_rm = "get!, create, +300, get, mount#1, +400, get, unmount#1, get, get, remove"
        .split(", ")
        .map(|call| if call.starts_with('+') { call.to_owned() } else { format!("{call} {anonymous}") })
        .collect::<Vec<_>>()
        .join(", ");
    for (calls, expected) in [
        ("activate, capabilities, get!, create", "create v (4)"),
        ("get!, create", "create v (2)"),
        ("get", "inspect or create v (1)"),
        ("get!", "any command v (1)"),
        ("list", "ls (1)"),
        ("list, capabilities, capabilities", "ls (3)"),
        ("activate, list", "ls (2)"),
        ("activate", "handshake (1)"),
        ("get, get, remove", "rm v (3)"),
        ("get, mount#1", "start v (2)"),
        ("get, unmount#1", "stop or exit v (2)"),
        ("get, unmount#1, +120, get, mount#2", "restart v (4)"),
        ("get, +300, get, mount#1", "run or start v (3)"),
        ("get!, create, +300, get, mount#1", "run v (4)"),
        ("get!, create, +300, get, mount#1, +500, get, unmount#1", "run or create v (6)"),
        ("get, get, mount#1, get, unmount#1", "run or create v (5)"),
        ("get, get, mount#1, get, unmount#1, +200, get, mount#2", "run v (7)"),
        ("get, mount#1, get, unmount#1", "cp or start v (4)"),
        ("get, mount#1, get, unmount#1, get, mount#2, get, unmount#2", "cp v (8)"),
        ("activate, capabilities, get", "daemon start or create v (3)"),
        (&run_rm, &*format!("run {anonymous} (9)")),
    ] {
        assert_eq!(described(calls), [expected], "{calls}");
    }
}

#[test]
fn each_podman_command_is_one_group() {
    for (calls, expected) in [
        ("activate, get!, create", "create v (3)"),
        ("activate, get", "inspect or ls v (2)"),
        ("activate, get, remove", "rm v (3)"),
        ("activate, list", "reload (2)"),
        ("activate, mount#1", "start or run v (2)"),
        ("activate, mount#1, +600, activate, unmount#1", "run or cp v (4)"),
        ("activate, unmount#1", "stop or exit v (2)"),
        ("activate", "handshake (1)"),
    ] {
        let calls: Vec<_> = calls
            .split(", ")
            .map(|call| if call.starts_with('+') { call.into() } else { format!("podman: {call}") })
            .collect();
        assert_eq!(described(&calls.join(", ")), [expected], "{calls:?}");
    }
}

#[test]
fn the_calls_that_come_while_a_shell_command_runs_are_its() {
    let mut fixture = Fixture::new();
    fixture.record("get other");
    let command = "docker run --rm -v v:/v busybox true".to_owned();
    let started = ShellEvent::Started { command: command.clone() };
    assert_eq!(fixture.push(EntryKind::Shell(started)), None);
    fixture.record("activate, +3000, get!, create, +5000, get, mount#1, +9000, unmount#1");
    let finished = ShellResult {
        started: 2,
        command,
        exit: Some(0),
        signal: None,
        output: Body::default(),
        duration: Duration::from_secs(17),
    };
    fixture.push(EntryKind::Shell(ShellEvent::Finished(Box::new(finished))));
    fixture.record("get, remove");
    assert_eq!(
        fixture.described(),
        ["inspect or create other (1)", "run --rm -v v:/v busybox true v (6)", "rm v (2)"]
    );
}

#[test]
fn commands_that_follow_each_other_are_distinguished_by_their_calls_or_by_the_time_between() {
    for (calls, expected) in [
        ("get!, create, get, get, mount#1", &["create v (2)", "run or start v (3)"][..]),
        (
            "get, mount#1, +5000, get, mount#1, get, unmount#1, get, mount#1, get, unmount#1",
            &["start v (2)", "cp v (8)"],
        ),
        ("get, mount#1, +5000, get, mount#1, get, unmount#1, get, mount#1", &["start v (2)", "cp v (6)"]),
        ("get!, create, get, get, remove", &["create v (2)", "rm v (3)"]),
        ("get, get, get, remove", &["inspect or create v (1)", "rm v (3)"]),
        ("get, get, get, mount#1", &["inspect or create v (1)", "run or start v (3)"]),
        ("get, mount#1, +3000, get, unmount#1", &["start v (2)", "stop or exit v (2)"]),
        ("get, unmount#1, +3000, get, mount#2", &["stop or exit v (2)", "start v (2)"]),
        ("get, +3000, get, mount#1", &["inspect or create v (1)", "start v (2)"]),
        // The mount of a copy ends alone; that of the container goes on.
        (
            "get, mount#1, +5000, get, mount#1, get, unmount#1, +5000, get, unmount#1",
            &["start v (2)", "cp v (4)", "stop or exit v (2)"],
        ),
        ("get, unmount#1, get, get, remove", &["stop or exit v (2)", "rm v (3)"]),
        ("get, mount#1, get, mount#2", &["start v (2)", "start v (2)"]),
        (
            "activate, capabilities, get a, get b",
            &["daemon start or create a (3)", "inspect or daemon start b (1)"],
        ),
        ("list, list", &["ls (1)", "ls (1)"]),
    ] {
        assert_eq!(described(calls), expected, "{calls}");
    }
}

#[test]
fn what_no_engine_sends_is_in_no_group() {
    let mut fixture = Fixture::new();
    assert_eq!(fixture.call("other: get v"), None);
    assert_eq!(fixture.push(EntryKind::Note { text: "hello".into() }), None);
    assert_eq!(fixture.described(), [""; 0]);
}

#[test]
fn retries_belong_to_the_command_that_waits_for_them_however_long_they_take() {
    let mut fixture = Fixture::new();
    fixture.record("get, mount~#1, +997, mount~?, get other, +1997, mount~?, +3997, mount!?");
    assert_eq!(fixture.described(), ["start v (5)", "inspect or create other (1)"]);
    let group = fixture.groups.get(1).expect("the first");
    let timing = group.timing(at(0));
    let seconds = |duration: Duration| (duration.as_secs_f64() * 10.0).round() / 10.0;
    assert_eq!((seconds(timing.wall), seconds(timing.retries)), (7.0, 7.0));
    assert_eq!(timing.plugin, Duration::from_millis(5));
    assert_eq!(timing.wall, timing.plugin + timing.retries + timing.engine);
    assert_eq!(group.decisive().entry.seq, 6, "what failed and was tried again does not count");
}

#[test]
fn a_get_that_is_tried_again_goes_on_with_what_it_was_for() {
    assert_eq!(described("get~, +997, get!?, create"), ["create v (3)"]);
    assert_eq!(described("activate~, +997, activate, get!, create"), ["create v (4)"]);
}

#[test]
fn a_call_that_waits_is_in_its_group_and_its_end_takes_its_place() {
    let mut fixture = Fixture::new();
    fixture.record("get");
    let waiting = HeldCall {
        number: 2,
        volume: Some("v".into()),
        mount_id: Some("1".into()),
        ..HeldCall::of(&Call::ok(Operation::Mount, Caller::Docker), AppliedFault::of_rule(1, None, "hold"))
    };
    fixture.now += 1;
    assert_eq!(fixture.push(EntryKind::Held(Box::new(waiting))), Some(1));
    assert_eq!(fixture.described(), ["start v (2)"]);
    assert_eq!(fixture.groups.get(1).expect("it").decisive().ended(), None);
    assert_eq!(fixture.groups.get(1).expect("it").timing(at(5001)).wall, Duration::from_secs(5));
    fixture.now += 30_000;
    let call = Call {
        volume: Some("v".into()),
        duration: Duration::from_secs(30),
        held_seq: Some(2),
        ..Call::ok(Operation::Mount, Caller::Docker)
    };
    assert_eq!(fixture.push(EntryKind::Call(Box::new(call))), Some(1));
    assert_eq!(fixture.described(), ["start v (2)"]);
    let timing = fixture.groups.get(1).expect("it").timing(at(99_999));
    assert_eq!((timing.wall.as_secs(), timing.plugin.as_secs()), (30, 30));
}

#[test]
fn how_it_went_is_said_by_the_first_call_that_failed_for_good() {
    let decisive = |calls: &str| {
        let mut fixture = Fixture::new();
        fixture.record(calls);
        fixture.groups.get(1).expect("one").decisive().entry.seq
    };
    for (calls, expected) in [
        ("get!, create", 2),
        ("get!, create!", 2),
        ("get, unmount!#1, get, mount#2", 2),
        ("get, get, remove", 3),
        ("get~, +997, get!?, create", 3),
    ] {
        assert_eq!(decisive(calls), expected, "{calls}");
    }
}

#[test]
fn a_group_goes_with_its_first_entry() {
    let mut fixture = Fixture::new();
    fixture.record("get, mount#1, +3000, get, unmount#1");
    fixture.groups.drop_before(2);
    assert_eq!(fixture.described(), ["stop or exit v (2)"]);
    fixture.record("get");
    assert_eq!(fixture.groups.with(5).map(CallGroup::id), Some(5));
    assert_eq!(fixture.groups.with(1).map(CallGroup::id), None);
}

proptest! {
    #[test]
    fn commands_on_different_volumes_do_not_mix(
        order in prop::collection::vec(0_usize..3, 30),
        gaps in prop::collection::vec(0_i64..300, 30),
    ) {
        let scripts: [&[&str]; 3] = [
            &["get! a", "create a", "get a", "mount#1 a", "get a", "unmount#1 a"],
            &["get b", "get b", "remove b"],
            &["get c", "unmount#2 c", "get c", "mount#3 c"],
        ];
        let mut fixture = Fixture::new();
        let mut done = [0; 3];
        for (which, gap) in order.into_iter().chain([0, 1, 2].into_iter().cycle().take(18)).zip(gaps.into_iter().chain([0; 18])) {
            if let Some(call) = scripts[which].get(done[which]) {
                done[which] += 1;
                // A pause of the others must not end a command.
                fixture.now += gap.min(60);
                fixture.call(call);
            }
        }
        let mut described = fixture.described();
        described.sort();
        prop_assert_eq!(described, ["restart c (4)", "rm b (3)", "run or create a (6)"]);
    }

    #[test]
    fn every_call_of_an_engine_is_in_exactly_one_group(
        calls in prop::collection::vec(
            ("(docker|podman)", "(activate|capabilities|list|get|create|mount|unmount|remove)", "[!~]?", "[?]?", "[ab]", 0_i64..3000),
            1..60,
        ),
    ) {
        let mut fixture = Fixture::new();
        for (caller, call, sign, retry, volume, gap) in &calls {
            fixture.now += gap;
            let id = fixture.call(&format!("{caller}: {call}{sign}{retry} {volume}")).expect("an engine's call");
            prop_assert!(fixture.groups.get(id).is_some_and(|group| group.has(fixture.seq)));
        }
        let mut seqs: Vec<u64> =
            fixture.groups.iter().flat_map(|group| group.members().iter().map(|member| member.entry.seq)).collect();
        seqs.sort_unstable();
        prop_assert_eq!(seqs, (1..=calls.len() as u64).collect::<Vec<_>>());
        for group in fixture.groups.iter() {
            prop_assert!(group.name() != "unknown", "{:?}", group.steps);
            let timing = group.timing(at(fixture.now));
            prop_assert!(timing.wall >= timing.plugin);
        }
    }
}
