//! What one entry costs, and what one frame costs, as ratios within one run:
//!
//! * recording an entry in the hub, against pushing the same entry into a locked `VecDeque`;
//! * a frame of 200×50 with 100,000 entries in the journal, against one with 1,000, as a list and in groups;
//! * a key of a rule being typed, with its dry run over 100,000 entries beside the event loop;
//! * what 100,000 entries weigh.
//!
//! `cargo bench --bench hub`.

#![expect(clippy::print_stdout, reason = "the result of a bench is what it prints")]

#[path = "support/screen.rs"]
mod screen;

use std::{
    collections::VecDeque,
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use crossterm::event::KeyCode;
use parking_lot::Mutex;
use screen::Screen;
use voltergeist::{
    console::model::{Event, grouped_list::GroupedList},
    domain::{
        model::{
            entry::{Body, Call, Entry, EntryKind, Headers, Outcome, Session},
            protocol::{Caller, Operation},
            volume::Volumes,
        },
        state::journal::Bounds,
    },
    hub::{Hub, InMemoryStore},
};

fn call(headers: &Headers) -> EntryKind {
    EntryKind::Call(Box::new(Call {
        number: 1,
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

fn hub(entries: usize) -> Arc<Hub> {
    let hub = Hub::new(Session::new(7, Volumes::default()), Box::new(InMemoryStore), Bounds::default());
    let headers = headers();
    for _ in 0..entries {
        hub.record(call(&headers));
    }
    hub
}

/// The middle and the 99th percentile of some durations.
fn percentiles(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort();
    (times[times.len() / 2], times[times.len() * 99 / 100])
}

fn recording() {
    const BATCH: usize = 10_000;
    let headers = headers();
    // Full, so that each entry that comes lets one go, as in a long run.
    let hub = hub(100_000);
    let bare: Mutex<VecDeque<Arc<Entry>>> = Mutex::default();
    let (mut recorded, mut pushed) = (Vec::new(), Vec::new());
    for _ in 0..40 {
        let kinds: Vec<EntryKind> = (0..BATCH).map(|_| call(&headers)).collect();
        let start = Instant::now();
        for kind in kinds {
            black_box(hub.record(kind));
        }
        recorded.push(start.elapsed() / BATCH as u32);
        let kinds: Vec<EntryKind> = (0..BATCH).map(|_| call(&headers)).collect();
        let start = Instant::now();
        for kind in kinds {
            let at = hub.now();
            let mut ring = bare.lock();
            ring.push_back(Arc::new(Entry::new(0, at, kind)));
            if ring.len() > 100_000 {
                ring.pop_front();
            }
        }
        pushed.push(start.elapsed() / BATCH as u32);
    }
    let (recorded, pushed) = (percentiles(recorded).0, percentiles(pushed).0);
    println!(
        "recording an entry     {recorded:>9.0?}   a bare locked ring {pushed:>9.0?}   {:.1}×",
        recorded.as_secs_f64() / pushed.as_secs_f64()
    );
}

/// A console on a hub with calls.
struct Calls {
    screen: Screen,
    headers: Headers,
}

impl Calls {
    fn new(entries: usize, is_folded: bool) -> Self {
        let mut calls = Self { screen: Screen::new(hub(entries)), headers: headers() };
        calls.frame();
        if is_folded {
            calls.screen.app.grouped_list = Some(GroupedList::of(&calls.screen.app.calls));
            let start = Instant::now();
            calls.frame();
            println!("folding {entries:>7} calls {:>9.0?}", start.elapsed());
        }
        calls
    }

    /// Something new, then the time of the frame that shows it.
    fn frame(&mut self) -> Duration {
        self.screen.hub.record(call(&self.headers));
        let start = Instant::now();
        self.screen.frame();
        start.elapsed()
    }
}

fn frames(is_folded: bool) {
    let (mut small, mut large) = (Calls::new(1_000, is_folded), Calls::new(100_000, is_folded));
    let (mut few, mut many) = (Vec::new(), Vec::new());
    for _ in 0..2_000 {
        few.push(small.frame());
        many.push(large.frame());
    }
    let ((few, _), (many, slowest)) = (percentiles(few), percentiles(many));
    println!(
        "a frame, 100,000 kept  {many:>9.0?}   with 1,000 kept    {few:>9.0?}   {:.2}×   99% within {slowest:.0?}",
        many.as_secs_f64() / few.as_secs_f64()
    );
}

/// Types a rule. The dry runs go through the journal on another thread; a key waits for none of them.
fn typing() {
    let mut calls = Calls::new(100_000, false);
    let mut keys = Vec::new();
    for c in ":arm get where volume=db*: null".chars() {
        let start = Instant::now();
        let screen = &mut calls.screen;
        screen.app.update(Event::Key(KeyCode::Char(c).into()), &screen.hub.snapshot());
        calls.frame();
        keys.push(start.elapsed());
    }
    let rule = "get where volume=db*: null".parse().expect("a rule");
    let start = Instant::now();
    black_box(calls.screen.hub.dry_run(&rule));
    let (dry_run, (_, slowest)) = (start.elapsed(), percentiles(keys));
    println!("a key of a typed rule  {slowest:>9.0?}   its dry run         {dry_run:>9.0?}");
}

/// How much memory this process has, in bytes.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").expect("Linux shows a process its size");
    pages.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).expect("a number of pages") * 4096
}

fn weight() {
    let before = resident();
    let hub = hub(100_000);
    let grown = resident() - before;
    let (entries, first) = hub.entries_after(0, usize::MAX);
    let bytes: usize = entries.iter().map(|entry| entry.size_estimate()).sum();
    let mebibytes = |bytes: usize| bytes as f64 / 1_048_576.0;
    println!(
        "{} entries kept, the oldest {first}, weigh {:.1} MiB   the process grew by {:.1} MiB",
        entries.len(),
        mebibytes(bytes),
        mebibytes(grown)
    );
}

fn main() {
    // First, while the allocator has nothing to reuse.
    weight();
    recording();
    frames(false);
    frames(true);
    typing();
}
