//! What is at the path of a socket in its stead.

use std::{fmt, fs, os::unix::fs::FileTypeExt, path::Path};

use super::probe::is_listening;

/// What is at the path of a socket in its stead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtherFile {
    /// A directory.
    Directory,
    /// A socket on which another process listens.
    Plugin,
    /// A socket on which nobody listens.
    DeadSocket,
    /// Another file.
    File,
}

impl OtherFile {
    /// What is at a path, if anything is.
    pub fn at(path: &Path) -> Option<Self> {
        let file_type = fs::symlink_metadata(path).ok()?.file_type();
        Some(match file_type {
            _ if file_type.is_dir() => Self::Directory,
            // Who cannot find out leaves it alone.
            _ if file_type.is_socket() && is_listening(path).unwrap_or(true) => Self::Plugin,
            _ if file_type.is_socket() => Self::DeadSocket,
            _ => Self::File,
        })
    }

    /// Whether it can be moved away without harm to a running plugin.
    pub fn can_be_moved(self) -> bool {
        self != Self::Plugin
    }

    /// What to do about it.
    pub fn remedy(self) -> &'static str {
        if self.can_be_moved() { "move it away" } else { "stop that plugin, or choose another --name" }
    }
}

impl fmt::Display for OtherFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Directory => "a directory",
            Self::Plugin => "the socket of another plugin",
            Self::DeadSocket => "a dead socket",
            Self::File => "another file",
        })
    }
}
