//! A server in a directory of its own, and peers that speak to it byte by byte.

use std::{
    future::Future,
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpStream, UnixStream},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;
use voltergeist::{
    app::{DriverChoice, Server, ServerConfig},
    domain::{
        model::{
            entry::{Call, EntryKind, Session},
            origin::Origin,
            protocol::Operation,
            volume::Volumes,
        },
        state::journal::Bounds,
    },
    hub::{Hub, InMemoryStore, Snapshot, VolumeStore},
    net::{Address, BindError, Paths, Upstream, UpstreamName},
    plugin::DiskStore,
    source::Source,
};

use crate::schema;

/// How long anything may take that is waited for.
const DEADLINE: Duration = Duration::from_secs(20);

pub struct Fixture {
    pub place: Arc<TempDir>,
    pub hub: Arc<Hub>,
    pub plugin: Peer,
    pub control: Peer,
    pub control_address: String,
    shutdown: CancellationToken,
    running: JoinHandle<()>,
}

pub fn place() -> Arc<TempDir> {
    Arc::new(TempDir::new().expect("a place for the test"))
}

/// Paths in a directory, with nothing of this machine in them.
pub fn paths(place: &Path) -> Paths {
    Paths {
        sockets: place.join("plugins"),
        specs: vec![place.join("etc"), place.join("usr")],
        control: place.join("control"),
        runtime: place.join("runtime"),
    }
}

fn plan(place: &Path) -> ServerConfig {
    ServerConfig { paths: paths(place), ..ServerConfig::new("ghost") }
}

pub fn tcp() -> Address {
    Address::Tcp("127.0.0.1:0".into())
}

impl Fixture {
    pub fn unix() -> Self {
        Self::with(|_| {})
    }

    pub fn tcp() -> Self {
        Self::with(|plan| plan.listen = tcp())
    }

    pub fn with(change: impl FnOnce(&mut ServerConfig)) -> Self {
        Self::at(place(), change).expect("the server binds")
    }

    pub fn bounded(bounds: Bounds) -> Self {
        Self::start(place(), bounds, None, |_| {}).expect("the server binds")
    }

    /// A server whose volumes persist elsewhere.
    pub fn with_store(store: Box<dyn VolumeStore>, change: impl FnOnce(&mut ServerConfig)) -> Self {
        Self::start(place(), Bounds::default(), Some(store), change).expect("the server binds")
    }

    /// A server in a place that may have had one before.
    pub fn at(place: Arc<TempDir>, change: impl FnOnce(&mut ServerConfig)) -> Result<Self, BindError> {
        Self::start(place, Bounds::default(), None, change)
    }

    fn start(
        place: Arc<TempDir>,
        bounds: Bounds,
        store: Option<Box<dyn VolumeStore>>,
        change: impl FnOnce(&mut ServerConfig),
    ) -> Result<Self, BindError> {
        let mut plan = plan(place.path());
        change(&mut plan);
        let (disk, volumes) = DiskStore::open(&place.path().join("volumes")).expect("the root opens");
        let store = store.unwrap_or_else(|| Box::new(disk.clone()));
        let hub = Hub::new(Session::new(0, volumes), store, bounds);
        Self::run(place, hub, disk, plan)
    }

    /// A server that forwards to the plugin at an address.
    pub fn in_front_of(upstream: &str, change: impl FnOnce(&mut ServerConfig)) -> Self {
        let place = place();
        let mut plan = plan(place.path());
        change(&mut plan);
        let name: UpstreamName = upstream.parse().expect("the upstream is an address");
        let upstream = Upstream::find(&name, &plan.paths).expect("the upstream is found");
        let hub = Hub::new(Session::new(0, Volumes::default()), Box::new(InMemoryStore), Bounds::default());
        Self::run(place, hub, DriverChoice::Beside(upstream), plan).expect("the server binds")
    }

    fn run(
        place: Arc<TempDir>,
        hub: Arc<Hub>,
        driver: impl Into<DriverChoice>,
        plan: ServerConfig,
    ) -> Result<Self, BindError> {
        let server = Server::bind(&hub, driver, plan)?;
        let shutdown = CancellationToken::new();
        Ok(Self {
            plugin: Peer::at(&hub.snapshot().driver.address),
            control: Peer::at(&server.control_address()),
            control_address: server.control_address(),
            running: tokio::spawn(server.run(shutdown.clone())),
            place,
            hub,
            shutdown,
        })
    }

