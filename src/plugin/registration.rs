//! The registration: how engines find the driver by its name. An earlier match shadows ours.

use std::{
    fs,
    io::{self, Write as _},
    net::{TcpStream, ToSocketAddrs},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    domain::text::shell,
    hub::DriverInfo,
    net::{
        BindError, LockFile, Paths,
        discovery::{self, PluginFile},
        is_listening,
    },
};

/// Our spec file, which contains the driver's address. It is removed when this is dropped.
#[derive(Debug)]
pub struct SpecFile {
    path: PathBuf,
    address: String,
    _lock_file: LockFile,
}

impl SpecFile {
    /// Takes a spec file, and writes it unless that is for later. One that a killed process has left behind is replaced.
    pub fn create(directory: &Path, name: &str, address: &str, now: bool) -> Result<Self, BindError> {
        let path = directory.join(format!("{name}.spec"));
        let unusable = |error| BindError::Unusable { address: path.display().to_string(), error };
        let in_use = || BindError::InUse(path.display().to_string());
        // Who can write there can send engines to another plugin.
        fs::DirBuilder::new().recursive(true).mode(0o755).create(directory).map_err(unusable)?;
        let lock_file = LockFile::acquire(&path).map_err(unusable)?.ok_or_else(in_use)?;
        if let Ok(other) = fs::read_to_string(&path)
            && other.trim() != address
            && is_served(other.trim())
        {
            return Err(in_use());
        }
        let spec = Self { path: path.clone(), address: address.to_owned(), _lock_file: lock_file };
        if now {
            spec.write().map_err(unusable)?;
        } else {
            drop(fs::remove_file(&spec.path));
        }
        Ok(spec)
    }

    /// Writes it again, atomically for engines that read it meanwhile.
    pub fn write(&self) -> io::Result<()> {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let unfinished = self.path.with_file_name(format!(".{name}.unfinished"));
        drop(fs::remove_file(&unfinished));
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o644).open(&unfinished)?;
        file.write_all(self.address.as_bytes())?;
        fs::rename(&unfinished, &self.path)
    }

    /// Removes it, unless it has been overwritten.
    pub fn remove(&self) {
        if fs::read_to_string(&self.path).is_ok_and(|content| content == self.address) {
            drop(fs::remove_file(&self.path));
        }
    }
}

impl Drop for SpecFile {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Whether a process listens at the address of a spec file.
fn is_served(address: &str) -> bool {
    let Some((scheme, rest)) = address.split_once("://") else { return false };
    if scheme == "unix" {
        return is_listening(Path::new(rest)).unwrap_or(true);
    }
    let host_port = rest.split('/').next().unwrap_or_default();
    host_port.to_socket_addrs().is_ok_and(|mut addresses| {
        addresses.any(|address| TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok())
    })
}

/// Describes the driver: whether engines find it by its name, and the command that registers it if they do not.
/// `unwritable` is a directory in which it could not be registered.
pub fn driver_info(name: &str, address: &str, unwritable: Option<&Path>, paths: &Paths) -> DriverInfo {
    let (registration, fix_command) = match discovery::find(name, paths) {
        Some(found) if same_address(&found.address, address) => ("registered".to_owned(), None),
        Some(PluginFile { path, .. }) => (
            format!("hidden: engines find {} first", path.display()),
            Some(format!("sudo rm {}", shell::quote(&path.display().to_string()))),
        ),
        None => (
            unwritable.map_or_else(
                || "not registered: engines do not look there".to_owned(),
                |directory| format!("not registered: cannot write to {}", directory.display()),
            ),
            paths.specs.first().map(|directory| {
                let spec = directory.join(format!("{name}.spec"));
                let (directory, spec) = (directory.display().to_string(), spec.display().to_string());
                let script = format!(
                    "mkdir -p {} && echo {} > {}",
                    shell::quote(&directory),
                    shell::quote(address),
                    shell::quote(&spec)
                );
                format!("sudo sh -c {}", shell::quote(&script))
            }),
        ),
    };
    DriverInfo {
        name: name.to_owned(),
        address: address.to_owned(),
        registration,
        fix_command,
        upstream: None,
        others: Vec::new(),
    }
}

/// Whether two addresses are the same, symlinks resolved.
fn same_address(one: &str, other: &str) -> bool {
    let resolved = |address: &str| match address.strip_prefix("unix://") {
        Some(path) => {
            fs::canonicalize(path).map_or_else(|_| address.into(), |path| path.display().to_string())
        }
        None => address.replacen("http://", "tcp://", 1),
    };
    resolved(one) == resolved(other)
}
