//! How a connection ends, and what its calls and its task share.

use std::{
    future::{pending, poll_fn},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::driver::upstream::connection::UpstreamConnection;
use crate::{
    domain::model::{entry::Headers, peer::Peer},
    hub::OpenConnection,
    net::{RequestProgress, RequestUnderWay},
};

/// How a connection ends without a reply, or in the middle of one. A handler that returns it gets the connection cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Disconnect {
    /// The peer reads end of file.
    #[error("the connection is closed")]
    Eof,
    /// The peer gets `ECONNRESET`.
    #[error("the connection is reset")]
    Reset,
}

/// Controls a connection: shared by its calls and its task.
#[derive(Debug)]
pub struct ConnectionControl {
    number: u64,
    peer: Option<Arc<Peer>>,
    /// Whether the next call is the first of its peer.
    first_contact: AtomicBool,
    /// Whether a request has arrived.
    has_begun: AtomicBool,
    /// The headers of the latest request.
    headers: Mutex<Headers>,
    requests: Arc<RequestProgress>,
    /// How many calls are held.
    held: AtomicU32,
    /// Whether the peer's end would be noticed: whether the last read waits for more.
    pub(super) is_reading: AtomicBool,
    pub(super) reset: AtomicBool,
    pub(super) flushed: Notify,
    closed_by_server: OnceLock<&'static str>,
    upstream: OnceLock<Arc<UpstreamConnection>>,
    /// Whether the next reply is written as HTTP/1.0 and sent as HTTP/1.1.
    pub(super) next_as_http_11: AtomicBool,
}

impl ConnectionControl {
    /// The control of a connection with this number: connections are numbered from 1 as they are accepted.
    pub fn new(number: u64) -> Self {
        Self {
            number,
            peer: None,
            first_contact: AtomicBool::new(false),
            has_begun: AtomicBool::new(false),
            headers: Mutex::default(),
            requests: Arc::default(),
            held: AtomicU32::new(0),
            is_reading: AtomicBool::new(false),
            reset: AtomicBool::new(false),
            flushed: Notify::new(),
            closed_by_server: OnceLock::new(),
            upstream: OnceLock::new(),
            next_as_http_11: AtomicBool::new(false),
        }
    }

    /// The control of an open connection.
    pub fn of(connection: &OpenConnection) -> Self {
        let OpenConnection { number, peer, is_first, .. } = connection;
        Self { peer: peer.clone(), first_contact: AtomicBool::new(*is_first), ..Self::new(*number) }
    }

    /// Who connected, if the system says.
    pub fn peer(&self) -> Option<&Arc<Peer>> {
        self.peer.as_ref()
    }

    /// Whether a request has arrived.
    pub fn has_begun(&self) -> bool {
        self.has_begun.load(Ordering::Relaxed)
    }

    /// A request has arrived. Returns whether it is the first of its peer.
    pub fn begin_call(&self) -> bool {
        self.has_begun.store(true, Ordering::Relaxed);
        self.first_contact.swap(false, Ordering::Relaxed)
    }

    /// Gives access to the headers of the latest request.
    pub fn with_headers<T>(&self, access: impl FnOnce(&mut Headers) -> T) -> T {
        access(&mut self.headers.lock())
    }

    /// How far its requests are.
    pub fn requests(&self) -> &Arc<RequestProgress> {
        &self.requests
    }

    /// The head of a request has arrived. It is under way until the result is dropped.
    pub fn begin_request(&self) -> RequestUnderWay {
        self.requests.begin()
    }

    /// A call is held.
    pub fn begin_hold(&self) {
        self.held.fetch_add(1, Ordering::Relaxed);
    }

    /// A call that was held has ended.
    pub fn end_hold(&self) {
        self.held.fetch_sub(1, Ordering::Relaxed);
    }

    /// Whether nobody would notice that the peer leaves: a call is held, and data that follows it is not read any further.
    pub fn is_unwatched(&self) -> bool {
        self.held.load(Ordering::Relaxed) > 0 && !self.is_reading.load(Ordering::Relaxed)
    }

    /// The number of the connection.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The connection to the upstream that belongs to this one.
    pub fn upstream(&self) -> &Arc<UpstreamConnection> {
        self.upstream.get_or_init(Arc::default)
    }

    /// Reads and writes on the upstream's connection, until the upstream has ended it while no request was under way.
    pub async fn run_upstream(&self) -> Disconnect {
        match self.upstream.get() {
            Some(upstream) if poll_fn(|cx| upstream.poll(cx)).await => Disconnect::Reset,
            Some(_) => Disconnect::Eof,
            None => pending().await,
        }
    }

    /// The peer has reset the connection, so that of the upstream is reset too.
    pub(super) fn reset_by_peer(&self) {
        if let Some(upstream) = self.upstream.get() {
            upstream.reset();
        }
    }

    /// Sends the next reply as HTTP/1.1, although it is written as HTTP/1.0 for the sake of a body without a length.
    pub fn send_next_as_http_11(&self) {
        self.next_as_http_11.store(true, Ordering::Relaxed);
    }

    /// Decides how the stream ends when it is dropped.
    pub fn disconnect(&self, disconnect: Disconnect) -> Disconnect {
        self.reset.store(disconnect == Disconnect::Reset, Ordering::Relaxed);
        disconnect
    }

    /// Sets why the server closes the connection while calls are in flight.
    pub fn close(&self, reason: &'static str) {
        let _ = self.closed_by_server.set(reason);
    }

    /// Why the server closed the connection, if it did.
    pub fn closed_by_server(&self) -> Option<&'static str> {
        self.closed_by_server.get().copied()
    }

    /// Waits until everything written before has been passed to the kernel.
    pub async fn flushed(&self) {
        self.flushed.notified().await;
    }
}
