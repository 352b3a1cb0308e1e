//! `Path`, which is in the protocol and in no daemon's mind.

use crate::{stage::Stage, support::Test, tests};

pub fn tests() -> Vec<Test> {
    tests![path_is_never_asked_for]
}

fn path_is_never_asked_for() {
    let stage = Stage::with_busybox();
    stage.arm("path: hang", "docker-path");
    stage.create("data");
    stage.run_for_long("user", "data");
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
        stage.succeeds(line);
    }
    assert_eq!(stage.plugin.counters(["path"]), [0]);
}
