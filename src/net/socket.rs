//! An accepted connection on either transport.

use std::{
    fs, io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    pin::Pin,
    task::{Context, Poll},
};

use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use rustix::process::Pid;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use super::UnixStream;
use crate::domain::model::peer::Peer;

/// An accepted connection.
pub enum Socket {
    /// On a TCP port.
    Tcp(TcpStream),
    /// On a Unix socket.
    Unix(UnixStream),
}

impl Socket {
    /// Takes it off the runtime that accepted it. The function puts it on the one that calls it.
    pub fn detach(self) -> io::Result<impl FnOnce() -> io::Result<Self> + Send> {
        let (is_tcp, fd): (bool, OwnedFd) = match self {
            Self::Tcp(stream) => (true, stream.into_std()?.into()),
            Self::Unix(stream) => (false, stream.into_fd()),
        };
        Ok(move || {
            if is_tcp {
                TcpStream::from_std(fd.into()).map(Self::Tcp)
            } else {
                UnixStream::new(fd).map(Self::Unix)
            }
        })
    }

    /// Who connected, if the system says.
    pub fn peer(&self) -> Option<Peer> {
        match self {
            Self::Tcp(stream) => {
                let address = stream.peer_addr().ok()?.ip().to_canonical();
                Some(Peer::Address(address.to_string().into()))
            }
            Self::Unix(stream) => {
                let credentials = getsockopt(stream, PeerCredentials).ok()?;
                let pid = u32::try_from(credentials.pid()).unwrap_or(0);
                let uid = credentials.uid();
                Some(Peer::Process { pid, uid, user: user_name(uid), name: process_name(pid) })
            }
        }
    }
}

/// The process at the other end of a Unix socket; for one that connects, the process that listens. None if it is in a PID
/// namespace that this process does not see.
pub(super) fn peer_process(socket: &impl AsFd) -> io::Result<Option<Pid>> {
    Ok(Pid::from_raw(getsockopt(socket, PeerCredentials)?.pid()))
}

/// The name of a process, as `ps` shows it.
fn process_name(pid: u32) -> Option<Box<str>> {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(name.trim_end().into())
}

/// The name of a local user.
fn user_name(uid: u32) -> Option<Box<str>> {
    let users = fs::read_to_string("/etc/passwd").ok()?;
    let named = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let user = named.into_iter().find(|fields| fields.get(2).is_some_and(|id| *id == uid.to_string()))?;
    Some(user[0].into())
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(stream) => stream.as_fd(),
            Self::Unix(stream) => stream.as_fd(),
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Unix(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
            Self::Unix(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Self::Unix(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
