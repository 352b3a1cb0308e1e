//! A connection's stream that can be closed or reset, and the handle that controls it.
//!
//! On TCP a reset is a matter of `SO_LINGER`. A Unix socket has no reset: its peer gets `ECONNRESET` if data that it has
//! sent is still unread when the socket is closed, and end of file otherwise. So while any call may be reset, a Unix
//! stream only peeks at incoming data and consumes it later, always leaving at least one byte unread; and before
//! any other end it reads the rest. A request that was read completely before such a rule was armed cannot be
//! reset any more: its connection is closed.

use std::{
    future::{pending, poll_fn},
    io,
    mem::MaybeUninit,
    pin::Pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    net::{RecvFlags, recv},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, Interest, ReadBuf},
    net::UnixStream,
    sync::Notify,
    time::{Interval, interval},
};

use super::driver::upstream::connection::UpstreamConnection;
use crate::{
    domain::model::peer::Peer,
    hub::{Hub, OpenConnection},
    net::{RequestProgress, RequestUnderWay, Socket},
};

/// How a connection ends without a reply, or in the middle of one. A handler that returns it gets the connection cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Disconnect {
    /// The peer reads end of file.
    #[error("the connection is closed")]
    Eof,
    /// The peer gets `ECONNRESET`.
    #[error("the connection is reset")]
    Reset,
}

/// Controls a connection: shared by its calls and its task.
#[derive(Debug)]
pub struct ConnectionControl {
    number: u64,
    peer: Option<Arc<Peer>>,
    /// Whether the next call is the first of its peer.
    first_contact: AtomicBool,
    /// Whether a request has arrived.
    has_begun: AtomicBool,
    requests: Arc<RequestProgress>,
    /// How many calls are held.
    held: AtomicU32,
    /// Whether the peer's end would be noticed: whether the last read waits for more.
    is_reading: AtomicBool,
    reset: AtomicBool,
    flushed: Notify,
    closed_by_server: OnceLock<&'static str>,
    upstream: OnceLock<Arc<UpstreamConnection>>,
    /// Whether the next reply is written as HTTP/1.0 and sent as HTTP/1.1.
    next_as_http_11: AtomicBool,
}

impl ConnectionControl {
    /// The control of a connection with this number: connections are numbered from 1 as they are accepted.
    pub fn new(number: u64) -> Self {
        Self {
            number,
            peer: None,
            first_contact: AtomicBool::new(false),
            has_begun: AtomicBool::new(false),
            requests: Arc::default(),
            held: AtomicU32::new(0),
            is_reading: AtomicBool::new(false),
            reset: AtomicBool::new(false),
            flushed: Notify::new(),
            closed_by_server: OnceLock::new(),
            upstream: OnceLock::new(),
            next_as_http_11: AtomicBool::new(false),
        }
    }

    /// The control of an open connection.
    pub fn of(connection: &OpenConnection) -> Self {
        let OpenConnection { number, peer, is_first, .. } = connection;
        Self { peer: peer.clone(), first_contact: AtomicBool::new(*is_first), ..Self::new(*number) }
    }

    /// Who connected, if the system says.
    pub fn peer(&self) -> Option<&Arc<Peer>> {
        self.peer.as_ref()
    }

    /// Whether a request has arrived.
    pub fn has_begun(&self) -> bool {
        self.has_begun.load(Ordering::Relaxed)
    }

    /// A request has arrived. Returns whether it is the first of its peer.
    pub fn begin_call(&self) -> bool {
        self.has_begun.store(true, Ordering::Relaxed);
        self.first_contact.swap(false, Ordering::Relaxed)
    }

    /// How far its requests are.
    pub fn requests(&self) -> &Arc<RequestProgress> {
        &self.requests
    }

    /// The head of a request has arrived. It is under way until the result is dropped.
    pub fn begin_request(&self) -> RequestUnderWay {
        self.requests.begin()
    }

    /// A call is held.
    pub fn begin_hold(&self) {
        self.held.fetch_add(1, Ordering::Relaxed);
    }

    /// A call that was held has ended.
    pub fn end_hold(&self) {
        self.held.fetch_sub(1, Ordering::Relaxed);
    }

    /// Whether nobody would notice that the peer leaves: a call is held, and data that follows it is not read any further.
    pub fn is_unwatched(&self) -> bool {
        self.held.load(Ordering::Relaxed) > 0 && !self.is_reading.load(Ordering::Relaxed)
    }

    /// The number of the connection.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The connection to the upstream that belongs to this one.
    pub fn upstream(&self) -> &Arc<UpstreamConnection> {
        self.upstream.get_or_init(Arc::default)
    }

    /// Reads and writes on the upstream's connection, until the upstream has ended it while no request was under way.
    pub async fn run_upstream(&self) -> Disconnect {
        match self.upstream.get() {
            Some(upstream) if poll_fn(|cx| upstream.poll(cx)).await => Disconnect::Reset,
            Some(_) => Disconnect::Eof,
            None => pending().await,
        }
    }

    /// Whether the connection may have to be reset because the upstream resets its own.
    pub fn follows_upstream(&self) -> bool {
        self.upstream.get().is_some()
    }

