//! Running a scenario: it passes or fails, it can be stopped at any step, and nothing of it remains.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::future::BoxFuture;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use voltergeist::{
    domain::model::scenario::ScenarioResult,
    engine_api::{Abilities, CliResult, Clock, DockerCommand, Engine, Inventory, Profile},
    hub::DriverStatus,
    scenario::{Progress, Report, RunContext, Scenario, run},
};

use crate::{SPEED, docker, faults::FaultyDriver};

const HEAD: &str = "title = \"t\"\ndescription = \"s\"\n";

pub fn scenario(steps: &str) -> Scenario {
    Scenario::parse("scenario", "scenario.toml", &format!("{HEAD}{steps}"))
        .unwrap_or_else(|error| panic!("{error}"))
}

fn context(
    haunted: &FaultyDriver,
    engine: &Arc<dyn Engine>,
    allowed_steps: watch::Receiver<usize>,
) -> RunContext {
    RunContext {
        engine: Arc::clone(engine),
        second_engine: None,
        hub: Arc::clone(haunted.hub()),
        clock: Clock::faster(SPEED),
        quiet_period: Duration::from_millis(20),
        step_delay: Duration::ZERO,
        fresh_engine: true,
        allowed_steps,
    }
}

pub async fn played(haunted: &FaultyDriver, engine: &Arc<dyn Engine>, scenario: &Scenario) -> Report {
    let (_all, allowed) = watch::channel(usize::MAX);
    run(scenario, &context(haunted, engine, allowed), |_| {}, &CancellationToken::new()).await
}

/// Nothing of a scenario is on the engine, in the driver or armed.
async fn is_clear(haunted: &FaultyDriver, engine: &Arc<dyn Engine>) {
    let left = engine.inventory().await.expect("the engine is alive");
    assert!(left.containers.is_empty() && left.volumes.is_empty(), "{left:?}");
    assert!(haunted.hub().volumes().is_empty());
    assert_eq!(haunted.hub().desired_state().status, DriverStatus::Up);
    assert!(haunted.hub().snapshot().rules.is_empty());
}

#[tokio::test]
async fn a_scenario_with_an_unexpected_result_fails_and_says_why() {
    for (steps, problem) in [
        ("[[step]]\ndocker = \"docker volume create -d ghost v\"\nfails_with = \"boom\"", "succeeded"),
        ("[[step]]\ndocker = \"docker volume inspect v\"", "failed with exit code 1"),
        (
            "[[step]]\ndocker = \"docker volume create -d ghost v\"\noutput_contains = \"w\"",
            "output lacks \"w\"",
        ),
        (
            "[[step]]\ndocker = \"docker volume create -d ghost v\"\noutput_lacks = \"v\"",
            "output contains \"v\"",
        ),
        (
            "[[step]]\ndocker = \"docker volume create -d ghost v\"\ncalls = [\"create v\"]",
            "expected calls: create v",
        ),
        (
            "[[step]]\ndocker = \"docker volume create -d ghost v\"\nopen_mounts = { v = 1 }",
            "expected 1 open mount of v, actual 0",
        ),
        ("[[step]]\ncommand = \"forget v\"", "unknown volume \"v\""),
    ] {
        let haunted = FaultyDriver::new();
        let engine = haunted.daemon();
        let report = played(&haunted, &engine, &scenario(steps)).await;
        assert_eq!(report.result, ScenarioResult::Failed, "{steps}");
        let problems = report.steps[0].problems.join("; ");
        assert!(problems.contains(problem), "{steps}: {problems}");
        is_clear(&haunted, &engine).await;
        haunted.end().await;
    }
}

#[tokio::test]
async fn wrong_counts_and_calls_are_reported_at_the_end() {
    for (expected, problem) in [
        ("call_counts = { create = 2 }", "expected 2 create calls, actual 1"),
        ("calls = [\"create v\"]", "expected calls in all: create v"),
    ] {
        let haunted = FaultyDriver::new();
        let engine = haunted.daemon();
        let steps = "[[step]]\ndocker = \"docker volume create -d ghost v\"";
        let report = played(&haunted, &engine, &scenario(&format!("{expected}\n{steps}"))).await;
        assert_eq!((report.result, report.problems), (ScenarioResult::Failed, vec![problem.to_owned()]));
        haunted.end().await;
    }
}

