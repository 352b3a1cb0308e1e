//! Whether somebody listens.

use std::{io, path::Path, time::Duration};

use socket2::{Domain, SockAddr, Socket, Type};
use tokio::{net::TcpStream, time::timeout};

use super::address::Address;

/// Whether a process listens at an address, as far as this can be found out.
pub async fn is_up(address: &Address) -> bool {
    match address {
        Address::Unix(path) => path.as_deref().is_some_and(|path| is_listening(path).unwrap_or(true)),
        Address::Tcp(host_port) => {
            let connected = timeout(Duration::from_secs(1), TcpStream::connect(host_port)).await;
            connected.is_ok_and(|connected| connected.is_ok())
        }
    }
}

/// Whether a process listens on a Unix socket.
pub fn is_listening(path: &Path) -> io::Result<bool> {
    match connect(path) {
        Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound) => {
            Ok(false)
        }
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(error),
        _ => Ok(true),
    }
}

/// Connects, but does not wait for a process that does not accept at the moment.
pub(super) fn connect(path: &Path) -> io::Result<Socket> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.connect(&SockAddr::unix(path)?)?;
    Ok(socket)
}
