//! A listener that can be closed in each outage mode and cleans up its socket file.

use std::{
    fs, io, iter,
    net::{SocketAddr, ToSocketAddrs},
    os::unix::fs::{FileTypeExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use parking_lot::Mutex;
use rustix::{
    fs::Mode,
    net::{SocketFlags, accept_with},
};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixListener};

use super::{
    accept_failures::AcceptFailures,
    bind_error::BindError,
    directory_watch::DirectoryWatch,
    file_id::FileId,
    lock_file::LockFile,
    other_file::OtherFile,
    probe::is_listening,
    socket::Socket,
    takeover::{AtPath, Takeover},
    unix_stream::UnixStream,
};

/// What the listener is bound to.
#[derive(Debug)]
enum ListenAddress {
    Unix {
        path: PathBuf,
        mode: u32,
        file: Option<FileId>,
    },
    /// In the place of a plugin's socket.
    Takeover(Takeover),
    Tcp(SocketAddr),
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
    listen_at: ListenAddress,
    state: ListenerState,
    failures: AcceptFailures,
    /// Notices that a socket file was removed.
    watch: Option<DirectoryWatch>,
    _lock_file: Option<LockFile>,
}

impl Listener {
    /// Opens a Unix socket with this file mode. A file that a killed process has left behind is replaced.
    pub fn unix(path: &Path, mode: u32) -> Result<Self, BindError> {
        Self::closed_unix(path, mode)?.opened()
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
        let listen_at = ListenAddress::Unix { path, mode, file: None };
        let mut closed = Self::closed(listen_at, None, Some(lock_file));
        closed.watch = watch;
        Ok(closed)
    }

    /// Takes the place of a plugin's socket.
    pub fn take_over(takeover: Takeover) -> Result<Self, BindError> {
        Self::closed(ListenAddress::Takeover(takeover), None, None).opened()
    }

    fn closed(listen_at: ListenAddress, reserved: Option<TcpSocket>, lock_file: Option<LockFile>) -> Self {
        let (state, failures) = (ListenerState::Closed(reserved), AcceptFailures::default());
        Self { listen_at, state, failures, watch: None, _lock_file: lock_file }
    }

    fn opened(mut self) -> Result<Self, BindError> {
        match self.open() {
            Ok(()) => Ok(self),
            Err(error) => Err(BindError::Unusable { address: self.address(), error }),
        }
    }

    /// The path of its socket.
    pub fn path(&self) -> Option<&Path> {
        match &self.listen_at {
            ListenAddress::Unix { path, .. } => Some(path),
            ListenAddress::Takeover(takeover) => Some(takeover.path()),
            ListenAddress::Tcp(_) => None,
        }
    }

    /// What is at the path of the plugin whose place it has taken.
    pub fn at_path(&self) -> Option<AtPath> {
        match &self.listen_at {
            ListenAddress::Takeover(takeover) => Some(takeover.at_path()),
            ListenAddress::Unix { .. } | ListenAddress::Tcp(_) => None,
        }
    }

    /// The path of the plugin whose place it has taken, and where the plugin's socket is now.
    pub fn takeover_paths(&self) -> Option<(PathBuf, PathBuf)> {
        match &self.listen_at {
            ListenAddress::Takeover(takeover) => {
                Some((takeover.path().to_owned(), takeover.upstream().to_owned()))
            }
            ListenAddress::Unix { .. } | ListenAddress::Tcp(_) => None,
        }
    }

    /// Takes the place again, if another socket is at the path and a process listens on it. Returns the connections that
    /// have waited in the queue of the old socket if it did.
    pub fn take_again(&mut self) -> io::Result<Option<Vec<Socket>>> {
        let ListenAddress::Takeover(takeover) = &self.listen_at else { return Ok(None) };
        if takeover.at_path() != AtPath::Another || !is_listening(takeover.path())? {
            return Ok(None);
        }
        // Nobody connects to the old socket any more.
        let queued = iter::from_fn(|| self.accept_queued()).collect();
        self.state = ListenerState::Closed(None);
        self.open()?;
        Ok(Some(queued))
    }

    /// Gives the place of a plugin back, and goes on to accept the connections that were made before.
    pub fn give_back(&self) -> io::Result<()> {
        match &self.listen_at {
            ListenAddress::Takeover(takeover) => takeover.give_back(),
            ListenAddress::Unix { .. } | ListenAddress::Tcp(_) => Ok(()),
        }
    }

    /// Opens a TCP port.
    pub fn tcp(host_port: &str) -> Result<Self, BindError> {
        Self::closed_tcp(host_port)?.opened()
    }

    /// A TCP port that is bound but not open yet, so that connections are refused.
    pub fn closed_tcp(host_port: &str) -> Result<Self, BindError> {
        let unusable = |error| BindError::Unusable { address: format!("tcp://{host_port}"), error };
        let address = host_port.to_socket_addrs().map_err(unusable)?.next();
        let address = address.ok_or_else(|| unusable(io::ErrorKind::AddrNotAvailable.into()))?;
        let socket = reserve(address).map_err(unusable)?;
        let bound = socket.local_addr().map_err(unusable)?;
        Ok(Self::closed(ListenAddress::Tcp(bound), Some(socket), None))
    }

    /// The address under which it can be reached from this machine.
    pub fn address(&self) -> String {
        match &self.listen_at {
            ListenAddress::Unix { path, .. } => unix_address(path),
            ListenAddress::Takeover(takeover) => unix_address(takeover.path()),
            ListenAddress::Tcp(address) if address.ip().is_unspecified() => {
                let host = if address.is_ipv4() { "127.0.0.1" } else { "[::1]" };
                format!("tcp://{host}:{}", address.port())
            }
            ListenAddress::Tcp(address) => format!("tcp://{address}"),
        }
    }

    /// Whether it is a TCP port.
    pub fn is_tcp(&self) -> bool {
        matches!(self.listen_at, ListenAddress::Tcp(_))
    }

    /// Whether only this machine reaches it.
    pub fn is_loopback(&self) -> bool {
        match &self.listen_at {
            ListenAddress::Unix { .. } | ListenAddress::Takeover(_) => true,
            ListenAddress::Tcp(address) => address.ip().is_loopback(),
        }
    }

    /// A warning if other machines can reach it.
    pub fn exposure(&self, what: &str) -> Option<String> {
        match &self.listen_at {
            ListenAddress::Tcp(address) if !address.ip().is_loopback() => Some(format!(
                "warning: {what} listens on {address}, which other machines can reach; choose tcp://127.0.0.1:PORT \
                 unless they must"
            )),
            _ => None,
        }
    }

    /// Whether it is open, but its socket file was removed or replaced, so that nobody can connect.
    fn is_lost(&self) -> bool {
        match (&self.listen_at, &self.state) {
            (ListenAddress::Unix { path, file, .. }, ListenerState::Unix(_)) => !is_own(path, *file),
            (ListenAddress::Takeover(takeover), ListenerState::Unix(_)) => {
                takeover.at_path() == AtPath::Nothing
            }
            _ => false,
        }
    }

    /// What is at the path of its socket, if that is not its own socket file.
    pub fn blocked_by(&self) -> Option<OtherFile> {
        match &self.listen_at {
            ListenAddress::Unix { path, file, .. } if !is_own(path, *file) => OtherFile::at(path),
            ListenAddress::Unix { .. } | ListenAddress::Takeover(_) | ListenAddress::Tcp(_) => None,
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
        self.state = match &mut self.listen_at {
            ListenAddress::Unix { path, mode, file } => {
                remove_own(path, *file);
                let listener = bind_private(path).map_err(|error| match OtherFile::at(path) {
                    Some(other) if error.kind() == io::ErrorKind::AddrInUse => {
                        io::Error::new(error.kind(), format!("{other} is at its path; {}", other.remedy()))
                    }
                    _ => error,
                })?;
                fs::set_permissions(&*path, fs::Permissions::from_mode(*mode))?;
                *file = Some(FileId::of(path)?);
                ListenerState::Unix(listener)
            }
            ListenAddress::Takeover(takeover) => {
                let listener = takeover.take()?;
                listener.set_nonblocking(true)?;
                ListenerState::Unix(UnixListener::from_std(listener)?)
            }
            ListenAddress::Tcp(address) => {
                let socket = reserved.take().map_or_else(|| reserve(*address), Ok)?;
                ListenerState::Tcp(socket.listen(BACKLOG)?)
            }
        };
        Ok(())
    }

    /// Closes it so that connections are refused: a Unix socket's file stays.
    pub fn refuse(&mut self) -> io::Result<()> {
        let is_own = match &self.listen_at {
            ListenAddress::Unix { path, file, .. } => is_own(path, *file),
            ListenAddress::Takeover(takeover) => takeover.at_path() == AtPath::Ours,
            ListenAddress::Tcp(_) => true,
        };
        if !is_own {
            self.open()?;
        }
        self.close()
    }

    /// Closes it and removes a Unix socket's file.
    pub fn unlink(&mut self) -> io::Result<()> {
        match &mut self.listen_at {
            ListenAddress::Unix { path, file, .. } => remove_own(path, file.take()),
            ListenAddress::Takeover(takeover) => takeover.remove(),
            ListenAddress::Tcp(_) => {}
        }
        self.close()
    }

    /// Closes it, and leaves its path as it is.
    pub fn close(&mut self) -> io::Result<()> {
        self.state = ListenerState::Closed(None);
        if let ListenAddress::Tcp(address) = self.listen_at {
            self.state = ListenerState::Closed(Some(reserve(address)?));
        }
        Ok(())
    }

    /// The next connection that waits in the queue, if there is one.
    pub fn accept_queued(&self) -> Option<Socket> {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        match &self.state {
            ListenerState::Unix(listener) => {
                UnixStream::new(accept_with(listener, flags).ok()?).ok().map(Socket::Unix)
            }
            ListenerState::Tcp(listener) => {
                let stream = std::net::TcpStream::from(accept_with(listener, flags).ok()?);
                drop(stream.set_nodelay(true));
                TcpStream::from_std(stream).ok().map(Socket::Tcp)
            }
            ListenerState::Closed(_) => None,
        }
    }

    /// Waits for the next connection; never returns while the listener is closed.
    pub async fn accept(&self) -> Socket {
        loop {
            let accepted = match &self.state {
                ListenerState::Unix(listener) => {
                    listener.accept().await.and_then(|(stream, _)| Ok(Socket::Unix(stream.try_into()?)))
                }
                ListenerState::Tcp(listener) => listener.accept().await.map(|(stream, _)| {
                    drop(stream.set_nodelay(true));
                    Socket::Tcp(stream)
                }),
                ListenerState::Closed(_) => std::future::pending().await,
            };
            match accepted {
                Ok(socket) => {
                    self.failures.end();
                    return socket;
                }
                Err(error) => {
                    self.failures.report(&error);
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let ListenAddress::Unix { path, file, .. } = &self.listen_at {
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

/// Binds a port without listening on it.
fn reserve(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

#[cfg(test)]
mod tests;
