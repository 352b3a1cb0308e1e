//! The connection to the upstream that belongs to one connection of an engine.

use std::{
    fmt, io,
    os::fd::OwnedFd,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::body::Body;
use hyper::{
    Request, Response,
    body::Incoming,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use rustix::{fd::AsFd, net::sockopt::set_socket_linger};
use tokio::net::TcpStream;

use crate::net::{Address, Socket, UnixStream};

/// Why there is no response of the upstream.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    #[error("cannot connect to the upstream at {address}: {error}")]
    Connect { address: Address, error: io::Error },
    /// It has ended the connection, or does not speak HTTP.
    #[error("{}", describe(.0))]
    Http(#[from] hyper::Error),
    #[error("the upstream closed the connection")]
    Closed,
}

impl ExchangeError {
    /// Whether the connection was reset, not closed.
    pub fn is_connection_reset(&self) -> bool {
        match self {
            Self::Http(error) => is_connection_reset(error),
            Self::Connect { .. } | Self::Closed => false,
        }
    }
}

/// Whether the upstream has reset the connection.
pub fn is_connection_reset(error: &hyper::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return error.kind() == io::ErrorKind::ConnectionReset;
        }
        source = error.source();
    }
    false
}

fn describe(error: &hyper::Error) -> String {
    if error.is_parse() {
        format!("the reply of the upstream is not HTTP ({error}); the connection was closed")
    } else if is_connection_reset(error) {
        "the upstream reset the connection".to_owned()
    } else {
        "the upstream closed the connection without a reply".to_owned()
    }
}

type Http1Connection = http1::Connection<TokioIo<Socket>, Body>;

/// What there is of the connection.
#[derive(Default)]
struct Link {
    /// Sends requests, unless one is being sent.
    sender: Option<SendRequest<Body>>,
    /// Reads and writes. None before the first request and after the end.
    connection: Option<Pin<Box<Http1Connection>>>,
    /// Whether it was made.
    made: bool,
    /// A second descriptor of a TCP connection, which can be reset.
    tcp: Option<OwnedFd>,
    /// Whether the upstream has reset it, if it has ended and the engine's connection does not follow yet.
    ended: Option<bool>,
    /// How many requests wait for a response or for the rest of one: one, or none.
    calls: usize,
}

/// One connection to the upstream. It is made at the first request, and ends when this is dropped.
///
/// The task of the engine's connection polls it too ([`Self::poll`]), so that no request changes threads.
#[derive(Default)]
pub struct UpstreamConnection {
    link: Mutex<Link>,
}

impl fmt::Debug for UpstreamConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpstreamConnection").finish_non_exhaustive()
    }
}

impl UpstreamConnection {
    /// Makes a new connection for the next request, if the upstream has closed this one after a reply.
    pub fn renew(&self) {
        let mut link = self.link.lock();
        if link.sender.as_ref().is_none_or(SendRequest::is_closed) {
            link.reopen();
        }
    }

    /// Makes a new connection for the next request.
    pub fn reopen(&self) {
        self.link.lock().reopen();
    }

    /// Sends a request on the open connection, and returns the head of the response. The response is complete when its
    /// body is; the returned guard is dropped then, or before to give up.
    pub async fn send(
        self: &Arc<Self>,
        request: Request<Body>,
    ) -> Result<(Response<Incoming>, ExchangeGuard), ExchangeError> {
        let mut exchange = ExchangeGuard::new(self);
        let open = self.link.lock().sender.take();
        let mut sender = open.ok_or(ExchangeError::Closed)?;
        sender.ready().await?;
        let response = sender.send_request(request).await?;
        self.link.lock().sender = Some(sender);
        exchange.responded = true;
        Ok((response, exchange))
    }

    /// Makes the connection, if it was not made yet.
    pub async fn open(&self, address: &Address) -> Result<(), ExchangeError> {
        if self.link.lock().made {
            return Ok(());
        }
        let unreachable = |error| ExchangeError::Connect { address: address.clone(), error };
        let socket = connect(address).await.map_err(unreachable)?;
        let tcp = match &socket {
            Socket::Tcp(stream) => stream.as_fd().try_clone_to_owned().ok(),
            Socket::Unix(_) => None,
        };
        let (sender, connection) =
            http1::Builder::new().preserve_header_case(true).handshake(TokioIo::new(socket)).await?;
        let mut link = self.link.lock();
        let (sender, connection) = (Some(sender), Some(Box::pin(connection)));
        *link = Link { sender, connection, made: true, tcp, ended: None, calls: link.calls };
        Ok(())
    }

    /// Reads and writes what there is to, until the upstream has ended the connection and no request is under way; then
    /// returns whether it was reset. To be polled again: a call that is held may make a new connection.
    pub fn poll(&self, cx: &mut Context<'_>) -> Poll<bool> {
        let mut link = self.link.lock();
        if let Some(connection) = &mut link.connection
            && let Poll::Ready(ended) = connection.as_mut().poll(cx)
        {
            if let Err(error) = &ended {
                tracing::debug!(%error, "the connection to the upstream ended early");
            }
            link.ended = Some(ended.is_err_and(|error| is_connection_reset(&error)));
            link.close();
        }
        let is_idle = link.calls == 0;
        link.ended.take_if(|_| is_idle).map_or(Poll::Pending, Poll::Ready)
    }

    /// Resets the connection, as the engine has reset its own. On a Unix socket this is the same as to close it.
    pub fn reset(&self) {
        let mut link = self.link.lock();
        if let Some(tcp) = &link.tcp {
            let _ = set_socket_linger(tcp, Some(Duration::ZERO));
        }
        link.close();
    }
}

impl Link {
    /// Forgets the connection, so that the next request makes one.
    fn reopen(&mut self) {
        *self = Self { calls: self.calls, ..Self::default() };
    }

    /// Closes the connection at once.
    fn close(&mut self) {
        (self.connection, self.tcp) = (None, None);
    }
}

/// A request under way. If it is dropped before the response is complete, the connection is closed, as the engine has
/// closed its own.
#[derive(Debug)]
pub struct ExchangeGuard {
    connection: Arc<UpstreamConnection>,
    responded: bool,
    complete: bool,
}

impl ExchangeGuard {
    fn new(connection: &Arc<UpstreamConnection>) -> Self {
        connection.link.lock().calls += 1;
        Self { connection: Arc::clone(connection), responded: false, complete: false }
    }

    /// The body of the response was received to its end.
    pub fn complete(&mut self) {
        self.complete = self.responded;
    }
}

impl Drop for ExchangeGuard {
    fn drop(&mut self) {
        let mut link = self.connection.link.lock();
        link.calls -= 1;
        if !self.complete {
            link.close();
        }
    }
}

async fn connect(address: &Address) -> io::Result<Socket> {
    match address {
        Address::Tcp(host_port) => {
            let stream = TcpStream::connect(host_port).await?;
            stream.set_nodelay(true)?;
            Ok(Socket::Tcp(stream))
        }
        Address::Unix(path) => {
            Ok(Socket::Unix(UnixStream::connect(path.as_deref().unwrap_or("".as_ref())).await?))
        }
    }
}
