//! Whatever is sent, by however many at once: the counters equal the requests sent.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use proptest::prelude::*;
use serde_json::json;
use voltergeist::domain::{
    model::{entry::Outcome, protocol::Operation},
    state::journal::Bounds,
};

use crate::fixture::{Fixture, Peer, http};

/// A request, and whether its sender leaves without waiting for the answer.
#[derive(Clone, Debug)]
struct Sent {
    method: &'static str,
    path: &'static str,
    body: String,
    impatient: bool,
}

fn sent() -> impl Strategy<Value = Sent> {
    let paths = Operation::ALL.map(Operation::path).into_iter().chain(["/", "/VolumeDriver.Other"]);
    let path = prop::sample::select(paths.collect::<Vec<_>>());
    let body = prop_oneof![
        8 => "[ab]".prop_map(|name| format!("{{\"Name\":\"{name}\",\"ID\":\"7f\"}}")),
        1 => Just(String::new()),
        1 => Just("{".to_owned()),
        1 => Just("{\"Name\":\"../x\"}".to_owned()),
    ];
    let method = prop::sample::select(vec!["POST", "POST", "POST", "POST", "GET", "PUT"]);
    (method, path, body, prop::bool::weighted(0.1)).prop_map(|(method, path, body, impatient)| Sent {
        method,
        path,
        body,
        impatient,
    })
}

const RULES: [&str; 8] = [
    "get every 3: reset",
    "mount every 2: eof after",
    "list every 2: truncate",
    "create every 3: delay 1ms",
    "any 10%: fail \"boom\"",
    "path: drip 3ms",
    "unmount every 2: garbage twice",
    "remove: lie",
];

async fn send_all(peer: Peer, requests: Vec<Sent>, heard: Arc<AtomicU64>) {
    for sent in requests {
        let request = http(sent.method, sent.path, "Connection: close\r\n", &sent.body);
        let mut caller = peer.connect().await.expect("the server listens");
        caller.say(&request).await;
        if !sent.impatient {
            caller.hear().await;
            heard.fetch_add(1, Ordering::SeqCst);
        }
    }
}

async fn check(tcp: bool, callers: Vec<Vec<Sent>>, rules: Vec<&'static str>) -> Result<(), TestCaseError> {
    let fixture = if tcp { Fixture::tcp() } else { Fixture::unix() };
    for rule in rules {
        fixture.command(&format!("arm {rule}")).await;
    }
    let all: Vec<Sent> = callers.iter().flatten().cloned().collect();
    let heard = Arc::new(AtomicU64::new(0));
    let sending: Vec<_> = callers
        .into_iter()
        .map(|requests| tokio::spawn(send_all(fixture.plugin.clone(), requests, Arc::clone(&heard))))
        .collect();
    let total = |fixture: &Fixture| {
        let counters = fixture.snapshot().counters;
        Operation::ALL.map(|operation| counters.operation(operation)).iter().sum::<u64>()
            + counters.unknown_requests
    };
    for sending in sending {
        // Read first: an answer that was heard is an answer that was counted.
        let heard = heard.load(Ordering::SeqCst);
        prop_assert!(total(&fixture) >= heard);
        sending.await.expect("no caller panics");
    }
    fixture.until("all are counted", |_| total(&fixture) >= all.len() as u64).await;
    fixture.until("all have ended", |now| now.held.is_empty()).await;

    let counters = fixture.snapshot().counters;
    for operation in Operation::ALL {
        let expected = all.iter().filter(|sent| sent.path == operation.path()).count() as u64;
        prop_assert_eq!(counters.operation(operation), expected, "{}", operation);
    }
    let ended: u64 = Outcome::ALL.map(|outcome| counters.outcome(outcome)).iter().sum();
    prop_assert_eq!((ended, total(&fixture)), (all.len() as u64, all.len() as u64));
    let mut numbers: Vec<u64> = fixture.calls().iter().map(|call| call.number).collect();
    numbers.sort_unstable();
    prop_assert_eq!(numbers, (1..=all.len() as u64).collect::<Vec<_>>());
    fixture.end().await;
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_counters_equal_the_requests_sent(
        tcp in any::<bool>(),
        callers in prop::collection::vec(prop::collection::vec(sent(), 0..25), 1..8),
        rules in prop::sample::subsequence(RULES.to_vec(), 0..=RULES.len()),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        runtime.block_on(check(tcp, callers, rules))?;
    }
}

#[tokio::test]
async fn the_journal_stays_within_its_bytes_whatever_is_sent() {
    let bytes = 2 * 1024 * 1024;
    let fixture = Fixture::bounded(Bounds { bytes, ..Bounds::default() });
    let mut caller = fixture.plugin.connect().await.expect("the server listens");
    for number in 0..200 {
        let options = json!({ "k": "x".repeat(60_000), "n": number.to_string() });
        let body = json!({ "Name": format!("v{number}"), "Opts": options }).to_string();
        let headers = format!("X-Number: {number}\r\nX-Long: {}\r\n", "y".repeat(900));
        caller.say(&http("POST", Operation::Create.path(), &headers, &body)).await;
        assert_eq!(caller.hear_one().await.body(), "{}\n");
    }
    let (entries, _) = fixture.hub.entries_after(0, usize::MAX);
    let kept: usize = entries.iter().map(|entry| entry.size_estimate()).sum();
    assert!((bytes / 2..=bytes).contains(&kept), "{kept} bytes in {} entries", entries.len());
    // Each holds its options twice: a part in the body, and all of them in the change.
    assert!((25..35).contains(&entries.len()), "{}", entries.len());
    fixture.end().await;
}
