//! Where a console gets its state from, as its screen shows it.

use std::{fmt, sync::Arc, time::Duration};

use jiff::Timestamp;

/// Where the state comes from.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum SourceStatus {
    /// This process.
    #[default]
    Local,
    /// Another process.
    Remote(Connection),
    /// A recording.
    Recording(Timeline),
    /// Several other processes.
    Nodes,
}

/// Which of several other processes a console shows in its panes and sends commands to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeChoice {
    /// One by its name.
    One(Arc<str>),
    /// The one after the chosen one.
    Next,
    /// All of them.
    All,
}

impl From<&str> for NodeChoice {
    fn from(name: &str) -> Self {
        if name == "all" { Self::All } else { Self::One(name.into()) }
    }
}

/// The connection to another process.
#[derive(Clone, Debug, PartialEq)]
pub struct Connection {
    /// Its name or address, as it was typed.
    pub name: Arc<str>,
    /// Whether it answers.
    pub state: ConnectionState,
    /// How much later than at first its entries arrive.
    pub lag: Option<Duration>,
    /// How many of its entries are not known here, because this console or the connection was too slow.
    pub missed: u64,
    /// Whether no command is sent to it.
    pub read_only: bool,
}

/// Whether the other process answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectionState {
    /// It does.
    Connected,
    /// It does not, and it is tried again.
    Lost(Arc<str>),
}

impl SourceStatus {
    /// The timeline of a recording.
    pub const fn timeline(&self) -> Option<&Timeline> {
        match self {
            Self::Recording(timeline) => Some(timeline),
            Self::Local | Self::Remote(_) | Self::Nodes => None,
        }
    }
}

/// The place in a recording.
#[derive(Clone, Debug, PartialEq)]
pub struct Timeline {
    /// The file's name.
    pub name: Arc<str>,
    /// Which run of how many, from 1.
    pub run: (usize, usize),
    /// The number of the last entry that is shown.
    pub seq: u64,
    /// The number of the run's last entry.
    pub last_seq: u64,
    /// When the run began, and the time of its last entry.
    pub span: (Timestamp, Timestamp),
    /// Whether it is played.
    pub playback: Playback,
    /// Whether it is being searched.
    pub is_searching: bool,
    /// Why it cannot be read any further.
    pub problem: Option<Arc<str>>,
}

/// How a recording is played.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Playback {
    /// How many times as fast as it was recorded.
    pub speed: f64,
    /// What happens now.
    pub state: PlaybackState,
}

/// What a recording does without a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaybackState {
    /// Nothing.
    Paused,
    /// It shows one entry after another, as they were recorded.
    Playing,
    /// It is at the end, and shows what is added to the file.
    Following,
}

impl Playback {
    /// The slowest and the fastest speed.
    pub const RANGE: std::ops::RangeInclusive<f64> = 1.0..=64.0;
}

impl fmt::Display for Playback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.state {
            PlaybackState::Paused => f.write_str("paused"),
            PlaybackState::Playing => write!(f, "{}x", self.speed),
            PlaybackState::Following => f.write_str("following"),
        }
    }
}
