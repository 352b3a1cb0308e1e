//! The actions of the rule language. The plugin server executes them.

use std::time::Duration;

use serde_json::{Value, json};
use strum::IntoStaticStr;

use super::template::{self, FieldPath};
pub use crate::domain::model::fault::Phase;
use crate::domain::{
    lang,
    model::{protocol::Operation, speed::EngineSpeed},
};

/// The message of `fail` where none is given.
pub(super) const FAILURE: &str = "the volume is haunted";

/// What a rule does to a call.
#[derive(Clone, Debug, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Action {
    /// Nothing: the call gets its original reply.
    Pass,
    /// An error with a message, in one of the forms that real plugins use.
    Fail {
        /// The text that the engine gets.
        message: String,
        /// Its form on the wire.
        form: ErrorForm,
    },
    /// A custom reply.
    Reply {
        /// Its exact body, with placeholders.
        body: String,
        /// Its status and media type.
        form: ErrorForm,
    },
    /// The reply `{}`.
    Empty,
    /// The reply `null`.
    Null,
    /// A reply that is not JSON.
    Garbage,
    /// The first half of the original reply, with the `Content-Length` of all of it.
    Truncate,
    /// The original reply wrapped in an array.
    WrongType,
    /// The original reply, followed by a second document.
    TwoBodies,
    /// The connection is reset: RST on TCP, ECONNRESET on a Unix socket.
    Reset,
    /// The connection is closed without a reply.
    Eof,
    /// Holds the call until the rule is disarmed or expires, or the call is released.
    Hang,
    /// A breakpoint: holds the call until it is released.
    Hold,
    /// A barrier: holds calls until so many wait, then releases them all at once.
    #[strum(serialize = "hold")]
    Barrier {
        /// How many.
        calls: u64,
        /// How long a call waits at most.
        within: Option<Duration>,
    },
    /// Holds the call for a random time between the two.
    Delay {
        /// At least this.
        from: Duration,
        /// At most this.
        to: Duration,
    },
    /// The original reply byte by byte, spread over a time.
    Drip {
        /// From the first byte to the last.
        over: Duration,
    },
    /// The original reply with another mountpoint.
    Mountpoint(Mountpoint),
    /// The original reply with another volume name.
    Rename(String),
    /// Capabilities with another scope.
    Scope(String),
    /// Activation with another list of interfaces.
    Implements(Vec<String>),
    /// The original reply with a `CreatedAt` that is not RFC 3339.
    BadTime,
    /// A null among the volumes of `List`. It crashes a real `dockerd`.
    NullEntry,
    /// The reply before the last change of the volumes.
    Stale,
    /// Success without doing the work; Get and Path say that the volume exists.
    Lie,
    /// The original reply with one field set.
    Set {
        /// Which field.
        path: FieldPath,
        /// Its new value: JSON in one line, with placeholders in its texts.
        value: String,
    },
    /// The original reply without one field.
    Unset(FieldPath),
}

/// The form of an error on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum ErrorForm {
    /// 200 with `{"Err": "…"}`: the protocol's own. Podman takes it as success.
    Inband,
    /// 500 with `{"Err": "…"}`, like go-plugins-helpers.
    Json500,
    /// 500 with a text, like Go's `http.Error`.
    #[default]
    Text500,
    /// 404 with a text.
    Http404,
    /// 400 with a text, like go-plugins-helpers for a body it cannot parse.
    Http400,
}

/// A wrong mountpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mountpoint {
    /// Empty. `dockerd` mounts the container's own bundle directory for it.
    Empty,
    /// A path that does not exist.
    Missing,
    /// The original path without its leading slash.
    Relative,
    /// A given path.
    Path(String),
}

impl Action {
    /// The same action, with durations that are meant in the time of a clock.
    #[must_use]
    pub fn in_real_time(self, speed: EngineSpeed) -> Self {
        match self {
            Self::Delay { from, to } => Self::Delay { from: speed.real(from), to: speed.real(to) },
            Self::Drip { over } => Self::Drip { over: speed.real(over) },
            Self::Barrier { calls, within } => {
                Self::Barrier { calls, within: within.map(|within| speed.real(within)) }
            }
            other => other,
        }
    }

