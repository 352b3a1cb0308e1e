//! Attempts at given times, and what is foretold between them.

use super::*;
use crate::domain::model::{
    driver::{DriverEvent, DriverReason, DriverStatus, Outage},
    entry::{AppliedFault, Body},
};

fn at(seconds: f64) -> Timestamp {
    Timestamp::from_millisecond((seconds * 1000.0) as i64).expect("a time")
}

/// A journal of calls that were cut off or answered.
#[derive(Default)]
struct Journal {
    retries: Retries,
    entries: Vec<Entry>,
}

impl Journal {
    fn push(&mut self, seconds: f64, kind: EntryKind) -> Option<u64> {
        let entry = Entry::new(self.entries.len() as u64 + 1, at(seconds), kind);
        let previous = self.retries.push(&entry);
        self.entries.push(entry);
        previous.map(|previous| previous.seq)
    }

    /// A call that arrives and ends at once. One that names no volume is a retry.
    fn call(&mut self, seconds: f64, operation: Operation, volume: &str, lost: bool) -> Option<u64> {
        let body =
            if volume.is_empty() { Vec::new() } else { format!("{{\"Name\":{volume:?}}}").into_bytes() };
        let call = Call {
            number: self.entries.len() as u64 + 1,
            volume: (!volume.is_empty()).then(|| volume.into()),
            request: Body::from(body),
            outcome: Outcome::Error,
            status: if lost { None } else { Some(500) },
            ..Call::ok(operation, Caller::Docker)
        };
        self.push(seconds, EntryKind::Call(Box::new(call)))
    }

    fn driver(&mut self, seconds: f64, outage: Option<Outage>, reason: DriverReason) {
        let down = |kind| DriverStatus::Down { kind, until: None };
        let status = outage.map_or(DriverStatus::Up, down);
        self.push(seconds, EntryKind::Driver(Box::new(DriverEvent { status, generation: 0, reason })));
    }

    fn says(&self, seq: usize, seconds: f64) -> String {
        let next = self.retries.next_attempt(&self.entries[seq - 1], at(seconds));
        next.map_or_else(String::new, |next| next.to_string())
    }
}

#[test]
fn a_countdown_says_when_the_next_attempt_is_due_and_when_the_engine_gives_up() {
    let mut journal = Journal::default();
    for (number, time) in [0.0, 1.0, 3.0, 7.0, 15.0].into_iter().enumerate() {
        let volume = if number == 0 { "v" } else { "" };
        assert_eq!(journal.call(time, Operation::Mount, volume, true), (number > 0).then_some(number as u64));
        let latest = number + 1;
        for (now, expected) in [
            (0.0, "retries in 1 s, attempt 2 of 5; gives up in 0:15"),
            (0.4, "retries in 1 s, attempt 2 of 5; gives up in 0:15"),
            (1.0, "retries in 2 s, attempt 3 of 5; gives up in 0:14"),
            (2.5, "retries in 1 s, attempt 3 of 5; gives up in 0:13"),
            (3.5, "retries in 4 s, attempt 4 of 5; gives up in 0:12"),
            (9.0, "retries in 6 s, attempt 5 of 5; gives up in 0:06"),
            (15.0, "gave up after 5 attempts in 15.0 s"),
            (99.0, "gave up after 5 attempts in 15.0 s"),
        ] {
            let (begins, ends) = [(0.0, 1.0), (1.0, 3.0), (3.0, 7.0), (7.0, 15.0), (15.0, 100.0)][number];
            if begins <= now && now < ends {
                assert_eq!(journal.says(latest, now), expected, "at {now} s");
                assert_eq!(journal.retries.is_due(at(now)), number < 4, "at {now} s");
            }
        }
    }
    assert_eq!(journal.says(2, 99.0), "retried after 2.0 s with call 3, attempt 3 of 5");
}

