//! Where things are kept when the command line does not say.

use std::path::PathBuf;

use anyhow::Context;
use etcetera::BaseStrategy;

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
