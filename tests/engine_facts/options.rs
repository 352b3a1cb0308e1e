//! Options of volumes, with a real engine.

use crate::{
    fixture::{DRIVER, Fixture},
    support::Test,
    tests,
};

pub fn tests() -> Vec<Test> {
    tests![an_image_fills_a_plain_volume_and_no_other]
}

fn an_image_fills_a_plain_volume_and_no_other() {
    let fixture = Fixture::with_busybox();
    fixture.succeeds(&format!("volume create -d {DRIVER} -o plain plain"));
    let files = fixture.succeeds("run --rm -v plain:/bin busybox /bin/busybox ls /bin");
    assert!(files.contains("busybox") && !files.contains("mountID"), "{files}");
    // The files of a mount are in the way.
    fixture.succeeds(&format!("volume create -d {DRIVER} usual"));
    fixture.daemon.docker("run --rm -v usual:/bin busybox /bin/busybox ls /bin").fails();
}
