//! Whatever happens in a hub, its entries read back from JSON give the same state.

use std::{sync::Arc, time::Duration};

use proptest::{prelude::*, test_runner::TestCaseError};
use tokio::time::advance;

use super::{HeldCallGuard, Hub, InMemoryStore};
use crate::domain::{
    lang::command::Command,
    model::{
        entry::{Call, Cause, Entry, EntryKind, HeldCall, OriginalReply, Outcome, Session},
        origin::Origin,
        peer::Peer,
        protocol::{Caller, Operation, Request},
        scenario::{End, ScenarioCatalog, ScenarioEvent, ScenarioInfo, ScenarioResult, StepSpec},
        speed::{DemoSpeed, EngineSpeed, SpeedChange},
        volume::{Change, Volumes},
    },
    rules::{Action, RuleSet},
    state::{State, journal::Bounds},
};

/// Something that happens.
#[derive(Clone, Debug)]
enum Step {
    /// A call arrives. It ends at once, unless a rule holds it.
    Call {
        operation: Operation,
        volume: &'static str,
        id: &'static str,
        caller: Caller,
        outcome: Outcome,
    },
    /// The end of one of the held calls that were released, or whose caller gives up.
    End(usize),
    Command(&'static str),
    Scenario(usize),
    CannotBind(bool),
    Time(u64),
}

const COMMANDS: &[&str] = &[
    "arm mount: hold",
    "arm mount: hold once as bp",
    "arm any 50%: delay 1s..3s as bp",
    "arm get first 2: empty for 4s",
    "arm mount, unmount: hang flap 2s 1s for 9s",
    "arm list nth 2: fail \"no\" then pass",
    "arm create: 2x null then hang after as x",
    "arm get: null once",
    "arm mount first 1 per volume: fail \"no\"",
    "arm mount, unmount per id: null then reset",
    "arm any 50% nth 2 per connection: eof once",
    "arm get first 2: empty as two",
    "arm mount: hold until 2 as gate",
    "arm any per volume: hold until 3 within 2s as gate",
    "move 2 before 1",
    "move gate before bp",
    "disarm bp",
    "disarm all",
    "disarm 2",
    "release",
    "release all",
    "release: fail \"no\"",
    "release 3",
    "seed 5",
    "forget v",
    "restore v",
    "conjure v tier=gold",
    "conjure w",
    "wipe",
    "unmount v",
    "down refuse",
    "down unlink for 3s",
    "down reset for 1s",
    "up",
    "crash keep",
    "crash lose",
    "note look here",
    "reset",
    "play list",
    "play list --step",
    "play next",
    "play pause",
    "play stop",
    "quit",
];

fn step() -> impl Strategy<Value = Step> {
    let volume = prop::sample::select(&["v", "w", ""][..]);
    let id = prop::sample::select(&["7f", "8a"][..]);
    let call = (
        prop::sample::select(&Operation::ALL[..]),
        volume,
        id,
        prop::sample::select(&Caller::ALL[..]),
        prop::sample::select(&Outcome::ALL[..]),
    );
    prop_oneof![
        6 => call.prop_map(|(operation, volume, id, caller, outcome)| Step::Call { operation, volume, id, caller, outcome }),
        2 => (0_usize..4).prop_map(Step::End),
        6 => prop::sample::select(COMMANDS).prop_map(Step::Command),
        1 => (0_usize..4).prop_map(Step::Scenario),
        1 => any::<bool>().prop_map(Step::CannotBind),
        2 => (0_u64..4000).prop_map(Step::Time),
    ]
}

fn scenario_event(index: usize) -> ScenarioEvent {
    let (scenario, line) = ("list".to_owned(), "$ docker volume ls".to_owned());
    let step = StepSpec { line: line.clone(), say: None, expected: "success".into(), action: None };
    match index {
        0 => ScenarioEvent::Started {
            scenario,
            title: String::new(),
            engine: String::new(),
            needs: Vec::new(),
            steps: vec![step; 2],
        },
        1 => ScenarioEvent::StepStarted { index: 0, line },
        2 => ScenarioEvent::StepFinished {
            index: 0,
            line,
            exit: None,
            seen: "seen".into(),
            problems: Vec::new(),
        },
        _ => ScenarioEvent::Finished {
            scenario,
            end: End { result: ScenarioResult::Passed, problems: Vec::new() },
        },
    }
}

/// A hub at work, and the state that is rebuilt from its entries.
struct Run {
    hub: Arc<Hub>,
    held: Vec<(HeldCallGuard, Call)>,
    replayed: State,
}

impl Run {
    fn new() -> Self {
        let volume =
            Change::Created { name: "old".into(), options: [].into(), at: jiff::Timestamp::UNIX_EPOCH };
        let mut volumes = Volumes::default();
        volumes.apply(&volume);
        let mut kept = RuleSet::new(7, None);
        let rule = "mount, get 50% first 9 per volume: null".parse().expect("a rule");
        let at = jiff::Timestamp::UNIX_EPOCH;
        kept.apply(&kept.arming(&rule, Some("kept"), at, EngineSpeed::REAL), at, |_| false);
        let session = Session::new(7, volumes)
            .with_rules(kept.kept())
            .with_default_expiry(Some(Duration::from_secs(60)))
            .with_speed(Some(DemoSpeed::default()));
        let hub = Hub::new(session, Box::new(InMemoryStore), Bounds::default());
        let scenarios = [ScenarioInfo { name: "list".into(), ..ScenarioInfo::default() }].into();
        hub.set_catalog(ScenarioCatalog { scenarios, is_real: false });
        Self { hub, held: Vec::new(), replayed: State::new(Bounds::default()) }
    }

