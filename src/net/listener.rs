//! The door: a listening socket that can be shut in the ways a driver goes down, and leaves nothing behind.

use std::{
    fs, io,
    net::{SocketAddr, ToSocketAddrs},
    os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use socket2::{Domain, SockAddr, Type};
use tokio::net::{TcpListener, TcpSocket, UnixListener};

use super::{lock_file::LockFile, socket::Socket};
use crate::domain::model::protocol::BadName;

/// Why a server cannot be reached where it should.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The driver's name cannot be a file's.
    #[error("{name:?} cannot be a driver's name: {bad}")]
    Name {
        /// The name.
        name: String,
        /// Why not.
        bad: BadName,
    },
    /// Another process has it.
    #[error("{0} belongs to a living plugin; end that one, or choose another --name, --listen or --control")]
    Alive(String),
    /// What is there is no socket.
    #[error("{0:?} is there and is no socket; move it away, or choose another address")]
    NotASocket(PathBuf),
    /// A directory for sockets that others may write to.
    #[error(
        "{0:?} belongs to somebody else, or others may write to it; remove it, or choose another address"
    )]
    NotPrivate(PathBuf),
    /// The system said no.
    #[error("cannot listen on {address}: {error}; choose another address")]
    Unusable {
        /// Where.
        address: String,
        /// What the system says.
        error: io::Error,
    },
}

impl BindError {
    /// Whether rights are all that is missing.
    pub fn is_denied(&self) -> bool {
        use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
        matches!(self, Self::Unusable { error, .. } if matches!(error.kind(), PermissionDenied | ReadOnlyFilesystem))
    }
}

/// Where a door is.
#[derive(Clone, Debug)]
enum Place {
    Unix { path: PathBuf, mode: u32, file: Option<FileId> },
    Tcp(SocketAddr),
}

/// What tells our socket's file from another in its place: an inode's number alone is soon used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileId {
    device: u64,
    inode: u64,
    modified: (i64, i64),
}

impl FileId {
    fn of(path: &Path) -> io::Result<Self> {
        let there = fs::symlink_metadata(path)?;
        let modified = (there.mtime(), there.mtime_nsec());
        Ok(Self { device: there.dev(), inode: there.ino(), modified })
    }
}

#[derive(Debug)]
enum ListenerState {
    Unix(UnixListener),
    Tcp(TcpListener),
    /// Nobody listens. A TCP port stays reserved, so that nobody else takes it meanwhile.
    Shut(Option<TcpSocket>),
}

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;

/// A listening socket that can be shut and opened again.
#[derive(Debug)]
pub struct Listener {
    place: Place,
    latch: ListenerState,
    _claim: Option<LockFile>,
}

impl Listener {
    /// Opens a Unix socket whose file gets a mode. One that a dead process has left is replaced.
    pub fn unix(path: &Path, mode: u32) -> Result<Self, BindError> {
        let unusable = |error| BindError::Unusable { address: unix_address(path), error };
        let path = std::path::absolute(path).map_err(unusable)?;
        let alive = || BindError::Alive(unix_address(&path));
        let claim = LockFile::take(&path).map_err(unusable)?.ok_or_else(alive)?;
        match fs::symlink_metadata(&path) {
            Ok(there) if !there.file_type().is_socket() => return Err(BindError::NotASocket(path)),
            Ok(_) if is_alive(&path).map_err(unusable)? => return Err(alive()),
            Ok(_) => fs::remove_file(&path).map_err(unusable)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(unusable(error)),
        }
        let place = Place::Unix { path: path.clone(), mode, file: None };
        let mut door = Self { place, latch: ListenerState::Shut(None), _claim: Some(claim) };
        door.open().map_err(unusable)?;
        Ok(door)
    }

    /// Opens a TCP port.
    pub fn tcp(host_port: &str) -> Result<Self, BindError> {
        let unusable = |error| BindError::Unusable { address: format!("tcp://{host_port}"), error };
        let address = host_port.to_socket_addrs().map_err(unusable)?.next();
        let address = address.ok_or_else(|| unusable(io::ErrorKind::AddrNotAvailable.into()))?;
        let listener = reserve(address).and_then(|socket| socket.listen(BACKLOG)).map_err(unusable)?;
        let address = listener.local_addr().map_err(unusable)?;
        Ok(Self { place: Place::Tcp(address), latch: ListenerState::Tcp(listener), _claim: None })
    }

