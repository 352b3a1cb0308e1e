//! A scripted plugin: it remembers every request byte for byte, and answers as scripted, else as a driver does.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    fmt::Write,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpListener, UnixListener, UnixStream},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

/// What becomes of one request.
#[derive(Clone, Debug)]
pub enum Act {
    Reply(u16, String),
    /// The work is done and the reply is lost: the connection closes.
    Lose,
    /// The connection closes after the reply.
    Close(String),
    /// The connection closes in the middle of the reply.
    Disconnect(String),
    /// No reply at all.
    Hang,
    OriginalReply,
}

#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    pub head: String,
    pub body: String,
    pub at: Instant,
    pub connection: usize,
}

#[derive(Default)]
struct Inner {
    seen: Vec<Seen>,
    script: HashMap<String, VecDeque<Act>>,
    volumes: BTreeSet<String>,
    connections: usize,
}

pub struct Plugin {
    pub address: String,
    pub folder: TempDir,
    inner: Arc<Mutex<Inner>>,
    /// Cancelled to stop listening and to cut every connection.
    alive: CancellationToken,
}

impl Plugin {
    pub fn unix() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let path = folder.path().join("plugin.sock");
        let listener = UnixListener::bind(&path).expect("a socket in a fresh folder");
        let plugin = Self::new(format!("unix://{}", path.display()), folder);
        plugin.listen(listener);
        plugin
    }

    /// Answers on one more socket.
    pub fn listen(&self, listener: UnixListener) {
        let serving = self.server();
        tokio::spawn(serving.alive.clone().run_until_cancelled_owned(async move {
            while let Ok((stream, _)) = listener.accept().await {
                serving.spawn(stream);
            }
        }));
    }

    /// Listens no more, and leaves the sockets' files behind.
    pub async fn stop(&self) {
        self.alive.cancel();
        let path = self.address.trim_start_matches("unix://");
        while UnixStream::connect(path).await.is_ok() {
            tokio::task::yield_now().await;
        }
    }

    pub async fn tcp() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("the port's address");
        let plugin = Self::new(format!("tcp://{address}"), TempDir::new().expect("a temporary folder"));
        let serving = plugin.server();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                serving.spawn(stream);
            }
        });
        plugin
    }

    fn new(address: String, folder: TempDir) -> Self {
        Self { address, folder, inner: Arc::default(), alive: CancellationToken::new() }
    }

    fn server(&self) -> Server {
        let mountpoint = self.folder.path().display().to_string();
        Server { inner: Arc::clone(&self.inner), mountpoint, alive: self.alive.clone() }
    }

    /// What becomes of the next requests of a method. After them it answers as a driver does.
    pub fn script(&self, method: &str, acts: impl IntoIterator<Item = Act>) {
        self.inner
            .lock()
            .expect("no test panics in it")
            .script
            .insert(method.into(), acts.into_iter().collect());
    }

    /// Loses or gains a volume behind the daemon's back.
    pub fn forget(&self, volume: &str) {
        self.inner.lock().expect("no test panics in it").volumes.remove(volume);
    }

    pub fn knows(&self, volume: &str) -> bool {
        self.inner.lock().expect("no test panics in it").volumes.contains(volume)
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.inner.lock().expect("no test panics in it").seen.clone()
    }

    /// The requests since the last look, as `Mount v #1`: IDs are numbered as they come, anonymous volumes are `?`.
    pub fn trace(&self) -> Vec<String> {
        let mut ids: Vec<String> = Vec::new();
        let seen = std::mem::take(&mut self.inner.lock().expect("no test panics in it").seen);
        seen.iter().map(|seen| line(seen, &mut ids)).collect()
    }
}

