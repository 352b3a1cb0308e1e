//! The real program at full speed, with everything that users and engines do to it at once: its entries and counters are
//! what the clients sent, its memory is bounded, and no descriptor is lost. One has volumes of its own, and one is in front
//! of another plugin, which is killed and started again.
//!
//! Each request has a number that is in its entry. So for each one that was answered there is exactly one call. A request
//! whose connection was cut was received or not: there is one call or none. Nothing else is counted, and where nothing is
//! cut, the counters grow by exactly what was sent.
//!
//! It takes ten seconds. `VOLTERGEIST_SOAK=600 VOLTERGEIST_SOAK_SEED=7 cargo test --test soak -- --nocapture` takes ten
//! minutes with the random choices of another seed.

mod client;
mod program;
mod random;
mod reader;
#[path = "../support/mod.rs"]
mod support;

use std::{
    env, fmt,
    path::Path,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use client::{Client, RequestEnd};
use program::{Program, Upstream};
use random::Random;
use reader::EntryReader;
use support::{TIMEOUT, http, wait_for};

/// How many clients call at once.
const CLIENTS: usize = 4;
/// How much more memory than at its beginning the program may have, in KiB: the journal is bounded by 64 MiB.
const MORE_MEMORY: u64 = 200 * 1024;
/// The reader may miss one in so many entries: then nearly every request is compared with its call.
const MISSED_SHARE: u64 = 100;

/// Rules that cut connections, and rules that do not.
const CUTTING: [&str; 2] = ["arm any 1%: reset", "arm create 20%: eof after"];
const NOT_CUTTING: [&str; 6] = [
    "arm get 10%: fail \"no\"",
    "arm mount: delay 2ms",
    "arm list 50%: empty",
    "arm get nth 3: hang for 20ms",
    "arm path: drip 5ms",
    "arm remove: pass twice",
];

/// Attaches to the entries and leaves again, over and over.
fn read_now_and_then(control: &Path, seed: u64, ended: &AtomicBool) {
    use std::io::Read as _;
    let mut random = Random(seed);
    while !ended.load(Ordering::Relaxed) {
        let path = random.choose(&["/v1/entries/stream", "/v1/state", "/v1/entries?limit=50", "/metrics"]);
        let Ok(mut stream) = http::send(control, "GET", path, "") else { continue };
        let mut chunk = vec![0; 64 * 1024];
        for _ in 0..random.next(40) {
            if !matches!(stream.read(&mut chunk), Ok(1..)) || ended.load(Ordering::Relaxed) {
                break;
            }
        }
    }
}

/// One random thing that a user or an engine does.
fn disturb(program: &mut Program, upstream: Option<&mut Upstream>, random: &mut Random) {
    match (random.next(14), upstream) {
        (0..=3, _) => program.command(random.choose(&NOT_CUTTING)),
        (4, _) => program.command(random.choose(&CUTTING)),
        (5, _) => program.command("disarm all"),
        (6, _) => program.command("release all"),
        (7, _) => {
            let kind = random.choose(&["refuse", "unlink", "blackhole", "reset"]);
            program.command(&format!("down {kind}"));
            program.command("up");
        }
        (8, Some(upstream)) => {
            upstream.kill();
            // Not a wait for a condition: so long the clients call while there is no upstream.
            thread::sleep(Duration::from_millis(random.next(100) as u64));
            upstream.start();
        }
        (8, None) => program.command(random.choose(&["crash lose", "wipe"])),
        (9, _) => program.command("crash keep"),
        (10, _) => {
            let [columns, rows] =
                [40 + random.next(160), 10 + random.next(40)].map(|cells| u16::try_from(cells).expect("few"));
            program.terminal.resize(columns, rows);
        }
        (11, _) => {
            program
                .terminal
                .press(random.choose(&["g", "G", "z", "\t", "j", "k", "s", "\x1b", "/v1\r", "/\r"]));
        }
        (12, Some(_)) => program.try_command(random.choose(&["forget v1", "restore v1", "conjure v1"])),
        (12, None) => program.command("seed 5"),
        _ => program.command("note it goes on"),
    }
}

/// Lets the clients call for a time, and something else happen meanwhile, over and over.
fn call_for(time: Duration, plugin: &Path, clients: &mut [Client], mut meanwhile: impl FnMut()) {
    let (ended, start) = (AtomicBool::new(false), Instant::now());
    thread::scope(|scope| {
        // If an assertion fails, the clients must end too.
        let stop = Stop(&ended);
        for client in clients {
            let ended = &ended;
            scope.spawn(move || client.call_until(ended, plugin));
        }
        while start.elapsed() < time {
            meanwhile();
        }
        drop(stop);
    });
}

/// How many requests there were with each end.
fn sum(clients: &[Client]) -> [u64; 2] {
    [RequestEnd::Answered, RequestEnd::Cut].map(|end| clients.iter().map(|client| client.count(end)).sum())
}

/// Compares the entries with what the clients know, and returns how many requests that were cut have a call.
///
/// An answered request is without a call only if the reader missed its entry.
fn compare(reader: &EntryReader, clients: &[Client]) -> u64 {
    let (mut received, mut without_call) = (reader.unread, 0);
    for client in clients {
        for (request, end) in client.requests.iter().enumerate() {
            let times = reader.times(client.number, request);
            let is_right = match end {
                RequestEnd::Answered => times == 1 || reader.missed > 0,
                RequestEnd::Cut => true,
            } && times <= 1;
            assert!(is_right, "request {request} of client {} was {end:?}: {times} calls", client.number);
            received += u64::from(times == 1 && *end == RequestEnd::Cut);
            without_call += u64::from(times == 0 && *end == RequestEnd::Answered);
        }
        let (sent, found) = (client.requests.len(), reader.requests.get(client.number).map_or(0, Vec::len));
        assert!(found <= sent, "client {} sent {sent}, not {found}", client.number);
    }
    let missed = reader.missed;
    assert!(without_call <= missed, "{without_call} answered without a call, {missed} entries missed");
    let [_, cut] = sum(clients);
    assert!(received <= cut, "{received} of {cut} that were cut");
    received
}

fn soak(name: &str, mut upstream: Option<Upstream>) {
    let number = |name: &str, default: u64| {
        env::var(name).map_or(default, |text| text.parse().expect("the variable is a number"))
    };
    let (seconds, seed) = (number("VOLTERGEIST_SOAK", 10), number("VOLTERGEIST_SOAK_SEED", 1));
    let mut program = Program::start(upstream.as_ref());
    let (plugin, control) = (program.plugin(), program.control());
    let descriptors = program.descriptors();
    let mut memory = Samples::new(program.memory());
    let mut clients: Vec<Client> = (0..CLIENTS).map(|number| Client::new(number, seed)).collect();
    let (ended, latest) = (AtomicBool::new(false), AtomicU64::new(0));
    let (reader, entries, counted, quiet) = thread::scope(|scope| {
        let stop = Stop(&ended);
        for number in 0..2 {
            let (control, ended) = (&control, &ended);
            scope.spawn(move || read_now_and_then(control, (seed << 8) + 100 + number, ended));
        }
        let reader = scope.spawn(|| EntryReader::default().read(&control, &latest, &ended));

        let mut random = Random(seed + 1000);
        let with_faults = Duration::from_millis(seconds * 900);
        call_for(with_faults, &plugin, &mut clients, || {
            disturb(&mut program, upstream.as_mut(), &mut random);
            memory.push(program.memory());
            // Not a wait for a condition: the pace of the disturbances, between which the clients call.
            thread::sleep(Duration::from_millis(random.next(60) as u64));
        });
        for line in ["disarm all", "release all"] {
            program.command(line);
        }
        program.try_command("up");
        upstream.iter().for_each(Upstream::wait);
        program::wait_for_plugin(&plugin);
        let before_quiet = program.counted();
        let before = sum(&clients);

        for line in NOT_CUTTING {
            program.command(line);
        }
        call_for(Duration::from_millis(seconds * 100), &plugin, &mut clients, || {
            memory.push(program.memory());
            // Not a wait for a condition: the pace of the samples while the clients call.
            thread::sleep(Duration::from_millis(20));
        });
        let counted = program.counted();
        let after = sum(&clients);
        assert_eq!(after[1], before[1], "a connection was cut for no reason");
        assert_eq!(counted - before_quiet, after[0] - before[0], "what was counted is not what was sent");

        let last = program.state()["journal"]["next"].as_u64().expect("a number") - 1;
        let read = wait_for(TIMEOUT, || (latest.load(Ordering::Relaxed) >= last).then_some(()));
        assert!(read.is_some(), "entry {last} does not come to the reader");
        drop(stop);
        (reader.join().expect("the reader ends"), last, counted, counted - before_quiet)
    });

    let [answered, cut] = sum(&clients);
    let received = compare(&reader, &clients);
    let lost = wait_for(TIMEOUT, || (program.descriptors() <= descriptors + 2).then_some(()));
    eprintln!(
        "{name}, {seconds} s, seed {seed}: {answered} answered ({} a second), {cut} cut and {received} of these received, \
         {counted} counted, {quiet} of these while nothing was cut; {} of {entries} entries missed; {} starts of the upstream; \
         KiB of memory: {memory}; {descriptors} descriptors at first, {} at the end",
        answered / seconds,
        reader.missed,
        upstream.as_ref().map_or(0, |upstream| upstream.starts),
        program.descriptors()
    );
    let (calls, missed) = (reader.calls, reader.missed);
    assert!(missed <= entries / MISSED_SHARE, "{missed} of {entries} entries missed: the reader is too slow");
    // Each request that was counted has one call, which the reader has seen or missed.
    assert!((calls..=calls + missed).contains(&counted), "{counted} counted, {calls} calls, {missed} missed");
    let known = answered + received;
    assert!((known..=known + missed).contains(&counted), "{counted} counted, {known} known, {missed} missed");
    assert!((answered..=answered + cut).contains(&counted), "{counted} counted");
    assert!(lost.is_some(), "{} descriptors, {descriptors} at the beginning", program.descriptors());
    assert!(memory.most < memory.first + MORE_MEMORY, "{memory}");
    program.terminal.signal(rustix::process::Signal::TERM);
    assert_eq!(program.terminal.wait_for_end().exit_code(), 143);
    program.terminal.assert_restored();
}

#[test]
fn entries_and_counters_are_what_was_sent_and_nothing_grows_under_everything_at_once() {
    soak("built-in driver", None);
}

#[test]
fn the_same_holds_in_front_of_a_plugin_that_is_killed_and_started_again() {
    soak("upstream", Some(Upstream::new()));
}

/// How much memory the program had.
struct Samples {
    first: u64,
    most: u64,
    all: Vec<u64>,
}

impl Samples {
    fn new(first: u64) -> Self {
        Self { first, most: first, all: vec![first] }
    }

    fn push(&mut self, sample: u64) {
        self.most = self.most.max(sample);
        self.all.push(sample);
    }
}

impl fmt::Display for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (middle, last) = (self.all[self.all.len() / 2], self.all[self.all.len() - 1]);
        write!(f, "{} at first, {middle} in the middle, {last} at the end, {} at most", self.first, self.most)
    }
}

/// Ends the threads when it is dropped.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
