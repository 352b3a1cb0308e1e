//! `Path`, which is in the protocol and in no daemon's mind.

use crate::{fixture::Fixture, support::Test, tests};

pub fn tests() -> Vec<Test> {
    tests![path_is_never_asked_for]
}

fn path_is_never_asked_for() {
    let fixture = Fixture::with_busybox();
    fixture.arm("path: hang", "docker-path");
    fixture.create("data");
    fixture.run_for_long("user", "data");
    for line in [
        "volume ls",
        "volume inspect data",
        "inspect user",
        "cp user:/data -",
        "restart user",
        "exec user ls /data",
        "system df --verbose",
        "rm --force --volumes user",
        "volume rm data",
    ] {
        fixture.succeeds(line);
    }
    assert_eq!(fixture.plugin.counters(["path"]), [0]);
}