    /// The peer has reset the connection, so that of the upstream is reset too.
    fn reset_by_peer(&self) {
        if let Some(upstream) = self.upstream.get() {
            upstream.reset();
        }
    }

    /// Sends the next reply as HTTP/1.1, although it is written as HTTP/1.0 for the sake of a body without a length.
    pub fn send_next_as_http_11(&self) {
        self.next_as_http_11.store(true, Ordering::Relaxed);
    }

    /// Decides how the stream ends when it is dropped.
    pub fn disconnect(&self, disconnect: Disconnect) -> Disconnect {
        self.reset.store(disconnect == Disconnect::Reset, Ordering::Relaxed);
        disconnect
    }

    /// Sets why the server closes the connection while calls are in flight.
    pub fn close(&self, reason: &'static str) {
        let _ = self.closed_by_server.set(reason);
    }

    /// Why the server closed the connection, if it did.
    pub fn closed_by_server(&self) -> Option<&'static str> {
        self.closed_by_server.get().copied()
    }

    /// Waits until everything written before has been passed to the kernel.
    pub async fn flushed(&self) {
        self.flushed.notified().await;
    }
}

/// How often a peer that is not being read from is checked for having left.
const PEER_CHECK_INTERVAL: Duration = Duration::from_millis(250);

/// How many bytes are peeked at or discarded at a time.
const CHUNK: usize = 16 * 1024;

/// A connection's stream.
pub struct FaultStream {
    socket: Socket,
    control: Arc<ConnectionControl>,
    hub: Arc<Hub>,
    /// How many bytes were peeked at and passed on, but not consumed yet.
    unconsumed: usize,
    /// How many bytes of a version were sent instead of those that were written.
    version_sent: usize,
    /// When to look whether the peer is still there.
    peer_checks: Option<Box<Interval>>,
}

impl FaultStream {
    /// The stream of a connection.
    pub fn new(socket: Socket, control: Arc<ConnectionControl>, hub: Arc<Hub>) -> Self {
        Self { socket, control, hub, unconsumed: 0, version_sent: 0, peer_checks: None }
    }
}

/// Consumes all but some of the bytes that were peeked at.
fn consume(stream: &UnixStream, unconsumed: &mut usize, leave: usize) -> io::Result<()> {
    let mut scratch = [MaybeUninit::uninit(); CHUNK];
    while *unconsumed > leave {
        let wanted = (*unconsumed - leave).min(CHUNK);
        let ((taken, _), _) = recv(stream, &mut scratch[..wanted], RecvFlags::DONTWAIT)?;
        *unconsumed -= taken.len();
    }
    Ok(())
}

/// Passes on the data that has arrived, and leaves its last byte unread. Returns whether there may be more.
fn peek(stream: &UnixStream, unconsumed: &mut usize, buf: &mut ReadBuf<'_>) -> io::Result<bool> {
    consume(stream, unconsumed, 1)?;
    let mut scratch = [MaybeUninit::uninit(); CHUNK];
    let room = (buf.remaining() + *unconsumed).min(CHUNK);
    let mut look = || -> io::Result<usize> {
        let ((seen, _), _) = recv(stream, &mut scratch[..room], RecvFlags::PEEK | RecvFlags::DONTWAIT)?;
        buf.put_slice(seen.get(*unconsumed..).unwrap_or_default());
        Ok(seen.len())
    };
    let mut seen = look()?;
    if seen > 0 && seen == *unconsumed {
        let mut hung_up = [PollFd::new(stream, PollFlags::RDHUP)];
        if poll(&mut hung_up, Some(&Timespec::default()))? == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        // Data may have arrived before the end.
        seen = look()?;
        if seen == *unconsumed {
            consume(stream, unconsumed, 0)?;
            return Ok(true);
        }
    }
    *unconsumed = seen;
    Ok(seen == room)
}

fn peek_when_ready(
    stream: &UnixStream,
    unconsumed: &mut usize,
    cx: &mut Context<'_>,
    buf: &mut ReadBuf<'_>,
) -> Poll<io::Result<()>> {
    let mut done = false;
    while !done {
        ready!(stream.poll_read_ready(cx))?;
        let peeked = stream.try_io(Interest::READABLE, || {
            let more = peek(stream, unconsumed, buf)?;
            done = true;
            // After all that has arrived, there is nothing to read before the next event.
            if more { Ok(()) } else { Err(io::ErrorKind::WouldBlock.into()) }
        });
        if let Err(error) = peeked
            && error.kind() != io::ErrorKind::WouldBlock
        {
            return Poll::Ready(Err(error));
        }
    }
    Poll::Ready(Ok(()))
}

impl FaultStream {
    fn poll_socket(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if let Socket::Unix(stream) = &self.socket {
            if self.hub.may_reset() || self.control.follows_upstream() {
                return peek_when_ready(stream, &mut self.unconsumed, cx, buf);
            }
            consume(stream, &mut self.unconsumed, 0)?;
        }
        Pin::new(&mut self.socket).poll_read(cx, buf)
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
            // While the peer waits for its reply, the kernel would wake it for what is consumed.
            if let Socket::Unix(stream) = &this.socket {
                consume(stream, &mut this.unconsumed, 1)?;
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
