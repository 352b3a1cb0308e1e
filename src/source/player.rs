//! The player of a recording: which entry is the last one shown, and what comes next.
//!
//! It is driven by [`ReplayPlayer::tick`], which does a piece of work and says when it wants to be called again. So requests
//! are answered between the pieces, whatever there is to search or to read.

mod search;

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::{
    domain::{
        lang::seek::Seek,
        model::{
            entry::EntryKind,
            source_status::{Playback, PlaybackState, Timeline},
            speed::SpeedChange,
        },
        state::State,
        text,
    },
    hub::{ChangeSender, Changes},
    recording::{Line, RecordingError, RecordingFile, apply_line},
};
use search::Search;

/// How many entries before the shown one are read at once, so that a list is full; the others follow.
const FIRST_ENTRIES: u64 = 1000;
/// How many entries are read in one piece of work.
const ENTRIES_PER_TICK: u64 = 4096;
/// How often the file is looked at for more.
const REFRESH: Duration = Duration::from_millis(200);

/// What the console sees.
pub struct PlayerState {
    /// The state at the shown entry.
    pub state: State,
    /// The place of that entry.
    pub timeline: Timeline,
    /// Changes when earlier entries are others.
    pub epoch: u64,
    /// The recorded time, when it was reached, and how many times as fast it passes.
    clock: (Timestamp, Instant, f64),
}

impl PlayerState {
    /// The recorded time now. It does not change unless the recording is played.
    pub fn now(&self) -> Timestamp {
        let (at, since, speed) = self.clock;
        let passed = SignedDuration::try_from(since.elapsed().mul_f64(speed)).unwrap_or_default();
        at.checked_add(passed).unwrap_or(at)
    }
}

/// Plays a recording.
pub struct ReplayPlayer {
    recording: RecordingFile,
    shown: Arc<Mutex<PlayerState>>,
    /// The offset after the line of the last entry that is shown.
    offset: u64,
    /// Whether entries before the shown ones are still to be read.
    is_backfilling: bool,
    search: Option<Search>,
    /// The result of the last search, until it is taken.
    found: Option<Result<(), String>>,
    refreshed: Instant,
    changes: ChangeSender,
}

impl ReplayPlayer {
    /// A player at the end of a recording, which follows it.
    pub fn open(recording: RecordingFile) -> Result<Self, RecordingError> {
        let offset = recording.end();
        let run = *recording.runs().last().expect("a recording has a run");
        let mut state = recording.state_at(&run, offset)?;
        recording.fill(&run, &mut state, FIRST_ENTRIES)?;
        let name = recording.path().file_name().unwrap_or_default().to_string_lossy();
        let now = Instant::now();
        let timeline = Timeline {
            name: name.as_ref().into(),
            run: (1, 1),
            seq: run.last_seq,
            last_seq: run.last_seq,
            span: (run.first_at, run.last_at),
            playback: Playback { speed: 1.0, state: PlaybackState::Following },
            is_searching: false,
            problem: None,
        };
        let clock = (run.last_at, now, 0.0);
        let shown = PlayerState { state, timeline, epoch: 0, clock };
        let shown = Arc::new(Mutex::new(shown));
        let player = Self {
            recording,
            shown,
            offset,
            is_backfilling: true,
            search: None,
            found: None,
            refreshed: now,
            changes: ChangeSender::default(),
        };
        player.update_timeline(false);
        Ok(player)
    }

    /// Changes its value whenever there is something new to see.
    pub fn changes(&self) -> Changes {
        self.changes.subscribe()
    }

    /// What the console sees.
    pub fn shown(&self) -> Arc<Mutex<PlayerState>> {
        Arc::clone(&self.shown)
    }

    /// Does a piece of work. Returns after which time there is more to do.
    pub fn tick(&mut self) -> Duration {
        self.try_tick().unwrap_or_else(|error| {
            let problem = error.to_string();
            let mut shown = self.shown.lock();
            shown.timeline.problem = Some(problem.as_str().into());
            shown.timeline.is_searching = false;
            drop(shown);
            self.is_backfilling = false;
            if self.search.take().is_some() {
                self.found = Some(Err(problem));
            }
            self.pause();
            REFRESH
        })
    }

