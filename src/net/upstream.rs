//! The upstream as users name it, and where it is.

use std::{fmt, path::PathBuf, str::FromStr};

use super::{
    address::Address,
    discovery::{self, UnusableFile},
    paths::Paths,
};

/// A plugin as users name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpstreamName {
    /// A name as engines find it.
    Plugin(String),
    /// An address.
    Address(Address),
}

/// A text that names no plugin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} names no plugin; write the name of one, unix:PATH or tcp://HOST:PORT")]
pub struct UpstreamNameError(String);

impl FromStr for UpstreamName {
    type Err = UpstreamNameError;

    fn from_str(text: &str) -> Result<Self, UpstreamNameError> {
        let wrong = || UpstreamNameError(text.to_owned());
        if text.starts_with("unix:") || text.contains("://") {
            return text.parse().map(Self::Address).map_err(|_| wrong());
        }
        // A plugin that docker runs may be called OWNER/NAME:TAG.
        let is_name = !text.is_empty() && !text.starts_with(['.', '/']) && !text.contains("..");
        if is_name { Ok(Self::Plugin(text.to_owned())) } else { Err(wrong()) }
    }
}

impl UpstreamName {
    /// The name of the plugin: that of its socket, if it is an address with one.
    pub fn plugin(&self) -> Option<String> {
        match self {
            Self::Plugin(name) => {
                let name = name.rsplit('/').next()?;
                Some(name.split(':').next()?.to_owned())
            }
            Self::Address(Address::Unix(Some(path))) => Some(path.file_stem()?.to_str()?.to_owned()),
            Self::Address(_) => None,
        }
    }
}

impl fmt::Display for UpstreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plugin(name) => f.write_str(name),
            Self::Address(address) => address.fmt(f),
        }
    }
}

/// Why a plugin cannot be the upstream.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum UpstreamError {
    #[error("there is no plugin {name:?} in {}; voltergeist plugins lists them", directories(.paths))]
    NotFound { name: String, paths: Box<Paths> },
    /// The file that names it cannot be used.
    #[error(transparent)]
    File(#[from] UnusableFile),
}

fn directories(paths: &Paths) -> String {
    let directories = std::iter::once(&paths.sockets).chain(&paths.specs);
    let directories: Vec<_> = directories.map(|directory| directory.display().to_string()).collect();
    directories.join(", ")
}

/// Where an upstream is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// Its name, for people.
    pub name: UpstreamName,
    /// Where it listens.
    pub address: Address,
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            UpstreamName::Plugin(name) => write!(f, "{name} at {}", self.address),
            UpstreamName::Address(address) => address.fmt(f),
        }
    }
}

impl Upstream {
    /// Finds a plugin as engines do.
    pub fn find(name: &UpstreamName, paths: &Paths) -> Result<Self, UpstreamError> {
        let address = match name {
            UpstreamName::Address(address) => address.clone(),
            UpstreamName::Plugin(plugin) => {
                let not_found =
                    || UpstreamError::NotFound { name: plugin.clone(), paths: Box::new(paths.clone()) };
                discovery::find(plugin, paths).ok_or_else(not_found)?.upstream()?
            }
        };
        Ok(Self { name: name.clone(), address })
    }

    /// Its socket, if it listens on one.
    pub fn socket(&self) -> Option<&PathBuf> {
        match &self.address {
            Address::Unix(path) => path.as_ref(),
            Address::Tcp(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_told_apart() {
        for (text, plugin) in [
            ("rclone", Some("rclone")),
            ("vieux/sshfs:latest", Some("sshfs")),
            ("unix:/run/docker/plugins/rclone.sock", Some("rclone")),
            ("unix:///run/my.plugin.sock", Some("my.plugin")),
            ("tcp://127.0.0.1:4321", None),
        ] {
            let name: UpstreamName = text.parse().expect(text);
            assert_eq!(name.plugin().as_deref(), plugin, "{text}");
            assert_eq!(name.to_string().parse(), Ok(name));
        }
        for text in ["", "unix:", "tcp://", "http://h:1", "/run/x.sock", "../x", ".x"] {
            assert_eq!(text.parse::<UpstreamName>(), Err(UpstreamNameError(text.to_owned())));
        }
    }
}
