//! The grammar: which steps an engine takes for which command, on one volume.
//!
//! Each row was watched on `dockerd` 20.10.24 and current moby, or on podman 4.3.1. Steps join into one group
//! exactly where they read as one command here; where they read as more than one, the name says so.

use crate::domain::model::protocol::Caller;

/// What an engine does with a volume: a call, together with the Get that it sends before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupStep {
    /// A Get alone. Whether the volume was found is said by its reply.
    Look,
    /// Get, Create.
    Create,
    /// Get, Mount.
    Mount,
    /// Get, Mount with an ID that is mounted already.
    MountAgain,
    /// Get, Unmount.
    Unmount,
    /// Get, Remove.
    Remove,
    /// List.
    List,
    /// Path.
    Path,
}

/// How long ago the handshake of an engine with the driver was when a command begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandshakeAge {
    /// A while.
    Long,
    /// Not long, and for another command.
    Recently,
    /// It was for this command.
    Just,
    /// The same, and it asked for the scope too, as it does before it keeps a volume.
    JustWithScope,
}

/// What is known of a group beside its steps.
#[derive(Clone, Copy, Debug)]
pub struct Evidence {
    /// Who calls.
    pub caller: Caller,
    /// How long ago the handshake was.
    pub handshake: HandshakeAge,
    /// Whether the volume was found by the last Get.
    pub is_found: bool,
    /// Whether the engine made the volume's name up.
    pub is_anonymous: bool,
}

/// The commands that steps may be of, the likeliest first; none if no command takes these steps.
pub fn commands(steps: &[GroupStep], evidence: Evidence) -> Option<&'static [&'static str]> {
    if evidence.caller == Caller::Podman { podman(steps, evidence) } else { docker(steps, evidence) }
}

fn docker(steps: &[GroupStep], evidence: Evidence) -> Option<&'static [&'static str]> {
    use GroupStep::{Create, List, Look, Mount, MountAgain, Path, Remove, Unmount};
    Some(match steps {
        [] => &["handshake"],
        [List] => &["ls"],
        [Path] => &["path"],
        // Every command asks for the volume first, and ends there if that fails.
        [Look] if !evidence.is_found => &["any command"],
        [Look] if evidence.handshake == HandshakeAge::JustWithScope => &["daemon start", "create"],
        [Look] if evidence.handshake == HandshakeAge::Recently => &["inspect", "daemon start"],
        [Look] if evidence.handshake == HandshakeAge::Just => &["daemon start", "inspect"],
        [Look] => &["inspect", "create"],
        [Create] => &["create"],
        [Remove] | [Look, Remove] => &["rm"],
        [Mount | MountAgain] => &["start"],
        [Unmount] => &["stop", "exit"],
        [Unmount, Mount | MountAgain] => &["restart"],
        // Into a container, the volumes are mounted twice: to find the place, and to write there.
        [MountAgain, Unmount]
        | [MountAgain, Unmount, MountAgain]
        | [MountAgain, Unmount, MountAgain, Unmount]
        | [Mount, Unmount, Mount, Unmount] => &["cp"],
        [Mount, Unmount] | [Mount, Unmount, Mount] => &["cp", "start"],
        [Create, Mount]
        | [Look | Create, Mount, Unmount, Mount]
        | [Look | Create, Mount, Unmount, Mount, Unmount] => &["run"],
        [Look, Mount | MountAgain] => &["run", "start"],
        [Look | Create, Mount, Unmount] => &["run", "create"],
        // A container that was made with --rm takes the volumes along whose names were made up.
        [Unmount, Look, Remove] if evidence.is_anonymous => &["stop", "exit"],
        [Create, Mount, Unmount, Look, Remove] | [Create, Mount, Unmount, Mount, Unmount, Look, Remove]
            if evidence.is_anonymous =>
        {
            &["run"]
        }
        _ => return None,
    })
}

fn podman(steps: &[GroupStep], evidence: Evidence) -> Option<&'static [&'static str]> {
    use GroupStep::{Create, List, Look, Mount, MountAgain, Path, Remove, Unmount};
    Some(match steps {
        // Each command introduces itself, and most need no more than that.
        [] => &["handshake"],
        [List] => &["reload"],
        [Path] => &["path"],
        [Look] if !evidence.is_found => &["any command"],
        [Look] => &["inspect", "ls"],
        [Create] => &["create"],
        [Remove] => &["rm"],
        [Mount | MountAgain] => &["start", "run"],
        [Unmount] => &["stop", "exit"],
        [Mount | MountAgain, Unmount] => &["run", "cp"],
        [Unmount, Mount | MountAgain] => &["restart"],
        _ => return None,
    })
}

/// In full, what a short name stands for.
pub const fn meaning(command: &str, caller: Caller) -> &'static str {
    match (command.as_bytes(), caller) {
        (b"handshake", Caller::Podman) => "a podman command that needs no more than to know the driver",
        (b"handshake", _) => {
            "the engine meets the driver, as for volume ls, system df or a volume that it does not know"
        }
        (b"any command", _) => "every command on a volume asks for it first, and ends there if that fails",
        (b"ls", _) => "volume ls, of this driver or of all",
        (b"reload", _) => "podman volume reload",
        (b"inspect", _) => "volume inspect",
        (b"create", Caller::Podman) => "volume create",
        (b"create", _) => "volume create, or docker create of a container with the volume",
        (b"daemon start", _) => "the daemon starts, and looks for the volumes that it remembers",
        (b"rm", _) => "volume rm",
        (b"start", _) => "a container starts",
        (b"run", _) => {
            "run of a container with the volume, or its create and start; a restart right after it looks the same"
        }
        (b"stop", _) => "stop, kill or rm -f of a container",
        (b"exit", _) => "the container's own end",
        (b"restart", _) => "restart of a container, or its stop and start",
        (b"cp", _) => "cp from or into a container",
        _ => "a call that no current engine makes",
    }
}
