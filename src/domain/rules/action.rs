//! What a rule does to a call: the action, and where it stands to the driver's own work.
//!
//! The words and meanings are those of the rule language; the server acts them out on the wire.

use std::time::Duration;

use serde_json::Value;

pub use crate::domain::model::fault::Phase;
use crate::domain::{lang::json, model::protocol::Operation};

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
    /// A given answer.
    Reply {
        /// Its body, to the byte.
        body: String,
        /// Its status and media type.
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
    /// Success without the work; a volume that is asked for is there.
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

impl Action {
    /// Those that are one word and nothing more.
    pub const PLAIN: [Self; 15] = [
        Self::Pass,
        Self::Empty,
        Self::Null,
        Self::Garbage,
        Self::Truncate,
        Self::WrongType,
        Self::TwoBodies,
        Self::Reset,
        Self::Eof,
        Self::Hang,
        Self::Hold,
        Self::BadTime,
        Self::NullEntry,
        Self::Stale,
        Self::Lie,
    ];

    /// The first words of all, in the order of their documentation.
    pub const WORDS: [&str; 23] = [
        "pass",
        "fail",
        "reply",
        "empty",
        "null",
        "garbage",
        "truncate",
        "wrong-type",
        "two-bodies",
        "reset",
        "eof",
        "hang",
        "delay",
        "drip",
        "mountpoint",
        "rename",
        "scope",
        "implements",
        "bad-time",
        "null-entry",
        "stale",
        "lie",
        "hold",
    ];

    /// The first word.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail { .. } => "fail",
            Self::Reply { .. } => "reply",
            Self::Empty => "empty",
            Self::Null => "null",
            Self::Garbage => "garbage",
            Self::Truncate => "truncate",
            Self::WrongType => "wrong-type",
            Self::TwoBodies => "two-bodies",
            Self::Reset => "reset",
            Self::Eof => "eof",
            Self::Hang => "hang",
            Self::Hold => "hold",
            Self::Delay { .. } => "delay",
            Self::Drip { .. } => "drip",
            Self::Mountpoint(_) => "mountpoint",
            Self::Rename(_) => "rename",
            Self::Scope(_) => "scope",
            Self::Implements(_) => "implements",
            Self::BadTime => "bad-time",
            Self::NullEntry => "null-entry",
            Self::Stale => "stale",
            Self::Lie => "lie",
        }
    }

    /// Whether it can be acted out on a call.
    pub const fn fits(&self, operation: Operation) -> bool {
        use Operation::{Activate, Capabilities, Create, Get, List, Mount, Path, Remove, Unmount};
        match self {
            Self::Mountpoint(_) => matches!(operation, Get | List | Path | Mount),
            Self::Rename(_) | Self::BadTime => matches!(operation, Get | List),
            Self::Scope(_) => matches!(operation, Capabilities),
            Self::Implements(_) => matches!(operation, Activate),
            Self::NullEntry => matches!(operation, List),
            Self::Stale => matches!(operation, Get | List | Path),
            Self::Lie => matches!(operation, Create | Get | Path | Mount | Unmount | Remove),
            _ => true,
        }
    }

    /// Where it can stand to the driver's own work. The first is where it stands if the rule does not say.
    pub const fn phases(&self) -> &'static [Phase] {
        use Phase::{After, Before, Instead, Twice};
        match self {
            Self::Fail { .. }
            | Self::Reply { .. }
            | Self::Empty
            | Self::Null
            | Self::Garbage
            | Self::Reset
            | Self::Eof
            | Self::Stale
            | Self::Lie => &[Instead, Before, After, Twice],
            Self::Hang | Self::Hold | Self::Delay { .. } => &[Before, After, Twice],
            // What is altered is the natural answer, and that comes from the work.
            _ => &[After, Twice],
        }
    }

    /// Whether it keeps a call waiting.
    pub const fn waits(&self) -> bool {
        matches!(self, Self::Hang | Self::Hold | Self::Delay { .. } | Self::Drip { .. })
    }

    /// Whether it ends a real engine, so that arming it asks first.
    pub fn is_dangerous(&self) -> bool {
        match self {
            Self::NullEntry => true,
            Self::Reply { body, .. } => serde_json::from_str(body).is_ok_and(|body: Value| {
                body["Volumes"].as_array().is_some_and(|list| list.contains(&Value::Null))
            }),
            _ => false,
        }
    }

    /// The answer that a text stands for: JSON in one line, as the driver itself sends it, or else the text as it is.
    pub fn reply(text: &str, shape: ErrorShape) -> Self {
        let body = json::compact(text).map_or_else(|| text.to_owned(), |line| line + "\n");
        Self::Reply { body, shape }
    }
}

impl ErrorShape {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Inband, Self::Json500, Self::Text500, Self::Http404, Self::Http400];

    /// The word after `as`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inband => "inband",
            Self::Json500 => "json500",
            Self::Text500 => "text500",
            Self::Http404 => "http404",
            Self::Http400 => "http400",
        }
    }
}

impl Mountpoint {
    /// Those that have a word.
    pub const NAMED: [Self; 3] = [Self::Empty, Self::Missing, Self::Relative];

    /// The word, or the path.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Empty => "empty",
            Self::Missing => "missing",
            Self::Relative => "relative",
            Self::Path(path) => path,
        }
    }
}

impl Phase {
    /// Those that can be said; [`Phase::Instead`] goes without saying.
    pub const SAID: [Self; 3] = [Self::Before, Self::After, Self::Twice];

    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Instead => "instead",
            Self::Before => "before",
            Self::After => "after",
            Self::Twice => "twice",
        }
    }
}
