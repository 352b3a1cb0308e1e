//! The groups and the countdown, compared with what a real daemon does.

use std::{sync::Arc, time::Duration};

use jiff::SignedDuration;
use serde_json::Value;
use voltergeist::domain::{
    analysis::{
        groups::{CallGroup, CallGroups},
        retries::{NextAttempt, Retries, began, between},
    },
    model::entry::{Entry, EntryKind, Outcome},
};

use crate::{
    fixture::{DRIVER, Fixture, arm},
    support::{
        TIMEOUT, Test,
        plugin::{Plugin, Registration},
        wait_for,
    },
    tests,
};

pub fn tests() -> Vec<Test> {
    let mut all = tests![
        each_command_is_one_group_with_its_name,
        the_countdown_says_when_the_daemon_tries_again_and_when_it_gives_up,
    ];
    all.push(Test::new("a_daemon_gives_up_at_its_time_limit_as_the_countdown_says", time_limit).slow());
    all
}

fn entries(plugin: &Plugin) -> Vec<Arc<Entry>> {
    let read = |line: Value| Arc::new(serde_json::from_value(line).expect("an entry"));
    plugin.entries().into_iter().map(read).collect()
}

fn each_command_is_one_group_with_its_name() {
    let fixture = Fixture::with_busybox();
    let create = format!("volume create -d {DRIVER} vol");
    let (mut groups, mut seen) = (CallGroups::default(), 0);
    for (number, (line, expected)) in (0_i64..).zip([
        (&*create, "create vol"),
        ("volume inspect vol", "inspect or create vol"),
        ("volume ls", "ls"),
        ("run --detach --stop-signal KILL --name box -v vol:/data busybox top", "run or start vol"),
        ("cp box:/data -", "cp vol"),
        ("cp /etc/hosts box:/data/", "cp vol"),
        ("restart box", "restart vol"),
        ("stop box", "stop or exit vol"),
        ("cp box:/data -", "cp or start vol"),
        ("start box", "start vol"),
        ("rm --force box", "stop or exit vol"),
        ("run --rm -v vol:/data busybox true", "run or create vol"),
        ("run --rm -v other:/data --volume-driver poltergeist busybox true", "run or create other"),
        ("run --rm -v vol:/data busybox sleep 3", "run or start vol, stop or exit vol"),
        ("volume rm vol", "rm vol"),
    ]) {
        fixture.succeeds(line);
        let known = groups.iter().len();
        // The end of a container may reach the plugin a moment after its command has ended.
        let mut last = String::new();
        let found = wait_for(TIMEOUT, || {
            let mut all = groups.clone();
            let new: Vec<_> = entries(&fixture.plugin).into_iter().filter(|entry| entry.seq > seen).collect();
            for entry in &new {
                // As if a minute had passed since the command before.
                let at = entry.at.checked_add(SignedDuration::from_mins(number)).expect("soon");
                all.push(&Arc::new(Entry { at, ..Entry::clone(entry) }));
            }
            let described = |group: &CallGroup| {
                format!("{} {}", group.name(), group.volume().unwrap_or_default()).trim_end().to_owned()
            };
            last = all.iter().skip(known).map(described).collect::<Vec<_>>().join(", ");
            (last == expected).then(|| (all, new.last().map_or(seen, |entry| entry.seq)))
        });
        (groups, seen) = found.unwrap_or_else(|| panic!("{line}: {last:?} instead of {expected:?}"));
    }
}