#[test]
fn slow_failures_make_fewer_attempts_since_no_pause_ends_after_half_a_minute() {
    for (takes, starts) in
        [(0.0, &[0.0, 1.0, 3.0, 7.0, 15.0][..]), (5.0, &[0.0, 6.0, 13.0, 22.0]), (30.0, &[0.0])]
    {
        let (mut seen, mut next) = (Vec::new(), Some(at(0.0)));
        while let Some(start) = next {
            seen.push(start);
            let ended = after(start, Duration::from_secs_f64(takes));
            next = ScheduledAttempt::next(seen.len() as u32, ended, at(0.0)).map(|slot| slot.at);
        }
        assert_eq!(seen, starts.iter().map(|start| at(*start)).collect::<Vec<_>>(), "each takes {takes} s");
    }
}

#[test]
fn an_attempt_that_never_arrived_is_not_counted_as_one_that_did() {
    let mut journal = Journal::default();
    journal.call(0.0, Operation::Get, "v", true);
    assert_eq!(
        journal.says(1, 2.5),
        "retries in 1 s, attempt 3 of 5 (attempt 2 has not arrived); gives up in 0:13"
    );
    assert_eq!(
        journal.says(1, 5.0),
        "retries in 2 s, attempt 4 of 5 (attempts 2 to 3 have not arrived); gives up in 0:10"
    );
    assert_eq!(journal.call(7.0, Operation::Get, "", true), Some(1));
    assert_eq!(journal.says(1, 7.0), "retried after 7.0 s with call 2, attempt 4 of 5");
    assert_eq!(journal.says(2, 17.0), "has given up by now: no further attempt has arrived");
}

#[test]
fn nothing_is_counted_where_forerunners_may_have_been_refused() {
    let mut journal = Journal::default();
    journal.driver(0.0, Some(Outage::Refuse), DriverReason::Command);
    journal.driver(2.0, None, DriverReason::Command);
    journal.call(3.0, Operation::Get, "v", true);
    let sometime = "retries within 8 s, or has given up: earlier attempts may not have arrived";
    assert_eq!(journal.says(3, 3.0), sometime);
    assert_eq!(journal.call(7.0, Operation::Get, "", false), Some(3));
    assert_eq!(journal.says(3, 8.0), "retried after 4.0 s with call 4");
    journal.call(50.0, Operation::Get, "v", true);
    assert_eq!(journal.says(5, 50.0), "retries in 1 s, attempt 2 of 5; gives up in 0:15");
    journal.call(99.0, Operation::Mount, "", true);
    assert_eq!(journal.says(6, 99.0), sometime, "its first attempt was not seen");
}

#[test]
fn attempts_at_two_volumes_are_distinguished_by_their_times() {
    let mut journal = Journal::default();
    journal.call(0.0, Operation::Mount, "a", true);
    journal.call(0.5, Operation::Mount, "b", true);
    journal.call(0.6, Operation::Get, "c", true);
    assert_eq!(journal.call(1.01, Operation::Mount, "", true), Some(1));
    assert_eq!(journal.call(1.52, Operation::Mount, "", true), Some(2));
    assert_eq!(journal.call(1.61, Operation::Get, "", false), Some(3));
    assert_eq!(journal.call(3.02, Operation::Mount, "", true), Some(4));
    assert!(!journal.retries.chain(1).expect("a chain").is_mixed);
}

#[test]
fn attempts_that_are_due_at_the_same_time_are_said_to_be_mixed() {
    let mut journal = Journal::default();
    journal.call(0.0, Operation::Mount, "a", true);
    journal.call(0.01, Operation::Mount, "b", true);
    assert_eq!(journal.call(1.0, Operation::Mount, "", true), Some(1));
    assert_eq!(journal.call(1.01, Operation::Mount, "", true), Some(2));
    assert!(journal.retries.chain(1).expect("a chain").is_mixed);
}

