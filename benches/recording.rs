//! What a long recording costs to open and to seek in, and what attached readers cost the server:
//!
//! * a recording of 10,000,000 entries (or of as many as `ENTRIES` says): opening it, 100 seeks to random entries, and the
//!   most memory that this took;
//! * whether 100,000 entries a second are recorded, while they are written to a file too, with 0, 1 and 50 readers of the
//!   stream, ten of which have stopped to read; and how long the slowest of a hundred of them took.
//!
//! `cargo bench --bench recording`; `TMPDIR` needs 5 GB.

#![expect(clippy::print_stdout, reason = "the result of a bench is what it prints")]

use std::{
    fs::{self, File},
    io::{BufWriter, Read as _, Write as _},
    os::unix::net::UnixStream,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;
use voltergeist::{
    app::{Config, Server, ServerConfig, recording},
    domain::{
        lang::seek::Seek,
        model::{
            entry::{Body, Call, Entry, EntryKind, Headers, Outcome, Session},
            protocol::{Caller, Operation},
            volume::Volumes,
        },
        state::journal::Bounds,
    },
    hub::Hub,
    net::{Address, Paths},
    plugin::DiskStore,
    recording::{EntryEncoder, RecordingFile},
    source::{RecordingSource, Source as _},
};

fn call(number: u64, headers: &Headers) -> EntryKind {
    EntryKind::Call(Box::new(Call {
        number,
        operation: Some(Operation::Get),
        request_line: None,
        caller: Caller::Docker,
        connection: 1,
        peer: None,
        first_contact: false,
        known: true,
        evaluation: None,
        volume: Some("db1".into()),
        mount_id: None,
        mounted: false,
        id_mounted: false,
        headers: headers.clone(),
        request: b"{\"Name\":\"db1\"}\n".to_vec().into(),
        fault: None,
        outcome: Outcome::Ok,
        status: Some(200),
        error: None,
        reply: Body::from(
            br#"{"Volume":{"CreatedAt":"2026-11-22T22:21:31Z","Mountpoint":"/v/db1","Name":"db1"}}"#.to_vec(),
        ),
        duration: Duration::from_micros(120),
        changes: Vec::new(),
        lints: Vec::new(),
        held_seq: None,
        upstream: None,
    }))
}

fn headers() -> Headers {
    let headers = [("host", "plugin.moby.localhost"), ("accept", "application/vnd.docker.plugins.v1.2+json")];
    Headers(headers.map(|(name, value)| (name.into(), value.into())).into_iter().collect())
}

/// Writes a run of so many entries, a thousand each second.
fn write(path: &Path, entries: u64) {
    let headers = headers();
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path).expect("a new file"));
    let mut encoder = EntryEncoder::new(0);
    let mut lines = Vec::new();
    for seq in 1..=entries {
        let millis = i64::try_from(seq).expect("not that many");
        let at = Timestamp::UNIX_EPOCH.checked_add(SignedDuration::from_millis(millis)).expect("a time");
        let kind = match seq {
            1 => EntryKind::Session(Box::new(Session::new(7, Volumes::default()))),
            _ => call(seq, &headers),
        };
        encoder.write(&mut lines, &Arc::new(Entry::new(seq, at, kind)));
        file.write_all(&lines).expect("there is room");
        lines.clear();
    }
    file.flush().expect("there is room");
}

/// Forgets the most memory that the process has had.
fn forget_peak() {
    // Only where the kernel can.
    drop(fs::write("/proc/self/clear_refs", "5"));
}

/// The most memory that the process has had since then, in MiB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) / 1024
}

async fn replay(path: &Path, entries: u64) {
    let start = Instant::now();
    let recording = RecordingFile::open(path).expect("it is a recording");
    let source = RecordingSource::open(recording).expect("it is readable");
    println!("open a recording of {entries} entries: {:?}", start.elapsed());
    let mut seeks: Vec<Duration> = Vec::new();
    let mut random = 88_172_645_463_325_252_u64;
    for _ in 0..100 {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let start = Instant::now();
        source.seek(Seek::Entry(random % entries + 1)).await.expect("it is there");
        seeks.push(start.elapsed());
    }
    seeks.sort();
    println!("100 seeks: middle {:?}, longest {:?}", seeks[50], seeks[99]);
    println!("most memory: {} MiB", peak());
}

