//! Where things are kept when the command line does not say.

use std::path::PathBuf;

use anyhow::Context;
use etcetera::BaseStrategy;

use crate::net::Paths;

/// The sockets of whoever runs this.
pub fn own() -> Paths {
    Paths::default().with_runtime(std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).as_deref())
}

/// A file or a directory beside the config file.
pub fn config(name: &str) -> Option<PathBuf> {
    let home = etcetera::choose_base_strategy().ok()?;
    Some(home.config_dir().join("voltergeist").join(name))
}

/// Where volumes live: system-wide for root, else with the user's own state.
pub fn volumes() -> anyhow::Result<PathBuf> {
    if rustix::process::geteuid().is_root() {
        return Ok("/var/lib/voltergeist/volumes".into());
    }
    let user = etcetera::choose_base_strategy()
        .context("there is no home directory; name a place with --root DIR")?;
    let state = user.state_dir().unwrap_or_else(|| user.data_dir());
    Ok(state.join("voltergeist/volumes"))
}
