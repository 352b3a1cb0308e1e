//! What `packaging/build` has made.

use std::path::{Path, PathBuf};

/// An artefact by its name.
pub fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/artefacts").join(name)
}