/// Reads the stream of entries until it is told to end; with `stopped`, only its beginning.
fn read(socket: &Path, stopped: bool, end: &AtomicBool) {
    let mut stream = UnixStream::connect(socket).expect("the API listens");
    stream.set_read_timeout(Some(Duration::from_millis(200))).expect("a time limit");
    stream.write_all(b"GET /v1/entries/stream HTTP/1.1\r\nHost: x\r\n\r\n").expect("it is read");
    let mut chunk = vec![0; 64 * 1024];
    while !end.load(Ordering::Relaxed) {
        if stopped {
            thread::sleep(Duration::from_millis(50));
        } else {
            let _ = stream.read(&mut chunk);
        }
    }
}

/// How many entries a second are offered, and for how long.
const OFFERED: u32 = 100_000;
const SECONDS: u32 = 10;

/// What was measured.
struct Recorded {
    /// Entries in a second.
    rate: f64,
    /// How long recording a hundred entries took: in the middle, and of a hundred times the longest.
    took: [Duration; 2],
}

/// Records what is offered, a hundred entries at a time.
fn offer(hub: &Hub) -> (f64, [Duration; 2]) {
    let headers = headers();
    let (hundreds, pause) = (OFFERED / 100 * SECONDS, Duration::from_secs(1) * 100 / OFFERED);
    let mut took = Vec::with_capacity(hundreds as usize);
    let start = Instant::now();
    for index in 0..hundreds {
        let begin = Instant::now();
        for _ in 0..100 {
            hub.record(call(hub.next_call(), &headers));
        }
        took.push(begin.elapsed());
        let next = start + pause * (index + 1);
        thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    let rate = f64::from(hundreds) * 100.0 / start.elapsed().as_secs_f64();
    took.sort();
    (rate, [took[took.len() / 2], took[took.len() * 99 / 100]])
}

/// Records beside a recording to a file and so many readers.
fn recorded(directory: &Path, readers: usize, stopped: usize) -> Recorded {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let place = directory.join(format!("readers-{readers}"));
    let recorded = runtime.block_on(async {
        let (disk, volumes) = DiskStore::open(&place.join("volumes")).expect("the root opens");
        let hub = Hub::new(Session::new(0, volumes), Box::new(disk.clone()), Bounds::default());
        let socket = place.join("control.sock");
        let config = ServerConfig {
            listen: Address::Unix(Some(place.join("plugin.sock"))),
            control: Address::Unix(Some(socket.clone())),
            paths: Paths { specs: vec![place.join("specs")], ..Paths::default() },
            ..ServerConfig::new("bench")
        };
        let server = Server::bind(&hub, disk, config).expect("the sockets are free");
        let shutdown = CancellationToken::new();
        let running = tokio::spawn(server.run(shutdown.clone()));
        let record = Config { record: Some(place.join("run.jsonl")), ..Config::default() };
        let recording = recording::RecordingHandle::start(&record, &hub).expect("a new file");
        let end = AtomicBool::new(false);
        let (rate, took) = thread::scope(|scope| {
            for index in 0..readers {
                let (socket, end) = (&socket, &end);
                scope.spawn(move || read(socket, index < stopped, end));
            }
            thread::sleep(Duration::from_millis(500));
            let offered = offer(&hub);
            end.store(true, Ordering::Relaxed);
            offered
        });
        shutdown.cancel();
        running.await.expect("it ends");
        if let Some(recording) = recording
            && let Err(error) = recording.finish().await
        {
            println!("  {error}");
        }
        Recorded { rate, took }
    });
    drop(fs::remove_dir_all(place));
    recorded
}

fn main() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let entries =
        std::env::var("ENTRIES").ok().and_then(|entries| entries.parse().ok()).unwrap_or(10_000_000);
    let path = directory.path().join("run.jsonl");
    write(&path, entries);
    println!("most memory while writing: {} MiB", peak());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    forget_peak();
    runtime.block_on(replay(&path, entries));
    drop(fs::remove_file(path));

    let mut none = None;
    for (readers, stopped) in [(0, 0), (1, 0), (50, 10)] {
        forget_peak();
        let Recorded { rate, took: [middle, longest] } = recorded(directory.path(), readers, stopped);
        let none = *none.get_or_insert(rate);
        println!(
            "{OFFERED} entries/s offered, {readers} readers, {stopped} of them stopped: {rate:.0} recorded, {:.3} of none; \
             a hundred in {middle:?}, 99 % within {longest:?}",
            rate / none
        );
        println!("  most memory: {} MiB", peak());
    }
}
