//! What many volumes cost: each figure with 100,000 volumes, or a tenth of it after an argument, and with few, in one run.
//!
//! * the console at 200×50: a frame after a mount, a key in the volumes pane, a frame while the volumes are sorted by their
//!   state, and a completed volume name;
//! * the program: Mount and Remove on its socket, and List with its memory.
//!
//! `cargo bench --bench volumes`.

#![expect(clippy::print_stdout, reason = "the result of a bench is what it prints")]

#[path = "support/screen.rs"]
mod screen;

use std::{
    fs,
    io::{Read, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crossterm::event::{KeyCode, KeyEvent};
use jiff::Timestamp;
use screen::Screen;
use voltergeist::{
    console::{layout::pane::Pane, model::Event, view},
    domain::{
        model::{
            entry::{Cause, Session},
            volume::{Change, Volumes},
        },
        state::journal::Bounds,
    },
    hub::{Hub, InMemoryStore},
};

const FEW: usize = 1_000;

fn main() {
    let many = std::env::args().find_map(|text| text.parse().ok()).unwrap_or(100_000);
    let (mut small, mut large) = (VolumeList::new(FEW), VolumeList::new(many));
    let in_turns =
        |small: &mut VolumeList, large: &mut VolumeList, measure: fn(&mut VolumeList) -> Duration| {
            let (mut with_few, mut with_many) = (Vec::new(), Vec::new());
            for _ in 0..200 {
                with_few.push(measure(small));
                with_many.push(measure(large));
            }
            [with_many, with_few]
        };
    for (what, prepare, measure) in [
        ("a frame after a mount", &[][..], VolumeList::frame_after_mount as fn(&mut VolumeList) -> Duration),
        ("a key in the list of volumes", &[], VolumeList::key_and_frame),
        ("the same, sorted by state", &[":sort state\r"], VolumeList::frame_after_mount),
        ("a completed name", &[":sort\r"], VolumeList::completion),
    ] {
        for text in prepare {
            small.press(text);
            large.press(text);
        }
        print(what, many, FEW, in_turns(&mut small, &mut large, measure));
    }
    let (with_few, with_many) = (Program::start(100), Program::start(many));
    let mut cycles: [[Vec<Duration>; 2]; 4] = Default::default();
    for number in 0..500 {
        for (which, program) in [&with_many, &with_few].into_iter().enumerate() {
            for (operation, times) in program.cycle(number).into_iter().zip(&mut cycles) {
                times[which].push(operation);
            }
        }
    }
    for (what, times) in ["Create", "Mount", "Unmount", "Remove"].into_iter().zip(cycles) {
        print(what, many, 100, times);
    }
    for program in [&with_few, &with_many] {
        program.list();
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn print(what: &str, many: usize, few: usize, [many_times, few_times]: [Vec<Duration>; 2]) {
    let slowest = many_times.iter().max().copied().unwrap_or_default();
    let (many_time, few_time) = (median(many_times), median(few_times));
    println!(
        "{what:<30} {many_time:>9.1?} with {many} volumes ({slowest:.1?} at most)   {few_time:>9.1?} with {few}   {:.2}×",
        many_time.as_secs_f64() / few_time.as_secs_f64()
    );
}

/// A console on a hub with volumes.
struct VolumeList {
    screen: Screen,
    mounts: usize,
    volumes: usize,
}

impl VolumeList {
    fn new(volumes: usize) -> Self {
        let hub = Hub::new(Session::new(7, Volumes::default()), Box::new(InMemoryStore), Bounds::default());
        for number in 0..volumes {
            let (name, options) = (format!("volume-{number:06}"), [].into_iter().collect());
            let created = Change::Created { name, options, at: Timestamp::UNIX_EPOCH };
            hub.change(&created, Cause::Command).expect("nothing is written");
        }
        let mut screen = Screen::new(hub);
        screen.app.focus = Pane::Volumes;
        screen.frame();
        Self { screen, mounts: 0, volumes }
    }

    fn frame_after_mount(&mut self) -> Duration {
        self.mounts += 1;
        let name = format!("volume-{:06}", self.mounts * 7919 % self.volumes);
        let mounted = Change::Mounted { name, id: "7f".into(), at: Timestamp::UNIX_EPOCH };
        self.screen.hub.change(&mounted, Cause::Command).expect("nothing is written");
        let start = Instant::now();
        self.screen.frame();
        start.elapsed()
    }

    fn key(&mut self, key: impl Into<KeyEvent>) {
        let (event, snapshot) = (Event::Key(key.into()), self.screen.hub.snapshot());
        view::prepare(&mut self.screen.app, &event, &snapshot);
        for effect in self.screen.app.update(event, &snapshot) {
            drop(effect);
        }
    }

    fn press(&mut self, text: &str) {
        for c in text.chars() {
            self.key(match c {
                '\t' => KeyCode::Tab,
                '\r' => KeyCode::Enter,
                '\x1b' => KeyCode::Esc,
                c => KeyCode::Char(c),
            });
        }
        self.screen.frame();
    }

    fn key_and_frame(&mut self) -> Duration {
        let start = Instant::now();
        self.key(KeyCode::Down);
        self.screen.frame();
        start.elapsed()
    }

    fn completion(&mut self) -> Duration {
        self.press(":forget volume-0");
        let start = Instant::now();
        self.key(KeyCode::Tab);
        self.screen.frame();
        let took = start.elapsed();
        self.press("\x1b\x1b");
        took
    }
}

/// The program with volumes on a disk.
struct Program {
    child: Child,
    socket: PathBuf,
    volumes: usize,
    _directory: tempfile::TempDir,
}

impl Program {
    fn start(volumes: usize) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let at = |name: &str| directory.path().join(name).display().to_string();
        let child = Command::new(env!("CARGO_BIN_EXE_voltergeist"))
            .args(["serve", "--sync=false", "--root", &at("volumes")])
            .args(["--listen", &format!("unix:{}", at("plugin.sock"))])
            .args(["--control", &format!("unix:{}", at("control.sock"))])
            .env("XDG_CONFIG_HOME", directory.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("voltergeist starts");
        let program =
            Self { child, socket: directory.path().join("plugin.sock"), volumes, _directory: directory };
        let mut stream = program.connect();
        for number in 0..volumes {
            call(&mut stream, "Create", &format!("{{\"Name\":\"volume-{number:06}\"}}"));
        }
        program
    }

    fn connect(&self) -> UnixStream {
        loop {
            match UnixStream::connect(&self.socket) {
                Ok(stream) => return stream,
                Err(_) => thread::sleep(Duration::from_millis(10)),
            }
        }
    }

    /// A volume in the middle of the others is created, mounted, unmounted and removed.
    fn cycle(&self, number: usize) -> [Duration; 4] {
        let mut stream = self.connect();
        let name = format!("volume-{:06}-{number}", self.volumes / 2);
        let body = format!("{{\"Name\":\"{name}\",\"ID\":\"7f\"}}");
        ["Create", "Mount", "Unmount", "Remove"].map(|operation| {
            let start = Instant::now();
            call(&mut stream, operation, &body);
            start.elapsed()
        })
    }

    /// Lists all volumes, and prints when the reply began and ended, and how much memory it took.
    fn list(&self) {
        let memory = |field| kibibytes(&self.child, field);
        // The highest memory from now on.
        fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5").expect("Linux resets it");
        let before = memory("VmRSS:");
        let mut stream = self.connect();
        let start = Instant::now();
        send(&mut stream, "List", "{}");
        let mut chunk = vec![0; 256 * 1024];
        let mut read = stream.read(&mut chunk).expect("a reply comes");
        let first = start.elapsed();
        let head = String::from_utf8_lossy(&chunk[..read]).to_ascii_lowercase();
        let (head, body) = head.split_once("\r\n\r\n").expect("the head is short");
        let length =
            head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
        let length = length.expect("the length is known");
        let mut left = length - body.len();
        while left > 0 {
            read = stream.read(&mut chunk).expect("more comes");
            assert_ne!(read, 0, "the reply is cut off");
            left -= read;
        }
        println!(
            "List of {} volumes: {length} bytes, the first after {first:.1?}, all after {:.1?}; {} KiB more memory meanwhile",
            self.volumes,
            start.elapsed(),
            memory("VmHWM:").saturating_sub(before)
        );
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn kibibytes(child: &Child, field: &str) -> u64 {
    let path = Path::new("/proc").join(child.id().to_string()).join("status");
    let status = fs::read_to_string(path).expect("it runs");
    let line = status.lines().find(|line| line.starts_with(field)).expect("a line of that kind");
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
}

fn send(stream: &mut UnixStream, operation: &str, body: &str) {
    let length = body.len();
    let head =
        format!("POST /VolumeDriver.{operation} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n");
    stream.write_all((head + body).as_bytes()).expect("the program reads");
}

/// Sends a request, and reads its reply, which is short.
fn call(stream: &mut UnixStream, operation: &str, body: &str) {
    send(stream, operation, body);
    let mut reply = [0; 4096];
    let read = stream.read(&mut reply).expect("a reply comes");
    assert!(reply[..read].starts_with(b"HTTP/1.1 200"), "{}", reply[..read].escape_ascii());
}
