//! Playing a card: it holds or it does not, it can be stopped at any step, and nothing of it stays.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use voltergeist::{
    domain::volume::Volumes,
    engine::{
        Clock, Engine,
        scenario::{Card, Cast, Event, Report, Verdict, play},
    },
    hub::{Standing, Window},
};

use crate::{SPEED, docker, haunted::Haunted};

const HEAD: &str = "title = \"t\"\nshows = \"s\"\n";

fn card(steps: &str) -> Card {
    Card::read("card", "card.toml", &format!("{HEAD}{steps}")).unwrap_or_else(|error| panic!("{error}"))
}

fn cast(haunted: &Haunted, engine: &Arc<dyn Engine>, allowed: watch::Receiver<usize>) -> Cast {
    Cast {
        engine: Arc::clone(engine),
        hub: Arc::clone(haunted.hub()),
        clock: Clock::faster(SPEED),
        settle: Duration::from_millis(20),
        beat: Duration::ZERO,
        fresh: true,
        allowed,
    }
}

async fn played(haunted: &Haunted, engine: &Arc<dyn Engine>, card: &Card) -> Report {
    let (_all, allowed) = watch::channel(usize::MAX);
    play(card, &cast(haunted, engine, allowed), |_| {}, &CancellationToken::new()).await
}

/// Nothing of a card is on the engine, in the driver or armed.
async fn is_clear(haunted: &Haunted, engine: &Arc<dyn Engine>) {
    let left = engine.inventory().await.expect("the engine is alive");
    assert!(left.containers.is_empty() && left.volumes.is_empty(), "{left:?}");
    assert!(haunted.hub().with_volumes(Volumes::is_empty));
    assert_eq!(haunted.hub().reachability().standing, Standing::Up);
    assert!(haunted.hub().glance(&Window::default()).faults.is_empty());
}

#[tokio::test]
async fn a_card_that_expects_something_else_does_not_hold_and_says_what() {
    for (steps, problem) in [
        ("[[step]]\ndocker = \"docker volume create -d ghost v\"\nfails = \"boom\"", "it succeeded"),
        ("[[step]]\ndocker = \"docker volume inspect v\"", "it failed with exit code 1"),
        ("[[step]]\ndocker = \"docker volume create -d ghost v\"\nprints = \"w\"", "it did not print \"w\""),
        ("[[step]]\ndocker = \"docker volume create -d ghost v\"\nlacks = \"v\"", "it printed \"v\""),
        (
            "[[step]]\ndocker = \"docker volume create -d ghost v\"\ncalls = [\"create v\"]",
            "expected the calls create v",
        ),
        (
            "[[step]]\ndocker = \"docker volume create -d ghost v\"\nmounts = { v = 1 }",
            "expected 1 open mounts of v, and there are 0",
        ),
        ("[[step]]\ncommand = \"forget v\"", "there is no volume \"v\""),
    ] {
        let haunted = Haunted::new();
        let engine = haunted.daemon();
        let report = played(&haunted, &engine, &card(steps)).await;
        assert_eq!(report.verdict, Verdict::Failed, "{steps}");
        let problems = report.steps[0].problems.join("; ");
        assert!(problems.contains(problem), "{steps}: {problems}");
        is_clear(&haunted, &engine).await;
        haunted.end().await;
    }
}

#[tokio::test]
async fn wrong_counts_and_calls_are_told_at_the_end() {
    for (expected, problem) in [
        ("counts = { create = 2 }", "expected 2 calls of create, and there were 1"),
        ("calls = [\"create v\"]", "expected in all the calls create v"),
    ] {
        let haunted = Haunted::new();
        let engine = haunted.daemon();
        let steps = "[[step]]\ndocker = \"docker volume create -d ghost v\"";
        let report = played(&haunted, &engine, &card(&format!("{expected}\n{steps}"))).await;
        assert_eq!((report.verdict, report.problems), (Verdict::Failed, vec![problem.to_owned()]));
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
        fails = ""
        [[step]]
        await = "ls"
    "#;
    let card = card(steps);
    for stop_at in 0..card.steps.len() {
        let haunted = Haunted::new();
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
        let report = play(&card, &cast(&haunted, &engine, allowed), tell, &cancel).await;
        assert_eq!(report.verdict, Verdict::Stopped, "at step {stop_at}");
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
        let haunted = Haunted::new();
        let engine = haunted.daemon();
        assert!(docker(&engine, before).await.succeeded());
        let inventory = engine.inventory().await;
        let report = played(&haunted, &engine, &card(steps)).await;
        assert!(matches!(report.verdict, Verdict::Skipped(_)), "{before}: {report}");
        assert_eq!(engine.inventory().await, inventory, "{before}");
        haunted.end().await;
    }
}

#[tokio::test]
async fn a_card_waits_for_its_director() {
    let haunted = Haunted::new();
    let engine = haunted.daemon();
    let card = card("[[step]]\nwait = \"1s\"\n[[step]]\nwait = \"1s\"\n[[step]]\nwait = \"1s\"");
    let (director, allowed) = watch::channel(1);
    let cast = cast(&haunted, &engine, allowed);
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
        director.send_replace(usize::MAX);
    };
    let (report, ()) = tokio::join!(play(&card, &cast, tell, &never), direct);
    assert!(report.held());
    haunted.end().await;
}
