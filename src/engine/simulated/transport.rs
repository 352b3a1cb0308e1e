//! The transport: HTTP/1.1 to one plugin, over its Unix socket or TCP, as Go's `net/http` does it.
//!
//! Connections are kept for the next call. One that the plugin has closed meanwhile is replaced
//! without a word, as long as nothing of the request went out on it.

use std::{fmt, io, path::PathBuf, str::FromStr, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
};

use crate::engine_api::Clock;

const DIAL_LIMIT: Duration = Duration::from_secs(10);

/// Where a plugin listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DriverAddress {
    /// A Unix socket.
    Unix(PathBuf),
    /// `host:port`.
    Tcp(String),
}

/// Why a text is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no plugin address; give unix:///PATH or tcp://HOST:PORT")]
pub struct BadAddress(String);

impl FromStr for DriverAddress {
    type Err = BadAddress;

    /// Reads `unix:///path`, `tcp://host:port` or `http://host:port`. A path after a port is dropped, as docker does.
    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let bad = || BadAddress(text.to_owned());
        if let Some(path) = text.strip_prefix("unix://").filter(|path| path.starts_with('/')) {
            return Ok(Self::Unix(path.into()));
        }
        let rest = text.strip_prefix("tcp://").or_else(|| text.strip_prefix("http://")).ok_or_else(bad)?;
        let authority = rest.split('/').next().unwrap_or_default();
        let port = authority.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
        port.map(|_| Self::Tcp(authority.to_owned())).ok_or_else(bad)
    }
}

impl DriverAddress {
    async fn dial(&self) -> io::Result<Box<dyn Stream>> {
        Ok(match self {
            Self::Unix(path) => Box::new(UnixStream::connect(path).await?),
            Self::Tcp(authority) => Box::new(TcpStream::connect(authority).await?),
        })
    }

    /// The network and the address, as Go's errors print them.
    fn go_names(&self) -> (&'static str, String) {
        match self {
            Self::Unix(path) => ("unix", path.display().to_string()),
            Self::Tcp(authority) => ("tcp", authority.clone()),
        }
    }
}

impl fmt::Display for DriverAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp(authority) => write!(f, "tcp://{authority}"),
        }
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

type DriverConnection = http1::SendRequest<Full<Bytes>>;

/// A failure below HTTP, in Go's words.
#[derive(Debug)]
pub(super) struct Lost {
    pub text: String,
    /// Whether something of the request may have gone out.
    pub sent: bool,
}

/// Connections to one plugin.
#[derive(Clone)]
pub(super) struct Transport {
    address: DriverAddress,
    clock: Clock,
    idle: Arc<Mutex<Vec<DriverConnection>>>,
    kept: usize,
}

impl Transport {
    pub(super) fn new(address: DriverAddress, clock: Clock, kept: usize) -> Self {
        Self { address, clock, idle: Arc::default(), kept }
    }

    /// Sends a request and waits for the head of the reply.
    pub(super) async fn send(&self, mut request: Request<Full<Bytes>>) -> Result<ReceivedReply, Lost> {
        loop {
            let (mut connection, reused) = match self.idle_connection().await {
                Some(connection) => (connection, true),
                None => (self.dial().await?, false),
            };
            match connection.try_send_request(request).await {
                Ok(response) => return Ok(ReceivedReply { response, connection, transport: self.clone() }),
                Err(mut error) => match error.take_message() {
                    Some(unsent) if reused => request = unsent,
                    _ => return Err(Lost { text: self.go_text(error.error()), sent: true }),
                },
            }
        }
    }

    async fn idle_connection(&self) -> Option<DriverConnection> {
        loop {
            let mut connection = self.idle.lock().pop()?;
            if connection.ready().await.is_ok() {
                return Some(connection);
            }
        }
    }

    async fn dial(&self) -> Result<DriverConnection, Lost> {
        let lost = |why: String| {
            let (network, address) = self.address.go_names();
            Lost { text: format!("dial {network} {address}: {why}"), sent: false }
        };
        let stream = self
            .clock
            .timeout(Some(DIAL_LIMIT), self.address.dial())
            .await
            .map_err(|_| lost("i/o timeout".into()))?
            .map_err(|error| lost(format!("connect: {}", errno_text(&error))))?;
        let (connection, driver) = http1::Builder::new()
            .title_case_headers(true)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| lost(error.to_string()))?;
        tokio::spawn(driver);
        Ok(connection)
    }

    /// What Go's `net/http` calls the failure.
    fn go_text(&self, error: &hyper::Error) -> String {
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            let of_network = |cause: &&io::Error| cause.kind() != io::ErrorKind::UnexpectedEof;
            if let Some(cause) = cause.downcast_ref::<io::Error>().filter(of_network) {
                let (network, address) = self.address.go_names();
                let verb = if cause.kind() == io::ErrorKind::BrokenPipe { "write" } else { "read" };
                let local = if network == "unix" { "@" } else { "127.0.0.1:0" };
                return format!("{verb} {network} {local}->{address}: {verb}: {}", errno_text(cause));
            }
            source = cause.source();
        }
        if error.is_parse() { "malformed HTTP response".into() } else { "EOF".into() }
    }
}

/// The head of a reply, and the way to its body.
pub(super) struct ReceivedReply {
    response: Response<Incoming>,
    connection: DriverConnection,
    transport: Transport,
}

impl ReceivedReply {
    pub(super) fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// The next piece of the body, or nothing at its end. A reply that is shorter than it said is an `unexpected EOF`.
    pub(super) async fn chunk(&mut self) -> Result<Option<Bytes>, BodyLost> {
        while let Some(frame) = self.response.body_mut().frame().await {
            match frame.map(hyper::body::Frame::into_data) {
                Ok(Ok(data)) => return Ok(Some(data)),
                Ok(Err(_trailers)) => {}
                Err(error) => {
                    let text = self.transport.go_text(&error);
                    let short = text == "EOF";
                    let text = if short { "unexpected EOF".into() } else { text };
                    return Err(BodyLost { text, network: !short });
                }
            }
        }
        Ok(None)
    }

    /// Keeps the connection for the next call, if the reply was read to its end.
    pub(super) fn finish(self) {
        let mut idle = self.transport.idle.lock();
        if hyper::body::Body::is_end_stream(self.response.body()) && idle.len() < self.transport.kept {
            idle.push(self.connection);
        }
    }
}

/// A failure in the middle of a body.
#[derive(Debug)]
pub(super) struct BodyLost {
    pub text: String,
    /// Whether Go counts it as an error of the network rather than of the reply.
    pub network: bool,
}

/// An errno as Go prints it: lower case and without its number.
fn errno_text(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_docker_reads_it() {
        for (text, expected) in [
            ("unix:///run/docker/plugins/x.sock", Some("unix:///run/docker/plugins/x.sock")),
            ("tcp://127.0.0.1:9000", Some("tcp://127.0.0.1:9000")),
            ("http://localhost:9000/prefix/", Some("tcp://localhost:9000")),
            ("unix://relative", None),
            ("tcp://127.0.0.1", None),
            ("/run/x.sock", None),
        ] {
            let read = text.parse::<DriverAddress>().ok().map(|address| address.to_string());
            assert_eq!(read.as_deref(), expected, "{text}");
        }
    }
}
