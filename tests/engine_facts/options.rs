//! Options of volumes, with a real engine.

use crate::{
    fixture::{DRIVER, Fixture},
    support::Test,
    tests,
};

pub fn tests() -> Vec<Test> {
    tests![
        an_image_fills_a_plain_volume_and_no_other,
        an_image_fills_a_plain_volume_as_it_fills_one_of_the_local_driver,
    ]
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

fn an_image_fills_a_plain_volume_as_it_fills_one_of_the_local_driver() {
    let fixture = Fixture::with_busybox();
    fixture.build(
        "seeded",
        "FROM busybox\nRUN mkdir /data && touch /data/seed && chown 1234:1234 /data/seed && chmod 640 /data/seed\n",
    );
    fixture.succeeds(&format!("volume create -d {DRIVER} --opt plain plain"));
    let files = |volume: &str| {
        let list = "seeded sh -c ls${IFS}-A${IFS}/data;stat${IFS}-c${IFS}%u:%g:%a${IFS}/data/seed";
        fixture.succeeds(&format!("run --rm -v {volume}:/data {list}"))
    };
    assert_eq!(files("plain"), "seed\n1234:1234:640");
    assert_eq!(files("plain"), files("of-the-local-driver"));
}
