//! Forwarded `VolumeDriver.Get` between Unix sockets: voltergeist with its journal and a console of 200×50 that is being
//! drawn, against nginx as a reverse proxy to the same plugin, and against the plugin itself for the latency that each
//! adds. The same between TCP ports against mitmdump, which has no Unix sockets, if it is installed.
//!
//! All run as processes of their own on the same machine, in turns. Only the ratios mean anything:
//! `cargo bench --bench upstream`. Without nginx there is nothing to compare.

#![expect(clippy::print_stdout, reason = "the result of a bench is what it prints")]

#[path = "support/console.rs"]
mod console;

use std::{
    fs,
    io::{self, Read, Write},
    net::{TcpListener, TcpStream},
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

use axum::{Json, Router, routing::post};
use hdrhistogram::Histogram;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use console::Console;

const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_millis(1500);
const CONNECTIONS: usize = 4;

const REQUEST: &[u8] = b"POST /VolumeDriver.Get HTTP/1.1\r\nHost: plugin.moby.localhost\r\n\
    User-Agent: Go-http-client/1.1\r\nContent-Length: 15\r\n\
    Accept: application/vnd.docker.plugins.v1.2+json\r\n\r\n{\"Name\":\"db1\"}\n";

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, role, socket, port] = &arguments[..]
        && role == "plugin"
    {
        return plugin(Path::new(socket), port);
    }
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let folder = folder.path();
    let direct = folder.join("plugin.sock");
    let program = std::env::current_exe().expect("this program has a path");
    let direct_port = free_port();
    let arguments = [direct.as_os_str(), direct_port.as_ref()];
    let child = Command::new(program).arg("plugin").args(arguments).spawn().expect("this program starts");
    let plugin = Contender {
        name: "plugin alone",
        address: Address::Unix(direct.clone()),
        server: Some(Server::Process(child)),
    };
    let mut contenders = vec![plugin];
    contenders.push(voltergeist(folder, "voltergeist", &Address::Unix(direct.clone())));
    contenders.push(serve(folder, &direct));
    contenders.extend(nginx(folder, &direct));
    let between_sockets = contenders.len();
    if let Some(mitmdump) = mitmdump(folder, &direct_port) {
        let address = Address::Tcp(direct_port);
        contenders.push(Contender { name: "plugin, TCP", address: address.clone(), server: None });
        contenders.push(voltergeist(folder, "voltergeist, TCP", &address));
        contenders.push(mitmdump);
    }
    let mut rates: Vec<Vec<f64>> = vec![Vec::new(); contenders.len()];
    let mut latencies = vec![Histogram::<u64>::new(3).expect("three digits are possible"); contenders.len()];
    for round in 0..ROUNDS {
        // To and fro, so that nobody always comes after the same one.
        let mut order: Vec<usize> = (0..contenders.len()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for index in order {
            let address = &contenders[index].address;
            rates[index].push(load(address, CONNECTIONS, &mut Histogram::new(3).expect("possible")));
            load(address, 1, &mut latencies[index]);
        }
    }
    let median = |rates: &mut Vec<f64>| {
        rates.sort_by(f64::total_cmp);
        rates[rates.len() / 2]
    };
    let medians: Vec<f64> = rates.iter_mut().map(median).collect();
    for (index, contender) in contenders.iter().enumerate() {
        // The plugin alone comes first, and voltergeist second.
        let first = if index < between_sockets { 0 } else { between_sockets };
        let added = |share| {
            let at = |index: usize| latencies[index].value_at_quantile(share) as f64 / 1000.0;
            at(index) - at(first)
        };
        println!(
            "{:<17} {:>9.0} requests/s   adds {:>7.1} µs p50, {:>7.1} µs p99   voltergeist is {:.2}×",
            contender.name,
            medians[index],
            added(0.5),
            added(0.99),
            medians[first + 1] / medians[index]
        );
    }
}

