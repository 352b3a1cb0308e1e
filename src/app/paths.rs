//! The default paths.

use std::path::PathBuf;

use anyhow::Context;
use etcetera::BaseStrategy;

use crate::net::Paths;

/// The paths of sockets and spec files for the current user.
pub fn own() -> Paths {
    Paths::default().with_runtime(std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).as_deref())
}

/// A file or directory in the user's configuration directory.
pub fn config(name: &str) -> Option<PathBuf> {
    let home = etcetera::choose_base_strategy().ok()?;
    Some(home.config_dir().join("voltergeist").join(name))
}

/// A file in the user's state directory.
pub fn state(name: &str) -> Option<PathBuf> {
    let home = etcetera::choose_base_strategy().ok()?;
    Some(home.state_dir().unwrap_or_else(|| home.data_dir()).join("voltergeist").join(name))
}

/// Where volumes are stored: system-wide for root, else in the user's state directory.
pub fn volumes() -> anyhow::Result<PathBuf> {
    if rustix::process::geteuid().is_root() {
        return Ok("/var/lib/voltergeist/volumes".into());
    }
    let user = etcetera::choose_base_strategy()
        .context("there is no home directory; choose a directory with --root DIR")?;
    let state = user.state_dir().unwrap_or_else(|| user.data_dir());
    Ok(state.join("voltergeist/volumes"))
}
