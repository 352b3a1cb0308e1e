//! The state as what the entries add up to, and as JSON.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use super::*;
use crate::domain::model::{
    driver::Outage,
    entry::{
        AppliedFault, Call, Cause, CommandRun, Decision, Evaluation, Gap, OriginalReply, ReleasedCall,
        RuleDecision, RuleText, VolumeChange,
    },
    fault::{Release, ReleasedBy},
    lint::Lint,
    origin::Origin,
    protocol::{Caller, Operation, Options},
    scenario::{End, ScenarioEvent, ScenarioResult, StepSpec},
    speed::{EngineSpeed, SpeedChange},
};

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

fn step() -> StepSpec {
    StepSpec { line: "$ docker volume ls".into(), say: None, expected: "success".into(), action: None }
}

/// One entry of each kind, as they may follow each other.
fn entries() -> Vec<Arc<Entry>> {
    let volumes = Volumes::default();
    let command = |command: &str| {
        Box::new(CommandRun {
            command: command.into(),
            result: String::new(),
            origin: Box::new(Origin::Key { key: "m".into() }),
            changes: Vec::new(),
        })
    };
    let rule = RuleText { id: 1, label: Some("x".into()), text: "mount 20%: hold once".into() };
    let created = Change::Created { name: "v".into(), options: Options::new(), at: second(2) };
    let mounted = Change::Mounted { name: "v".into(), id: "7f".into(), at: second(3) };
    let volume =
        |cause, change: &Change| EntryKind::Volume(Box::new(VolumeChange { cause, change: change.clone() }));
    let held = HeldCall {
        number: 2,
        volume: Some("v".into()),
        mount_id: Some("7f".into()),
        original: Some(OriginalReply { status: 200, body: b"{}".to_vec().into() }),
        ..HeldCall::of(
            &Call::ok(Operation::Mount, Caller::Docker),
            AppliedFault::of_rule(1, Some("x"), "hold"),
        )
    };
    let until = Some(second(60));
    let kinds = [
        EntryKind::Session(Box::new(
            Session::new(7, volumes)
                .with_default_expiry(Some(Duration::from_secs(60)))
                .with_speed(Some(DemoSpeed::default())),
        )),
        EntryKind::Registration(Box::new(DriverInfo { name: "voltergeist".into(), ..DriverInfo::default() })),
        EntryKind::Rule(Box::new(RuleEvent::Armed { rule: rule.clone(), until, speed: EngineSpeed::REAL })),
        EntryKind::Command(command("arm mount 20%: hold once as x")),
        volume(Cause::Call(1), &created),
        EntryKind::Call(Box::new(Call {
            duration: Duration::from_micros(240),
            volume: Some("v".into()),
            changes: vec![created],
            ..Call::ok(Operation::Create, Caller::Docker)
        })),
        EntryKind::Rule(Box::new(RuleEvent::Evaluated(Evaluation {
            call: 2,
            operation: Some(Operation::Mount),
            request_line: None,
            volume: Some("v".into()),
            mount_id: Some("7f".into()),
            connection: 1,
            rules: vec![RuleDecision { id: 1, decision: Decision::Fired }],
        }))),
        EntryKind::Rule(Box::new(RuleEvent::Spent(rule.clone()))),
        volume(Cause::Call(2), &mounted),
        EntryKind::Held(Box::new(held)),
        EntryKind::Command(command(&Command::Speed(SpeedChange::Times(4.0)).to_string())),
        EntryKind::Command(command("seed 9")),
        EntryKind::Driver(Box::new(DriverEvent {
            status: DriverStatus::Down { kind: Outage::Unlink, until: Some(second(99)) },
            generation: 1,
            reason: DriverReason::CannotBind { address: "unix:///x".into(), error: "no".into() },
        })),
        EntryKind::Released(ReleasedCall {
            call: 2,
            release: Release { by: ReleasedBy::Command, action: Some("fail \"no\"".into()) },
        }),
        EntryKind::Call(Box::new(Call {
            number: 2,
            held_seq: Some(10),
            lints: vec![Lint::LeakedMount],
            fault: Some(AppliedFault::of_rule(1, None, "hold").into()),
            ..Call::ok(Operation::Mount, Caller::Docker)
        })),
        EntryKind::Command(command("play list --step")),
        EntryKind::Scenario(Box::new(ScenarioEvent::Started {
            scenario: "list".into(),
            title: String::new(),
            engine: String::new(),
            needs: Vec::new(),
            steps: vec![step()],
        })),
        EntryKind::Command(command("play next")),
        EntryKind::Command(command("quit")),
        EntryKind::Scenario(Box::new(ScenarioEvent::Finished {
            scenario: "list".into(),
            end: End { result: ScenarioResult::Stopped, problems: Vec::new() },
        })),
        EntryKind::Rule(Box::new(RuleEvent::Disarmed(rule))),
        EntryKind::Command(command("reset")),
        EntryKind::Note { text: "the end".into() },
        EntryKind::Gap(Box::new(Gap { first: 7, missed: 12, reason: "the disk is full".into() })),
    ];
    let entry = |(index, kind)| {
        Arc::new(Entry::new(index as u64 + 1, second(i64::try_from(index).expect("few entries")), kind))
    };
    kinds.into_iter().enumerate().map(entry).collect()
}

