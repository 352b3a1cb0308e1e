//! Several instances in one console: their connections, the list with their names, and the panes of one or of all.

use std::{sync::Arc, time::Duration};

use tempfile::TempDir;
use voltergeist::{
    domain::model::{
        entry::{Call, EntryKind, Outcome},
        origin::Origin,
        protocol::Operation,
        source_status::NodeChoice,
    },
    net::{Address, Endpoint, Paths},
    source::{MergedSource, RemoteSource, Source},
};

use super::{fixture::call, instance::TestInstance, sources::text};

/// Three instances with a volume and a call each; the second one has a rule, and a seed of its own.
async fn three() -> (TempDir, Vec<TestInstance>, Arc<MergedSource>) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (mut instances, mut nodes) = (Vec::new(), Vec::new());
    for name in ["a", "b", "c"] {
        let place = directory.path().join(name);
        let paths = Paths {
            sockets: place.join("plugins"),
            control: place.join("run"),
            specs: vec![place.join("specs")],
            ..Paths::default()
        };
        let volumes = place.join("volumes");
        let control = volumes.with_extension("control").display().to_string();
        let listen = Address::Unix(Some(place.join("plugin.sock")));
        let instance = TestInstance::start("ghost", &volumes, listen, paths);
        let hub = &instance.hub;
        for line in [format!("conjure {name}-data"), "arm get: empty as ghostly".into(), "seed 42".into()] {
            if name == "b" || line.starts_with("conjure") {
                hub.command_line(&line, Origin::Line).expect("a command");
            }
        }
        let number = hub.next_call();
        let ended = Call { number, outcome: Outcome::Ok, ..call(Operation::Mount, &format!("{name}-data")) };
        hub.record(EntryKind::Call(Box::new(ended)));
        let endpoint = Endpoint::find(&control, &Paths::default(), None).expect("a path");
        nodes.push((name.to_owned(), RemoteSource::connect(endpoint, false).await.expect("it answers")));
        instances.push(instance);
    }
    (directory, instances, MergedSource::new(nodes))
}

fn has(text: &str, wanted: &[&str]) {
    for wanted in wanted {
        assert!(text.contains(wanted), "{wanted:?} is missing:\n{text}");
    }
}

fn has_not(text: &str, unwanted: &[&str]) {
    for unwanted in unwanted {
        assert!(!text.contains(unwanted), "{unwanted:?} is there:\n{text}");
    }
}

#[tokio::test]
async fn the_list_has_all_nodes_and_the_panes_have_one_or_all() {
    let (_directory, instances, source) = three().await;
    let calls = ["  a     ", "  b     ", "  c     "];
    let one = text(&*source, (160, 40), "");
    has(
        &one,
        &[
            "▸a ● connected",
            "  b ● connected",
            "  c ● connected",
            "node",
            "a · seed 0",
            "a-data",
            "none armed",
        ],
    );
    has(&one, &calls);
    has_not(&one, &["· seed 42", "1 armed"]);

    source.choose_node(&NodeChoice::One("b".into())).expect("it is shown");
    let other = text(&*source, (160, 40), "");
    has(&other, &["▸b ● connected", "b · seed 42", "1 armed", "ghostly"]);
    has(&other, &calls);

    source.choose_node(&NodeChoice::All).expect("all can be chosen");
    let all = text(&*source, (160, 40), "");
    has(
        &all,
        &[
            "▸all",
            "Volumes 3",
            "a  1 volume",
            "b  1 volume",
            "c-data",
            "a  seed 0",
            "b  seed 42",
            "c  seed 0",
            "ghostly",
        ],
    );
    has(&all, &calls);
    for (size, wanted) in [((120, 36), "▸all"), ((80, 24), "▸all"), ((40, 10), "▸all")] {
        has(&text(&*source, size, ""), &[wanted, "b "]);
    }
    for instance in instances {
        instance.end().await;
    }
}

#[tokio::test]
async fn keys_for_one_row_need_one_node_and_the_groups_keep_nodes_apart() {
    let (_directory, instances, source) = three().await;
    source.choose_node(&NodeChoice::All).expect("all can be chosen");
    has(&text(&*source, (160, 40), "x"), &["that is for one node: choose it with @"]);
    // Mounts of three nodes at the same time are no one command.
    let grouped = text(&*source, (160, 40), "z");
    has(&grouped, &["start", "a-data", "b-data", "c-data"]);
    has(&text(&*source, (160, 40), "s"), &["a: mount a-data", "b: mount b-data", "c: mount c-data"]);
    for instance in instances {
        instance.end().await;
    }
}

#[tokio::test]
async fn a_filter_shows_the_entries_of_one_node() {
    let (_directory, instances, source) = three().await;
    let kept = instances[1].hub.snapshot().kept.end - 1;
    let wait = async {
        let mut changes = source.changes();
        while source
            .entries_after(0, usize::MAX)
            .iter()
            .filter(|entry| entry.node.as_deref() == Some("b"))
            .count() as u64
            != kept
        {
            changes.changed().await.expect("the source is there");
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.expect("they come");
    let shown = text(&*source, (160, 40), "/ n o d e : b enter");
    has(&shown, &["  b     ", "b-data", "seed 42"]);
    has_not(&shown, &["  c     "]);
    for instance in instances {
        instance.end().await;
    }
}
