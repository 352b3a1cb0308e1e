//! A reader of the entries that looks for the request of each call.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

use crate::support::http;

/// What the entries say.
#[derive(Default)]
pub struct EntryReader {
    /// The calls.
    pub calls: u64,
    /// For each client, how often each of its requests is in a call.
    pub requests: Vec<Vec<u8>>,
    /// The calls without a request in it, since the connection ended before its body was read.
    pub unread: u64,
    /// The entries that were not seen, since they left the journal too early.
    pub missed: u64,
}

/// The number after a piece of text, and what follows it.
fn number_after<'t>(text: &'t str, before: &str) -> Option<(usize, &'t str)> {
    let text = &text[text.find(before)? + before.len()..];
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

impl EntryReader {
    /// Reads the stream until all has ended, and keeps the number of the latest entry in `seen`.
    pub fn read(mut self, control: &Path, seen: &AtomicU64, ended: &AtomicBool) -> Self {
        let stream = http::send(control, "GET", "/v1/entries/stream?heartbeat=true", "").expect("it is sent");
        let mut is_missed = false;
        for line in BufReader::with_capacity(1 << 20, stream).lines() {
            let (Ok(line), false) = (line, ended.load(Ordering::Relaxed)) else { break };
            match line.split_once(": ").or_else(|| line.split_once(':')) {
                Some(("event", event)) => is_missed = event == "missed",
                Some(("data", missed)) if is_missed => {
                    self.missed += missed.parse::<u64>().expect("a number");
                    is_missed = false;
                }
                Some(("data", entry)) => self.take(entry),
                Some(("id", id)) => seen.store(id.parse().expect("a number"), Ordering::Relaxed),
                _ => {}
            }
        }
        self
    }

    fn take(&mut self, entry: &str) {
        if !entry.contains("\"kind\":\"call\"") {
            return;
        }
        self.calls += 1;
        let Some((client, rest)) = number_after(entry, "\\\"Request\\\":\\\"") else {
            self.unread += 1;
            return;
        };
        let (request, _) = number_after(rest, "-").expect("a number");
        if self.requests.len() <= client {
            self.requests.resize_with(client + 1, Vec::new);
        }
        let requests = &mut self.requests[client];
        if requests.len() <= request {
            requests.resize(request + 1, 0);
        }
        requests[request] += 1;
    }

    /// How often a request is in a call.
    pub fn times(&self, client: usize, request: usize) -> u8 {
        self.requests.get(client).and_then(|requests| requests.get(request)).copied().unwrap_or(0)
    }
}
