//! Clients that call as fast as they can, and know what became of each request.

use std::{
    io::{Read as _, Write as _},
    os::unix::net::UnixStream,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use crate::{
    random::Random,
    support::{TIMEOUT, wait_for},
};

/// What a client knows of a request that was written in full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestEnd {
    Answered,
    /// The connection ended before the reply did. The request was received or not.
    Cut,
}

/// A client, and its requests by their numbers.
pub struct Client {
    pub number: usize,
    pub requests: Vec<RequestEnd>,
    random: Random,
}

impl Client {
    pub fn new(number: usize, seed: u64) -> Self {
        Self { number, requests: Vec::new(), random: Random((seed << 8) + number as u64 + 1) }
    }

    pub fn count(&self, end: RequestEnd) -> u64 {
        self.requests.iter().filter(|request| **request == end).count() as u64
    }

    /// Calls until the end, and connects again whenever the connection ends.
    pub fn call_until(&mut self, ended: &AtomicBool, socket: &Path) {
        let has_ended = || ended.load(Ordering::Relaxed);
        while !has_ended() {
            let connect_or_end = || match UnixStream::connect(socket) {
                Ok(stream) => Some(Some(stream)),
                Err(_) => has_ended().then_some(None),
            };
            let connected = wait_for(TIMEOUT, connect_or_end).expect("the plugin listens again");
            let Some(mut stream) = connected else { break };
            stream.set_read_timeout(Some(TIMEOUT)).expect("a timeout");
            for _ in 0..=self.random.next(2000) {
                let (path, body) = self.request();
                let Some(end) = call(&mut stream, path, &body) else { break };
                self.requests.push(end);
                if end == RequestEnd::Cut || has_ended() {
                    break;
                }
            }
        }
    }

    /// A request in which its number is, so that its entry can be found.
    fn request(&mut self) -> (&'static str, String) {
        let name = format!("v{}", self.random.next(20));
        let (path, fields) = match self.random.next(20) {
            0 => ("Plugin.Activate", String::new()),
            1 => ("VolumeDriver.Capabilities", String::new()),
            2 => ("VolumeDriver.List", String::new()),
            3 => ("VolumeDriver.Create", format!("\"Name\":\"{name}\",\"Opts\":{{\"a\":\"b\"}},")),
            4 => ("VolumeDriver.Mount", format!("\"Name\":\"{name}\",\"ID\":\"7f\",")),
            5 => ("VolumeDriver.Unmount", format!("\"Name\":\"{name}\",\"ID\":\"7f\",")),
            6 => ("VolumeDriver.Remove", format!("\"Name\":\"{name}\",")),
            7 => ("VolumeDriver.Path", format!("\"Name\":\"{name}\",")),
            _ => ("VolumeDriver.Get", format!("\"Name\":\"{name}\",")),
        };
        (path, format!("{{{fields}\"Request\":\"{}-{}\"}}", self.number, self.requests.len()))
    }
}

/// Sends one request on a connection, and reads the reply. None if not every byte of it was written.
fn call(stream: &mut UnixStream, path: &str, body: &str) -> Option<RequestEnd> {
    let length = body.len();
    let request = format!("POST /{path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).ok()?;
    let (mut reply, mut chunk) = (Vec::new(), [0; 8192]);
    loop {
        let Ok(read @ 1..) = stream.read(&mut chunk) else { return Some(RequestEnd::Cut) };
        reply.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&reply);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let promised = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        if promised.is_some_and(|promised: usize| body.len() >= promised) {
            return Some(RequestEnd::Answered);
        }
    }
}
