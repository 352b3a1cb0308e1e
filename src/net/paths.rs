//! The directories of this machine in which a plugin and its control API have their sockets.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
};

use super::{
    address::Address,
    listener::{BindError, Listener},
    registration,
};

/// Where engines look for plugins, and where a user may have sockets.
#[derive(Clone, Debug)]
pub struct Paths {
    /// Where engines look for sockets.
    pub sockets: PathBuf,
    /// Where engines look for specs, first to last. Ours is written to the first.
    pub specs: Vec<PathBuf>,
    /// Where control sockets are.
    pub control: PathBuf,
    /// Where a user without rights has both, for nobody else.
    pub runtime: PathBuf,
}

impl Default for Paths {
    fn default() -> Self {
        let user = rustix::process::geteuid().as_raw();
        Self {
            sockets: "/run/docker/plugins".into(),
            specs: vec!["/etc/docker/plugins".into(), "/usr/lib/docker/plugins".into()],
            control: "/run/voltergeist".into(),
            runtime: format!("/tmp/voltergeist-{user}").into(),
        }
    }
}

/// Modes of sockets: as plugins commonly have it, and for nobody else.
const GROUP: u32 = 0o660;
const PRIVATE: u32 = 0o600;

impl Paths {
    /// A user's places, where there is a directory for what lives as long as a login (`XDG_RUNTIME_DIR`, which
    /// counts for nothing unless it is absolute).
    #[must_use]
    pub fn with_runtime(self, directory: Option<&Path>) -> Self {
        let directory = directory.filter(|directory| directory.is_absolute());
        let runtime = directory.map(|directory| directory.join("voltergeist"));
        Self { runtime: runtime.unwrap_or(self.runtime), ..self }
    }

    /// The default addresses of a driver's control socket: for root, and for anybody else.
    pub fn control_sockets(&self, name: &str) -> [PathBuf; 2] {
        [self.control.join(format!("{name}.sock")), self.runtime.join(format!("{name}.control.sock"))]
    }

    /// Opens the plugin's door; where the rights for the default place are missing, in the user's own, with the reason.
    pub(super) fn plugin_door(
        &self,
        address: &Address,
        name: &str,
    ) -> Result<(Listener, Option<String>), BindError> {
        match address {
            Address::Tcp(host_port) => Ok((Listener::tcp(host_port)?, None)),
            Address::Unix(Some(path)) => Ok((Listener::unix(path, GROUP)?, None)),
            Address::Unix(None) => {
                let path = self.sockets.join(format!("{name}.sock"));
                match directory(&self.sockets, 0o755).and_then(|()| Listener::unix(&path, GROUP)) {
                    Err(denied) if denied.is_denied() => {
                        private(&self.runtime)?;
                        let door = Listener::unix(&self.runtime.join(format!("{name}.sock")), GROUP)?;
                        Ok((door, Some(registration::no_right(&self.sockets))))
                    }
                    door => Ok((door?, None)),
                }
            }
        }
    }

    /// Opens the control API's door; where the rights for the default place are missing, in the user's own.
    pub(super) fn control_door(&self, address: &Address, name: &str) -> Result<Listener, BindError> {
        match address {
            Address::Tcp(host_port) => Listener::tcp(host_port),
            Address::Unix(Some(path)) => Listener::unix(path, PRIVATE),
            Address::Unix(None) => {
                let [system, user] = self.control_sockets(name);
                match directory(&self.control, 0o700).and_then(|()| Listener::unix(&system, PRIVATE)) {
                    Err(denied) if denied.is_denied() => {
                        private(&self.runtime)?;
                        Listener::unix(&user, PRIVATE)
                    }
                    door => door,
                }
            }
        }
    }
}

fn directory(path: &Path, mode: u32) -> Result<(), BindError> {
    let result = fs::DirBuilder::new().recursive(true).mode(mode).create(path);
    result.map_err(|error| BindError::Unusable { address: path.display().to_string(), error })
}

/// Makes sure of a directory that is ours alone.
fn private(path: &Path) -> Result<(), BindError> {
    directory(path, 0o700)?;
    let there: io::Result<fs::Metadata> = fs::symlink_metadata(path);
    let ours = there.is_ok_and(|there| {
        there.is_dir() && there.uid() == rustix::process::geteuid().as_raw() && there.mode() & 0o022 == 0
    });
    if ours { Ok(()) } else { Err(BindError::NotPrivate(path.to_owned())) }
}
