//! The registration: how engines find the driver by its name.
//!
//! `dockerd` looks for sockets first (`NAME.sock`, `NAME/NAME.sock`), then for specs (`.spec`, `.json`) in
//! one directory after the other, and takes the first that is there, even one that is broken. So whatever
//! stands before ours hides it. Source: moby, `pkg/plugins/discovery.go`.

use std::{
    fs, io,
    net::{TcpStream, ToSocketAddrs},
    os::unix::fs::FileTypeExt,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    Paths,
    listener::{BindError, is_alive},
    lock_file::LockFile,
};
use crate::{domain::text::shell, state::DriverInfo};

/// A spec that we have written: a file with the driver's address, which goes with us.
#[derive(Debug)]
pub struct Spec {
    path: PathBuf,
    address: String,
    _claim: LockFile,
}

impl Spec {
    /// Writes a spec. One that a dead process has left is replaced.
    pub fn write(directory: &Path, name: &str, address: &str) -> Result<Self, BindError> {
        let path = directory.join(format!("{name}.spec"));
        let unusable = |error| BindError::Unusable { address: path.display().to_string(), error };
        let alive = || BindError::Alive(path.display().to_string());
        fs::create_dir_all(directory).map_err(unusable)?;
        let claim = LockFile::take(&path).map_err(unusable)?.ok_or_else(alive)?;
        if let Ok(there) = fs::read_to_string(&path)
            && there.trim() != address
            && answers(there.trim())
        {
            return Err(alive());
        }
        let spec = Self { path: path.clone(), address: address.to_owned(), _claim: claim };
        spec.restore().map_err(unusable)?;
        Ok(spec)
    }

    /// Writes it again. An engine that looks meanwhile finds all of it or nothing.
    pub fn restore(&self) -> io::Result<()> {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let unfinished = self.path.with_file_name(format!(".{name}.unfinished"));
        fs::write(&unfinished, &self.address)?;
        fs::rename(&unfinished, &self.path)
    }

    /// Removes it, unless another has been written in its place.
    pub fn remove(&self) {
        if fs::read_to_string(&self.path).is_ok_and(|there| there == self.address) {
            drop(fs::remove_file(&self.path));
        }
    }
}

impl Drop for Spec {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Whether somebody listens at the address of a spec.
fn answers(address: &str) -> bool {
    let Some((scheme, rest)) = address.split_once("://") else { return false };
    if scheme == "unix" {
        return is_alive(Path::new(rest)).unwrap_or(true);
    }
    let host_port = rest.split('/').next().unwrap_or_default();
    host_port.to_socket_addrs().is_ok_and(|mut addresses| {
        addresses.any(|address| TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok())
    })
}

/// Introduces the driver at an address: whether an engine that looks for its name finds it, and what to do if not.
/// `reason` is why it could not be registered, if it could not.
pub fn set_driver_info(name: &str, address: &str, reason: Option<&str>, places: &Paths) -> DriverInfo {
    let (registration, fix_command) = match find(name, places) {
        Some((_, found)) if same_place(&found, address) => ("registered".to_owned(), None),
        Some((path, _)) => (
            format!("hidden: engines find {} first", path.display()),
            Some(format!("sudo rm {}", shell::quote(&path.display().to_string()))),
        ),
        None => (
            format!("not registered: {}", reason.unwrap_or("engines do not look there")),
            places.specs.first().map(|directory| {
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
    DriverInfo { name: name.to_owned(), address: address.to_owned(), registration, fix_command }
}

/// Why a driver could not be registered in a directory.
pub fn no_right(directory: &Path) -> String {
    format!("no right to write to {}", directory.display())
}

/// What engines find under a name: the file, and the address in it.
fn find(name: &str, places: &Paths) -> Option<(PathBuf, String)> {
    let forms = |directory: &Path, extension: &str| {
        let file = format!("{name}.{extension}");
        [directory.join(&file), directory.join(name).join(&file)]
    };
    let is_socket = |path: &PathBuf| fs::metadata(path).is_ok_and(|there| there.file_type().is_socket());
    let socket = forms(&places.sockets, "sock").into_iter().find(is_socket);
    if let Some(path) = socket {
        let address = format!("unix://{}", path.display());
        return Some((path, address));
    }
    let specs = places
        .specs
        .iter()
        .flat_map(|directory| forms(directory, "spec").into_iter().chain(forms(directory, "json")));
    let path = specs.into_iter().find(|path| path.exists())?;
    let text = fs::read_to_string(&path).unwrap_or_default();
    let address = if path.extension().is_some_and(|extension| extension == "json") {
        let json: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        json["Addr"].as_str().unwrap_or_default().to_owned()
    } else {
        text.trim().to_owned()
    };
    Some((path, address))
}

/// Whether two addresses lead to the same place, by way of a symlink perhaps.
fn same_place(one: &str, other: &str) -> bool {
    let place = |address: &str| match address.strip_prefix("unix://") {
        Some(path) => {
            fs::canonicalize(path).map_or_else(|_| address.into(), |path| path.display().to_string())
        }
        None => address.replacen("http://", "tcp://", 1),
    };
    place(one) == place(other)
}
