//! Requests per second of `VolumeDriver.Get` on a Unix socket, and the CPU time of each: voltergeist with its journal,
//! ten rules that do not match and a console of 200×50 that is being drawn, against a bare axum handler that does the
//! same JSON work, and against a plain Go plugin (left out where there is no `go`).
//!
//! All run as processes of their own on the same machine, in turns, so that what disturbs one disturbs the
//! others. Only the ratios mean anything: `cargo bench --bench throughput`. CPU time is disturbed least.

#![expect(clippy::print_stdout, reason = "the result of a bench is what it prints")]

#[path = "support/console.rs"]
mod console;

use std::{
    any::Any,
    collections::BTreeMap,
    io::{Read, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use axum::{Json, Router, extract::State, routing::post};
use parking_lot::Mutex;
use serde_json::{Value, json};

use console::Console;

const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_millis(1500);
const CONNECTIONS: usize = 4;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, role, socket] = &arguments[..]
        && role == "bare-axum"
    {
        return bare_axum(Path::new(socket));
    }
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let contenders = [voltergeist(folder.path()), bare(folder.path())].into_iter().chain(go(folder.path()));
    let contenders: Vec<Contender> = contenders.collect();
    for contender in &contenders {
        request(&mut connect(&contender.socket), "Create");
    }
    let mut rounds: Vec<Vec<Round>> = vec![Vec::new(); contenders.len()];
    for number in 0..ROUNDS {
        // To and fro, so that nobody always comes after the same one.
        let mut order: Vec<usize> = (0..contenders.len()).collect();
        if number % 2 == 1 {
            order.reverse();
        }
        for index in order {
            rounds[index].push(round(&contenders[index]));
        }
    }
    let medians: Vec<Round> = rounds
        .iter()
        .map(|rounds| Round {
            requests_per_second: median(rounds.iter().map(|round| round.requests_per_second)),
            cpu_per_request: median(rounds.iter().map(|round| round.cpu_per_request)),
        })
        .collect();
    for (contender, round) in contenders.iter().zip(&medians) {
        println!(
            "{:<14} {:>9.0} requests/s   voltergeist is {:.2}×   {:>5.1} µs of CPU per request   voltergeist is {:.2}×",
            contender.name,
            round.requests_per_second,
            medians[0].requests_per_second / round.requests_per_second,
            round.cpu_per_request * 1e6,
            medians[0].cpu_per_request / round.cpu_per_request,
        );
    }
}

/// What one round measures.
#[derive(Clone, Copy)]
struct Round {
    requests_per_second: f64,
    /// Seconds, of all threads of the server.
    cpu_per_request: f64,
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A server under load. Dropping it ends it.
struct Contender {
    name: &'static str,
    socket: PathBuf,
    process: u32,
    _server: Box<dyn Any>,
}

/// A process that is killed when this is dropped.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn spawned(name: &'static str, socket: PathBuf, child: Child) -> Contender {
    Contender { name, socket, process: child.id(), _server: Box::new(Killed(child)) }
}

fn voltergeist(folder: &Path) -> Contender {
    let socket = folder.join("voltergeist.sock");
    let console = Console::start(&[
        format!("--root={}", folder.join("volumes").display()),
        format!("--listen=unix://{}", socket.display()),
        format!("--control=unix://{}", folder.join("control.sock").display()),
    ]);
    drop(connect(&socket));
    let mut control = connect(&folder.join("control.sock"));
    for rule in 0..10 {
        let line = format!("arm get where volume=nobody{rule}*: empty");
        let head =
            format!("POST /v1/commands HTTP/1.1\r\nHost: bench\r\nContent-Length: {}\r\n\r\n", line.len());
        exchange(&mut control, format!("{head}{line}").as_bytes(), &mut Vec::new());
    }
    Contender { name: "voltergeist", socket, process: console.process(), _server: Box::new(console) }
}

fn bare(folder: &Path) -> Contender {
    let socket = folder.join("bare.sock");
    let program = std::env::current_exe().expect("this program has a path");
    let child = Command::new(program).arg("bare-axum").arg(&socket).spawn().expect("this program starts");
    spawned("bare axum", socket, child)
}

fn go(folder: &Path) -> Option<Contender> {
    let socket = folder.join("go.sock");
    let program = folder.join("plain-go");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/plain-go/main.go");
    let built = Command::new("go").arg("build").arg("-o").arg(&program).arg(source).status();
    if !built.is_ok_and(|status| status.success()) {
        println!("plain Go is left out: there is no working `go`");
        return None;
    }
    let child =
        Command::new(program).arg(&socket).stdin(Stdio::null()).spawn().expect("the Go plugin starts");
    Some(spawned("plain Go", socket, child))
}

fn connect(socket: &Path) -> UnixStream {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        match UnixStream::connect(socket) {
            Ok(stream) => return stream,
            Err(error) => assert!(Instant::now() < deadline, "{}: {error}", socket.display()),
        }
        thread::yield_now();
    }
}

