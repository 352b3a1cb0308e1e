//! A listener that can be closed in each outage mode and cleans up its socket file.

use std::{
    fs, io,
    net::{SocketAddr, ToSocketAddrs},
    os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use parking_lot::Mutex;
use rustix::fs::Mode;
use socket2::{Domain, SockAddr, Type};
use tokio::net::{TcpListener, TcpSocket, UnixListener};

use super::{directory_watch::DirectoryWatch, lock_file::LockFile, socket::Socket};
use crate::domain::model::protocol::BadDriverName;

/// Why a listener or a spec file cannot be created.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The driver's name is not a valid file name.
    #[error("{name:?} is not a valid driver name: {bad}")]
    Name {
        /// The name.
        name: String,
        /// Why not.
        bad: BadDriverName,
    },
    /// Another process uses it.
    #[error("{0} belongs to a running plugin; stop it, or choose another --name, --listen or --control")]
    InUse(String),
    /// The path is taken by something other than a socket.
    #[error("{0:?} exists and is not a socket; move it away, or choose another address")]
    NotASocket(PathBuf),
    /// The directory for sockets is writable by other users.
    #[error("{0:?} belongs to another user or is writable by others; remove it, or choose another address")]
    NotPrivate(PathBuf),
    /// Anybody who reaches the port could use it.
    #[error(
        "{0} can be reached from other machines, so it needs a token: give one with --token-file FILE, or choose 127.0.0.1"
    )]
    NoToken(String),
    /// The operating system refused.
    #[error("cannot listen on {address}: {error}; choose another address")]
    Unusable {
        /// The address or path.
        address: String,
        /// The error of the operating system.
        error: io::Error,
    },
}

impl BindError {
    /// Whether only permissions are missing.
    pub fn is_denied(&self) -> bool {
        use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
        matches!(self, Self::Unusable { error, .. } if matches!(error.kind(), PermissionDenied | ReadOnlyFilesystem))
    }
}

/// What the listener is bound to.
#[derive(Clone, Debug)]
enum Endpoint {
    Unix { path: PathBuf, mode: u32, file: Option<FileId> },
    Tcp(SocketAddr),
}

/// Distinguishes our socket file from another one at its path: inode numbers alone are reused quickly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileId {
    device: u64,
    inode: u64,
    modified: (i64, i64),
}

impl FileId {
    fn of(path: &Path) -> io::Result<Self> {
        let metadata = fs::symlink_metadata(path)?;
        let modified = (metadata.mtime(), metadata.mtime_nsec());
        Ok(Self { device: metadata.dev(), inode: metadata.ino(), modified })
    }
}

#[derive(Debug)]
enum ListenerState {
    Unix(UnixListener),
    Tcp(TcpListener),
    /// Connections are refused. A TCP port stays bound, so that no other process takes it meanwhile.
    Closed(Option<TcpSocket>),
}

/// How many connections may queue until they are accepted.
const BACKLOG: u32 = 1024;

/// A listening socket that can be closed and opened again.
#[derive(Debug)]
pub struct Listener {
    endpoint: Endpoint,
    state: ListenerState,
    /// Whether connections cannot be accepted.
    is_failing: AtomicBool,
    /// Notices that a socket file was removed.
    watch: Option<DirectoryWatch>,
    _lock_file: Option<LockFile>,
}

impl Listener {
    /// Opens a Unix socket with this file mode. A file that a killed process has left behind is replaced.
    pub fn unix(path: &Path, mode: u32) -> Result<Self, BindError> {
        let mut listener = Self::closed_unix(path, mode)?;
        let opened = listener.open();
        opened.map_err(|error| BindError::Unusable { address: listener.address(), error })?;
        Ok(listener)
    }

