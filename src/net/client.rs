//! A client of the control API on either transport.

use std::{fmt::Display, io, path::PathBuf};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    HeaderMap, Request, StatusCode,
    body::Incoming,
    client::conn::http1,
    header::{self, HeaderValue},
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::{Address, Socket, UnixStream};

/// Why an instance cannot be asked.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum ClientError {
    #[error(
        "no voltergeist answers at {address} ({error}); start one, or select a running one with --name or --control"
    )]
    Unreachable { address: Address, error: io::Error },
    #[error("the path of the control socket is missing; give it with --control unix://PATH")]
    NoPath,
    #[error("the connection to {address} broke: {problem}")]
    Broken { address: Address, problem: String },
    /// The instance refused the request.
    #[error("{text}")]
    Refused { status: StatusCode, text: String },
    /// The socket of another machine could not be forwarded.
    #[error("{0}")]
    Ssh(String),
    #[error("cannot read the token from {path:?}: {problem}")]
    Token { path: PathBuf, problem: String },
}

/// Asks one instance.
#[derive(Clone, Debug)]
pub struct Client {
    address: Address,
    token: Option<HeaderValue>,
}

impl Client {
    /// A client of the instance at an address, with the token that it wants, if any.
    pub fn new(address: Address, token: Option<&str>) -> Self {
        let token = token.and_then(|token| HeaderValue::from_str(&format!("Bearer {token}")).ok());
        Self { address, token }
    }

    /// Where the instance is.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Gets a document.
    pub async fn get(&self, path: &str) -> Result<Bytes, ClientError> {
        let body = self.open(path).await?;
        self.whole(body).await
    }

    /// Gets a document as it comes.
    pub async fn open(&self, path: &str) -> Result<Incoming, ClientError> {
        self.send(Request::get(path), Bytes::new()).await
    }

    /// Posts a text, and gets the reply. `accept` is the form that it should have.
    pub async fn post(&self, path: &str, text: String, accept: &str) -> Result<Bytes, ClientError> {
        let request =
            Request::post(path).header(header::CONTENT_TYPE, "text/plain").header(header::ACCEPT, accept);
        let body = self.send(request, Bytes::from(text)).await?;
        self.whole(body).await
    }

    async fn whole(&self, body: Incoming) -> Result<Bytes, ClientError> {
        Ok(body.collect().await.map_err(|error| self.broken(error))?.to_bytes())
    }

    /// The connection broke, or what came over it cannot be read.
    pub fn broken(&self, problem: impl Display) -> ClientError {
        ClientError::Broken { address: self.address.clone(), problem: problem.to_string() }
    }

    async fn send(
        &self,
        mut request: hyper::http::request::Builder,
        body: Bytes,
    ) -> Result<Incoming, ClientError> {
        let socket = self.connect().await?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(socket)).await.map_err(|error| self.broken(error))?;
        tokio::spawn(connection);
        if let Some(headers) = request.headers_mut() {
            self.identify(headers);
        }
        let request = request.body(Full::new(body)).map_err(|error| self.broken(error))?;
        let response = sender.send_request(request).await.map_err(|error| self.broken(error))?;
        let status = response.status();
        let body = response.into_body();
        if status.is_success() {
            return Ok(body);
        }
        let text = self.whole(body).await?;
        Err(ClientError::Refused { status, text: String::from_utf8_lossy(&text).trim().to_owned() })
    }

    fn identify(&self, headers: &mut HeaderMap) {
        let host = match &self.address {
            Address::Tcp(host_port) => HeaderValue::from_str(host_port).ok(),
            Address::Unix(_) => None,
        };
        headers.insert(header::HOST, host.unwrap_or(HeaderValue::from_static("localhost")));
        if let Some(token) = &self.token {
            headers.insert(header::AUTHORIZATION, token.clone());
        }
    }

    async fn connect(&self) -> Result<Socket, ClientError> {
        let unreachable = |error| ClientError::Unreachable { address: self.address.clone(), error };
        let connected = match &self.address {
            Address::Unix(Some(path)) => UnixStream::connect(path).await.map(Socket::Unix),
            Address::Unix(None) => return Err(ClientError::NoPath),
            Address::Tcp(host_port) => TcpStream::connect(host_port).await.map(Socket::Tcp),
        };
        connected.map_err(unreachable)
    }
}
