//! A connection's stream that can be closed or reset.

use std::{
    io,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll, ready},
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    net::{RecvFlags, recv},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Interval, interval},
};

use super::{
    connection_control::ConnectionControl,
    unread::{CHUNK, Unread},
};
use crate::net::Socket;

/// How often a peer that is not being read from is checked for having left.
const PEER_CHECK_INTERVAL: Duration = Duration::from_millis(250);

/// A connection's stream.
pub struct FaultStream {
    socket: Socket,
    control: Arc<ConnectionControl>,
    unread: Unread,
    /// How many bytes of a version were sent instead of those that were written.
    version_sent: usize,
    /// When to look whether the peer is still there.
    peer_checks: Option<Box<Interval>>,
}

impl FaultStream {
    /// The stream of a connection.
    pub fn new(socket: Socket, control: Arc<ConnectionControl>, unread: Unread) -> Self {
        Self { socket, control, unread, version_sent: 0, peer_checks: None }
    }

    fn poll_socket(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Socket::Unix(stream) = &self.socket else {
            return Pin::new(&mut self.socket).poll_read(cx, buf);
        };
        self.unread.poll_peek(stream, cx, buf, self.control.requests())
    }

    /// Fails if the peer has left. A client that has sent its next request already is not read from while a call is held,
    /// and neither the kernel nor hyper report then that it leaves.
    fn check_peer(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if !self.control.is_unwatched() {
            self.peer_checks = None;
            return Ok(());
        }
        let checks = self.peer_checks.get_or_insert_with(|| Box::new(interval(PEER_CHECK_INTERVAL)));
        while checks.poll_tick(cx).is_ready() {
            if poll(&mut [PollFd::new(&self.socket, PollFlags::RDHUP)], Some(&Timespec::default()))? > 0 {
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
        }
        Ok(())
    }
}

impl AsyncRead for FaultStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let read = this.poll_socket(cx, buf);
        this.control.is_reading.store(read.is_pending(), Ordering::Relaxed);
        let read = ready!(read);
        if read.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::ConnectionReset) {
            this.control.reset_by_peer();
        }
        Poll::Ready(read)
    }
}

impl AsyncWrite for FaultStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        const WRITTEN: &[u8] = b"HTTP/1.0 ";
        const SENT: &[u8] = b"HTTP/1.1 ";
        let this = self.get_mut();
        let as_http_11 = &this.control.next_as_http_11;
        if !as_http_11.load(Ordering::Relaxed) || !buf.starts_with(&WRITTEN[this.version_sent..]) {
            let written = ready!(Pin::new(&mut this.socket).poll_write(cx, buf))?;
            if let Socket::Unix(stream) = &this.socket {
                this.unread.consume_much(stream)?;
            }
            return Poll::Ready(Ok(written));
        }
        let sent = ready!(Pin::new(&mut this.socket).poll_write(cx, &SENT[this.version_sent..]))?;
        this.version_sent += sent;
        if this.version_sent == SENT.len() {
            this.version_sent = 0;
            as_http_11.store(false, Ordering::Relaxed);
        }
        Poll::Ready(Ok(sent))
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
        this.check_peer(cx)?;
        ready!(Pin::new(&mut this.socket).poll_flush(cx))?;
        this.control.flushed.notify_waiters();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_shutdown(cx)
    }
}

impl Drop for FaultStream {
    fn drop(&mut self) {
        match (&self.socket, self.control.reset.load(Ordering::Relaxed)) {
            (Socket::Tcp(stream), true) => drop(stream.set_zero_linger()),
            // The unread data makes the kernel send `ECONNRESET`.
            (Socket::Unix(_), true) => {}
            (socket, false) => {
                let mut scratch = [0; CHUNK];
                let unread = || matches!(recv(socket, &mut scratch, RecvFlags::DONTWAIT), Ok((_, 1..)));
                // A peer that never stops sending gets a reset.
                let _ = std::iter::repeat_with(unread).take(256).take_while(|unread| *unread).count();
            }
        }
    }
}
