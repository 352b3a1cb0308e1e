//! Bytes on the plugin's socket and on the control socket: whatever they are, the next client is answered.

use std::{
    io::{Read as _, Write as _},
    net::Shutdown,
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

use bolero::check;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use voltergeist::net::{Address, Paths};

use crate::{
    MAX_INPUT,
    corpus::{Corpus, run},
    sequence,
    support::{http, instance::TestInstance},
};

const PLUGIN: [&str; 64] = [
    "POST /VolumeDriver.Get HTTP/1.1\r\nHost: x\r\n",
    "POST /VolumeDriver.Create HTTP/1.1\r\nHost: x\r\n",
    "POST /VolumeDriver.Mount HTTP/1.1\r\nHost: x\r\n",
    "POST /VolumeDriver.Unmount HTTP/1.1\r\nHost: x\r\n",
    "POST /VolumeDriver.Remove HTTP/1.1\r\nHost: x\r\n",
    "POST /VolumeDriver.Path HTTP/1.1\r\nHost: x\r\n",
    "POST /VolumeDriver.List HTTP/1.1\r\nHost: x\r\n",
    "POST /VolumeDriver.Capabilities HTTP/1.1\r\nHost: x\r\n",
    "POST /Plugin.Activate HTTP/1.1\r\nHost: x\r\n",
    "GET / HTTP/1.1\r\n",
    "PUT ",
    "\r\n",
    "\r\n\r\n",
    "\r\n\r\n",
    "Content-Length: 12\r\n\r\n",
    "Content-Length: 30\r\n\r\n",
    "Content-Length: 0\r\n\r\n",
    "Content-Length: 9999999999\r\n",
    "Transfer-Encoding: chunked\r\n\r\n",
    "4\r\n",
    "c\r\n",
    "0\r\n\r\n",
    "Expect: 100-continue\r\n",
    "Connection: close\r\n",
    "Connection: upgrade\r\nUpgrade: h2c\r\n",
    "User-Agent: Go-http-client/1.1\r\n",
    "Accept: ",
    "{\"Name\":\"a\"}",
    "{\"Name\":\"../a\"}",
    "{\"Name\":\"a\",\"ID\":\"7f\",\"Opts\":{}}",
    "{\"Name\":",
    "\"a\"",
    "{",
    "}",
    "[",
    "]",
    "null",
    ",",
    ":",
    "\"",
    "\"Opts\":",
    "{\"k\":\"v\"}",
    "{\"uid\":true}",
    "\"ID\":",
    "true",
    "-1",
    "1e999",
    "\\u0000",
    "\\ud800",
    "\u{9b}",
    "\u{202e}",
    "HTTP/1.0\r\n",
    "HTTP/2.0\r\n",
    "?",
    "/",
    "%00",
    "://",
    "@",
    ";",
    "\t",
    " ",
    "\n",
    "\0",
    "Host: y\r\n",
];

const CONTROL: [&str; 56] = [
    "GET /v1/state HTTP/1.1\r\nHost: localhost\r\n",
    "GET /v1/entries HTTP/1.1\r\nHost: localhost\r\n",
    "GET /v1/entries?after=1&limit=2 HTTP/1.1\r\nHost: localhost\r\n",
    "GET /metrics HTTP/1.1\r\nHost: localhost\r\n",
    "POST /v1/commands HTTP/1.1\r\nHost: localhost\r\n",
    "POST /v1/dry-run HTTP/1.1\r\nHost: localhost\r\n",
    "GET /v1/entries?after=",
    "&limit=",
    "18446744073709551615",
    " HTTP/1.1\r\n",
    "Host: localhost\r\n",
    "Host: evil.example\r\n",
    "Origin: http://evil.example\r\n",
    "\r\n",
    "\r\n\r\n",
    "Content-Length: 8\r\n\r\n",
    "Content-Length: 20\r\n\r\n",
    "Transfer-Encoding: chunked\r\n\r\n",
    "5\r\n",
    "0\r\n\r\n",
    "Content-Type: text/plain\r\n",
    "Connection: close\r\n",
    "Last-Event-ID: 1\r\n",
    "arm get: empty",
    "arm mount: fail",
    "disarm all",
    "down refuse for 1ms",
    "up",
    "seed 7",
    "note ",
    "forget a",
    "restore a",
    "conjure a",
    "unmount a",
    "reset",
    "release all",
    "speed 2",
    "crash keep",
    "where ",
    "volume=",
    "*",
    ":",
    "\"",
    "hang for 1ms",
    "delay 1ms",
    "/v1/",
    "?",
    "&",
    "=",
    "%",
    " ",
    "\n",
    "\0",
    "\u{9b}",
    "-",
    "as x",
];

/// An instance in this process, with its sockets in a directory of its own.
struct Served {
    directory: TempDir,
    runtime: Runtime,
    instance: TestInstance,
}

impl Served {
    fn start() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let paths = Paths {
            sockets: directory.path().join("plugins"),
            control: directory.path().join("run"),
            specs: vec![directory.path().join("specs")],
            ..Paths::default()
        };
        let runtime = Runtime::new().expect("a runtime");
        let listen = Address::Unix(Some(directory.path().join("plugin.sock")));
        let volumes = directory.path().join("volumes");
        let instance = runtime.block_on(async { TestInstance::start("ghost", &volumes, listen, paths) });
        Self { directory, runtime, instance }
    }

    fn plugin(&self) -> std::path::PathBuf {
        self.directory.path().join("plugin.sock")
    }

    fn control(&self) -> std::path::PathBuf {
        self.directory.path().join("volumes.control")
    }

    fn end(self) {
        self.runtime.block_on(self.instance.end());
    }
}