    fn try_tick(&mut self) -> Result<Duration, RecordingError> {
        if self.search.is_some() {
            self.search_on()?;
            return Ok(Duration::ZERO);
        }
        if self.refreshed.elapsed() >= REFRESH {
            self.refreshed = Instant::now();
            if self.recording.refresh()? {
                self.update_timeline(false);
            }
        }
        let next = self.show_due()?;
        if !next.is_zero() && self.is_backfilling {
            self.backfill()?;
            return Ok(Duration::ZERO);
        }
        Ok(next.min(REFRESH))
    }

    /// Shows the entries that are due. Returns when the next entry is.
    fn show_due(&mut self) -> Result<Duration, RecordingError> {
        let state = self.shown.lock().timeline.playback.state;
        let until = match state {
            PlaybackState::Paused => return Ok(REFRESH),
            PlaybackState::Following => None,
            PlaybackState::Playing => Some(self.shown.lock().now()),
        };
        let mut lines = self.recording.lines(self.offset, self.recording.end());
        let mut due = Vec::new();
        let mut next = None;
        while (due.len() as u64) < ENTRIES_PER_TICK
            && let Some(line) = lines.next_line()?
        {
            if let (Line::Entry(entry), Some(until)) = (&line, until)
                && entry.at > until
            {
                next = Some(entry.at.duration_since(until));
                break;
            }
            self.offset = lines.offset();
            due.push(line);
        }
        let is_more = due.len() as u64 == ENTRIES_PER_TICK;
        let is_new = !due.is_empty();
        if is_new {
            let mut shown = self.shown.lock();
            for line in due {
                // The numbers of another run begin again.
                let is_session =
                    matches!(&line, Line::Entry(entry) if matches!(entry.kind, EntryKind::Session(_)));
                shown.epoch += u64::from(is_session);
                apply_line(&mut shown.state, line);
            }
        }
        let is_at_end = self.offset == self.recording.end();
        if is_at_end && state == PlaybackState::Playing {
            self.shown.lock().timeline.playback.state = PlaybackState::Following;
        }
        if is_at_end || is_more {
            self.stop_clock_if_following();
        }
        self.update_timeline(is_new);
        if is_more {
            return Ok(Duration::ZERO);
        }
        let speed = self.shown.lock().timeline.playback.speed;
        let next =
            next.and_then(|next| Duration::try_from(next).ok()).map_or(REFRESH, |next| next.div_f64(speed));
        Ok(next.max(Duration::from_millis(1)))
    }

    /// At the end the time is that of the last entry.
    fn stop_clock_if_following(&self) {
        let mut shown = self.shown.lock();
        if shown.timeline.playback.state == PlaybackState::Following {
            let run = self.recording.runs()[self.recording.run_at(self.offset)];
            shown.clock = (run.last_at, Instant::now(), 0.0);
        }
    }

    /// Reads a piece of the entries before the shown ones.
    fn backfill(&mut self) -> Result<(), RecordingError> {
        let run = self.recording.runs()[self.recording.run_at(self.offset)];
        let (first, missing) = {
            let shown = self.shown.lock();
            (shown.state.journal().first_seq(), shown.state.journal().missing())
        };
        let entries = self.recording.entries_before(&run, first, missing.min(ENTRIES_PER_TICK))?;
        let mut shown = self.shown.lock();
        shown.state.prepend(&entries);
        let is_done = entries.is_empty() || shown.state.journal().first_seq() == first;
        if is_done {
            self.is_backfilling = false;
            shown.epoch += 1;
            drop(shown);
            self.notify();
        }
        Ok(())
    }

    fn notify(&self) {
        self.changes.send();
    }

    fn update_timeline(&self, is_new: bool) {
        let number = self.recording.run_at(self.offset);
        let run = self.recording.runs()[number];
        let mut shown = self.shown.lock();
        let seq = shown.state.journal().next_seq() - 1;
        let timeline = &mut shown.timeline;
        let before = timeline.clone();
        timeline.run = (number + 1, self.recording.runs().len());
        (timeline.seq, timeline.last_seq) = (seq, run.last_seq);
        timeline.span = (run.first_at, run.last_at);
        timeline.is_searching = self.search.is_some();
        if is_new || *timeline != before {
            drop(shown);
            self.notify();
        }
    }