    pub fn mountpoint(&self, name: &str) -> PathBuf {
        self.place.path().join("volumes").join(name)
    }

    /// A directory of the driver's own beside the volumes.
    pub fn private(&self, name: &str) -> PathBuf {
        self.mountpoint(".voltergeist").join(name)
    }

    /// Gives a command as a user does, and waits until it is followed.
    pub async fn command(&self, line: &str) {
        voltergeist::export::run_line(&self.hub, line, Origin::Line)
            .unwrap_or_else(|error| panic!("{line}: {error}"));
        within(self.hub.wait_until_applied()).await;
    }

    pub async fn call(&self, operation: Operation, body: &str) -> Heard {
        self.plugin.exchange(&request(operation, body)).await
    }

    /// A call that goes well.
    pub async fn ask(&self, operation: Operation, body: &str) -> Value {
        let heard = self.call(operation, body).await;
        assert_eq!(heard.status(), Some(200), "{operation} {body}: {heard:?}");
        heard.json()
    }

    pub fn snapshot(&self) -> Snapshot {
        self.hub.snapshot()
    }

    /// The calls that have ended.
    pub fn calls(&self) -> Vec<Call> {
        let (entries, _) = self.hub.entries_after(0, usize::MAX);
        entries.iter().filter_map(|entry| entry.call().cloned()).collect()
    }

    /// The call that ended last.
    pub fn last_call(&self) -> Call {
        let first = self.hub.kept().end.saturating_sub(9);
        let (newest, _) = self.hub.entries_after(first, usize::MAX);
        newest
            .iter()
            .rev()
            .find_map(|entry| entry.call().cloned())
            .expect("a call is among the newest entries")
    }

    pub fn notes(&self) -> Vec<String> {
        let (entries, _) = self.hub.entries_after(0, usize::MAX);
        let notes = entries.iter().filter_map(|entry| match &entry.kind {
            EntryKind::Note { text } => Some(text.clone()),
            _ => None,
        });
        notes.collect()
    }

    pub async fn until(&self, what: &str, holds: impl Fn(&Snapshot) -> bool) {
        until(what, || holds(&self.snapshot())).await;
    }

    /// Ends the server in order.
    pub async fn end(self) -> Arc<TempDir> {
        self.shutdown.cancel();
        self.ended().await
    }

    /// Waits for an end that something else has brought about.
    pub async fn ended(self) -> Arc<TempDir> {
        within(self.running).await.expect("the server does not panic");
        let (entries, _) = self.hub.entries_after(0, usize::MAX);
        for entry in entries {
            schema::assert_is_entry(&serde_json::to_value(&*entry).expect("an entry is JSON"));
        }
        self.place
    }
}

pub async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future).await.expect("it ends within the deadline")
}

/// Waits until something holds for a source.
pub async fn until_source<S: Source>(source: &Arc<S>, what: &str, holds: impl Fn(&S) -> bool) {
    let mut changes = source.changes();
    let wait = async {
        while !holds(source) {
            changes.changed().await.expect("the source is there");
        }
    };
    within(wait).await;
    assert!(holds(source), "{what}");
}

pub async fn until(what: &str, holds: impl Fn() -> bool) {
    let held = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(DEADLINE, held).await.unwrap_or_else(|_| panic!("{what} within the deadline"));
}

/// One end's address, seen from the other.
#[derive(Clone, Debug)]
pub enum Peer {
    Unix(PathBuf),
    Tcp(String),
}

trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Duplex for S {}

/// A connection from the caller's side.
pub struct Caller(Box<dyn Duplex>);

impl Peer {
    pub fn at(address: &str) -> Self {
        match address.split_once("://").expect("an address has a scheme") {
            ("unix", path) => Self::Unix(path.into()),
            (_, host_port) => Self::Tcp(host_port.into()),
        }
    }

    pub async fn connect(&self) -> io::Result<Caller> {
        Ok(Caller(match self {
            Self::Unix(path) => Box::new(UnixStream::connect(path).await?),
            Self::Tcp(address) => Box::new(TcpStream::connect(address).await?),
        }))
    }

