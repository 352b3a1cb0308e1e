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
    for fixture in [Fixture::unix(), Fixture::tcp()] {
        let mut idle = fixture.plugin.connect().await.expect("the server listens");
        idle.say(&kept_alive(Operation::List, "{}")).await;
        idle.hear_one().await;
        fixture.command("down refuse").await;
        assert_eq!(refusal(&fixture.plugin).await, Some(ErrorKind::ConnectionRefused));
        let heard = idle.hear().await;
        assert_eq!((heard.text.as_str(), heard.end), ("", Ok(())), "an open connection is cut");
        if let Peer::Tcp(_) = fixture.plugin {
            assert!(fixture.place.path().join("etc/ghost.spec").exists());
        }
        fixture.command("up").await;
        fixture.ask(Operation::List, "{}").await;
        fixture.end().await;
    }
}

#[tokio::test]
async fn a_driver_that_is_unlinked_is_gone_with_its_registration() {
    for (fixture, refused) in
        [(Fixture::unix(), ErrorKind::NotFound), (Fixture::tcp(), ErrorKind::ConnectionRefused)]
    {
        let spec = fixture.place.path().join("etc/ghost.spec");
        let registered = spec.exists();
        assert_eq!(registered, matches!(fixture.plugin, Peer::Tcp(_)));
        fixture.command("down unlink").await;
        assert_eq!(refusal(&fixture.plugin).await, Some(refused));
        assert!(!spec.exists());
        fixture.command("up").await;
        assert_eq!(spec.exists(), registered);
        fixture.ask(Operation::List, "{}").await;
        fixture.end().await;
    }
}

