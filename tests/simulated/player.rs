//! Playing a card: it holds or it does not, it can be stopped at any step, and nothing of it stays.

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
    domain::model::volume::Volumes,
    engine::{
        Clock, DockerCommand, Engine, Inventory, Outcome,
        scenario::{Event, Report, RunContext, Scenario, ScenarioResult, play},
    },
    state::DriverStatus,
};

use crate::{SPEED, docker, faults::FaultyDriver};

const HEAD: &str = "title = \"t\"\ndescription = \"s\"\n";

fn scenario(steps: &str) -> Scenario {
    Scenario::read("card", "card.toml", &format!("{HEAD}{steps}")).unwrap_or_else(|error| panic!("{error}"))
}

fn context(haunted: &FaultyDriver, engine: &Arc<dyn Engine>, allowed: watch::Receiver<usize>) -> RunContext {
    RunContext {
        engine: Arc::clone(engine),
        hub: Arc::clone(haunted.hub()),
        clock: Clock::faster(SPEED),
        wait_until_applied: Duration::from_millis(20),
        beat: Duration::ZERO,
        fresh: true,
        allowed,
    }
}

async fn played(haunted: &FaultyDriver, engine: &Arc<dyn Engine>, scenario: &Scenario) -> Report {
    let (_all, allowed) = watch::channel(usize::MAX);
    play(scenario, &context(haunted, engine, allowed), |_| {}, &CancellationToken::new()).await
}

/// Nothing of a card is on the engine, in the driver or armed.
async fn is_clear(haunted: &FaultyDriver, engine: &Arc<dyn Engine>) {
    let left = engine.inventory().await.expect("the engine is alive");
    assert!(left.containers.is_empty() && left.volumes.is_empty(), "{left:?}");
    assert!(haunted.hub().with_volumes(Volumes::is_empty));
    assert_eq!(haunted.hub().driver_state().status, DriverStatus::Up);
    assert!(haunted.hub().snapshot().faults.is_empty());
}

#[tokio::test]
async fn a_card_that_expects_something_else_does_not_hold_and_says_what() {
    for (steps, problem) in [
        ("[[step]]\ndocker = \"docker volume create -d ghost v\"\nfails_with = \"boom\"", "it succeeded"),
        ("[[step]]\ndocker = \"docker volume inspect v\"", "it failed with exit code 1"),
        (
            "[[step]]\ndocker = \"docker volume create -d ghost v\"\noutput_contains = \"w\"",
            "it did not print \"w\"",
        ),
        ("[[step]]\ndocker = \"docker volume create -d ghost v\"\noutput_lacks = \"v\"", "it printed \"v\""),
        (
            "[[step]]\ndocker = \"docker volume create -d ghost v\"\ncalls = [\"create v\"]",
            "expected the calls create v",
        ),
        (
            "[[step]]\ndocker = \"docker volume create -d ghost v\"\nopen_mounts = { v = 1 }",
            "expected 1 open mounts of v, and there are 0",
        ),
        ("[[step]]\ncommand = \"forget v\"", "there is no volume \"v\""),
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
async fn wrong_counts_and_calls_are_told_at_the_end() {
    for (expected, problem) in [
        ("call_counts = { create = 2 }", "expected 2 calls of create, and there were 1"),
        ("calls = [\"create v\"]", "expected in all the calls create v"),
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
async fn a_card_that_is_stopped_anywhere_leaves_nothing_behind() {
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
        let tell = |event: Event<'_>| {
            if let Event::Begun { index, .. } = event
                && index == stop_at
            {
                cancel.cancel();
            }
        };
        let report = play(&scenario, &context(&haunted, &engine, allowed), tell, &cancel).await;
        assert_eq!(report.result, ScenarioResult::Stopped, "at step {stop_at}");
        is_clear(&haunted, &engine).await;
        haunted.end().await;
    }
}

#[tokio::test]
async fn a_card_touches_nothing_that_was_there_before() {
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
        assert!(matches!(report.result, ScenarioResult::Skipped(_)), "{before}: {report}");
        assert_eq!(engine.inventory().await, inventory, "{before}");
        haunted.end().await;
    }
}

#[tokio::test]
async fn a_card_waits_for_its_director() {
    let haunted = FaultyDriver::new();
    let engine = haunted.daemon();
    let scenario = scenario("[[step]]\nsleep = \"1s\"\n[[step]]\nsleep = \"1s\"\n[[step]]\nsleep = \"1s\"");
    let (scenario_service, allowed) = watch::channel(1);
    let context = context(&haunted, &engine, allowed);
    let (told, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let tell = move |event: Event<'_>| {
        if let Event::Ended { index, .. } = event {
            told.send(index).expect("the test listens");
        }
    };
    let never = CancellationToken::new();
    let direct = async {
        assert_eq!(heard.recv().await, Some(0));
        let longer_than_a_step = Duration::from_secs_f64(5.0 / SPEED);
        assert!(
            tokio::time::timeout(longer_than_a_step, heard.recv()).await.is_err(),
            "it went on by itself"
        );
        scenario_service.send_replace(usize::MAX);
    };
    let (report, ()) = tokio::join!(play(&scenario, &context, tell, &never), direct);
    assert!(report.held());
    haunted.end().await;
}

/// An engine whose inventories are counted, and come only after so much of its time.
struct Looked {
    engine: Arc<dyn Engine>,
    looks: AtomicUsize,
    takes: Duration,
}

impl Looked {
    fn at(engine: &Arc<dyn Engine>, takes: Duration) -> Arc<Self> {
        Arc::new(Self { engine: Arc::clone(engine), looks: AtomicUsize::new(0), takes })
    }

    fn looks(&self) -> usize {
        self.looks.load(Ordering::SeqCst)
    }
}

impl Engine for Looked {
    fn perform<'a>(&'a self, command: &'a DockerCommand) -> BoxFuture<'a, Outcome> {
        self.engine.perform(command)
    }

    fn inventory(&self) -> BoxFuture<'_, Result<Inventory, String>> {
        self.looks.fetch_add(1, Ordering::SeqCst);
        Box::pin(async {
            tokio::time::sleep(self.takes.div_f64(SPEED)).await;
            self.engine.inventory().await
        })
    }

    fn sweep(&self) -> BoxFuture<'_, ()> {
        self.engine.sweep()
    }
}

