//! Listening sockets.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::net::{TcpListener, UnixListener};

use super::{address::Address, wire::Socket};

/// Why a server cannot be reached where it should.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Somebody answers there.
    #[error("{0} is in use by a living plugin; end it, or choose another name or address")]
    Alive(String),
    /// The system said no.
    #[error("cannot listen on {address}: {error}; choose another address")]
    Unusable {
        /// Where.
        address: String,
        /// What the system says.
        error: io::Error,
    },
}

/// A listening socket.
pub enum Listener {
    /// On a TCP port.
    Tcp(TcpListener),
    /// On a Unix socket, whose file is removed at the end.
    Unix(UnixListener, PathBuf),
}

impl Listener {
    pub fn bind(address: &Address, directory: &Path, name: &str, suffix: &str) -> Result<Self, BindError> {
        let unusable = |error| BindError::Unusable { address: address.to_string(), error };
        match address {
            Address::Tcp(host_port) => {
                let listener = std::net::TcpListener::bind(host_port).map_err(unusable)?;
                listener.set_nonblocking(true).map_err(unusable)?;
                Ok(Self::Tcp(TcpListener::from_std(listener).map_err(unusable)?))
            }
            Address::Unix(path) => {
                let path = path.clone().unwrap_or_else(|| directory.join(format!("{name}{suffix}.sock")));
                if let Some(parent) = path.parent() {
                    fs::create_dir_all(parent).map_err(unusable)?;
                }
                if std::os::unix::net::UnixStream::connect(&path).is_ok() {
                    return Err(BindError::Alive(path.display().to_string()));
                }
                if path.exists() {
                    fs::remove_file(&path).map_err(unusable)?;
                }
                let listener = UnixListener::bind(&path).map_err(unusable)?;
                fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).map_err(unusable)?;
                Ok(Self::Unix(listener, path))
            }
        }
    }

    pub fn address(&self) -> String {
        match self {
            Self::Tcp(listener) => {
                listener.local_addr().map_or_else(|_| "tcp://?".into(), |address| format!("tcp://{address}"))
            }
            Self::Unix(_, path) => format!("unix://{}", path.display()),
        }
    }

    pub async fn next(&mut self) -> Socket {
        loop {
            let accepted = match self {
                Self::Tcp(listener) => listener.accept().await.map(|(stream, _)| {
                    let _ = stream.set_nodelay(true);
                    Socket::Tcp(stream)
                }),
                Self::Unix(listener, _) => listener.accept().await.map(|(stream, _)| Socket::Unix(stream)),
            };
            match accepted {
                Ok(socket) => return socket,
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
}

impl axum::serve::Listener for Listener {
    type Io = Socket;
    type Addr = ();

    async fn accept(&mut self) -> (Socket, ()) {
        (self.next().await, ())
    }

    fn local_addr(&self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Self::Unix(_, path) = self {
            let _ = fs::remove_file(path);
        }
    }
}
