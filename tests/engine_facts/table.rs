//! The table of facts and these tests stay together: what the one claims to have seen, the others look at.

use std::{collections::BTreeSet, fs, path::Path};

use voltergeist::domain::rules::ENGINE_REACTIONS;

use crate::{support::Test, tests};

/// The versions that these tests have been run against.
const ENGINES: [&str; 2] = ["dockerd 20.10.24", "podman 4.3.1"];

pub fn tests() -> Vec<Test> {
    tests![every_fact_that_was_seen_is_checked_and_every_fact_that_is_checked_was_seen]
        .into_iter()
        .map(Test::anywhere)
        .collect()
}

/// The ids of facts in the sources beside this one.
fn checked() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/engine_facts");
    let sources = fs::read_dir(folder).expect("the folder of this test");
    let texts = sources.map(|source| fs::read_to_string(source.expect("a file").path()).expect("its text"));
    let is_id = |word: &&str| {
        ["docker-", "podman-"]
            .iter()
            .any(|engine| word.strip_prefix(engine).is_some_and(|rest| !rest.is_empty()))
            && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
    };
    texts.flat_map(|text| text.split('"').filter(is_id).map(str::to_owned).collect::<Vec<_>>()).collect()
}

fn every_fact_that_was_seen_is_checked_and_every_fact_that_is_checked_was_seen() {
    let seen =
        ENGINE_REACTIONS.iter().filter(|fact| fact.seen_on.iter().any(|engine| ENGINES.contains(engine)));
    let seen: BTreeSet<_> = seen.map(|fact| fact.id.to_owned()).collect();
    let checked = checked();
    let unchecked: Vec<_> = seen.difference(&checked).collect();
    let unseen: Vec<_> = checked.difference(&seen).collect();
    assert!(unchecked.is_empty(), "said to have been seen, but no test looks: {unchecked:?}");
    assert!(unseen.is_empty(), "looked at, but not in the table as seen: {unseen:?}");
}
