//! A stream on a Unix socket whose thread is woken only for what it waits for.
//!
//! tokio's own stream registers for both directions at once. Each time the peer reads what was sent, the kernel reports
//! that there is room again, and wakes a thread that has nothing to send. This stream registers for sending only while
//! the peer does not read.

use std::{
    io,
    mem::MaybeUninit,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::Path,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use rustix::{
    io::writev,
    net::{RecvFlags, SendFlags, Shutdown, recv, send, shutdown},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, Interest, ReadBuf, unix::AsyncFd},
    net,
    time::{Sleep, sleep},
};

/// How many bytes are received at a time.
const CHUNK: usize = 16 * 1024;

/// How soon it is tried again to send while no descriptor is free.
const RETRY_INTERVAL: Duration = Duration::from_millis(10);

/// A connected Unix socket.
pub struct UnixStream {
    socket: AsyncFd<OwnedFd>,
    /// A second descriptor, registered for sending.
    sender: Option<AsyncFd<OwnedFd>>,
    /// When to try again to send, if no descriptor was free.
    retry: Option<Pin<Box<Sleep>>>,
}

impl UnixStream {
    /// Connects to a socket file.
    pub async fn connect(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::try_from(net::UnixStream::connect(path).await?)
    }

    /// The stream of a connected socket that does not block.
    pub fn new(socket: OwnedFd) -> io::Result<Self> {
        Ok(Self { socket: register(socket, Interest::READABLE)?, sender: None, retry: None })
    }

    /// Takes the socket off its runtime.
    pub fn into_fd(self) -> OwnedFd {
        self.socket.into_inner()
    }

    /// Calls `receive` when there may be something to receive. It fails with `WouldBlock` if there is not, and returns
    /// whether there may be more.
    pub fn poll_receive(
        &self,
        cx: &mut Context<'_>,
        mut receive: impl FnMut(&OwnedFd) -> io::Result<bool>,
    ) -> Poll<io::Result<()>> {
        loop {
            let mut readiness = ready!(self.socket.poll_read_ready(cx))?;
            match receive(self.socket.get_ref()) {
                Ok(true) => return Poll::Ready(Ok(())),
                Ok(false) => {
                    readiness.clear_ready();
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => readiness.clear_ready(),
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        send: impl Fn(&OwnedFd) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            if let Some(sender) = &self.sender {
                ready!(sender.poll_write_ready(cx))?.clear_ready();
            }
            if let Some(retry) = &mut self.retry {
                ready!(retry.as_mut().poll(cx));
                self.retry = None;
            }
            match send(self.socket.get_ref()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if self.sender.is_none() {
                        let descriptor = self.socket.get_ref().try_clone();
                        match descriptor.and_then(|descriptor| register(descriptor, Interest::WRITABLE)) {
                            Ok(sender) => self.sender = Some(sender),
                            Err(_) => self.retry = Some(Box::pin(sleep(RETRY_INTERVAL))),
                        }
                    }
                }
                result => {
                    self.sender = None;
                    return Poll::Ready(result);
                }
            }
        }
    }
}

#[expect(
    deprecated,
    reason = "what replaces it is unsafe, for descriptors that may change; an `OwnedFd` does not"
)]
fn register(socket: OwnedFd, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(socket, interest)
}

impl TryFrom<net::UnixStream> for UnixStream {
    type Error = io::Error;

    fn try_from(stream: net::UnixStream) -> io::Result<Self> {
        Self::new(stream.into_std()?.into())
    }
}

impl AsFd for UnixStream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.get_ref().as_fd()
    }
}

impl AsyncRead for UnixStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.poll_receive(cx, |socket| {
            let mut chunk = [MaybeUninit::uninit(); CHUNK];
            let room = buf.remaining().min(CHUNK);
            let ((received, _), _) = recv(socket, &mut chunk[..room], RecvFlags::DONTWAIT)?;
            buf.put_slice(received);
            Ok(received.len() == room)
        })
    }
}

impl AsyncWrite for UnixStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        self.get_mut().poll_send(cx, |socket| Ok(send(socket, buf, flags)?))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().poll_send(cx, |socket| Ok(writev(socket, bufs)?))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(shutdown(self.get_mut(), Shutdown::Write)?))
    }
}
