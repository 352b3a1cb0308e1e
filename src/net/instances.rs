//! The running instances of this machine, by their control sockets.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{Paths, probe::is_listening};

/// A running instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningInstance {
    /// The driver's name.
    pub name: String,
    /// Its control socket.
    pub socket: PathBuf,
}

impl Paths {
    /// The instances that listen on the default control sockets, in the order of their names.
    pub fn running_instances(&self) -> Vec<RunningInstance> {
        let mut found = sockets(&self.control, ".sock");
        found.extend(sockets(&self.runtime, ".control.sock"));
        found.retain(|instance| is_listening(&instance.socket).unwrap_or(false));
        found.sort_by(|one, other| one.name.cmp(&other.name));
        found
    }
}

fn sockets(directory: &Path, ending: &str) -> Vec<RunningInstance> {
    let Ok(files) = fs::read_dir(directory) else { return Vec::new() };
    let named = files.flatten().filter_map(|file| {
        let name = file.file_name().into_string().ok()?.strip_suffix(ending)?.to_owned();
        Some(RunningInstance { name, socket: file.path() })
    });
    named.collect()
}
