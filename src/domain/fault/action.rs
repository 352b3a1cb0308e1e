//! What a rule does to a call: the action, and where it stands to the driver's own work.
//!
//! The words and meanings are those of the rule language; the server acts them out on the wire.

use std::time::Duration;

/// What happens to a call that a rule catches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing: the call gets its natural answer. Useful at the end of a chain.
    Pass,
    /// An error with a message, in one of the shapes that real plugins use.
    Fail {
        /// The text the engine is given.
        message: String,
        /// How it is put on the wire.
        shape: ErrorShape,
    },
    /// The answer is `{}`.
    Empty,
    /// The answer is `null`.
    Null,
    /// The answer is no JSON at all.
    Garbage,
    /// The natural answer with its second half missing: a `Content-Length` that the body does not reach.
    Truncate,
    /// The natural answer as an array, where an object is due.
    WrongType,
    /// The natural answer, and a second document after it.
    TwoBodies,
    /// The connection is reset: RST on TCP, ECONNRESET on a Unix socket.
    Reset,
    /// The connection is closed cleanly before an answer.
    Eof,
    /// No answer until the rule is disarmed or expires, or the call is released.
    Hang,
    /// A breakpoint: no answer until the call is released.
    Hold,
    /// The answer is late, by a time drawn between the two.
    Delay {
        /// At least this.
        from: Duration,
        /// At most this.
        to: Duration,
    },
    /// The natural answer byte by byte, spread over a time.
    Drip {
        /// From the first byte to the last.
        over: Duration,
    },
    /// The natural answer with another mountpoint.
    Mountpoint(Mountpoint),
    /// The natural answer with another volume name.
    Rename(String),
    /// Capabilities with another scope.
    Scope(String),
    /// Activation with another list of interfaces.
    Implements(Vec<String>),
    /// The natural answer with a `CreatedAt` that is no RFC 3339.
    BadTime,
    /// A null among the volumes of `List`. It ends a real `dockerd`.
    NullEntry,
    /// The answer of an earlier moment.
    Stale,
    /// Success without the work.
    Lie,
}

/// How an error is put on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ErrorShape {
    /// 200 with `{"Err": "…"}`: the protocol's own. Podman takes it as success.
    Inband,
    /// 500 with `{"Err": "…"}`, as go-plugins-helpers answers.
    Json500,
    /// 500 with a text, as Go's `http.Error` answers.
    #[default]
    Text500,
    /// 404 with a text.
    Http404,
    /// 400 with a text, as go-plugins-helpers answers a body it cannot read.
    Http400,
}

/// A mountpoint that is not the volume's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mountpoint {
    /// An empty text. `dockerd` mounts the container's own bundle directory for it.
    Empty,
    /// A path at which there is nothing.
    Missing,
    /// The natural path without its leading slash.
    Relative,
    /// A given path.
    Path(String),
}

/// Where the fault stands to the driver's own work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The work is not done.
    Instead,
    /// The fault comes first; the work is done all the same.
    Before,
    /// The work is done first, then the fault.
    After,
    /// The work is done two times, then the fault.
    Twice,
}