#[tokio::test]
async fn a_black_hole_takes_everything_and_never_answers() {
    for fixture in [Fixture::unix(), Fixture::tcp()] {
        fixture.command("arm get: hold").await;
        let mut idle = fixture.plugin.connect().await.expect("the server listens");
        idle.say(&kept_alive(Operation::List, "{}")).await;
        idle.hear_one().await;
        let mut waiting = fixture.plugin.connect().await.expect("the server listens");
        waiting.say(&kept_alive(Operation::Get, r#"{"Name":"v"}"#)).await;
        fixture.until("the call waits", |now| now.held.len() == 1).await;

        fixture.command("down blackhole").await;
        let mut fresh = fixture.plugin.connect().await.expect("connecting succeeds");
        fresh.say(&kept_alive(Operation::List, "{}")).await;
        idle.say(&kept_alive(Operation::List, "{}")).await;
        fixture.command("release all").await;
        for caller in [&mut fresh, &mut idle, &mut waiting] {
            assert!(caller.is_silent().await);
        }
        fixture.command("up").await;
        for mut caller in [fresh, idle, waiting] {
            let heard = caller.hear().await;
            assert_eq!((heard.text.as_str(), heard.end), ("", Ok(())), "what was lost stays lost");
        }
        let call = fixture.last_call();
        assert_eq!((call.outcome, call.operation), (Outcome::Error, Some(Operation::Get)));
        fixture.ask(Operation::List, "{}").await;
        assert_eq!(fixture.snapshot().counters.operation(Operation::List), 2);
        fixture.end().await;
    }
}

#[tokio::test]
async fn a_driver_that_resets_meets_each_request_with_a_reset_and_counts_it() {
    for fixture in [Fixture::unix(), Fixture::tcp()] {
        fixture.command("arm mount: pass").await;
        fixture.command("down reset").await;
        for count in 1..=3 {
            let heard = fixture.call(Operation::Mount, r#"{"Name":"v","ID":"7f"}"#).await;
            assert_eq!((heard.text.as_str(), heard.end), ("", Err(ErrorKind::ConnectionReset)));
            let now = fixture.snapshot();
            assert_eq!((now.counters.operation(Operation::Mount), now.rules[0].evaluated), (count, 0));
            let fault = fixture.last_call().fault;
            assert_eq!(
                fault.and_then(|fault| fault.outage()),
                Some(Outage::Reset),
                "the call says what was done to it"
            );
        }
        assert!(fixture.snapshot().volumes.is_empty());
        fixture.command("up").await;
        fixture.ask(Operation::Mount, r#"{"Name":"v","ID":"7f"}"#).await;
        fixture.end().await;
    }
}

#[tokio::test]
async fn any_outage_follows_any_other() {
    for fixture in [Fixture::unix(), Fixture::tcp()] {
        let kinds = ["refuse", "unlink", "blackhole", "reset"];
        for (first, second) in kinds.iter().flat_map(|first| kinds.map(|second| (first, second))) {
            fixture.command(&format!("down {first}")).await;
            fixture.command(&format!("down {second}")).await;
            let connected = fixture.plugin.connect().await.map_err(|error| error.kind());
            let expected = match (second, &fixture.plugin) {
                ("unlink", Peer::Unix(_)) => Some(ErrorKind::NotFound),
                ("refuse" | "unlink", _) => Some(ErrorKind::ConnectionRefused),
                _ => None,
            };
            assert_eq!(connected.err(), expected, "{first}, then {second}");
            fixture.command("up").await;
            fixture.ask(Operation::List, "{}").await;
        }
        fixture.end().await;
    }
}

#[tokio::test]
async fn an_outage_ends_by_itself() {
    let fixture = Fixture::unix();
    let clock = tokio::spawn({
        let hub = fixture.hub.clone();
        async move { hub.run_deadlines().await }
    });
    fixture.command("down unlink for 20ms").await;
    let Peer::Unix(path) = fixture.plugin.clone() else { panic!("a Unix socket was asked for") };
    crate::fixture::until("it is up", || path.exists()).await;
    within(fixture.hub.wait_until_applied()).await;
    fixture.ask(Operation::List, "{}").await;
    clock.abort();
    fixture.end().await;
}

#[tokio::test]
async fn an_end_while_down_leaves_nothing_behind() {
    for kind in ["refuse", "unlink", "blackhole", "reset"] {
        for fixture in [Fixture::unix(), Fixture::tcp()] {
            fixture.command(&format!("down {kind}")).await;
            let place = fixture.end().await;
            for folder in ["plugins", "etc"] {
                let left = std::fs::read_dir(place.path().join(folder)).map_or(0, Iterator::count);
                assert_eq!(left, 0, "{kind}: {folder}");
            }
        }
    }
}

#[tokio::test]
async fn a_place_that_another_has_taken_meanwhile_is_reported_and_tried_again() {
    let fixture = Fixture::unix();
    let Peer::Unix(path) = fixture.plugin.clone() else { panic!("a Unix socket was asked for") };
    fixture.command("down unlink").await;
    let thief = UnixListener::bind(&path).expect("nothing is in its place");
    fixture.command("up").await;
    let driver_events = |fixture: &Fixture| {
        let (entries, _) = fixture.hub.entries_after(0, usize::MAX);
        let driver_events = entries.into_iter().filter_map(|entry| match &entry.kind {
            EntryKind::Driver(event) if event.reason != DriverReason::Command => Some(event.clone()),
            _ => None,
        });
        driver_events.collect::<Vec<_>>()
    };
    let DriverReason::CannotBind { address, .. } = &driver_events(&fixture)[0].reason else {
        panic!("{:?}", driver_events(&fixture))
    };
    assert!(address.starts_with("unix://"), "{address}");
    std::fs::remove_file(&path).expect("the thief goes");
    drop(thief);
    crate::fixture::until("it is up", || driver_events(&fixture).len() == 2).await;
    let event = &driver_events(&fixture)[1];
    assert_eq!((event.status, &event.reason), (DriverStatus::Up, &DriverReason::Recovered));
    assert_eq!(fixture.plugin.exchange(&request(Operation::List, "{}")).await.status(), Some(200));
    fixture.end().await;
}
