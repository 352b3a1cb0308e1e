//! Forwarded `VolumeDriver.Get` between Unix sockets: voltergeist with its journal on, against nginx as a reverse proxy
//! to the same plugin, and against the plugin itself for the latency that each adds.
//!
//! All run as processes of their own on the same machine, in turns. Only the ratios mean anything:
//! `cargo bench --bench upstream`. Without nginx there is nothing to compare.

#![expect(clippy::print_stdout, reason = "the result of a bench is what it prints")]

use std::{
    fs,
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

use axum::{Json, Router, routing::post};
use hdrhistogram::Histogram;
use serde_json::json;

const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_millis(1500);
const CONNECTIONS: usize = 4;

const REQUEST: &[u8] = b"POST /VolumeDriver.Get HTTP/1.1\r\nHost: plugin.moby.localhost\r\n\
    User-Agent: Go-http-client/1.1\r\nContent-Length: 15\r\n\
    Accept: application/vnd.docker.plugins.v1.2+json\r\n\r\n{\"Name\":\"db1\"}\n";

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, role, socket] = &arguments[..]
        && role == "plugin"
    {
        return plugin(Path::new(socket));
    }
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let folder = folder.path();
    let direct = folder.join("plugin.sock");
    let program = std::env::current_exe().expect("this program has a path");
    let child = Command::new(program).arg("plugin").arg(&direct).spawn().expect("this program starts");
    let mut contenders = vec![Contender { name: "plugin alone", socket: direct.clone(), child }];
    contenders.push(voltergeist(folder, &direct));
    contenders.extend(nginx(folder, &direct));
    let mut rates: Vec<Vec<f64>> = vec![Vec::new(); contenders.len()];
    let mut latencies = vec![Histogram::<u64>::new(3).expect("three digits are possible"); contenders.len()];
    for _ in 0..ROUNDS {
        for (index, contender) in contenders.iter().enumerate() {
            rates[index].push(load(
                &contender.socket,
                CONNECTIONS,
                &mut Histogram::new(3).expect("possible"),
            ));
            load(&contender.socket, 1, &mut latencies[index]);
        }
    }
    let median = |rates: &mut Vec<f64>| {
        rates.sort_by(f64::total_cmp);
        rates[rates.len() / 2]
    };
    let medians: Vec<f64> = rates.iter_mut().map(median).collect();
    let added = |index: usize, share| {
        let at = |index: usize| latencies[index].value_at_quantile(share) as f64 / 1000.0;
        at(index) - at(0)
    };
    for (index, contender) in contenders.iter().enumerate() {
        println!(
            "{:<14} {:>9.0} requests/s   adds {:>7.1} µs p50, {:>7.1} µs p99   voltergeist is {:.2}×",
            contender.name,
            medians[index],
            added(index, 0.5),
            added(index, 0.99),
            medians[1] / medians[index]
        );
    }
}

/// A server under load. Dropping it ends it.
struct Contender {
    name: &'static str,
    socket: PathBuf,
    child: Child,
}

impl Drop for Contender {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn voltergeist(folder: &Path, upstream: &Path) -> Contender {
    let socket = folder.join("voltergeist.sock");
    let child = Command::new(env!("CARGO_BIN_EXE_voltergeist"))
        .arg("serve")
        .args(["--name", "bench", "--upstream", &format!("unix:{}", upstream.display())])
        .args(["--listen", &format!("unix:{}", socket.display())])
        .args(["--control", &format!("unix:{}", folder.join("control.sock").display())])
        .stdout(Stdio::null())
        .spawn()
        .expect("voltergeist starts");
    Contender { name: "voltergeist", socket, child }
}

fn nginx(folder: &Path, upstream: &Path) -> Option<Contender> {
    let socket = folder.join("nginx.sock");
    let config = folder.join("nginx.conf");
    let text = format!(
        "daemon off; pid {0}/nginx.pid; error_log stderr error; worker_processes auto;\n\
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
        Ok(child) => Some(Contender { name: "nginx", socket, child }),
        Err(error) => {
            println!("nginx is left out: {error}");
            None
        }
    }
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

/// Sends one request and reads its whole reply, which must be a success.
fn exchange(stream: &mut UnixStream, reply: &mut Vec<u8>) {
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
fn load(socket: &Path, connections: usize, latencies: &mut Histogram<u64>) -> f64 {
    let stop = Arc::new(AtomicBool::new(false));
    let started = Instant::now();
    let workers: Vec<_> = (0..connections)
        .map(|_| {
            let stop = Arc::clone(&stop);
            let mut stream = connect(socket);
            thread::spawn(move || {
                let mut latencies = Histogram::<u64>::new(3).expect("three digits are possible");
                let mut reply = Vec::with_capacity(4096);
                while !stop.load(Ordering::Relaxed) {
                    let sent = Instant::now();
                    exchange(&mut stream, &mut reply);
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
async fn plugin(socket: &Path) {
    let get = async || {
        Json(json!({ "Volume": {
            "Name": "db1", "Mountpoint": "/var/lib/bench/db1", "CreatedAt": "2026-01-01T00:00:00Z",
            "Status": { "Hello": "world" },
        } }))
    };
    let app = Router::new().route("/VolumeDriver.Get", post(get));
    let listener = tokio::net::UnixListener::bind(socket).expect("the socket can be bound");
    axum::serve(listener, app).await.expect("the server runs");
}
