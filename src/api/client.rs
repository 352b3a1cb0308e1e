//! A client of the control API on either transport: what `voltergeist command` uses.

use anyhow::{Context, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
};

use crate::{domain::text::excerpt, net::Address};

/// Sends a command line to a running instance and returns its output, or the error of the instance.
pub async fn send(address: &Address, line: String) -> anyhow::Result<String> {
    let unreachable = || {
        format!(
            "no voltergeist answers at {address}; start one, or select a running one with --name or --control"
        )
    };
    match address {
        Address::Unix(Some(path)) => {
            let stream = UnixStream::connect(path).await.with_context(unreachable)?;
            post(stream, line).await
        }
        Address::Tcp(address) => {
            let stream = TcpStream::connect(address).await.with_context(unreachable)?;
            post(stream, line).await
        }
        Address::Unix(None) => {
            bail!("the path of the control socket is missing; give it with --control unix://PATH")
        }
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
    let response = sender.send_request(request).await.context("voltergeist did not reply")?;
    let status = response.status();
    let body =
        response.into_body().collect().await.context("the reply of voltergeist is incomplete")?.to_bytes();
    let text = String::from_utf8_lossy(&body).trim().to_owned();
    if !status.is_success() {
        bail!("{text}{}", with_caret(&line, &text));
    }
    Ok(text)
}

/// The line with a caret under the column that the error names: the shell may have changed what was typed.
fn with_caret(line: &str, problem: &str) -> String {
    let column = problem.strip_prefix("column ").and_then(|rest| rest.split_once(':'));
    match column.and_then(|(column, _)| column.parse::<usize>().ok()) {
        Some(column) => format!("\n{}", excerpt("", line, column.saturating_sub(1), 1)),
        None => String::new(),
    }
}