/// Where a server listens: a Unix socket, or a port of this machine.
#[derive(Clone)]
enum Address {
    Unix(PathBuf),
    Tcp(String),
}

impl Address {
    /// As voltergeist wants it.
    fn text(&self) -> String {
        match self {
            Self::Unix(path) => format!("unix:{}", path.display()),
            Self::Tcp(port) => format!("tcp://127.0.0.1:{port}"),
        }
    }
}

/// A port that was free a moment ago.
fn free_port() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("it is bound").port().to_string()
}

/// A server under load. Dropping it ends it.
struct Contender {
    name: &'static str,
    address: Address,
    server: Option<Server>,
}

enum Server {
    Console(#[expect(dead_code, reason = "it ends when it is dropped")] Console),
    Process(Child),
}

impl Drop for Contender {
    fn drop(&mut self) {
        if let Some(Server::Process(child)) = &mut self.server {
            let _ = kill_process(Pid::from_child(child), Signal::TERM);
            let _ = child.wait();
        }
    }
}

fn voltergeist(folder: &Path, name: &'static str, upstream: &Address) -> Contender {
    let address = match upstream {
        Address::Unix(_) => Address::Unix(folder.join("voltergeist.sock")),
        Address::Tcp(_) => Address::Tcp(free_port()),
    };
    let control = folder.join(format!("{name}.control"));
    let console = Console::start(&[
        "--name=bench".to_owned(),
        format!("--upstream={}", upstream.text()),
        format!("--listen={}", address.text()),
        format!("--control=unix:{}", control.display()),
    ]);
    Contender { name, address, server: Some(Server::Console(console)) }
}

/// Without a console, and with a line of JSON for each entry on stdout.
fn serve(folder: &Path, upstream: &Path) -> Contender {
    let socket = folder.join("serve.sock");
    let child = Command::new(env!("CARGO_BIN_EXE_voltergeist"))
        .args(["serve", "--name", "bench-serve", "--upstream", &format!("unix:{}", upstream.display())])
        .args(["--listen", &format!("unix:{}", socket.display())])
        .args(["--control", &format!("unix:{}", folder.join("serve.control").display())])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("voltergeist starts");
    Contender {
        name: "voltergeist serve",
        address: Address::Unix(socket),
        server: Some(Server::Process(child)),
    }
}

fn mitmdump(folder: &Path, upstream: &str) -> Option<Contender> {
    let port = free_port();
    let child = Command::new("mitmdump")
        .args(["--quiet", "--mode", &format!("reverse:http://127.0.0.1:{upstream}")])
        .args(["--listen-host", "127.0.0.1", "--listen-port", &port])
        .arg("--set")
        .arg(format!("confdir={}", folder.join("mitmproxy").display()))
        .stdout(Stdio::null())
        .spawn();
    match child {
        Ok(child) => Some(Contender {
            name: "mitmdump, TCP",
            address: Address::Tcp(port),
            server: Some(Server::Process(child)),
        }),
        Err(error) => {
            println!("mitmdump is left out: {error}");
            None
        }
    }
}

fn nginx(folder: &Path, upstream: &Path) -> Option<Contender> {
    let socket = folder.join("nginx.sock");
    let config = folder.join("nginx.conf");
    let text = format!(
        "daemon off; user root; pid {0}/nginx.pid; error_log stderr error; worker_processes auto;\n\
         events {{ worker_connections 256; }}\n\
         http {{ access_log off; client_body_temp_path {0}/body; proxy_temp_path {0}/proxy;\n\
         fastcgi_temp_path {0}/fastcgi; uwsgi_temp_path {0}/uwsgi; scgi_temp_path {0}/scgi;\n\
         keepalive_requests 100000000;\n\
         upstream plugin {{ server unix:{1}; keepalive 32; keepalive_requests 100000000; }}\n\
         server {{ listen unix:{2}; location / {{ proxy_pass http://plugin; proxy_http_version 1.1;\n\
         proxy_set_header Connection \"\"; proxy_set_header Host $http_host; }} }} }}\n",
        folder.display(),
        upstream.display(),
        socket.display()
    );
    fs::write(&config, text).expect("the config can be written");
    match Command::new("nginx").arg("-c").arg(&config).arg("-p").arg(folder).spawn() {
        Ok(child) => Some(Contender {
            name: "nginx",
            address: Address::Unix(socket),
            server: Some(Server::Process(child)),
        }),
        Err(error) => {
            println!("nginx is left out: {error}");
            None
        }
    }
}

trait Connection: Read + Write + Send {}
impl<S: Read + Write + Send> Connection for S {}

fn connect(address: &Address) -> Box<dyn Connection> {
    let once = || -> io::Result<Box<dyn Connection>> {
        Ok(match address {
            Address::Unix(path) => Box::new(UnixStream::connect(path)?),
            Address::Tcp(port) => {
                let stream = TcpStream::connect(format!("127.0.0.1:{port}"))?;
                stream.set_nodelay(true)?;
                Box::new(stream)
            }
        })
    };
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        match once() {
            Ok(stream) => return stream,
            Err(error) => assert!(Instant::now() < deadline, "{}: {error}", address.text()),
        }
        thread::yield_now();
    }
}

