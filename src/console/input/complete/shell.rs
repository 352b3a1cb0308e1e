//! What can be typed for the user's shell.

use super::candidate::{Candidate, Completion};
use crate::{domain::text::shell, hub::Snapshot};

/// Docker commands that fit the selected volume, ready to be edited.
pub fn shell_line(line: &str, volume: &str, snapshot: &Snapshot) -> Completion {
    let volume = if volume.is_empty() { "demo" } else { volume };
    let (volume, driver) = (shell::quote_bytes(volume.as_bytes()), &snapshot.driver.name);
    let commands = [
        (
            format!("docker run --rm -v {volume}:/data --volume-driver {driver} busybox ls -l /data"),
            "mount it in a container",
        ),
        (format!("docker volume inspect {volume}"), "look it up"),
        (format!("docker volume create -d {driver} {volume}"), "create it"),
        (format!("docker volume rm {volume}"), "remove it"),
        (format!("docker volume ls -f driver={driver}"), "list the volumes of this driver"),
        (format!("docker ps -a -f volume={volume}"), "list the containers that use it"),
    ];
    Completion::of(line, 0, commands.into_iter().map(|(command, help)| Candidate::new(command, help)))
}