    /// The address under which it can be reached from this machine.
    pub fn address(&self) -> String {
        match &self.place {
            Place::Unix { path, .. } => unix_address(path),
            Place::Tcp(address) if address.ip().is_unspecified() => {
                let host = if address.is_ipv4() { "127.0.0.1" } else { "[::1]" };
                format!("tcp://{host}:{}", address.port())
            }
            Place::Tcp(address) => format!("tcp://{address}"),
        }
    }

    /// Opens it, if it is shut.
    pub fn open(&mut self) -> io::Result<()> {
        let ListenerState::Shut(reserved) = &mut self.latch else { return Ok(()) };
        self.latch = match &mut self.place {
            Place::Unix { path, mode, file } => {
                remove_own(path, *file);
                let listener = UnixListener::bind(&*path)?;
                fs::set_permissions(&*path, fs::Permissions::from_mode(*mode))?;
                *file = Some(FileId::of(path)?);
                ListenerState::Unix(listener)
            }
            Place::Tcp(address) => {
                let socket = reserved.take().map_or_else(|| reserve(*address), Ok)?;
                ListenerState::Tcp(socket.listen(BACKLOG)?)
            }
        };
        Ok(())
    }

    /// Shuts it so that connecting is refused: a socket's file is there, and nobody listens.
    pub fn refuse(&mut self) -> io::Result<()> {
        if let Place::Unix { path, file, .. } = &self.place
            && !is_own(path, *file)
        {
            self.open()?;
        }
        self.shut()
    }

    /// Shuts it so that nothing is left of it: a socket's file is gone.
    pub fn unlink(&mut self) -> io::Result<()> {
        if let Place::Unix { path, file, .. } = &mut self.place {
            remove_own(path, file.take());
        }
        self.shut()
    }

    fn shut(&mut self) -> io::Result<()> {
        self.latch = ListenerState::Shut(None);
        if let Place::Tcp(address) = self.place {
            self.latch = ListenerState::Shut(Some(reserve(address)?));
        }
        Ok(())
    }

    /// Waits for the next connection; for ever while it is shut.
    pub async fn accept(&mut self) -> Socket {
        loop {
            let accepted = match &self.latch {
                ListenerState::Unix(listener) => {
                    listener.accept().await.map(|(stream, _)| Socket::Unix(stream))
                }
                ListenerState::Tcp(listener) => listener.accept().await.map(|(stream, _)| {
                    drop(stream.set_nodelay(true));
                    Socket::Tcp(stream)
                }),
                ListenerState::Shut(_) => std::future::pending().await,
            };
            match accepted {
                Ok(socket) => return socket,
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection; trying again");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Place::Unix { path, file, .. } = &self.place {
            remove_own(path, *file);
        }
    }
}

impl axum::serve::Listener for Listener {
    type Io = Socket;
    type Addr = String;

    async fn accept(&mut self) -> (Socket, String) {
        (Self::accept(self).await, String::new())
    }

    fn local_addr(&self) -> io::Result<String> {
        Ok(self.address())
    }
}

fn unix_address(path: &Path) -> String {
    format!("unix://{}", path.display())
}

fn is_own(path: &Path, file: Option<FileId>) -> bool {
    file.is_some() && FileId::of(path).ok() == file
}

/// Removes our own socket's file, and never another one that has come to be in its place.
fn remove_own(path: &Path, file: Option<FileId>) {
    if is_own(path, file) {
        drop(fs::remove_file(path));
    }
}

/// Whether somebody listens on a socket.
pub fn is_alive(path: &Path) -> io::Result<bool> {
    let socket = socket2::Socket::new(Domain::UNIX, Type::STREAM, None)?;
    // One that does not accept at the moment must not keep us waiting.
    socket.set_nonblocking(true)?;
    match socket.connect(&SockAddr::unix(path)?) {
        Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound) => {
            Ok(false)
        }
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(error),
        _ => Ok(true),
    }
}

/// Takes a port without listening on it.
fn reserve(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}