/// Sends one request and reads its whole reply, which must be a success.
fn exchange(stream: &mut dyn Connection, reply: &mut Vec<u8>) {
    stream.write_all(REQUEST).expect("the request is taken");
    reply.clear();
    let mut chunk = [0; 4096];
    loop {
        let read = stream.read(&mut chunk).expect("the reply is read");
        assert!(read > 0, "the connection was closed");
        reply.extend_from_slice(&chunk[..read]);
        let Some(head) = reply.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let text = std::str::from_utf8(&reply[..head]).expect("a head is text").to_ascii_lowercase();
        assert!(text.starts_with("http/1.1 200"), "{text}");
        let length = text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
        if reply.len() >= head + 4 + length.unwrap_or(usize::MAX / 2) {
            return;
        }
    }
}

/// Requests per second on so many connections; adds each one's nanoseconds.
fn load(address: &Address, connections: usize, latencies: &mut Histogram<u64>) -> f64 {
    let stop = Arc::new(AtomicBool::new(false));
    let started = Instant::now();
    let workers: Vec<_> = (0..connections)
        .map(|_| {
            let stop = Arc::clone(&stop);
            let mut stream = connect(address);
            thread::spawn(move || {
                let mut latencies = Histogram::<u64>::new(3).expect("three digits are possible");
                let mut reply = Vec::with_capacity(4096);
                while !stop.load(Ordering::Relaxed) {
                    let sent = Instant::now();
                    exchange(&mut *stream, &mut reply);
                    let nanos = sent.elapsed().as_nanos().try_into().unwrap_or(u64::MAX);
                    latencies.record(nanos).expect("it is in range");
                }
                latencies
            })
        })
        .collect();
    thread::sleep(ROUND);
    stop.store(true, Ordering::Relaxed);
    let before = latencies.len();
    for worker in workers {
        latencies.add(worker.join().expect("a connection lasted")).expect("it is in range");
    }
    (latencies.len() - before) as f64 / started.elapsed().as_secs_f64()
}

/// A plugin that knows one volume.
#[tokio::main]
async fn plugin(socket: &Path, port: &str) {
    let get = async || {
        Json(json!({ "Volume": {
            "Name": "db1", "Mountpoint": "/var/lib/bench/db1", "CreatedAt": "2026-01-01T00:00:00Z",
            "Status": { "Hello": "world" },
        } }))
    };
    let app = Router::new().route("/VolumeDriver.Get", post(get));
    let listener = tokio::net::UnixListener::bind(socket).expect("the socket can be bound");
    let tcp =
        tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await.expect("the port can be bound");
    tokio::spawn(axum::serve(tcp, app.clone()).into_future());
    axum::serve(listener, app).await.expect("the server runs");
}
