//! `voltergeist command LINE`: sends a command line to a running instance through its control socket.

use anyhow::{Context, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
};

use crate::plugin::ControlAddress;

/// Sends the line and returns what came of it. What is wrong with it comes back as an error.
pub async fn send(address: &ControlAddress, line: String) -> anyhow::Result<String> {
    let unreachable = || {
        format!(
            "no voltergeist answers at {address}; start one, or name the one that runs with --name or --control"
        )
    };
    match address {
        ControlAddress::Unix(Some(path)) => {
            let stream = UnixStream::connect(path).await.with_context(unreachable)?;
            post(stream, line).await
        }
        ControlAddress::Tcp(address) => {
            let stream = TcpStream::connect(address).await.with_context(unreachable)?;
            post(stream, line).await
        }
        ControlAddress::Unix(None) => bail!("name the control socket with --control unix://PATH"),
    }
}

async fn post(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    line: String,
) -> anyhow::Result<String> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let request = Request::post("/v1/commands")
        .header(header::HOST, "voltergeist")
        .header(header::CONTENT_TYPE, "text/plain")
        .body(Full::new(Bytes::from(line.clone())))?;
    let response = sender.send_request(request).await.context("voltergeist did not answer")?;
    let status = response.status();
    let body = response.into_body().collect().await.context("voltergeist's answer broke off")?.to_bytes();
    let text = String::from_utf8_lossy(&body).trim().to_owned();
    if !status.is_success() {
        bail!("{text}{}", marked(&line, &text));
    }
    Ok(text)
}

/// The line with a mark under the column that the problem names, if it names one: a shell may have passed on
/// another line than the one that was typed.
fn marked(line: &str, problem: &str) -> String {
    let column = problem.strip_prefix("column ").and_then(|rest| rest.split_once(':'));
    match column.and_then(|(column, _)| column.parse::<usize>().ok()) {
        Some(column) => format!("\n{line}\n{:>column$}", '^'),
        None => String::new(),
    }
}