/// Sends bytes, says that there are no more, and reads until the end or until the server has more to do.
fn send(socket: &Path, bytes: &[u8]) {
    let mut stream = UnixStream::connect(socket).expect("the server listens");
    stream.set_read_timeout(Some(Duration::from_millis(20))).expect("a timeout");
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let _ = stream.read_to_end(&mut Vec::new());
}

/// The bytes with the length of the last body in its head, in every second case. Otherwise an edit of a body changes the
/// request after it instead.
fn with_true_length(bytes: &[u8]) -> Vec<u8> {
    let field = b"Content-Length: ";
    let position = |bytes: &[u8], what: &[u8]| bytes.windows(what.len()).rposition(|window| window == what);
    let Some(value) =
        position(bytes, field).map(|at| at + field.len()).filter(|_| bytes.len().is_multiple_of(2))
    else {
        return bytes.to_vec();
    };
    let value_end = value + bytes[value..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let end = b"\r\n\r\n";
    let Some(body) = bytes[value..].windows(end.len()).position(|window| window == end) else {
        return bytes.to_vec();
    };
    let length = (bytes.len() - value - body - end.len()).to_string();
    [&bytes[..value], length.as_bytes(), &bytes[value_end..]].concat()
}

/// A request of the corpus with a few edits, or pieces in any order.
fn request(corpus: &Corpus, pieces: &[&str], input: &[u8]) -> Vec<u8> {
    match input.split_first() {
        Some((selector, pieces_of)) if selector.is_multiple_of(4) => sequence(pieces_of, pieces).into_bytes(),
        _ => with_true_length(&corpus.edited(input)),
    }
}

#[test]
fn whatever_is_sent_to_the_plugin_the_next_call_is_answered() {
    let served = Served::start();
    let socket = served.plugin();
    let corpus = Corpus::escaped("plugin.txt", &PLUGIN);
    let test = |bytes: &[u8]| {
        send(&socket, bytes);
        let (status, body) =
            http::request(&socket, "POST", "/VolumeDriver.List", "{}").expect("there is a reply");
        assert!(status == 200 && body.starts_with("{\"Volumes\":["), "{status} {body}");
    };
    corpus.each(test);
    check!().with_max_len(MAX_INPUT).for_each(|input: &[u8]| run(&request(&corpus, &PLUGIN, input), test));
    served.end();
}

#[test]
fn whatever_is_sent_to_the_control_api_the_next_request_is_answered() {
    let served = Served::start();
    let socket = served.control();
    let corpus = Corpus::escaped("control.txt", &CONTROL);
    let test = |bytes: &[u8]| {
        send(&socket, bytes);
        let (status, body) = http::request(&socket, "GET", "/v1/state", "").expect("there is a reply");
        assert!(status == 200 && body.starts_with('{'), "{status} {body}");
    };
    corpus.each(test);
    check!().with_max_len(MAX_INPUT).for_each(|input: &[u8]| run(&request(&corpus, &CONTROL, input), test));
    served.end();
}