#[tokio::test]
async fn a_scenario_that_is_stopped_at_any_step_leaves_nothing_behind() {
    let steps = r#"
        [[step]]
        docker = "docker run -d --name c -v data:/data --volume-driver ghost busybox top"
        [[step]]
        docker = "docker run -d -v /anonymous --volume-driver ghost busybox top"
        [[step]]
        command = "arm any: hang"
        [[step]]
        docker = "docker volume ls"
        background = "ls"
        [[step]]
        command = "down refuse"
        [[step]]
        docker = "docker volume inspect data"
        fails_with = ""
        [[step]]
        wait_for = "ls"
    "#;
    let scenario = scenario(steps);
    for stop_at in 0..scenario.steps.len() {
        let haunted = FaultyDriver::new();
        let engine = haunted.daemon();
        let (_all, allowed) = watch::channel(usize::MAX);
        let cancel = CancellationToken::new();
        let on_progress = |progress: Progress<'_>| {
            if let Progress::StepStarted { index, .. } = progress
                && index == stop_at
            {
                cancel.cancel();
            }
        };
        let report = run(&scenario, &context(&haunted, &engine, allowed), on_progress, &cancel).await;
        assert_eq!(report.result, ScenarioResult::Stopped, "at step {stop_at}");
        is_clear(&haunted, &engine).await;
        haunted.end().await;
    }
}

#[tokio::test]
async fn a_scenario_touches_nothing_that_existed_before() {
    let steps = "[[step]]\ndocker = \"docker volume rm -f mine\"\n[[step]]\ndocker = \"docker rm -f web\"";
    for before in [
        "docker volume create -d ghost mine",
        "docker volume create mine",
        "docker create --name web busybox",
    ] {
        let haunted = FaultyDriver::new();
        let engine = haunted.daemon();
        assert!(docker(&engine, before).await.succeeded());
        let inventory = engine.inventory().await;
        let report = played(&haunted, &engine, &scenario(steps)).await;
        assert_eq!(report.result, ScenarioResult::Skipped, "{before}: {report}");
        assert_eq!(engine.inventory().await, inventory, "{before}");
        haunted.end().await;
    }
}

#[tokio::test]
async fn a_step_waits_until_it_is_allowed() {
    let haunted = FaultyDriver::new();
    let engine = haunted.daemon();
    let scenario = scenario("[[step]]\nsleep = \"1s\"\n[[step]]\nsleep = \"1s\"\n[[step]]\nsleep = \"1s\"");
    let (allow, allowed) = watch::channel(1);
    let context = context(&haunted, &engine, allowed);
    let (sender, mut finished) = tokio::sync::mpsc::unbounded_channel();
    let on_progress = move |progress: Progress<'_>| {
        if let Progress::StepFinished { index, .. } = progress {
            sender.send(index).expect("the test listens");
        }
    };
    let never = CancellationToken::new();
    let allow_later = async {
        assert_eq!(finished.recv().await, Some(0));
        let longer_than_a_step = Duration::from_secs_f64(5.0 / SPEED);
        assert!(
            tokio::time::timeout(longer_than_a_step, finished.recv()).await.is_err(),
            "the next step has started"
        );
        allow.send_replace(usize::MAX);
    };
    let (report, ()) = tokio::join!(run(&scenario, &context, on_progress, &never), allow_later);
    assert!(report.passed());
    haunted.end().await;
}

#[tokio::test]
async fn rules_and_outages_are_in_the_time_of_the_simulated_daemon() {
    for (what, steps) in [
        (
            "a delay that a daemon waits for",
            "[[step]]\ncommand = \"arm get: delay 5s once\"\n[[step]]\ndocker = \"docker volume inspect v\"",
        ),
        (
            "a delay that is too long for it",
            "[[step]]\ncommand = \"arm get: delay 70s once\"\n[[step]]\ndocker = \"docker volume inspect v\"\nfails_with = \"context deadline exceeded\"",
        ),
        (
            "a drip that ends in time",
            "[[step]]\ncommand = \"arm get: drip 20s once\"\n[[step]]\ndocker = \"docker volume inspect v\"",
        ),
        (
            "a rule that expires",
            "[[step]]\ncommand = \"arm get: fail \\\"no\\\" for 10s\"\n[[step]]\nsleep = \"11s\"\n[[step]]\ndocker = \"docker volume inspect v\"",
        ),
        (
            "a rule that is still in its pause",
            "[[step]]\ncommand = \"arm get: fail \\\"no\\\" flap 40s 60s\"\n[[step]]\nsleep = \"20s\"\n[[step]]\ndocker = \"docker volume inspect v\"",
        ),
        (
            "a rule whose pause is over",
            "[[step]]\ncommand = \"arm get: fail \\\"no\\\" flap 10s 60s\"\n[[step]]\nsleep = \"20s\"\n[[step]]\ndocker = \"docker volume inspect v\"\nfails_with = \"no such volume\"",
        ),
        (
            "an outage that is over",
            "[[step]]\ncommand = \"down refuse for 10s\"\n[[step]]\nsleep = \"12s\"\n[[step]]\ndocker = \"docker volume inspect v\"\ncalls = [\"get v\"]",
        ),
    ] {
        let haunted = FaultyDriver::new();
        let engine = haunted.daemon();
        let create = "[[step]]\ndocker = \"docker volume create -d ghost v\"";
        let report = played(&haunted, &engine, &scenario(&format!("{create}\n{steps}"))).await;
        assert!(report.passed(), "{what}: {report} {:?}", report.steps);
        is_clear(&haunted, &engine).await;
        haunted.end().await;
    }
}

