//! Being down: what callers meet in each kind of outage, and that `up` brings all of it back.

use std::{io::ErrorKind, os::unix::net::UnixListener};

use voltergeist::domain::model::{
    driver::{DriverReason, DriverStatus, Outage},
    entry::{EntryKind, Outcome},
    protocol::Operation,
};

use crate::fixture::{Fixture, Peer, kept_alive, request, within};

async fn refusal(peer: &Peer) -> Option<ErrorKind> {
    peer.connect().await.err().map(|error| error.kind())
}

#[tokio::test]
async fn a_driver_that_refuses_keeps_its_file_and_listens_to_nobody() {
    for stage in [Fixture::unix(), Fixture::tcp()] {
        let mut idle = stage.plugin.connect().await.expect("the server listens");
        idle.say(&kept_alive(Operation::List, "{}")).await;
        idle.hear_one().await;
        stage.command("down refuse").await;
        assert_eq!(refusal(&stage.plugin).await, Some(ErrorKind::ConnectionRefused));
        let heard = idle.hear().await;
        assert_eq!((heard.text.as_str(), heard.end), ("", Ok(())), "an open connection is cut");
        if let Peer::Tcp(_) = stage.plugin {
            assert!(stage.place.path().join("etc/ghost.spec").exists());
        }
        stage.command("up").await;
        stage.ask(Operation::List, "{}").await;
        stage.end().await;
    }
}

#[tokio::test]
async fn a_driver_that_is_unlinked_is_gone_with_its_registration() {
    for (stage, refused) in
        [(Fixture::unix(), ErrorKind::NotFound), (Fixture::tcp(), ErrorKind::ConnectionRefused)]
    {
        let spec = stage.place.path().join("etc/ghost.spec");
        let registered = spec.exists();
        assert_eq!(registered, matches!(stage.plugin, Peer::Tcp(_)));
        stage.command("down unlink").await;
        assert_eq!(refusal(&stage.plugin).await, Some(refused));
        assert!(!spec.exists());
        stage.command("up").await;
        assert_eq!(spec.exists(), registered);
        stage.ask(Operation::List, "{}").await;
        stage.end().await;
    }
}

