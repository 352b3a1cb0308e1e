//! What stands below what, drawn and as Mermaid.

use std::{sync::Arc, time::Duration};

use jiff::{Timestamp, tz::TimeZone};
use proptest::prelude::*;

use super::*;
use crate::domain::{
    analysis::retries::Retries,
    model::{
        entry::{AppliedFault, Body, Call, CommandRun, Entry, EntryKind, HeldCall, Outcome},
        protocol::{Caller, Operation},
    },
    text::symbols::UNICODE,
};

#[derive(Default)]
struct Journal(Vec<Arc<Entry>>);

impl Journal {
    fn push(&mut self, millis: i64, kind: EntryKind) {
        let at = Timestamp::from_millisecond(millis).expect("a time");
        self.0.push(Arc::new(Entry::new(self.0.len() as u64 + 1, at, kind)));
    }

    /// A call that arrives, and ends later.
    fn call(&mut self, arrives: i64, ends: i64, call: Call) {
        let duration = Duration::from_millis(u64::try_from(ends - arrives).expect("it ends later"));
        self.push(ends, EntryKind::Call(Box::new(Call { duration, ..call })));
    }

    fn waits(&mut self, millis: i64, operation: Operation, volume: &str) {
        let held = HeldCall::of(&about(operation, volume), fault("hold"));
        self.push(millis, EntryKind::Held(Box::new(held)));
    }

    fn command(&mut self, millis: i64, line: &str, effect: &str) {
        let (command, result) = (line.into(), effect.into());
        let run = CommandRun { command, result, origin: Box::default(), changes: Vec::new() };
        self.push(millis, EntryKind::Command(run.into()));
    }

    fn retries(&self) -> Retries {
        let mut retries = Retries::default();
        for entry in &self.0 {
            retries.push(entry);
        }
        retries
    }

    fn steps(&self) -> Vec<DiagramStep<'_>> {
        steps(self.0.iter(), &self.retries())
    }

    fn drawn(&self, engine: Caller) -> String {
        let waited = |_: &Entry| Some(Duration::from_secs(3));
        let (zone, steps) = (TimeZone::UTC, self.steps());
        Drawing::new(&UNICODE, &zone, &waited, 0).as_wide_as(&steps).text(&steps, engine, "plugin")
    }
}

fn fault(action: &str) -> AppliedFault {
    AppliedFault::of_rule(1, None, action)
}

fn about(operation: Operation, volume: &str) -> Call {
    Call { volume: Some(volume.into()), ..Call::ok(operation, Caller::Docker) }
}

/// A call that is held while others go on, and then released.
fn held() -> Journal {
    let mut journal = Journal::default();
    journal.waits(1000, Operation::Mount, "db1");
    journal.call(2000, 2001, about(Operation::Get, "cache"));
    journal.command(6000, "release 1", "1 call released");
    let call =
        Call { fault: Some(fault("hold").into()), held_seq: Some(1), ..about(Operation::Mount, "db1") };
    journal.call(1000, 6001, call);
    journal
}

/// Five attempts at one call. Only the first one names its volume.
fn tried_again() -> Journal {
    let mut journal = Journal::default();
    for (number, at) in [0, 1000, 3000, 7000, 15_000].into_iter().enumerate() {
        let lost = Call {
            outcome: Outcome::Error,
            status: None,
            error: Some("the connection was reset".into()),
            fault: Some(fault("reset").into()),
            ..about(Operation::Mount, "db1")
        };
        let retry = Call { volume: None, request: Body::default(), ..lost.clone() };
        journal.call(at, at, if number == 0 { lost } else { retry });
    }
    journal
}

#[test]
fn a_held_call_stands_where_it_arrived_and_its_reply_where_it_ended() {
    insta::assert_snapshot!("held", held().drawn(Caller::Docker));
}

#[test]
fn a_held_call_has_the_same_order_as_mermaid() {
    insta::assert_snapshot!("held_as_mermaid", mermaid(&held().steps(), Caller::Docker, "plugin"));
}

#[test]
fn a_call_that_still_waits_says_so_where_it_arrived() {
    let mut journal = Journal::default();
    journal.waits(1000, Operation::Mount, "db1");
    journal.call(2000, 2001, about(Operation::Get, "cache"));
    insta::assert_snapshot!("waits", journal.drawn(Caller::Docker));
}

#[test]
fn between_attempts_there_are_pauses_and_each_is_about_the_volume_of_the_first() {
    insta::assert_snapshot!("tried_again", tried_again().drawn(Caller::Docker));
}

#[test]
fn attempts_have_the_same_pauses_as_mermaid() {
    insta::assert_snapshot!(
        "tried_again_as_mermaid",
        mermaid(&tried_again().steps(), Caller::Docker, "plugin")
    );
}

#[test]
fn an_engine_has_one_name_in_both() {
    for engine in Caller::ALL {
        let name = crate::domain::text::describe::engine(engine);
        assert!(held().drawn(engine).contains(name), "{name}");
        assert!(mermaid(&held().steps(), engine, "plugin").contains(name), "{name}");
    }
}

proptest! {
    #[test]
    fn time_never_runs_backwards_and_no_arrow_is_lost(
        calls in prop::collection::vec((0_i64..20, any::<bool>()), 1..20),
    ) {
        let mut journal = Journal::default();
        for (now, (took, is_lost)) in (100_i64..).zip(&calls) {
            let status = (!is_lost).then_some(500);
            let call = Call { outcome: Outcome::Error, status, ..about(Operation::Get, "v") };
            journal.call(now - took, now, call);
        }
        let steps = journal.steps();
        prop_assert!(steps.is_sorted_by_key(|step| step.at));
        let place = |seq: usize, is: fn(&Part<'_>) -> bool| {
            steps.iter().position(|step| step.entry.seq == seq as u64 && is(&step.part))
        };
        for seq in 1..=calls.len() {
            let request = place(seq, |part| matches!(part, Part::Request(_)));
            let reply = place(seq, |part| matches!(part, Part::Reply { .. }));
            prop_assert!(request.is_some() && request < reply, "{request:?} {reply:?}");
        }
    }
}
