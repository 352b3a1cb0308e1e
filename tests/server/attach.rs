//! A console that is attached over the control socket: it follows, commands, reconnects, and says what it missed.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, sync::Arc};

use voltergeist::{
    domain::{
        model::{
            entry::EntryKind,
            origin::Origin,
            protocol::Operation,
            source_status::{Connection, ConnectionState, SourceStatus},
        },
        state::journal::Bounds,
    },
    net::{Address, Endpoint, token},
    source::{RemoteSource, Source},
};

use crate::fixture::{Fixture, http, place, tcp, until_source, within};

fn endpoint(fixture: &Fixture, token: Option<&str>) -> Endpoint {
    let paths = crate::fixture::paths(fixture.place.path());
    Endpoint::find(&fixture.control_address, &paths, token.map(str::to_owned)).expect("an address")
}

async fn attach(fixture: &Fixture) -> Arc<RemoteSource> {
    RemoteSource::connect(endpoint(fixture, None), false).await.expect("it answers")
}

fn connection(source: &RemoteSource) -> Connection {
    match source.snapshot().source {
        SourceStatus::Remote(connection) => connection,
        other => panic!("{other:?}"),
    }
}

async fn run(source: &RemoteSource, line: &str) -> Result<String, String> {
    within(source.run(line.parse().expect("a command"), Origin::Line)).await
}

#[tokio::test]
async fn it_shows_what_there_was_and_what_comes_and_its_commands_are_run_there() {
    let fixture = Fixture::unix();
    fixture.ask(Operation::Create, r#"{"Name":"db1","Opts":{"tier":"gold"}}"#).await;
    let before = fixture.hub.kept().end - 1;
    let source = attach(&fixture).await;
    assert_eq!(source.snapshot().volumes.len(), 1);
    // The end of the caller's connection may come later.
    assert!(source.entries_after(0, usize::MAX).len() as u64 >= before);
    until_source(&source, "all entries", |source| {
        source.entries_after(0, usize::MAX).len() as u64 == fixture.hub.kept().end - 1
    })
    .await;

    assert_eq!(run(&source, "forget db1").await.as_deref(), Ok("forgot \"db1\"; its files are kept"));
    // The next key sees what the command has changed.
    assert!(source.snapshot().volumes.known("db1").is_some_and(|volume| !volume.exists));
    let refused = run(&source, "forget db2").await.expect_err("there is none");
    assert!(refused.contains("db2"), "{refused}");
    fixture.ask(Operation::Create, r#"{"Name":"db2"}"#).await;
    until_source(&source, "the new volume", |source| source.snapshot().volumes.len() == 2).await;
    fixture.end().await;
}

#[tokio::test]
async fn one_that_only_looks_on_sends_nothing() {
    let fixture = Fixture::unix();
    let source = RemoteSource::connect(endpoint(&fixture, None), true).await.expect("it answers");
    let refused = run(&source, "wipe").await.expect_err("it is read-only");
    assert!(refused.contains("--read-only"), "{refused}");
    assert!(connection(&source).read_only);
    assert!(fixture.hub.all_entries().iter().all(|entry| !matches!(entry.kind, EntryKind::Command(_))));
    fixture.end().await;
}

#[tokio::test]
async fn it_connects_again_and_the_new_process_begins_from_nothing() {
    let fixture = Fixture::unix();
    fixture.ask(Operation::Create, r#"{"Name":"db1"}"#).await;
    let source = attach(&fixture).await;
    let epoch = source.snapshot().epoch;
    let place = fixture.end().await;
    until_source(&source, "the end", |source| connection(source).state != ConnectionState::Connected).await;
    assert_eq!(source.snapshot().volumes.len(), 1, "what is known stays on the screen");

    let fixture = Fixture::at(place, |_| {}).expect("the server binds");
    fixture.ask(Operation::Create, r#"{"Name":"db2"}"#).await;
    until_source(&source, "the new process", |source| {
        connection(source).state == ConnectionState::Connected && source.snapshot().volumes.len() == 2
    })
    .await;
    assert!(source.snapshot().epoch > epoch, "lists begin again");
    assert_eq!(connection(&source).missed, 0);
    fixture.end().await;
}

#[tokio::test]
async fn what_left_the_journal_before_it_was_read_is_counted() {
    let fixture = Fixture::bounded(Bounds { entries: 50, ..Bounds::default() });
    let source = attach(&fixture).await;
    // The stream's task has no turn between these.
    for _ in 0..500 {
        fixture.hub.record(EntryKind::Note { text: "again".into() });
    }
    fixture.hub.command_line("conjure db1", Origin::Line).expect("a command");
    until_source(&source, "what is there now", |source| source.snapshot().volumes.len() == 1).await;
    assert!(connection(&source).missed >= 400, "{:?}", connection(&source));
    let entries = source.entries_after(0, usize::MAX);
    assert!(entries.windows(2).all(|pair| pair[0].seq + 1 == pair[1].seq));
    fixture.end().await;
}

#[tokio::test]
async fn a_port_wants_its_token() {
    let place = place();
    let file = place.path().join("token");
    fs::write(&file, "0123456789abcdef\n").expect("it is written");
    let refused = token::read(&file).expect_err("others can read it").to_string();
    assert!(refused.contains("chmod 600"), "{refused}");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("it is ours");
    let token = token::read(&file).expect("it is a token");
    fs::write(&file, "short").expect("it is written");
    assert!(token::read(&file).is_err());
    let missing = token::read(Path::new("/nowhere")).expect_err("there is none").to_string();
    assert!(missing.contains("to make one"), "{missing}");

    let fixture = Fixture::at(place, |plan| {
        plan.control = tcp();
        plan.token = Some(token.clone());
    })
    .expect("the server binds");
    let close = "Connection: close\r\n";
    assert_eq!(fixture.control.exchange(&http("GET", "/v1/state", close, "")).await.status(), Some(401));
    let with = format!("{close}Authorization: Bearer {token}\r\n");
    assert_eq!(fixture.control.exchange(&http("GET", "/v1/state", &with, "")).await.status(), Some(200));
    assert!(RemoteSource::connect(endpoint(&fixture, None), false).await.is_err());
    let source = RemoteSource::connect(endpoint(&fixture, Some(&token)), false).await.expect("it answers");
    run(&source, "note hello").await.expect("it is run");
    fixture.end().await;
}

#[tokio::test]
async fn a_port_that_others_reach_is_refused_without_a_token() {
    let refused = Fixture::at(place(), |plan| plan.control = Address::Tcp("0.0.0.0:0".into()));
    let error = refused.err().expect("it is refused").to_string();
    assert!(error.contains("--token-file"), "{error}");
    let fixture = Fixture::at(place(), |plan| plan.control = tcp()).expect("only this machine reaches it");
    assert!(fixture.notes().iter().any(|note| note.contains("--token-file")), "{:?}", fixture.notes());
    fixture.end().await;
}
