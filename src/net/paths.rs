//! The directories of this machine in which a plugin and its control API have their sockets.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
};

use super::{address::Address, bind_error::BindError, listener::Listener, probe::is_listening};

/// Where engines look for plugins, and where sockets may be created.
#[derive(Clone, Debug)]
pub struct Paths {
    /// Where engines look for sockets.
    pub sockets: PathBuf,
    /// Where engines look for spec files, first to last. Ours is written to the first.
    pub specs: Vec<PathBuf>,
    /// Where control sockets are.
    pub control: PathBuf,
    /// Private to the user; used for both sockets if the directories above are not writable.
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

/// The mode of a plugin's socket, as other plugins have it.
const PLUGIN_MODE: u32 = 0o660;
/// The mode of a control socket.
const CONTROL_MODE: u32 = 0o600;

impl Paths {
    /// Puts the user's private directory below `XDG_RUNTIME_DIR`, if there is one. A relative path is ignored, as
    /// the XDG specification demands.
    #[must_use]
    pub fn with_runtime(self, directory: Option<&Path>) -> Self {
        let directory = directory.filter(|directory| directory.is_absolute());
        let runtime = directory.map(|directory| directory.join("voltergeist"));
        Self { runtime: runtime.unwrap_or(self.runtime), ..self }
    }

    /// The default paths of a driver's control socket: for root, and for other users.
    pub fn control_sockets(&self, name: &str) -> [PathBuf; 2] {
        [self.control.join(format!("{name}.sock")), self.runtime.join(format!("{name}.control.sock"))]
    }

    /// The control socket on which an instance listens. One that this user may not ask counts too.
    pub fn control_socket(&self, name: &str) -> Option<PathBuf> {
        self.control_sockets(name).into_iter().find(|socket| is_listening(socket).unwrap_or(true))
    }

    /// The plugin's listener, not open yet. If the default directory is not writable, it is in the user's private one,
    /// and the unwritable directory is returned with it.
    pub fn plugin_listener(
        &self,
        address: &Address,
        name: &str,
    ) -> Result<(Listener, Option<&Path>), BindError> {
        match address {
            Address::Tcp(host_port) => Ok((Listener::closed_tcp(host_port)?, None)),
            Address::Unix(Some(path)) => Ok((Listener::closed_unix(path, PLUGIN_MODE)?, None)),
            Address::Unix(None) => {
                let file = format!("{name}.sock");
                let listener = create_directory(&self.sockets, 0o755)
                    .and_then(|()| Listener::closed_unix(&self.sockets.join(&file), PLUGIN_MODE));
                match listener {
                    Err(denied) if denied.is_denied() => {
                        create_private(&self.runtime)?;
                        let listener = Listener::closed_unix(&self.runtime.join(file), PLUGIN_MODE)?;
                        Ok((listener, Some(&self.sockets)))
                    }
                    listener => Ok((listener?, None)),
                }
            }
        }
    }

    /// Opens the control API's listener. If the default directory is not writable, it is opened in the user's
    /// private one.
    pub fn control_listener(&self, address: &Address, name: &str) -> Result<Listener, BindError> {
        let listener = match address {
            Address::Tcp(host_port) => Listener::tcp(host_port),
            Address::Unix(Some(path)) => Listener::unix(path, CONTROL_MODE),
            Address::Unix(None) => {
                match listener_in(&self.control, 0o700, &format!("{name}.sock"), CONTROL_MODE) {
                    Err(denied) if denied.is_denied() => {
                        create_private(&self.runtime)?;
                        Listener::unix(&self.runtime.join(format!("{name}.control.sock")), CONTROL_MODE)
                    }
                    listener => listener,
                }
            }
        };
        listener.map_err(|error| match error {
            BindError::InUse(address) => BindError::ControlInUse(address),
            error => error,
        })
    }
}

fn listener_in(directory: &Path, directory_mode: u32, file: &str, mode: u32) -> Result<Listener, BindError> {
    create_directory(directory, directory_mode)?;
    Listener::unix(&directory.join(file), mode)
}

fn create_directory(path: &Path, mode: u32) -> Result<(), BindError> {
    let result = fs::DirBuilder::new().recursive(true).mode(mode).create(path);
    result.map_err(|error| BindError::Unusable { address: path.display().to_string(), error })
}

/// Creates a directory that belongs to this user and that no other user can write to.
fn create_private(path: &Path) -> Result<(), BindError> {
    create_directory(path, 0o700)?;
    let metadata: io::Result<fs::Metadata> = fs::symlink_metadata(path);
    let private = metadata.is_ok_and(|metadata| {
        metadata.is_dir()
            && metadata.uid() == rustix::process::geteuid().as_raw()
            && metadata.mode() & 0o022 == 0
    });
    if private { Ok(()) } else { Err(BindError::NotPrivate(path.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_that_a_killed_instance_has_left_is_not_its_control_socket() {
        let place = tempfile::tempdir().expect("a temporary directory can be made");
        let paths = Paths { control: place.path().into(), runtime: place.path().into(), ..Paths::default() };
        assert_eq!(paths.control_socket("ghost"), None);
        let [socket, _] = paths.control_sockets("ghost");
        let listener = std::os::unix::net::UnixListener::bind(&socket).expect("it can be bound");
        assert_eq!(paths.control_socket("ghost").as_ref(), Some(&socket));
        drop(listener);
        assert!(socket.exists());
        assert_eq!(paths.control_socket("ghost"), None);
    }
}