    fn call(&mut self, operation: Operation, volume: &str, id: &str, caller: Caller, outcome: Outcome) {
        let request = Request { name: volume.into(), id: id.into(), ..Request::default() };
        let number = self.hub.next_call();
        let peer = Peer::Process { pid: number as u32 % 3, uid: 0, user: None, name: None };
        let _open = number.is_multiple_of(4).then(|| self.hub.open_connection(number, Some(peer)));
        let body = if volume.is_empty() { Vec::new() } else { b"{}".to_vec() };
        let mut call = Call {
            number,
            volume: (!volume.is_empty()).then(|| volume.into()),
            mount_id: Some(id.into()),
            connection: number % 3,
            first_contact: number < 3,
            request: body.into(),
            outcome,
            duration: Duration::from_micros(number * 17),
            ..Call::ok(operation, caller)
        };
        let injection = self.hub.admit(&mut call, &request);
        call.fault = injection.as_ref().map(|injection| injection.fault.clone().into());
        let (name, id, at) = (volume.to_owned(), id.to_owned(), self.hub.now());
        let change = match operation {
            Operation::Create => Change::Created { name, options: request.options, at },
            Operation::Mount => Change::Mounted { name, id, at },
            Operation::Unmount => Change::Unmounted { name, id },
            _ => Change::Removed { name },
        };
        if !matches!(operation, Operation::Get | Operation::List) {
            self.hub.change(&change, Cause::Call(number)).expect("memory does not fail");
            call.changes.push(change);
        }
        match injection {
            Some(injection) if injection.action.holds() => {
                let guard = self.hub.record_held(HeldCall {
                    barrier: if let Action::Barrier { calls, .. } = injection.action {
                        Some(calls)
                    } else {
                        None
                    },
                    original: Some(OriginalReply { status: 200, body: b"{}".to_vec().into() }),
                    ..HeldCall::of(&call, injection.fault)
                });
                call.held_seq = Some(guard.seq);
                self.held.push((guard, call));
            }
            _ => drop(self.hub.record(EntryKind::Call(Box::new(call)))),
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Call { operation, volume, id, caller, outcome } => {
                self.call(*operation, volume, id, *caller, *outcome);
            }
            Step::End(index) if *index < self.held.len() => {
                let (guard, call) = self.held.swap_remove(*index);
                drop(guard);
                self.hub.record(EntryKind::Call(Box::new(call)));
            }
            Step::Command(line) => drop(self.hub.command_line(line, Origin::Line)),
            Step::Scenario(index) => {
                self.hub.record(EntryKind::Scenario(Box::new(scenario_event(*index))));
            }
            Step::CannotBind(true) => {
                self.hub.report_bind("unix:///x", Err(&std::io::ErrorKind::AddrInUse.into()));
            }
            Step::CannotBind(false) => self.hub.report_bind("unix:///x", Ok(())),
            Step::End(_) | Step::Time(_) => {}
        }
    }

    /// Applies the new entries as they are read back from JSON, and compares.
    fn check(&mut self, step: &Step) -> Result<(), TestCaseError> {
        let (entries, _) = self.hub.entries_after(self.replayed.journal().next_seq() - 1, usize::MAX);
        for entry in entries {
            let line = serde_json::to_string(&entry).expect("an entry is JSON");
            let read: Entry = serde_json::from_str(&line).expect("an entry is read back");
            prop_assert_eq!(&read, &*entry, "{}", line);
            self.replayed.apply(&Arc::new(read));
        }
        prop_assert_eq!(&self.replayed, &self.hub.locked.lock().state, "after {:?}", step);
        Ok(())
    }
}

async fn check_steps(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let mut run = Run::new();
    let clock = tokio::spawn({
        let hub = Arc::clone(&run.hub);
        async move { hub.run_deadlines().await }
    });
    // What a reset clears must have been read before.
    run.check(&Step::Command("start"))?;
    for step in &steps {
        if let Step::Time(millis) = step {
            advance(Duration::from_millis(*millis)).await;
        }
        run.step(step);
        tokio::task::yield_now().await;
        run.check(step)?;
    }
    run.hub.release_all();
    run.check(&Step::Command("shutdown"))?;
    prop_assert_eq!(run.replayed.held().count(), 0);
    clock.abort();
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn the_entries_of_any_run_give_the_same_state(steps in prop::collection::vec(step(), 1..60)) {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
        runtime.block_on(check_steps(steps))?;
    }
}

#[test]
fn the_random_runs_have_every_command_that_changes_the_state() {
    let lines: Vec<String> = COMMANDS
        .iter()
        .map(|line| line.parse::<Command>().unwrap_or_else(|error| panic!("{line}: {error}")).to_string())
        .collect();
    let speed = Command::Speed(SpeedChange::Pause).to_string();
    let run = Run::new();
    run.hub.command_line(&speed, Origin::Line).expect("it is a demo");
    for word in [
        "arm", "disarm", "release", "seed", "forget", "restore", "conjure", "wipe", "unmount", "down", "up",
        "crash", "reset", "play", "quit",
    ] {
        assert!(lines.iter().any(|line| line.split(' ').next() == Some(word)), "{word}");
    }
}