    /// Changes the speed.
    pub fn speed(&mut self, change: SpeedChange) -> String {
        match change {
            SpeedChange::Pause => self.pause(),
            SpeedChange::Continue => self.resume(),
            SpeedChange::Times(times) => {
                let (slowest, fastest) = (*Playback::RANGE.start(), *Playback::RANGE.end());
                self.shown.lock().timeline.playback.speed = times.clamp(slowest, fastest);
                self.resume();
            }
        }
        self.notify();
        match self.shown.lock().timeline.playback {
            Playback { state: PlaybackState::Playing, speed } => format!("playing at {speed}x"),
            Playback { state: PlaybackState::Following, .. } => "at the end, following the file".into(),
            Playback { state: PlaybackState::Paused, .. } => "paused".into(),
        }
    }

    fn pause(&self) {
        let mut shown = self.shown.lock();
        shown.timeline.playback.state = PlaybackState::Paused;
        shown.clock = (shown.now(), Instant::now(), 0.0);
    }

    fn resume(&self) {
        let is_at_end = self.offset == self.recording.end();
        let mut shown = self.shown.lock();
        let speed = shown.timeline.playback.speed;
        if is_at_end {
            shown.timeline.playback.state = PlaybackState::Following;
        } else {
            shown.timeline.playback.state = PlaybackState::Playing;
            shown.clock = (shown.now(), Instant::now(), speed);
        }
    }

    /// Goes to a place, or begins to search for it. Returns why not.
    pub fn seek(&mut self, seek: &Seek) -> Result<(), String> {
        (self.search, self.found) = (None, None);
        self.shown.lock().timeline.problem = None;
        let run = self.recording.runs()[self.recording.run_at(self.offset)];
        let found = match seek {
            Seek::Start => self.recording.offset_after_seq(&run, 1),
            Seek::End => Ok(self.recording.end()),
            Seek::Entry(seq) if *seq == 0 || *seq > run.last_seq => {
                return Err(format!("the run has the entries 1 to {}", text::grouped(run.last_seq)));
            }
            Seek::Entry(seq) => self.recording.offset_after_seq(&run, *seq),
            Seek::Time(time) => self.find_time(*time),
            Seek::Step(_) | Seek::Failure(_) | Seek::Command(_) => {
                self.pause();
                self.search = Search::new(seek, self.offset);
                return Ok(());
            }
        };
        let went = found.and_then(|offset| self.go(offset));
        went.map_err(|error| error.to_string())?;
        if *seek == Seek::End {
            self.resume();
            self.notify();
        }
        Ok(())
    }

    /// The result of the last [`ReplayPlayer::seek`]: none while it is searched for.
    pub fn found(&mut self) -> Option<Result<(), String>> {
        if self.search.is_some() { None } else { Some(self.found.take().unwrap_or(Ok(()))) }
    }

    /// Where the last entry at a time or before it ends. A time before the recording is its first entry.
    fn find_time(&self, time: Timestamp) -> Result<u64, RecordingError> {
        let runs = self.recording.runs();
        let run = &runs[runs.partition_point(|run| run.first_at <= time).saturating_sub(1)];
        let first = self.recording.offset_after_seq(run, 1)?;
        Ok(self.recording.offset_after_time(run, time)?.max(first))
    }

    /// Shows the state after a line, paused.
    fn go(&mut self, offset: u64) -> Result<(), RecordingError> {
        let run = self.recording.runs()[self.recording.run_at(offset)];
        let mut state = self.recording.state_at(&run, offset)?;
        self.recording.fill(&run, &mut state, FIRST_ENTRIES)?;
        let at = self.recording.time_before(&run, offset)?;
        self.offset = offset;
        self.is_backfilling = true;
        let mut shown = self.shown.lock();
        shown.state = state;
        shown.epoch += 1;
        shown.clock = (at, Instant::now(), 0.0);
        shown.timeline.playback.state = PlaybackState::Paused;
        drop(shown);
        self.update_timeline(true);
        Ok(())
    }

    /// Searches a piece of the file.
    fn search_on(&mut self) -> Result<(), RecordingError> {
        let Some(search) = &mut self.search else { return Ok(()) };
        match search.step(&self.recording)? {
            Some(Ok(offset)) => {
                (self.search, self.found) = (None, Some(Ok(())));
                self.go(offset)?;
            }
            Some(Err(none)) => (self.search, self.found) = (None, Some(Err(none))),
            None => {}
        }
        self.update_timeline(false);
        Ok(())
    }
}