fn request(stream: &mut UnixStream, call: &str) {
    let body = "{\"Name\":\"db1\"}\n";
    let head = format!(
        "POST /VolumeDriver.{call} HTTP/1.1\r\nHost: plugin.moby.localhost\r\nUser-Agent: Go-http-client/1.1\r\n\
         Content-Length: {}\r\nAccept: application/vnd.docker.plugins.v1.2+json\r\n\r\n",
        body.len()
    );
    exchange(stream, format!("{head}{body}").as_bytes(), &mut Vec::new());
}

/// Sends one request and reads its whole answer, which must be a success.
fn exchange(stream: &mut UnixStream, request: &[u8], answer: &mut Vec<u8>) {
    stream.write_all(request).expect("the request is taken");
    answer.clear();
    let mut chunk = [0; 4096];
    loop {
        let read = stream.read(&mut chunk).expect("the answer is read");
        assert!(read > 0, "the connection was closed");
        answer.extend_from_slice(&chunk[..read]);
        let Some(head) = answer.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let text = std::str::from_utf8(&answer[..head]).expect("a head is text");
        assert!(text.starts_with("HTTP/1.1 200"), "{text}");
        let length = text
            .lines()
            .find_map(|line| {
                line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse::<usize>().ok()
            })
            .expect("the answer has a length");
        if answer.len() >= head + 4 + length {
            return;
        }
    }
}

fn round(contender: &Contender) -> Round {
    let before = cpu_time(contender.process);
    let started = Instant::now();
    let requests = load(&contender.socket) as f64;
    let seconds = started.elapsed().as_secs_f64();
    let cpu = cpu_time(contender.process) - before;
    Round { requests_per_second: requests / seconds, cpu_per_request: cpu / requests }
}

/// The CPU time in seconds that all threads of a process have used.
fn cpu_time(process: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).expect("the process runs");
    // The name in parentheses can have spaces; utime and stime are the 12th and 13th fields after it.
    let (_, fields) = stat.rsplit_once(')').expect("the name is in parentheses");
    let ticks: u64 =
        fields.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("ticks")).sum();
    // Linux gives them in hundredths of a second on every architecture.
    ticks as f64 / 100.0
}

/// Sends requests for a [`ROUND`], and returns how many were answered.
fn load(socket: &Path) -> u64 {
    let stop = Arc::new(AtomicBool::new(false));
    let workers: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let stop = Arc::clone(&stop);
            let mut stream = connect(socket);
            thread::spawn(move || {
                let body = "{\"Name\":\"db1\"}\n";
                let request = format!(
                    "POST /VolumeDriver.Get HTTP/1.1\r\nHost: plugin.moby.localhost\r\nUser-Agent: Go-http-client/1.1\r\n\
                     Content-Length: {}\r\nAccept: application/vnd.docker.plugins.v1.2+json\r\n\r\n{body}",
                    body.len()
                );
                let mut answer = Vec::with_capacity(4096);
                let mut done = 0_u64;
                while !stop.load(Ordering::Relaxed) {
                    exchange(&mut stream, request.as_bytes(), &mut answer);
                    done += 1;
                }
                done
            })
        })
        .collect();
    thread::sleep(ROUND);
    stop.store(true, Ordering::Relaxed);
    workers.into_iter().map(|worker| worker.join().expect("a connection lasted")).sum()
}

type Volumes = Arc<Mutex<BTreeMap<String, Value>>>;

/// The least that an axum plugin has to do: read the JSON, look the volume up, write the JSON.
#[tokio::main]
async fn bare_axum(socket: &Path) {
    async fn create(State(volumes): State<Volumes>, body: axum::body::Bytes) -> Json<Value> {
        let request: Value = serde_json::from_slice(&body).expect("the request is JSON");
        let name = request["Name"].as_str().unwrap_or_default().to_owned();
        let volume = json!({
            "Name": name, "Mountpoint": format!("/var/lib/bare/{name}"),
            "CreatedAt": "2026-01-01T00:00:00Z", "Status": { "Hello": "world" },
        });
        volumes.lock().insert(name, volume);
        Json(json!({}))
    }
    async fn get(State(volumes): State<Volumes>, body: axum::body::Bytes) -> Json<Value> {
        let request: Value = serde_json::from_slice(&body).expect("the request is JSON");
        let found = volumes.lock().get(request["Name"].as_str().unwrap_or_default()).cloned();
        Json(found.map_or_else(|| json!({ "Err": "no such volume" }), |volume| json!({ "Volume": volume })))
    }
    let app = Router::new()
        .route("/VolumeDriver.Create", post(create))
        .route("/VolumeDriver.Get", post(get))
        .with_state(Volumes::default());
    let listener = tokio::net::UnixListener::bind(socket).expect("the socket can be bound");
    axum::serve(listener, app).await.expect("the server runs");
}