fn line(seen: &Seen, ids: &mut Vec<String>) -> String {
    let body: Value = serde_json::from_str(&seen.body).unwrap_or_default();
    let mut line = seen.method.clone();
    if let Some(name) = body["Name"].as_str() {
        line += if name.len() == 64 { " ?" } else { " " };
        line += if name.len() == 64 { "" } else { name };
    }
    if let Some(id) = body["ID"].as_str() {
        let known = ids.iter().position(|known| known == id);
        let number = known.unwrap_or_else(|| {
            ids.push(id.to_owned());
            ids.len() - 1
        });
        let _ = write!(line, " #{}", number + 1);
    }
    line
}

#[derive(Clone)]
struct Server {
    inner: Arc<Mutex<Inner>>,
    mountpoint: String,
    alive: CancellationToken,
}

impl Server {
    fn spawn(&self, stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) {
        let server = self.clone();
        tokio::spawn(self.alive.clone().run_until_cancelled_owned(server.serve(stream)));
    }

    async fn serve(self, stream: impl AsyncRead + AsyncWrite + Send + Unpin) -> Option<()> {
        let connection = {
            let mut inner = self.inner.lock().expect("no test panics in it");
            inner.connections += 1;
            inner.connections
        };
        let mut stream = BufReader::new(stream);
        loop {
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                if stream.read_line(&mut head).await.ok()? == 0 {
                    return None;
                }
            }
            let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")?.parse().ok());
            let mut body = vec![0; length.unwrap_or(0)];
            stream.read_exact(&mut body).await.ok()?;
            let body = String::from_utf8(body).expect("JSON is UTF-8");
            match self.act(connection, head, body) {
                (Act::Hang, _) => std::future::pending().await,
                (Act::Lose, _) => return None,
                (Act::Disconnect(text), _) => {
                    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", text.len() + 10);
                    stream.write_all((head + &text).as_bytes()).await.ok()?;
                    return None;
                }
                (Act::Close(text), _) => {
                    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", text.len());
                    stream.write_all((head + &text).as_bytes()).await.ok()?;
                    return None;
                }
                (Act::Reply(status, text), _) | (Act::OriginalReply, (status, text)) => {
                    let head = format!("HTTP/1.1 {status} Status\r\nContent-Length: {}\r\n\r\n", text.len());
                    stream.write_all((head + &text).as_bytes()).await.ok()?;
                }
            }
        }
    }

    fn act(&self, connection: usize, head: String, body: String) -> (Act, (u16, String)) {
        let path = head.split(' ').nth(1).unwrap_or_default();
        let method = path.rsplit('.').next().unwrap_or_default().to_owned();
        let inner = &mut *self.inner.lock().expect("no test panics in it");
        let act = inner.script.get_mut(&method).and_then(VecDeque::pop_front).unwrap_or(Act::OriginalReply);
        let request: Value = serde_json::from_str(&body).unwrap_or_default();
        let worked = !matches!(act, Act::Reply(..) | Act::Hang);
        let reply = self.original(&method, request["Name"].as_str().unwrap_or_default(), inner, worked);
        inner.seen.push(Seen { method, head, body, at: Instant::now(), connection });
        (act, reply)
    }

    fn original(&self, method: &str, name: &str, inner: &mut Inner, worked: bool) -> (u16, String) {
        let described = |name: &str| json!({ "Name": name, "Mountpoint": self.mountpoint });
        let reply = match method {
            "Activate" => json!({ "Implements": ["VolumeDriver"] }),
            "Capabilities" => json!({ "Capabilities": { "Scope": "global" } }),
            "Create" => {
                if worked && !name.is_empty() {
                    inner.volumes.insert(name.to_owned());
                }
                if name.is_empty() { json!({ "Err": "no name" }) } else { json!({}) }
            }
            "Remove" => {
                if worked {
                    inner.volumes.remove(name);
                }
                json!({})
            }
            "Get" if inner.volumes.contains(name) => json!({ "Volume": described(name) }),
            "Get" => json!({ "Err": "no such volume" }),
            "List" => {
                json!({ "Volumes": inner.volumes.iter().map(|name| described(name)).collect::<Vec<_>>() })
            }
            "Mount" => json!({ "Mountpoint": self.mountpoint }),
            _ => json!({}),
        };
        (200, reply.to_string())
    }
}
