//! Just enough of an HTTP client for the control socket.

use std::{
    io::{self, Read as _, Write as _},
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

/// Sends one request and reads the answer: its status and its body.
///
/// HTTP/1.0, so that the server ends the body by closing and never sends it in chunks.
pub fn request(socket: &Path, method: &str, path: &str, body: &str) -> io::Result<(u16, String)> {
    answer(send(socket, method, path, body)?)
}

/// Sends one request.
pub fn send(socket: &Path, method: &str, path: &str, body: &str) -> io::Result<UnixStream> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    // In one piece: a server that answers before the body has arrived closes the connection while it is unread.
    let request = format!(
        "{method} {path} HTTP/1.0\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes())?;
    Ok(stream)
}

/// Reads the answer to a request: its status and its body.
pub fn answer(mut stream: UnixStream) -> io::Result<(u16, String)> {
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let garbled = || io::Error::other(format!("not an HTTP answer: {answer:?}"));
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(garbled)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(garbled)?;
    Ok((status, body.to_owned()))
}