    /// Those without arguments.
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

    /// The keywords of all, in the order of their documentation.
    pub const WORDS: [&str; 25] = [
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
        "set",
        "unset",
        "hold",
    ];

    /// The keyword.
    pub fn as_str(&self) -> &'static str {
        self.into()
    }

    /// Whether it is possible for an operation; `None` stands for the method of another interface.
    pub const fn applies_to(&self, operation: Option<Operation>) -> bool {
        use Operation::{Activate, Capabilities, Create, Get, List, Mount, Path, Remove, Unmount};
        match self {
            Self::Mountpoint(_) => matches!(operation, Some(Get | List | Path | Mount)),
            Self::Rename(_) | Self::BadTime => matches!(operation, Some(Get | List)),
            Self::Scope(_) => matches!(operation, Some(Capabilities)),
            Self::Implements(_) => matches!(operation, Some(Activate)),
            Self::NullEntry => matches!(operation, Some(List)),
            Self::Stale => matches!(operation, Some(Get | List | Path)),
            Self::Lie => matches!(operation, Some(Create | Get | Path | Mount | Unmount | Remove)),
            _ => true,
        }
    }

    /// When the driver's own work can be done relative to it. The first is the default.
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
            Self::Hang | Self::Hold | Self::Barrier { .. } | Self::Delay { .. } => &[Before, After, Twice],
            // These alter the original reply, so the work must come first.
            _ => &[After, Twice],
        }
    }

    /// Whether it alters parts of the original reply, if that has them.
    pub const fn alters_parts(&self) -> bool {
        matches!(
            self,
            Self::Set { .. }
                | Self::Unset(_)
                | Self::Mountpoint(_)
                | Self::Rename(_)
                | Self::Scope(_)
                | Self::Implements(_)
                | Self::BadTime
                | Self::NullEntry
        )
    }

    /// Whether it holds a call.
    pub const fn holds(&self) -> bool {
        matches!(
            self,
            Self::Hang | Self::Hold | Self::Barrier { .. } | Self::Delay { .. } | Self::Drip { .. }
        )
    }

    /// Whether it crashes a real engine, so that it needs `--yes`.
    pub fn is_dangerous(&self) -> bool {
        match self {
            Self::NullEntry => true,
            Self::Reply { body, .. } => match serde_json::from_str(body) {
                Ok(body) => lists_null(&body),
                // Its placeholders are filled later.
                Err(_) => body.contains("Volumes") && body.contains("null"),
            },
            Self::Set { path, value } => {
                let mut reply = json!({ "Volumes": [{}] });
                let value = serde_json::from_str(value).unwrap_or_default();
                path.set(&mut reply, &value);
                lists_null(&reply)
            }
            _ => false,
        }
    }

    /// A custom reply with exactly this text. JSON is sent in one line, as the driver sends it.
    pub fn reply(text: &str, form: ErrorForm) -> Self {
        let text = &template::escape(text);
        let body = lang::json::compact(text).map_or_else(|| text.to_owned(), |line| line + "\n");
        Self::Reply { body, form }
    }
}

/// Whether a reply has a null among its volumes.
fn lists_null(reply: &Value) -> bool {
    reply["Volumes"].as_array().is_some_and(|list| list.contains(&Value::Null))
}

impl ErrorForm {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Inband, Self::Json500, Self::Text500, Self::Http404, Self::Http400];

    /// The keyword after `as`.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl Mountpoint {
    /// Those with a keyword.
    pub const NAMED: [Self; 3] = [Self::Empty, Self::Missing, Self::Relative];

    /// The keyword, or the path.
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
    /// The keywords after an action. [`Phase::Instead`] has none: it is the default of the actions that allow it.
    pub const KEYWORDS: [Self; 3] = [Self::Before, Self::After, Self::Twice];

    /// The word.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