/// What the countdown says at the end of each attempt, and how much later the daemon came, in seconds.
fn foretold(entries: &[Arc<Entry>]) -> Vec<(String, f64)> {
    let mut retries = Retries::default();
    let lost = |entry: &&Arc<Entry>| entry.call().is_some_and(|call| call.status.is_none());
    let mut said = Vec::new();
    for entry in entries {
        retries.push(entry);
        let Some(next) = Some(entry).filter(lost).and_then(|entry| retries.next_attempt(entry, entry.at))
        else {
            continue;
        };
        let came = entries.iter().find(|other| {
            other.seq > entry.seq
                && other.call().and_then(|call| call.operation)
                    == entry.call().and_then(|call| call.operation)
        });
        let off = match (next, came) {
            (NextAttempt::Retries { due, .. }, Some(came)) => {
                began(came).duration_since(entry.at).as_secs_f64() - due.as_secs_f64()
            }
            (NextAttempt::Retries { .. }, None) => panic!("no retry came after {next}"),
            (_, came) => {
                assert!(came.is_none(), "another attempt came after: {next}");
                0.0
            }
        };
        said.push((next.to_string(), off));
    }
    said
}

fn the_countdown_says_when_the_daemon_tries_again_and_when_it_gives_up() {
    let fixture = Fixture::with_busybox();
    let running: Vec<_> = [
        ("mount: reset", "docker-connection-lost", "run --rm -v mounted:/data busybox true"),
        ("get: reset", "docker-get-connection-lost", "volume inspect got"),
        ("create: eof", "docker-connection-lost", "volume create -d"),
    ]
    .into_iter()
    .enumerate()
    .map(|(number, (rule, fact, line))| {
        let name = format!("cut{number}");
        let plugin = fixture.another(&name, Registration::Socket);
        let volume = line.split([' ', ':']).find(|word| ["mounted", "got"].contains(word));
        if let Some(volume) = volume {
            fixture.succeeds(&format!("volume create -d {name} {volume}"));
        }
        arm(&plugin, rule, fact);
        let line = if line.ends_with("-d") { format!("{line} {name} made") } else { line.to_owned() };
        let command = fixture.daemon.start_docker(&line);
        (plugin, command, rule)
    })
    .collect();
    for (plugin, command, rule) in running {
        command.finish().fails();
        let said = foretold(&entries(&plugin));
        let texts: Vec<&str> = said.iter().map(|(text, _)| text.as_str()).collect();
        let gave_up = texts.last().copied().unwrap_or_default();
        assert_eq!(
            texts[..4],
            [
                "retries in 1 s, attempt 2 of 5; gives up in 0:15",
                "retries in 2 s, attempt 3 of 5; gives up in 0:14",
                "retries in 4 s, attempt 4 of 5; gives up in 0:12",
                "retries in 8 s, attempt 5 of 5; gives up in 0:08",
            ],
            "{rule}"
        );
        assert!(
            texts.len() == 5 && gave_up.starts_with("gave up after 5 attempts in 15."),
            "{rule}: {texts:?}"
        );
        assert!(said.iter().all(|(_, off)| (-0.05..1.0).contains(off)), "{rule}: {said:?}");
    }
}

fn time_limit() {
    let fixture = Fixture::new();
    fixture.create("v");
    arm(&fixture.plugin, "get: hang", "docker-get-hang");
    let inspect = fixture.daemon.start_docker("volume inspect v");
    inspect.finish_within(Duration::from_secs(90)).fails();
    let entries = entries(&fixture.plugin);
    let mut retries = Retries::default();
    for entry in &entries {
        retries.push(entry);
    }
    let waiting = entries.iter().find(|entry| matches!(entry.kind, EntryKind::Held(_))).expect("it waited");
    assert_eq!(
        retries.next_attempt(waiting, waiting.at).map(|next| next.to_string()).as_deref(),
        Some("gives up in 1:00, and does not retry")
    );
    let ended = entries.last().expect("it ended");
    assert_eq!(ended.call().map(|call| call.outcome), Some(Outcome::Cancelled));
    let waited = between(waiting.at, ended.at).as_secs();
    assert!((59..62).contains(&waited), "{waited} s");
    assert_eq!(
        retries.next_attempt(ended, ended.at).map(|next| next.to_string()).as_deref(),
        Some("gave up after 1:00, its time limit")
    );
}
