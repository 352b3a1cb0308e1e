//! The wire: a connection's stream that can be cut, and a line to those who may cut it.
//!
//! How a connection ends is part of what a rule says. On TCP a reset is a matter of `SO_LINGER`. A Unix
//! socket knows no reset: its peer is told `ECONNRESET` if something it has sent is still unread when the
//! socket is closed, and a clean end otherwise. So while any call may be met with a reset, a Unix wire only
//! peeks at what arrives and takes it up later, always leaving at least one byte behind; and before any
//! other end it reads what is left. A request that had arrived whole before such a rule was armed cannot be
//! reset any more: it ends cleanly.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    net::{RecvFlags, recv},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, Interest, ReadBuf},
    net::UnixStream,
    sync::Notify,
};

use super::socket::Socket;
use crate::state::Hub;

/// Why a call ends without an answer, or in the middle of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Disconnect {
    /// The peer is told of a clean end.
    #[error("the connection is closed")]
    Eof,
    /// The peer is told of a reset.
    #[error("the connection is reset")]
    Reset,
}

/// What the calls on a wire, and whoever ends it, know of it.
#[derive(Debug, Default)]
pub struct ConnectionControl {
    connection: u64,
    reset: AtomicBool,
    flushed: Notify,
    ended: OnceLock<&'static str>,
}

impl ConnectionControl {
    /// For the connection with this number.
    pub fn new(connection: u64) -> Self {
        Self { connection, ..Self::default() }
    }

    /// The connection's number.
    pub fn connection(&self) -> u64 {
        self.connection
    }

    /// Decides how the wire ends, as soon as it is dropped.
    pub fn cut(&self, cut: Disconnect) -> Disconnect {
        self.reset.store(cut == Disconnect::Reset, Ordering::Relaxed);
        cut
    }

    /// Says why the server ends the connection before its calls have ended.
    pub fn end(&self, why: &'static str) {
        let _ = self.ended.set(why);
    }

    /// Why the server ended the connection, if it did.
    pub fn ended(&self) -> Option<&'static str> {
        self.ended.get().copied()
    }

    /// Waits until all that was written before has been handed to the system.
    pub async fn flushed(&self) {
        self.flushed.notified().await;
    }
}

/// How much is read at a time where it is peeked at or thrown away, in bytes.
const CHUNK: usize = 16 * 1024;

/// A connection's stream.
pub struct FaultStream {
    socket: Socket,
    line: Arc<ConnectionControl>,
    hub: Arc<Hub>,
    /// How many bytes were peeked at and passed on, but are still to be taken up.
    behind: usize,
}

impl FaultStream {
    /// A wire for a connection.
    pub fn new(socket: Socket, line: Arc<ConnectionControl>, hub: Arc<Hub>) -> Self {
        Self { socket, line, hub, behind: 0 }
    }
}

/// Takes up bytes that were peeked at.
fn take_up(stream: &UnixStream, behind: &mut usize, leave: usize) -> io::Result<()> {
    if *behind <= leave {
        return Ok(());
    }
    let mut scratch = [0; CHUNK];
    while *behind > leave {
        let wanted = (*behind - leave).min(CHUNK);
        let (_, taken) = recv(stream, &mut scratch[..wanted], RecvFlags::DONTWAIT)?;
        *behind -= taken;
    }
    Ok(())
}

/// Passes on what has arrived, and leaves its last byte behind.
fn peek(stream: &UnixStream, behind: &mut usize, buf: &mut ReadBuf<'_>) -> io::Result<()> {
    // Asked before looking, so that nothing can arrive in between and be lost.
    let mut hung_up = [PollFd::new(stream, PollFlags::RDHUP)];
    let hung_up = poll(&mut hung_up, Some(&Timespec::default()))? > 0;
    take_up(stream, behind, 1)?;
    let mut scratch = [0; CHUNK];
    let room = (buf.remaining() + *behind).min(CHUNK);
    let (_, seen) = recv(stream, &mut scratch[..room], RecvFlags::PEEK | RecvFlags::DONTWAIT)?;
    if seen > *behind {
        buf.put_slice(&scratch[*behind..seen]);
        *behind = seen;
        Ok(())
    } else if hung_up {
        take_up(stream, behind, 0)
    } else {
        Err(io::ErrorKind::WouldBlock.into())
    }
}

impl AsyncRead for FaultStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if let Socket::Unix(stream) = &this.socket {
            if this.hub.may_reset() {
                loop {
                    ready!(stream.poll_read_ready(cx))?;
                    match stream.try_io(Interest::READABLE, || peek(stream, &mut this.behind, buf)) {
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                        read => return Poll::Ready(read),
                    }
                }
            }
            take_up(stream, &mut this.behind, 0)?;
        }
        Pin::new(&mut this.socket).poll_read(cx, buf)
    }
}

impl AsyncWrite for FaultStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().socket).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().socket).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(Pin::new(&mut this.socket).poll_flush(cx))?;
        this.line.flushed.notify_waiters();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_shutdown(cx)
    }
}

impl Drop for FaultStream {
    fn drop(&mut self) {
        match (&self.socket, self.line.reset.load(Ordering::Relaxed)) {
            (Socket::Tcp(stream), true) => drop(stream.set_zero_linger()),
            // What was left behind makes the system tell the peer of a reset.
            (Socket::Unix(_), true) => {}
            (socket, false) => {
                let mut scratch = [0; CHUNK];
                let left = || matches!(recv(socket, &mut scratch, RecvFlags::DONTWAIT), Ok((_, 1..)));
                // A peer that never stops sending is left to its reset.
                let _ = std::iter::repeat_with(left).take(256).take_while(|left| *left).count();
            }
        }
    }
}
