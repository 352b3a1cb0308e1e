//! The whole path of a group: a command on the simulated daemon, its calls on the real server, and the name
//! that the journal's fold gives them.

use jiff::SignedDuration;
use std::sync::Arc;
use voltergeist::domain::{
    analysis::groups::{CallGroup, CallGroups},
    model::entry::Entry,
};

use crate::{docker, faults::FaultyDriver};

/// What is typed, and the one group that it makes. An empty name stands for none.
const LIFE: &[(&str, &str)] = &[
    ("docker volume create -d ghost v", "create v"),
    ("docker volume create -d ghost v", "inspect or create v"),
    ("docker volume inspect v", "inspect or create v"),
    ("docker volume inspect nowhere", "any command nowhere"),
    ("docker volume ls", "ls"),
    ("docker volume prune -f", ""),
    ("docker run -d --name c -v v:/data busybox top", "run or start v"),
    ("docker volume rm v", "inspect or create v"),
    ("docker cp c:/data/x /tmp", "cp v"),
    ("docker restart c", "restart v"),
    ("docker stop c", "stop or exit v"),
    ("docker cp c:/data/x /tmp", "cp or start v"),
    ("docker cp /tmp/x c:/data", "cp v"),
    ("docker start c", "start v"),
    ("docker kill c", "stop or exit v"),
    ("docker rm c", ""),
    ("docker create --name made -v new:/data --volume-driver ghost busybox", "create new"),
    ("docker run --name whole -v other:/data --volume-driver ghost busybox true", "run or create other"),
    ("docker create --name filled -v v:/tmp busybox", "run or create v"),
    ("docker run -d --name full -v v:/tmp busybox top", "run v"),
    ("docker rm -f full", "stop or exit v"),
    ("docker run --rm -v /scratch --volume-driver ghost busybox true", "run"),
    ("docker rm made", ""),
    ("docker rm filled", ""),
    ("docker volume rm new", "rm new"),
];

#[tokio::test]
async fn each_command_is_one_group_with_its_name() {
    let haunted = FaultyDriver::new();
    let daemon = haunted.daemon();
    let (mut groups, mut seen) = (CallGroups::default(), 0);
    for (number, (line, expected)) in (0_i64..).zip(LIFE) {
        docker(&daemon, line).await;
        let (entries, _) = haunted.hub().entries_after(seen, usize::MAX);
        let known = groups.iter().len();
        for entry in &entries {
            // As if a minute had passed since the command before.
            let at = entry.at.checked_add(SignedDuration::from_mins(number)).expect("soon");
            groups.push(&Arc::new(Entry { at, ..Entry::clone(entry) }));
            seen = entry.seq;
        }
        let describe = |group: &CallGroup| {
            let volume = group.volume().filter(|volume| volume.len() < 64).unwrap_or_default();
            format!("{} {volume}", group.name()).trim_end().to_owned()
        };
        let described: Vec<String> = groups.iter().skip(known).map(describe).collect();
        let expected: Vec<&str> = [*expected].into_iter().filter(|name| !name.is_empty()).collect();
        assert_eq!(described, expected, "{line}: {entries:#?}");
    }
    haunted.end().await;
}
