//! Data on a Unix socket that was passed on and is still in the kernel.
//!
//! A Unix socket has no reset: its peer gets `ECONNRESET` if data that it has sent is still unread when the socket is
//! closed, and end of file otherwise. So incoming data is peeked at and consumed later, and the last byte of a request stays
//! unread until there is more or the connection ends. A kill of the process is a reset too, therefore.
//!
//! To consume it late is also faster: the kernel would wake a peer that waits for its reply, to say that there is room for
//! more. And one system call consumes several requests.

use std::{
    io,
    mem::MaybeUninit,
    os::fd::AsFd,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    net::{RecvFlags, recv},
};
use tokio::{
    io::ReadBuf,
    time::{Instant, Sleep, sleep},
};

use crate::net::{RequestProgress, UnixStream};

/// How many bytes are peeked at or consumed at a time.
pub const CHUNK: usize = 16 * 1024;

/// How many bytes may stay unread: several requests of an engine, and little of a long body.
const MAX_UNREAD: usize = 1024;

/// After what time without new data it is consumed: a peer with a small send buffer may wait for room. What its last
/// byte takes up is freed too, if more must come.
const IDLE: Duration = Duration::from_millis(20);

/// What was passed on, but not consumed yet.
pub struct Unread {
    bytes: usize,
    /// When to consume it, if nothing has arrived meanwhile.
    idle: Pin<Box<Sleep>>,
    /// Whether data has arrived since that time was set.
    has_grown: bool,
}

impl Unread {
    /// Nothing yet. The timer belongs to the runtime that calls this, which must not end before: on the thread that serves
    /// the connection, each wait for events would get a timeout, and that costs more than the timer.
    pub fn new() -> Self {
        Self { bytes: 0, idle: Box::pin(sleep(IDLE)), has_grown: false }
    }

    /// Passes on the data that has arrived, and leaves it unread.
    pub fn poll_peek(
        &mut self,
        socket: &UnixStream,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
        requests: &RequestProgress,
    ) -> Poll<io::Result<()>> {
        let read = socket.poll_receive(cx, |socket| self.peek(socket, buf));
        if read.is_pending() {
            self.poll_idle(socket, cx, usize::from(!requests.awaits_more()))?;
        }
        read
    }

    /// Returns whether there may be more than what was passed on.
    fn peek(&mut self, socket: &impl AsFd, buf: &mut ReadBuf<'_>) -> io::Result<bool> {
        self.consume_much(socket)?;
        let mut scratch = [MaybeUninit::uninit(); CHUNK];
        let room = (buf.remaining() + self.bytes).min(CHUNK);
        let mut look = |known: usize| -> io::Result<usize> {
            let ((seen, _), _) = recv(socket, &mut scratch[..room], RecvFlags::PEEK | RecvFlags::DONTWAIT)?;
            buf.put_slice(seen.get(known..).unwrap_or_default());
            Ok(seen.len())
        };
        let mut seen = look(self.bytes)?;
        if seen > 0 && seen == self.bytes {
            let mut hung_up = [PollFd::new(socket, PollFlags::RDHUP)];
            if poll(&mut hung_up, Some(&Timespec::default()))? == 0 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            // Data may have arrived before the end.
            seen = look(self.bytes)?;
            if seen == self.bytes {
                self.consume(socket, 0)?;
                // Only now is it reported that the peer has reset the connection.
                look(0)?;
                return Ok(true);
            }
        }
        self.bytes = seen;
        self.has_grown = true;
        Ok(seen == room)
    }

    /// Consumes what there is, if it is much. The best time is when a reply has been sent.
    pub fn consume_much(&mut self, socket: &impl AsFd) -> io::Result<()> {
        if self.bytes > MAX_UNREAD { self.consume(socket, 1) } else { Ok(()) }
    }

    /// Consumes all but so many bytes, if nothing has arrived for some time, and registers for that moment otherwise.
    fn poll_idle(&mut self, socket: &impl AsFd, cx: &mut Context<'_>, leave: usize) -> io::Result<()> {
        while self.bytes > leave && self.idle.as_mut().poll(cx).is_ready() {
            self.idle.as_mut().reset(Instant::now() + IDLE);
            if !std::mem::take(&mut self.has_grown) {
                self.consume(socket, leave)?;
            }
        }
        Ok(())
    }

    fn consume(&mut self, socket: &impl AsFd, leave: usize) -> io::Result<()> {
        let mut scratch = [MaybeUninit::uninit(); CHUNK];
        while self.bytes > leave {
            let wanted = (self.bytes - leave).min(CHUNK);
            let ((taken, _), _) = recv(socket, &mut scratch[..wanted], RecvFlags::DONTWAIT)?;
            self.bytes -= taken.len();
        }
        Ok(())
    }
}