#[tokio::test]
async fn an_engine_is_asked_what_is_there_once_before_a_card_and_as_rarely_as_it_can_be_after_it() {
    let run = "[[step]]\ndocker = \"docker run --rm -v data:/data --volume-driver ghost busybox true\"";
    let create = "[[step]]\ndocker = \"docker volume create -d ghost v\"";
    let remove = "[[step]]\ndocker = \"docker volume rm v\"";
    let anonymous = "[[step]]\ndocker = \"docker run -d -v /anonymous --volume-driver ghost busybox top\"";
    for (steps, looks, why) in [
        (format!("{create}\n{remove}"), 2, "nothing is left"),
        (anonymous.to_owned(), 2, "what is swept needs no second look"),
        (create.to_owned(), 3, "a volume is removed"),
        (run.to_owned(), 3, "a container's volume is removed"),
    ] {
        let haunted = FaultyDriver::new();
        let engine = haunted.daemon();
        let looked = Looked::at(&engine, Duration::ZERO);
        let report = played(&haunted, &(Arc::clone(&looked) as Arc<dyn Engine>), &scenario(&steps)).await;
        assert!(report.held(), "{report}");
        assert_eq!(looked.looks(), looks, "{why}");
        is_clear(&haunted, &engine).await;
        haunted.end().await;
    }
}

#[tokio::test]
async fn an_engine_that_takes_long_to_say_what_is_there_is_told_of_and_can_be_left() {
    let haunted = FaultyDriver::new();
    let engine = haunted.daemon();
    // Longer than any test.
    let looked: Arc<dyn Engine> = Looked::at(&engine, Duration::from_secs(1_000_000));
    let (_all, allowed) = watch::channel(usize::MAX);
    let cancel = CancellationToken::new();
    let mut told = Vec::new();
    let tell = |event: Event<'_>| match event {
        Event::Delayed { why } => {
            told.push(why.to_owned());
            cancel.cancel();
        }
        event => panic!("{event:?} before it was known what is there"),
    };
    let create = scenario("[[step]]\ndocker = \"docker volume create -d ghost v\"");
    let report = play(&create, &context(&haunted, &looked, allowed), tell, &cancel).await;
    assert_eq!((report.result, report.steps.len()), (ScenarioResult::Stopped, 0));
    assert!(matches!(told.as_slice(), [why] if why.contains("until docker is restarted")), "{told:?}");
    is_clear(&haunted, &engine).await;
    haunted.end().await;
}