#[test]
fn a_reply_ends_it_and_podman_never_tries_again() {
    let mut journal = Journal::default();
    journal.call(0.0, Operation::Create, "v", false);
    assert_eq!(journal.says(1, 0.0), "does not retry: an answer is final, whatever it says");
    let podman = Call { outcome: Outcome::Error, status: None, ..Call::ok(Operation::Mount, Caller::Podman) };
    journal.push(1.0, EntryKind::Call(Box::new(podman)));
    assert_eq!(journal.says(2, 1.0), "does not retry");
    let call = Call::ok(Operation::Mount, Caller::Docker);
    journal.push(2.0, EntryKind::Call(Box::new(call)));
    assert_eq!(journal.says(3, 2.0), "");
}

#[test]
fn a_call_that_waits_counts_down_to_its_time_limit() {
    let mut journal = Journal::default();
    let waiting = |operation, caller| {
        let call = Call { volume: Some("v".into()), ..Call::ok(operation, caller) };
        EntryKind::Held(Box::new(HeldCall::of(&call, AppliedFault::of_rule(1, None, "hang"))))
    };
    for (operation, caller, expected) in [
        (Operation::Mount, Caller::Docker, "gives up in 1:47, and does not retry"),
        (Operation::Get, Caller::Docker, "gives up in 0:47, and does not retry"),
        (Operation::Get, Caller::Podman, "gives up in 0:00, and does not retry"),
        (Operation::Activate, Caller::Docker, "waits for ever"),
        (Operation::Get, Caller::Other, ""),
    ] {
        journal.push(0.0, waiting(operation, caller));
        assert_eq!(journal.says(journal.entries.len(), 13.0), expected, "{operation} by {caller}");
    }
    for (took, expected) in [(60, "gave up after 1:00, its time limit"), (9, "went away before the answer")] {
        let call = Call {
            outcome: Outcome::Cancelled,
            status: None,
            duration: Duration::from_secs(took),
            ..Call::ok(Operation::Get, Caller::Docker)
        };
        journal.push(60.0, EntryKind::Call(Box::new(call)));
        assert_eq!(journal.says(journal.entries.len(), 60.0), expected);
    }
}

#[test]
fn a_retry_that_waits_is_an_attempt_and_its_end_takes_its_place() {
    for (operation, volume) in [(Operation::Mount, "v"), (Operation::List, "(no name)")] {
        let mut journal = Journal::default();
        journal.call(0.0, operation, volume, true);
        let fault = AppliedFault::of_rule(1, None, "hold");
        let waiting =
            HeldCall { number: 2, retry: true, ..HeldCall::of(&Call::ok(operation, Caller::Docker), fault) };
        assert_eq!(journal.push(1.0, EntryKind::Held(Box::new(waiting))), Some(1));
        assert_eq!(journal.says(1, 1.0), "retried after 1.0 s with call 2, attempt 2 of 5");
        let call = Call {
            held_seq: Some(2),
            duration: Duration::from_secs(4),
            status: None,
            outcome: Outcome::Error,
            request: Body::default(),
            ..Call::ok(operation, Caller::Docker)
        };
        assert_eq!(journal.push(5.0, EntryKind::Call(Box::new(call))), None);
        assert_eq!(journal.says(3, 5.0), "retries in 2 s, attempt 3 of 5; gives up in 0:14");
    }
}

#[test]
fn a_driver_that_cannot_be_bound_is_not_reachable() {
    let cannot_bind = || DriverReason::CannotBind { address: "unix:///x".into(), error: "no".into() };
    let mut journal = Journal::default();
    journal.driver(0.0, Some(Outage::Unlink), DriverReason::Command);
    journal.driver(2.0, None, DriverReason::Command);
    journal.driver(2.0, None, cannot_bind());
    journal.call(50.0, Operation::Get, "v", true);
    let sometime = "retries within 8 s, or has given up: earlier attempts may not have arrived";
    assert_eq!(journal.says(4, 50.0), sometime);
    journal.driver(60.0, None, DriverReason::Recovered);
    journal.call(99.0, Operation::Get, "v", true);
    assert_eq!(journal.says(6, 99.0), "retries in 1 s, attempt 2 of 5; gives up in 0:15");
}