    /// A Unix socket that is not open yet: there is no file.
    pub fn closed_unix(path: &Path, mode: u32) -> Result<Self, BindError> {
        let unusable = |error| BindError::Unusable { address: unix_address(path), error };
        let path = std::path::absolute(path).map_err(unusable)?;
        let in_use = || BindError::InUse(unix_address(&path));
        let lock_file = LockFile::acquire(&path).map_err(unusable)?.ok_or_else(in_use)?;
        match fs::symlink_metadata(&path) {
            Ok(metadata) if !metadata.file_type().is_socket() => return Err(BindError::NotASocket(path)),
            Ok(_) if is_listening(&path).map_err(unusable)? => return Err(in_use()),
            Ok(_) => fs::remove_file(&path).map_err(unusable)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(unusable(error)),
        }
        // Without a watch, a socket works as well.
        let watch = path.parent().and_then(|directory| DirectoryWatch::new(directory).ok());
        Ok(Self {
            endpoint: Endpoint::Unix { path: path.clone(), mode, file: None },
            state: ListenerState::Closed(None),
            is_failing: AtomicBool::new(false),
            watch,
            _lock_file: Some(lock_file),
        })
    }

    /// Opens a TCP port.
    pub fn tcp(host_port: &str) -> Result<Self, BindError> {
        let mut listener = Self::closed_tcp(host_port)?;
        let opened = listener.open();
        opened.map_err(|error| BindError::Unusable { address: listener.address(), error })?;
        Ok(listener)
    }

    /// A TCP port that is bound but not open yet, so that connections are refused.
    pub fn closed_tcp(host_port: &str) -> Result<Self, BindError> {
        let unusable = |error| BindError::Unusable { address: format!("tcp://{host_port}"), error };
        let address = host_port.to_socket_addrs().map_err(unusable)?.next();
        let address = address.ok_or_else(|| unusable(io::ErrorKind::AddrNotAvailable.into()))?;
        let socket = reserve(address).map_err(unusable)?;
        Ok(Self {
            endpoint: Endpoint::Tcp(socket.local_addr().map_err(unusable)?),
            state: ListenerState::Closed(Some(socket)),
            is_failing: AtomicBool::new(false),
            watch: None,
            _lock_file: None,
        })
    }

    /// The address under which it can be reached from this machine.
    pub fn address(&self) -> String {
        match &self.endpoint {
            Endpoint::Unix { path, .. } => unix_address(path),
            Endpoint::Tcp(address) if address.ip().is_unspecified() => {
                let host = if address.is_ipv4() { "127.0.0.1" } else { "[::1]" };
                format!("tcp://{host}:{}", address.port())
            }
            Endpoint::Tcp(address) => format!("tcp://{address}"),
        }
    }

    /// Whether it is a TCP port.
    pub fn is_tcp(&self) -> bool {
        matches!(self.endpoint, Endpoint::Tcp(_))
    }

    /// Whether only this machine reaches it.
    pub fn is_loopback(&self) -> bool {
        match &self.endpoint {
            Endpoint::Unix { .. } => true,
            Endpoint::Tcp(address) => address.ip().is_loopback(),
        }
    }

    /// A warning if other machines can reach it.
    pub fn exposure(&self, what: &str) -> Option<String> {
        match &self.endpoint {
            Endpoint::Tcp(address) if !address.ip().is_loopback() => Some(format!(
                "warning: {what} listens on {address}, which other machines can reach; choose tcp://127.0.0.1:PORT \
                 unless they must"
            )),
            _ => None,
        }
    }

    /// Whether it is open, but its socket file was removed or replaced, so that nobody can connect.
    fn is_lost(&self) -> bool {
        match (&self.endpoint, &self.state) {
            (Endpoint::Unix { path, file, .. }, ListenerState::Unix(_)) => !is_own(path, *file),
            _ => false,
        }
    }

    /// Waits until the socket file of an open listener is removed or replaced from outside.
    pub async fn lost(&self) {
        let Some(watch) = &self.watch else { return std::future::pending().await };
        while !self.is_lost() {
            watch.changed().await;
        }
    }