#[test]
fn every_entry_and_every_state_is_read_back_from_json() {
    let (mut state, mut replayed) = (State::new(Bounds::default()), State::new(Bounds::default()));
    for entry in entries() {
        let line = serde_json::to_string(&entry).expect("it is JSON");
        let read: Entry = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_eq!(read, *entry, "{line}");
        assert_eq!(Entry::from_json(line.as_bytes()).expect("it is read quickly"), read, "{line}");
        state.apply(&entry);
        replayed.apply(&Arc::new(read));
        assert_eq!(replayed, state, "{line}");

        // A checkpoint has all but the entries themselves.
        let checkpoint = serde_json::to_string(&state).expect("it is JSON");
        let mut restored: State = serde_json::from_str(&checkpoint).expect("it is read");
        assert_eq!(restored.journal().next_seq(), state.journal().next_seq());
        assert!(restored.journal().is_empty());
        restored.journal = state.journal.clone();
        assert_eq!(restored, state, "{line}");
    }
}

#[test]
fn the_state_is_what_the_entries_say() {
    let mut state = State::new(Bounds::default());
    let entries = entries();
    for entry in &entries[..13] {
        state.apply(entry);
    }
    assert_eq!(state.held().map(|(entry, _)| entry.seq).collect::<Vec<_>>(), [10]);
    assert_eq!(state.rules().seed(), 9);
    assert_eq!(state.speed().map(|speed| speed.times), Some(4.0));
    assert_eq!(state.bind_error(), Some("no"));
    assert_eq!(state.volumes().existing("v").map(|volume| volume.open_mounts()), Some(1));
    assert_eq!(state.counters().operation(Operation::Mount), 1);
    let rule = state.rules().get(1).expect("it is armed");
    assert_eq!((rule.evaluated, rule.fired, rule.remaining.fires), (1, 1, Some(0)));
    for entry in &entries[13..] {
        state.apply(entry);
    }
    assert_eq!(state.held().count(), 0);
    assert!(state.driver_state().quitting, "the scenario is over");
    assert_eq!(state.counters().operation(Operation::Mount), 0, "they were reset");
    assert_eq!(state.journal().len(), 3);
    assert_eq!(state.last_call(), 2);
}

#[test]
fn another_session_starts_from_nothing() {
    let (mut once, mut twice) = (State::new(Bounds::default()), State::new(Bounds::default()));
    for entry in &entries()[..13] {
        twice.apply(entry);
    }
    for entry in &entries() {
        once.apply(entry);
        twice.apply(entry);
        assert_eq!(twice, once, "{entry:?}");
        assert_eq!(twice.journal().first_seq() + twice.journal().len() as u64, entry.seq + 1);
    }
}