/// An engine that counts inventories and delays each by an interval of its time.
struct CountingEngine {
    engine: Arc<dyn Engine>,
    inventories: AtomicUsize,
    delay: Duration,
}

impl CountingEngine {
    fn at(engine: &Arc<dyn Engine>, delay: Duration) -> Arc<Self> {
        Arc::new(Self { engine: Arc::clone(engine), inventories: AtomicUsize::new(0), delay })
    }

    fn inventories(&self) -> usize {
        self.inventories.load(Ordering::SeqCst)
    }
}

impl Engine for CountingEngine {
    fn profile(&self) -> Profile {
        self.engine.profile()
    }

    fn perform<'a>(&'a self, command: &'a DockerCommand) -> BoxFuture<'a, CliResult> {
        self.engine.perform(command)
    }

    fn abilities(&self) -> Abilities {
        self.engine.abilities()
    }

    fn inventory(&self) -> BoxFuture<'_, Result<Inventory, String>> {
        self.inventories.fetch_add(1, Ordering::SeqCst);
        Box::pin(async {
            tokio::time::sleep(self.delay.div_f64(SPEED)).await;
            self.engine.inventory().await
        })
    }

    fn sweep(&self) -> BoxFuture<'_, ()> {
        self.engine.sweep()
    }
}

#[tokio::test]
async fn an_engine_is_asked_for_as_few_inventories_as_possible() {
    let run = "[[step]]\ndocker = \"docker run --rm -v data:/data --volume-driver ghost busybox true\"";
    let create = "[[step]]\ndocker = \"docker volume create -d ghost v\"";
    let remove = "[[step]]\ndocker = \"docker volume rm v\"";
    let anonymous = "[[step]]\ndocker = \"docker run -d -v /anonymous --volume-driver ghost busybox top\"";
    for (steps, expected, why) in [
        (format!("{create}\n{remove}"), 2, "nothing is left"),
        (anonymous.to_owned(), 2, "what is swept needs no second inventory"),
        (create.to_owned(), 3, "a volume is removed"),
        (run.to_owned(), 3, "a container's volume is removed"),
    ] {
        let haunted = FaultyDriver::new();
        let engine = haunted.daemon();
        let counting = CountingEngine::at(&engine, Duration::ZERO);
        let report = played(&haunted, &(Arc::clone(&counting) as Arc<dyn Engine>), &scenario(&steps)).await;
        assert!(report.passed(), "{report}");
        assert_eq!(counting.inventories(), expected, "{why}");
        is_clear(&haunted, &engine).await;
        haunted.end().await;
    }
}

#[tokio::test]
async fn a_slow_inventory_is_reported_and_can_be_cancelled() {
    let haunted = FaultyDriver::new();
    let engine = haunted.daemon();
    // Longer than any test.
    let counting: Arc<dyn Engine> = CountingEngine::at(&engine, Duration::from_secs(1_000_000));
    let (_all, allowed) = watch::channel(usize::MAX);
    let cancel = CancellationToken::new();
    let mut reasons = Vec::new();
    let on_progress = |progress: Progress<'_>| match progress {
        Progress::Delayed { reason } => {
            reasons.push(reason.to_owned());
            cancel.cancel();
        }
        progress => panic!("{progress:?} before the inventory"),
    };
    let create = scenario("[[step]]\ndocker = \"docker volume create -d ghost v\"");
    let report = run(&create, &context(&haunted, &counting, allowed), on_progress, &cancel).await;
    assert_eq!((report.result, report.steps.len()), (ScenarioResult::Stopped, 0));
    assert!(
        matches!(reasons.as_slice(), [reason] if reason.contains("until docker is restarted")),
        "{reasons:?}"
    );
    is_clear(&haunted, &engine).await;
    haunted.end().await;
}
