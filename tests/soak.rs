//! The real program at full speed, with everything that users and engines do to it at once: its counters lie between what
//! was answered and what was sent, its memory is bounded, and no descriptor is lost.
//!
//! It takes ten seconds. `VOLTERGEIST_SOAK=600 VOLTERGEIST_SOAK_SEED=7 cargo test --test soak -- --nocapture` takes ten
//! minutes with the random choices of another seed.

mod support;

use std::{
    env, fs,
    io::{Read as _, Write as _},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use support::{TIMEOUT, http, pty::Terminal, wait_for};

/// How many clients call at once.
const CLIENTS: usize = 4;
/// How much more memory than at its beginning the program may have, in KiB: the journal is bounded by 64 MiB.
const MORE_MEMORY: u64 = 200 * 1024;

/// The random choices: xorshift.
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % below as u64).expect("it is below")
    }

    fn choose<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.next(choices.len())]
    }
}

/// What the clients know.
#[derive(Default)]
struct Tally {
    /// Requests of which every byte was written.
    sent: AtomicU64,
    /// Those of them that were answered.
    answered: AtomicU64,
    /// Those of them whose connection ended first.
    cut: AtomicU64,
}

/// Sends one request on a connection, and reads the reply. None if the connection ended, and whether the request was sent.
fn call(stream: &mut UnixStream, path: &str, body: &str) -> Result<u16, bool> {
    let length = body.len();
    let request = format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).map_err(|_| false)?;
    let (mut reply, mut chunk) = (Vec::new(), [0; 8192]);
    loop {
        let read = stream.read(&mut chunk).map_err(|_| true)?;
        if read == 0 {
            return Err(true);
        }
        reply.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&reply);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let promised = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        if promised.is_some_and(|promised: usize| body.len() >= promised) {
            return Ok(head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status"));
        }
    }
}

/// Calls until the end, and connects again whenever the connection ends.
fn client(socket: &Path, seed: u64, sent: &Tally, ended: &AtomicBool) {
    let mut random = Random(seed);
    while !ended.load(Ordering::Relaxed) {
        let Ok(mut stream) = UnixStream::connect(socket) else {
            thread::sleep(Duration::from_millis(1));
            continue;
        };
        stream.set_read_timeout(Some(TIMEOUT)).expect("a timeout");
        for _ in 0..=random.next(2000) {
            let name = format!("v{}", random.next(20));
            let (path, body) = match random.next(20) {
                0 => ("Plugin.Activate", String::new()),
                1 => ("VolumeDriver.Capabilities", "{}".into()),
                2 => ("VolumeDriver.List", "{}".into()),
                3 => ("VolumeDriver.Create", format!("{{\"Name\":\"{name}\",\"Opts\":{{\"a\":\"b\"}}}}")),
                4 => ("VolumeDriver.Mount", format!("{{\"Name\":\"{name}\",\"ID\":\"7f\"}}")),
                5 => ("VolumeDriver.Unmount", format!("{{\"Name\":\"{name}\",\"ID\":\"7f\"}}")),
                6 => ("VolumeDriver.Remove", format!("{{\"Name\":\"{name}\"}}")),
                7 => ("VolumeDriver.Path", format!("{{\"Name\":\"{name}\"}}")),
                _ => ("VolumeDriver.Get", format!("{{\"Name\":\"{name}\"}}")),
            };
            let result = call(&mut stream, &format!("/{path}"), &body);
            match result {
                Ok(_) => sent.answered.fetch_add(1, Ordering::Relaxed),
                Err(true) => sent.cut.fetch_add(1, Ordering::Relaxed),
                Err(false) => break,
            };
            sent.sent.fetch_add(1, Ordering::Relaxed);
            if result.is_err() || ended.load(Ordering::Relaxed) {
                break;
            }
        }
    }
}

/// Attaches to the entries and leaves again, over and over.
fn reader(socket: &Path, seed: u64, ended: &AtomicBool) {
    let mut random = Random(seed);
    while !ended.load(Ordering::Relaxed) {
        let path = random.choose(&["/v1/entries/stream", "/v1/state", "/v1/entries?limit=50", "/metrics"]);
        let Ok(mut stream) = http::send(socket, "GET", path, "") else { continue };
        let mut chunk = vec![0; 64 * 1024];
        for _ in 0..random.next(40) {
            if !matches!(stream.read(&mut chunk), Ok(1..)) || ended.load(Ordering::Relaxed) {
                break;
            }
        }
    }
}

/// A program in a terminal.
struct Soak {
    directory: PathBuf,
    terminal: Terminal,
}

impl Soak {
    fn command(&self, line: &str) {
        let result = http::request(&self.directory.join("control.sock"), "POST", "/v1/commands", line);
        let (status, text) = result.expect("the control API answers");
        assert_eq!(status, 200, "{line}: {text}");
    }

    fn state(&self) -> Value {
        let result = http::request(&self.directory.join("control.sock"), "GET", "/v1/state", "");
        serde_json::from_str(&result.expect("the control API answers").1).expect("it is JSON")
    }

    fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.terminal.pid())).expect("it runs");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("a line of that kind");
        line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
    }

    fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.terminal.pid())).expect("it runs").count()
    }

    /// The finished requests of all operations and outcomes.
    fn counted(&self) -> u64 {
        let metrics = http::request(&self.directory.join("control.sock"), "GET", "/metrics", "");
        let metrics = metrics.expect("the control API answers").1;
        let counters = metrics.lines().filter(|line| line.starts_with("voltergeist_requests_total{"));
        counters
            .map(|line| line.rsplit(' ').next().and_then(|n| n.parse::<u64>().ok()).expect("a count"))
            .sum()
    }
}

#[test]
fn counters_equal_what_was_sent_and_nothing_grows_under_everything_at_once() {
    let number = |name: &str, default: u64| {
        env::var(name).map_or(default, |text| text.parse().expect("the variable is a number"))
    };
    let (seconds, seed) = (number("VOLTERGEIST_SOAK", 10), number("VOLTERGEIST_SOAK_SEED", 1));
    let directory = tempfile::tempdir().expect("a temporary directory");
    let terminal = Terminal::start(120, 40, directory.path(), &["--sync=false", "--seed", "7"], &[]);
    let mut soak = Soak { directory: directory.path().to_owned(), terminal };
    soak.terminal.wait_for_text("No calls yet");
    let (memory, descriptors) = (soak.memory(), soak.descriptors());
    let (sent, ended) = (Tally::default(), AtomicBool::new(false));
    let mut most_memory = memory;
    let (plugin, control) = (directory.path().join("plugin.sock"), directory.path().join("control.sock"));
    thread::scope(|scope| {
        for client_number in 0..CLIENTS as u64 {
            let (plugin, sent, ended) = (&plugin, &sent, &ended);
            scope.spawn(move || client(plugin, (seed << 8) + client_number + 1, sent, ended));
        }
        for reader_number in 0..2 {
            let (control, ended) = (&control, &ended);
            scope.spawn(move || reader(control, (seed << 8) + 100 + reader_number, ended));
        }
        let mut random = Random(seed + 1000);
        let until = Instant::now() + Duration::from_secs(seconds);
        // If an assertion fails, the others must end too.
        let stop = Stop(&ended);
        while Instant::now() < until {
            match random.next(12) {
                0..=3 => soak.command(random.choose(&[
                    "arm get 10%: fail \"no\"",
                    "arm mount: delay 2ms",
                    "arm list 50%: empty",
                    "arm any 1%: reset",
                    "arm create 20%: eof after",
                    "arm get nth 3: hang for 20ms",
                    "arm path: drip 5ms",
                    "arm remove: pass twice",
                ])),
                4 => soak.command("disarm all"),
                5 => soak.command("release all"),
                6 => {
                    let kind = random.choose(&["refuse", "unlink", "blackhole", "reset"]);
                    soak.command(&format!("down {kind}"));
                    soak.command("up");
                }
                7 => soak.command(random.choose(&["crash keep", "crash lose", "wipe"])),
                8 => {
                    let (columns, rows) = (40 + random.next(160), 10 + random.next(40));
                    soak.terminal
                        .resize(u16::try_from(columns).expect("few"), u16::try_from(rows).expect("few"));
                }
                9 => soak
                    .terminal
                    .press(random.choose(&["g", "G", "z", "\t", "j", "k", "s", "\x1b", "/v1\r", "/\r"])),
                10 => soak.command("seed 5"),
                _ => soak.command("note it goes on"),
            }
            most_memory = most_memory.max(soak.memory());
            thread::sleep(Duration::from_millis(random.next(60) as u64));
        }
        soak.command("disarm all");
        soak.command("release all");
        drop(stop);
    });
    let (sent, answered, cut) = (sent.sent.into_inner(), sent.answered.into_inner(), sent.cut.into_inner());
    // A request that was cut may not have been read: it was sent to a driver that was down, or was never accepted.
    let settled = wait_for(TIMEOUT, || {
        let counted = soak.counted();
        ((answered..=sent).contains(&counted) && soak.state()["held"] == serde_json::json!([]))
            .then_some(counted)
    });
    let counted =
        settled.unwrap_or_else(|| panic!("{} counted, {sent} sent, {cut} of them cut", soak.counted()));
    let lost = wait_for(TIMEOUT, || (soak.descriptors() <= descriptors + 2).then_some(()));
    assert!(lost.is_some(), "{} descriptors, {descriptors} at the beginning", soak.descriptors());
    assert!(most_memory < memory + MORE_MEMORY, "{most_memory} KiB, {memory} KiB at the beginning");
    eprintln!(
        "{seconds} s, seed {seed}: {sent} sent, {answered} answered, {cut} cut, {counted} counted; {memory} KiB at first, \
         {most_memory} KiB at most, {} KiB at the end; {descriptors} and {} descriptors",
        soak.memory(),
        soak.descriptors()
    );
    soak.terminal.signal(rustix::process::Signal::TERM);
    assert_eq!(soak.terminal.wait_for_end().exit_code(), 143);
    soak.terminal.assert_restored();
}

/// Ends the clients when it is dropped.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
