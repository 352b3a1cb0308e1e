//! The connection to the upstream that belongs to one connection of an engine.

use std::{io, os::fd::OwnedFd, sync::Arc, time::Duration};

use axum::body::Body;
use hyper::{
    Request, Response,
    body::Incoming,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use rustix::{fd::AsFd, net::sockopt::set_socket_linger};
use tokio::{
    net::{TcpStream, UnixStream},
    sync::watch,
    task::AbortHandle,
};

use crate::net::{Address, Socket};

/// Why there is no response of the upstream.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// It does not listen.
    #[error("cannot connect to the upstream at {address}: {error}")]
    Connect {
        /// Where.
        address: Address,
        /// The error of the operating system.
        error: io::Error,
    },
    /// It has ended the connection, or does not speak HTTP.
    #[error("{}", describe(.0))]
    Http(#[from] hyper::Error),
    /// The connection was closed before this request.
    #[error("the upstream closed the connection")]
    Closed,
}

impl UpstreamError {
    /// Whether the connection was reset, not closed.
    pub fn is_reset(&self) -> bool {
        match self {
            Self::Http(error) => is_reset(error),
            Self::Connect { .. } | Self::Closed => false,
        }
    }
}

/// Whether the upstream has reset the connection.
pub fn is_reset(error: &hyper::Error) -> bool {
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
    } else if is_reset(error) {
        "the upstream reset the connection".to_owned()
    } else {
        "the upstream closed the connection without a reply".to_owned()
    }
}

/// What is known of the connection.
#[derive(Clone, Copy, Debug, Default)]
struct LinkState {
    /// Whether the upstream has ended it.
    ended: bool,
    /// Whether it was reset then.
    reset: bool,
    /// How many requests wait for a response or for the rest of one: one, or none.
    calls: usize,
}

/// One connection to the upstream. It is made at the first request, and ends when this is dropped.
#[derive(Debug)]
pub struct UpstreamConnection {
    sender: Mutex<Option<SendRequest<Body>>>,
    task: Mutex<Option<AbortHandle>>,
    /// A second descriptor of a TCP connection, which can be reset.
    tcp: Mutex<Option<OwnedFd>>,
    state: watch::Sender<LinkState>,
}

impl Default for UpstreamConnection {
    fn default() -> Self {
        Self {
            sender: Mutex::new(None),
            task: Mutex::new(None),
            tcp: Mutex::new(None),
            state: watch::Sender::new(LinkState::default()),
        }
    }
}

impl UpstreamConnection {
    /// Makes a new connection for the next request, if the upstream has closed this one after a reply.
    pub fn renew(&self) {
        let is_closed = self.sender.lock().as_ref().is_none_or(SendRequest::is_closed);
        if is_closed {
            *self.sender.lock() = None;
            *self.task.lock() = None;
            *self.tcp.lock() = None;
            self.state.send_modify(|state| *state = LinkState { calls: state.calls, ..LinkState::default() });
        }
    }

    /// Sends a request, and returns the head of the response. The response is complete when its body is; the returned
    /// guard is dropped then, or before to give up.
    pub async fn send(
        self: &Arc<Self>,
        address: &Address,
        request: Request<Body>,
    ) -> Result<(Response<Incoming>, ExchangeGuard), UpstreamError> {
        let mut exchange = ExchangeGuard::new(self);
        let open = self.sender.lock().take();
        let mut sender = match open {
            Some(sender) => sender,
            None if self.task.lock().is_some() => return Err(UpstreamError::Closed),
            None => self.connect(address).await?,
        };
        sender.ready().await?;
        let response = sender.send_request(request).await?;
        *self.sender.lock() = Some(sender);
        exchange.responded = true;
        Ok((response, exchange))
    }

    async fn connect(self: &Arc<Self>, address: &Address) -> Result<SendRequest<Body>, UpstreamError> {
        let unreachable = |error| UpstreamError::Connect { address: address.clone(), error };
        let socket = connect(address).await.map_err(unreachable)?;
        if let Socket::Tcp(stream) = &socket {
            *self.tcp.lock() = stream.as_fd().try_clone_to_owned().ok();
        }
        let (sender, connection) =
            http1::Builder::new().preserve_header_case(true).handshake(TokioIo::new(socket)).await?;
        let state = self.state.clone();
        let task = tokio::spawn(async move {
            let ended = connection.await;
            if let Err(error) = &ended {
                tracing::debug!(%error, "the connection to the upstream ended early");
            }
            let reset = ended.is_err_and(|error| is_reset(&error));
            state.send_modify(|state| *state = LinkState { ended: true, reset, ..*state });
        });
        *self.task.lock() = Some(task.abort_handle());
        Ok(sender)
    }

    /// Waits until the upstream has ended the connection while no request was under way, and returns whether it was
    /// reset.
    pub async fn reset_when_idle(&self) -> bool {
        let mut state = self.state.subscribe();
        // The sender is here too.
        state.wait_for(|state| state.ended && state.calls == 0).await.is_ok_and(|state| state.reset)
    }

    /// Resets the connection, as the engine has reset its own. On a Unix socket this is the same as to close it.
    pub fn reset(&self) {
        if let Some(tcp) = &*self.tcp.lock() {
            let _ = set_socket_linger(tcp, Some(Duration::ZERO));
        }
        self.close();
    }

    /// Closes the connection at once.
    fn close(&self) {
        if let Some(task) = &*self.task.lock() {
            task.abort();
        }
        *self.tcp.lock() = None;
    }
}

impl Drop for UpstreamConnection {
    fn drop(&mut self) {
        self.close();
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
        connection.state.send_modify(|state| state.calls += 1);
        Self { connection: Arc::clone(connection), responded: false, complete: false }
    }

    /// The body of the response was received to its end.
    pub fn complete(&mut self) {
        self.complete = self.responded;
    }
}

impl Drop for ExchangeGuard {
    fn drop(&mut self) {
        if !self.complete {
            self.connection.close();
        }
        self.connection.state.send_modify(|state| state.calls -= 1);
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
