//! Several instances in one console: one list by time, and each with its own state, seed and commands.

use std::{fs, path::PathBuf, sync::Arc};

use tokio::{
    io::copy_bidirectional,
    net::{UnixListener, UnixStream},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;
use voltergeist::{
    domain::model::{
        entry::{Entry, EntryKind},
        origin::Origin,
        protocol::Operation,
        source_status::{ConnectionState, NodeChoice, SourceStatus},
    },
    hub::Snapshot,
    net::Endpoint,
    source::{MergedSource, RemoteSource, Source},
};

use crate::fixture::{Fixture, paths, place, until_source, within};

async fn node(name: &str, fixture: &Fixture) -> (String, Arc<RemoteSource>) {
    node_at(name, &fixture.control_address, fixture).await
}

async fn node_at(name: &str, address: &str, fixture: &Fixture) -> (String, Arc<RemoteSource>) {
    let endpoint = Endpoint::find(address, &paths(fixture.place.path()), None).expect("an address");
    (name.to_owned(), RemoteSource::connect(endpoint, false).await.expect("it answers"))
}

async fn three() -> ([Fixture; 3], Arc<MergedSource>) {
    let fixtures = [Fixture::unix(), Fixture::unix(), Fixture::unix()];
    let mut nodes = Vec::new();
    for (name, fixture) in ["a", "b", "c"].into_iter().zip(&fixtures) {
        nodes.push(node(name, fixture).await);
    }
    (fixtures, MergedSource::new(nodes))
}

fn entries(source: &MergedSource) -> Vec<Arc<Entry>> {
    source.entries_after(0, usize::MAX)
}

/// The finished calls, as `NODE VOLUME`.
fn calls(source: &MergedSource) -> Vec<String> {
    let shown = |entry: &Arc<Entry>| {
        let volume = entry.call()?.volume.clone()?;
        Some(format!("{} {volume}", entry.node.as_deref().expect("it has an instance")))
    };
    entries(source).iter().filter_map(shown).collect()
}

/// The commands that an instance has run.
fn commands(fixture: &Fixture) -> Vec<String> {
    let (entries, _) = fixture.hub.entries_after(0, usize::MAX);
    let lines = entries.iter().filter_map(|entry| match &entry.kind {
        EntryKind::Command(run) => Some(run.command.clone()),
        _ => None,
    });
    lines.collect()
}

async fn run(source: &MergedSource, line: &str) -> Result<String, String> {
    within(source.run(line.parse().expect("a command"), Origin::Line)).await
}

async fn end(fixtures: impl IntoIterator<Item = Fixture>) {
    for fixture in fixtures {
        fixture.end().await;
    }
}

#[tokio::test]
async fn the_entries_are_in_one_list_by_time_with_their_nodes() {
    let (fixtures, source) = three().await;
    for (volume, fixture) in [(1, 0), (2, 2), (3, 1), (4, 0), (5, 2)] {
        fixtures[fixture].ask(Operation::Create, &format!(r#"{{"Name":"v{volume}"}}"#)).await;
        // An entry that comes later than others are held back for stays where it arrives.
        until_source(&source, "the call", |source| calls(source).len() == volume).await;
    }
    assert_eq!(calls(&source), ["a v1", "c v2", "b v3", "a v4", "c v5"]);
    let entries = entries(&source);
    assert!(entries.iter().filter(|entry| entry.call().is_some()).is_sorted_by_key(|entry| entry.at));
    let seqs: Vec<_> = entries.iter().map(|entry| entry.seq).collect();
    assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>());
    let snapshot = source.snapshot();
    assert_eq!((snapshot.kept, snapshot.dropped), (1..seqs.len() as u64 + 1, 0));
    end(fixtures).await;
}

#[tokio::test]
async fn a_held_call_keeps_its_row_and_is_released_at_its_node() {
    let (fixtures, source) = three().await;
    fixtures[1].command("arm get: hold").await;
    let held = async { fixtures[1].ask(Operation::Get, r#"{"Name":"db1"}"#).await };
    let release = async {
        until_source(&source, "the held call", |source| source.snapshot().held.len() == 1).await;
        let held = Arc::clone(&source.snapshot().held[0]);
        assert_eq!(held.node.as_deref(), Some("b"));
        assert!(entries(&source).iter().any(|entry| entry.seq == held.seq && **entry == *held));
        // The others have no call to release.
        source.choose_node(&NodeChoice::All).expect("all can be chosen");
        let result = run(&source, "release").await.expect("one has released a call");
        assert!(result.contains("b: ") && result.contains("a, c: "), "{result}");
        held.seq
    };
    let (_, held) = within(async { tokio::join!(held, release) }).await;
    until_source(&source, "the end of the call", |source| !calls(source).is_empty()).await;
    let entries = entries(&source);
    let ended = entries.iter().find_map(|entry| entry.call()).expect("it has ended");
    assert_eq!(ended.held_seq, Some(held));
    end(fixtures).await;
}

#[tokio::test]
async fn a_command_goes_to_the_chosen_node_or_to_all_and_seeds_are_per_node() {
    let (fixtures, source) = three().await;
    run(&source, "seed 1").await.expect("it is run");
    source.choose_node(&NodeChoice::One("b".into())).expect("it is shown");
    run(&source, "seed 2").await.expect("it is run");
    let all = source.choose_node(&NodeChoice::All).expect("all can be chosen");
    assert!(all.contains("all 3 nodes"), "{all}");
    let result = run(&source, "conjure db1").await.expect("it is run");
    assert!(result.starts_with("a, b, c: "), "{result}");
    assert_eq!(
        fixtures.each_ref().map(commands),
        [vec!["seed 1", "conjure db1"], vec!["seed 2", "conjure db1"], vec!["conjure db1"]]
    );
    let seeds: Vec<_> = source.snapshot().nodes.iter().map(|node| node.seed).collect();
    assert_eq!(seeds, [1, 2, 0]);
    let snapshot = source.snapshot();
    assert!(snapshot.is_all());
    assert_eq!((snapshot.volume_count(), snapshot.volumes.len()), (3, 0));

    // Of what one refuses, the others' results are said too.
    fixtures[2].command("forget db1").await;
    let result = run(&source, "forget db1").await.expect("two have done it");
    assert!(result.starts_with("a, b: forgot") && result.contains("; c: "), "{result}");
    let refused = run(&source, "forget db9").await.expect_err("none has it");
    assert!(refused.contains("db9"), "{refused}");

    let unknown = source.choose_node(&NodeChoice::One("x".into())).expect_err("there is none");
    assert_eq!(unknown, "no node \"x\" is shown; choose: a b c all");
    source.choose_node(&NodeChoice::Next).expect("the first");
    source.choose_node(&NodeChoice::Next).expect("the second");
    assert_eq!(source.snapshot().node.as_deref(), Some("b"));
    assert_eq!(source.snapshot().seed, 2);
    end(fixtures).await;
}

#[tokio::test]
async fn a_dry_run_finds_the_calls_of_the_chosen_node_or_of_all() {
    let (fixtures, source) = three().await;
    for (fixture, volume) in fixtures.iter().zip(["db1", "web", "db2"]) {
        fixture.ask(Operation::Create, &format!(r#"{{"Name":"{volume}"}}"#)).await;
    }
    until_source(&source, "all calls are here", |source| calls(source).len() == 3).await;
    let hits = async |rule: &str| {
        let run = within(source.dry_run(rule.parse().expect("a rule"))).await.expect("each has its calls");
        let hit: Vec<_> =
            entries(&source).iter().filter(|entry| run.has(entry)).map(|entry| entry.node.clone()).collect();
        (
            hit.into_iter().flatten().map(|node| node.to_string()).collect::<Vec<_>>(),
            run.hits.len(),
            run.calls,
        )
    };
    assert_eq!(hits("create: hang").await, (vec!["a".to_owned()], 1, 1));
    source.choose_node(&NodeChoice::All).expect("all can be chosen");
    assert_eq!(hits("create where volume=db*: hang").await, (vec!["a".to_owned(), "c".to_owned()], 2, 3));
    end(fixtures).await;
}

#[tokio::test]
async fn a_reset_takes_the_entries_of_its_node_only() {
    let (fixtures, source) = three().await;
    for fixture in &fixtures {
        fixture.ask(Operation::Create, r#"{"Name":"db1"}"#).await;
    }
    until_source(&source, "the calls", |source| calls(source).len() == 3).await;
    let epoch = source.snapshot().epoch;
    run(&source, "reset").await.expect("it is run");
    until_source(&source, "the other entries", |source| calls(source) == ["b db1", "c db1"]).await;
    assert!(source.snapshot().epoch > epoch, "the list begins again");
    let counted = |snapshot: &Snapshot| snapshot.counters.operation(Operation::Create);
    let snapshot = source.snapshot();
    assert_eq!(snapshot.nodes.iter().map(counted).collect::<Vec<_>>(), [0, 1, 1]);
    source.choose_node(&NodeChoice::All).expect("all can be chosen");
    assert_eq!(counted(&source.snapshot()), 2);
    end(fixtures).await;
}

/// A socket that leads to another one, until the connections are cut.
struct Proxy {
    path: PathBuf,
    to: String,
    cut: CancellationToken,
}

impl Proxy {
    fn open(path: PathBuf, to: &str) -> Self {
        let mut proxy = Self { path, to: to.to_owned(), cut: CancellationToken::new() };
        proxy.resume();
        proxy
    }

    fn resume(&mut self) {
        let listener = UnixListener::bind(&self.path).expect("it can be bound");
        let (to, cut) = (self.to.strip_prefix("unix://").expect("a path").to_owned(), self.cut.clone());
        tokio::spawn(async move {
            let serve = async {
                let mut connections = JoinSet::new();
                while let Ok((mut here, _)) = listener.accept().await {
                    let to = to.clone();
                    connections.spawn(async move {
                        let mut there = UnixStream::connect(to).await.expect("it listens");
                        copy_bidirectional(&mut here, &mut there).await.ok();
                    });
                }
            };
            cut.run_until_cancelled(serve).await;
        });
    }

    fn cut(&mut self) {
        fs::remove_file(&self.path).expect("it is there");
        std::mem::replace(&mut self.cut, CancellationToken::new()).cancel();
    }
}

#[tokio::test]
async fn what_was_missed_while_a_connection_was_lost_goes_to_its_place() {
    let (first, second) = (Fixture::unix(), Fixture::unix());
    let directory = place();
    let path = directory.path().join("proxy.sock");
    let mut proxy = Proxy::open(path.clone(), &second.control_address);
    let address = format!("unix://{}", path.display());
    let nodes = vec![node("a", &first).await, node_at("b", &address, &second).await];
    let source = MergedSource::new(nodes);
    let state = |source: &MergedSource| match &source.snapshot().nodes[1].source {
        SourceStatus::Remote(connection) => connection.state.clone(),
        other => panic!("{other:?}"),
    };
    proxy.cut();
    until_source(&source, "the loss", |source| state(source) != ConnectionState::Connected).await;
    for (fixture, volume) in [(&first, 1), (&second, 2), (&first, 3), (&second, 4)] {
        fixture.ask(Operation::Create, &format!(r#"{{"Name":"v{volume}"}}"#)).await;
    }
    until_source(&source, "the calls of the other", |source| calls(source) == ["a v1", "a v3"]).await;
    proxy.resume();
    until_source(&source, "all calls", |source| calls(source).len() == 4).await;
    assert_eq!(calls(&source), ["a v1", "b v2", "a v3", "b v4"]);
    assert_eq!(state(&source), ConnectionState::Connected);
    end([first, second]).await;
}