    /// Opens it, if it is closed or its socket file was removed.
    pub fn open(&mut self) -> io::Result<()> {
        if self.is_lost() {
            self.state = ListenerState::Closed(None);
        }
        let ListenerState::Closed(reserved) = &mut self.state else { return Ok(()) };
        self.state = match &mut self.endpoint {
            Endpoint::Unix { path, mode, file } => {
                remove_own(path, *file);
                let listener = bind_private(path)?;
                fs::set_permissions(&*path, fs::Permissions::from_mode(*mode))?;
                *file = Some(FileId::of(path)?);
                ListenerState::Unix(listener)
            }
            Endpoint::Tcp(address) => {
                let socket = reserved.take().map_or_else(|| reserve(*address), Ok)?;
                ListenerState::Tcp(socket.listen(BACKLOG)?)
            }
        };
        Ok(())
    }

    /// Closes it so that connections are refused: a Unix socket's file stays.
    pub fn refuse(&mut self) -> io::Result<()> {
        if let Endpoint::Unix { path, file, .. } = &self.endpoint
            && !is_own(path, *file)
        {
            self.open()?;
        }
        self.close()
    }

    /// Closes it and removes a Unix socket's file.
    pub fn unlink(&mut self) -> io::Result<()> {
        if let Endpoint::Unix { path, file, .. } = &mut self.endpoint {
            remove_own(path, file.take());
        }
        self.close()
    }

    fn close(&mut self) -> io::Result<()> {
        self.state = ListenerState::Closed(None);
        if let Endpoint::Tcp(address) = self.endpoint {
            self.state = ListenerState::Closed(Some(reserve(address)?));
        }
        Ok(())
    }

    /// Waits for the next connection; never returns while the listener is closed.
    pub async fn accept(&self) -> Socket {
        loop {
            let accepted = match &self.state {
                ListenerState::Unix(listener) => {
                    listener.accept().await.map(|(stream, _)| Socket::Unix(stream))
                }
                ListenerState::Tcp(listener) => listener.accept().await.map(|(stream, _)| {
                    drop(stream.set_nodelay(true));
                    Socket::Tcp(stream)
                }),
                ListenerState::Closed(_) => std::future::pending().await,
            };
            match accepted {
                Ok(socket) => {
                    if self.is_failing.swap(false, Ordering::Relaxed) {
                        tracing::warn!("connections are accepted again");
                    }
                    return socket;
                }
                Err(error) => {
                    // Once, and not ten times a second: without a free descriptor it fails until there is one.
                    if !self.is_failing.swap(true, Ordering::Relaxed) {
                        tracing::warn!(%error, "cannot accept connections; it is tried until it works");
                    }
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Endpoint::Unix { path, file, .. } = &self.endpoint {
            remove_own(path, *file);
        }
    }
}

fn unix_address(path: &Path) -> String {
    format!("unix://{}", path.display())
}

fn is_own(path: &Path, file: Option<FileId>) -> bool {
    file.is_some() && FileId::of(path).ok() == file
}

/// Removes the socket file if it is still ours.
fn remove_own(path: &Path, file: Option<FileId>) {
    if is_own(path, file) {
        drop(fs::remove_file(path));
    }
}

/// Binds a socket file that nobody else can connect to before it has its mode.
fn bind_private(path: &Path) -> io::Result<UnixListener> {
    // The umask is that of the whole process.
    static UMASK: Mutex<()> = Mutex::new(());
    let _guard = UMASK.lock();
    let umask = rustix::process::umask(Mode::RWXG | Mode::RWXO);
    let listener = UnixListener::bind(path);
    rustix::process::umask(umask);
    listener
}

/// Whether a process listens on a Unix socket.
pub fn is_listening(path: &Path) -> io::Result<bool> {
    let socket = socket2::Socket::new(Domain::UNIX, Type::STREAM, None)?;
    // A process that does not accept at the moment must not block us.
    socket.set_nonblocking(true)?;
    match socket.connect(&SockAddr::unix(path)?) {
        Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound) => {
            Ok(false)
        }
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(error),
        _ => Ok(true),
    }
}

/// Binds a port without listening on it.
fn reserve(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}