#[tokio::test]
async fn a_black_hole_takes_everything_and_never_answers() {
    for stage in [Fixture::unix(), Fixture::tcp()] {
        stage.command("arm get: hold").await;
        let mut idle = stage.plugin.connect().await.expect("the server listens");
        idle.say(&kept_alive(Operation::List, "{}")).await;
        idle.hear_one().await;
        let mut waiting = stage.plugin.connect().await.expect("the server listens");
        waiting.say(&kept_alive(Operation::Get, r#"{"Name":"v"}"#)).await;
        stage.until("the call waits", |now| now.held.len() == 1).await;

        stage.command("down blackhole").await;
        let mut fresh = stage.plugin.connect().await.expect("connecting succeeds");
        fresh.say(&kept_alive(Operation::List, "{}")).await;
        idle.say(&kept_alive(Operation::List, "{}")).await;
        stage.command("release all").await;
        for caller in [&mut fresh, &mut idle, &mut waiting] {
            assert!(caller.is_silent().await);
        }
        stage.command("up").await;
        for mut caller in [fresh, idle, waiting] {
            let heard = caller.hear().await;
            assert_eq!((heard.text.as_str(), heard.end), ("", Ok(())), "what was lost stays lost");
        }
        let call = stage.last_call();
        assert_eq!((call.outcome, call.operation), (Outcome::Error, Some(Operation::Get)));
        stage.ask(Operation::List, "{}").await;
        assert_eq!(stage.snapshot().counters.operation(Operation::List), 2);
        stage.end().await;
    }
}

#[tokio::test]
async fn a_driver_that_resets_meets_each_request_with_a_reset_and_counts_it() {
    for stage in [Fixture::unix(), Fixture::tcp()] {
        stage.command("arm mount: pass").await;
        stage.command("down reset").await;
        for count in 1..=3 {
            let heard = stage.call(Operation::Mount, r#"{"Name":"v","ID":"7f"}"#).await;
            assert_eq!((heard.text.as_str(), heard.end), ("", Err(ErrorKind::ConnectionReset)));
            let now = stage.snapshot();
            assert_eq!((now.counters.operation(Operation::Mount), now.rules[0].evaluated), (count, 0));
            let fault = stage.last_call().fault;
            assert_eq!(
                fault.and_then(|fault| fault.outage()),
                Some(Outage::Reset),
                "the call tells what was done to it"
            );
        }
        assert!(stage.snapshot().volumes.is_empty());
        stage.command("up").await;
        stage.ask(Operation::Mount, r#"{"Name":"v","ID":"7f"}"#).await;
        stage.end().await;
    }
}

#[tokio::test]
async fn any_outage_follows_any_other() {
    for stage in [Fixture::unix(), Fixture::tcp()] {
        let kinds = ["refuse", "unlink", "blackhole", "reset"];
        for (first, second) in kinds.iter().flat_map(|first| kinds.map(|second| (first, second))) {
            stage.command(&format!("down {first}")).await;
            stage.command(&format!("down {second}")).await;
            let connected = stage.plugin.connect().await.map_err(|error| error.kind());
            let expected = match (second, &stage.plugin) {
                ("unlink", Peer::Unix(_)) => Some(ErrorKind::NotFound),
                ("refuse" | "unlink", _) => Some(ErrorKind::ConnectionRefused),
                _ => None,
            };
            assert_eq!(connected.err(), expected, "{first}, then {second}");
            stage.command("up").await;
            stage.ask(Operation::List, "{}").await;
        }
        stage.end().await;
    }
}

#[tokio::test]
async fn an_outage_ends_by_itself() {
    let stage = Fixture::unix();
    let clock = tokio::spawn({
        let hub = stage.hub.clone();
        async move { hub.run_deadlines().await }
    });
    stage.command("down unlink for 20ms").await;
    let Peer::Unix(path) = stage.plugin.clone() else { panic!("a Unix socket was asked for") };
    crate::fixture::until("it is up", || path.exists()).await;
    within(stage.hub.wait_until_applied()).await;
    stage.ask(Operation::List, "{}").await;
    clock.abort();
    stage.end().await;
}

#[tokio::test]
async fn an_end_while_down_leaves_nothing_behind() {
    for kind in ["refuse", "unlink", "blackhole", "reset"] {
        for stage in [Fixture::unix(), Fixture::tcp()] {
            stage.command(&format!("down {kind}")).await;
            let place = stage.end().await;
            for folder in ["plugins", "etc"] {
                let left = std::fs::read_dir(place.path().join(folder)).map_or(0, Iterator::count);
                assert_eq!(left, 0, "{kind}: {folder}");
            }
        }
    }
}

#[tokio::test]
async fn a_place_that_another_has_taken_meanwhile_is_told_and_tried_again() {
    let stage = Fixture::unix();
    let Peer::Unix(path) = stage.plugin.clone() else { panic!("a Unix socket was asked for") };
    stage.command("down unlink").await;
    let thief = UnixListener::bind(&path).expect("nothing is in its place");
    stage.command("up").await;
    let told = |stage: &Fixture| {
        let (entries, _) = stage.hub.entries_after(0, usize::MAX);
        let told = entries.into_iter().filter_map(|entry| match &entry.kind {
            EntryKind::Driver(event) if event.reason != DriverReason::Command => Some(event.clone()),
            _ => None,
        });
        told.collect::<Vec<_>>()
    };
    let DriverReason::CannotBind { address, .. } = &told(&stage)[0].reason else {
        panic!("{:?}", told(&stage))
    };
    assert!(address.starts_with("unix://"), "{address}");
    std::fs::remove_file(&path).expect("the thief goes");
    drop(thief);
    crate::fixture::until("it is up", || told(&stage).len() == 2).await;
    let event = &told(&stage)[1];
    assert_eq!((event.status, &event.reason), (DriverStatus::Up, &DriverReason::Recovered));
    assert_eq!(stage.plugin.exchange(&request(Operation::List, "{}")).await.status(), Some(200));
    stage.end().await;
}