    /// Sends a request and hears everything until the connection ends.
    pub async fn exchange(&self, request: &str) -> Heard {
        let mut caller = self.connect().await.expect("the server listens");
        caller.say(request).await;
        caller.hear().await
    }
}

impl Caller {
    pub async fn say(&mut self, text: &str) {
        within(self.0.write_all(text.as_bytes())).await.expect("the server reads");
    }

    pub async fn say_bytes(&mut self, bytes: &[u8]) {
        within(self.0.write_all(bytes)).await.expect("the server reads");
    }

    /// Hears everything, whatever it is, until the connection ends.
    pub async fn hear_bytes(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        within(self.0.read_to_end(&mut bytes)).await.expect("the connection ends in order");
        bytes
    }

    /// Hears one message with a length or in chunks, whatever its body is.
    pub async fn hear_message(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        while !is_message(&bytes) {
            let read = within(self.0.read_buf(&mut bytes)).await.expect("more comes");
            assert_ne!(read, 0, "the connection ends early: {:?}", String::from_utf8_lossy(&bytes));
        }
        bytes
    }

    /// How many bytes come next.
    pub async fn read_some(&mut self) -> usize {
        let mut bytes = vec![0; 64 * 1024];
        self.0.read(&mut bytes).await.expect("more comes")
    }

    /// Hears everything until the connection ends.
    pub async fn hear(&mut self) -> Heard {
        let mut bytes = Vec::new();
        let end = within(self.0.read_to_end(&mut bytes)).await.map(drop).map_err(|error| error.kind());
        Heard { text: String::from_utf8(bytes).expect("all of it is text"), end }
    }

    /// Hears one whole answer, and leaves the connection open.
    pub async fn hear_one(&mut self) -> Heard {
        let heard = |text: &str| Heard { text: text.to_owned(), end: Ok(()) };
        let text = self.hear_until(|text| heard(text).is_whole()).await;
        heard(&text)
    }

    /// Hears until it is enough.
    pub async fn hear_until(&mut self, enough: impl Fn(&str) -> bool) -> String {
        let mut bytes = Vec::new();
        loop {
            let text = String::from_utf8_lossy(&bytes);
            if enough(&text) {
                return text.into_owned();
            }
            let read = within(self.0.read_buf(&mut bytes)).await.expect("more comes");
            assert_ne!(read, 0, "the connection ends early: {:?}", String::from_utf8_lossy(&bytes));
        }
    }

    /// Whether nothing is heard for a while.
    pub async fn is_silent(&mut self) -> bool {
        let mut byte = [0];
        tokio::time::timeout(Duration::from_millis(50), self.0.read(&mut byte)).await.is_err()
    }
}

/// Whether these are the bytes of a whole message.
fn is_message(bytes: &[u8]) -> bool {
    let Some(head) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
    let (head, body) = (String::from_utf8_lossy(&bytes[..head]).to_lowercase(), &bytes[head + 4..]);
    match head.lines().find_map(|line| line.strip_prefix("content-length: ")) {
        Some(length) => length.parse() == Ok(body.len()),
        None => body.ends_with(b"0\r\n\r\n"),
    }
}

/// What came over the wire, and how it ended.
#[derive(Clone, Debug)]
pub struct Heard {
    pub text: String,
    pub end: Result<(), io::ErrorKind>,
}

impl Heard {
    fn head(&self) -> Option<(&str, &str)> {
        self.text.split_once("\r\n\r\n")
    }

    pub fn status(&self) -> Option<u16> {
        self.text.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let (head, _) = self.head()?;
        let mut headers = head.lines().filter_map(|line| line.split_once(": "));
        headers.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub fn body(&self) -> &str {
        self.head().map_or("", |(_, body)| body)
    }

    pub fn promised(&self) -> Option<usize> {
        self.header("content-length")?.parse().ok()
    }

    pub fn is_whole(&self) -> bool {
        self.promised() == Some(self.body().len())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(self.body()).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A request after which the connection ends.
pub fn request(operation: Operation, body: &str) -> String {
    http("POST", operation.path(), "Connection: close\r\n", body)
}

/// A request after which the connection stays.
pub fn kept_alive(operation: Operation, body: &str) -> String {
    http("POST", operation.path(), "", body)
}

pub fn http(method: &str, path: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("{method} {path} HTTP/1.1\r\nHost: plugin\r\n{headers}Content-Length: {length}\r\n\r\n{body}")
}
