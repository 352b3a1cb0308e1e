//! The log of the program itself: warnings on stderr, or as notes in the journal while the console has the terminal;
//! and a file, if the user wants one.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt as _,
    path::PathBuf,
    str::FromStr,
    sync::{Arc, mpsc as sync_mpsc},
    thread,
};

use anyhow::Context as _;
use tokio::sync::mpsc;
use tracing::{Subscriber, level_filters::LevelFilter, subscriber::set_global_default};
use tracing_subscriber::{
    Layer, Registry, filter::Targets, fmt, layer::SubscriberExt as _, registry::LookupSpan,
};

use super::line_output::LAST_LINES_TIMEOUT;
use crate::{domain::model::entry::EntryKind, hub::Hub};

/// A log file that the user wants.
#[derive(Clone, Debug)]
pub struct LogOptions {
    /// Where it is.
    pub path: PathBuf,
    /// What is in it.
    pub levels: LogLevels,
    /// How it is written.
    pub format: LogFormat,
}

/// Which events are logged: a level, or levels by module as in `RUST_LOG`.
#[derive(Clone, Debug, PartialEq)]
pub struct LogLevels(Targets);

impl Default for LogLevels {
    fn default() -> Self {
        Self(Targets::new().with_default(LevelFilter::INFO))
    }
}

impl FromStr for LogLevels {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "{text:?} is no list of levels; write error, warn, info, debug, trace or off, or \
                 info,voltergeist::plugin=debug"
            )
        };
        let targets: Targets = text.parse().map_err(|_| wrong())?;
        // A misspelt level would be read as the name of a module of which everything is logged.
        let known = |word: &str| {
            word.contains('=')
                || word.contains("::")
                || word == "voltergeist"
                || !word.is_empty() && word.parse::<LevelFilter>().is_ok()
        };
        if text.split(',').map(str::trim).all(known) { Ok(Self(targets)) } else { Err(wrong()) }
    }
}

/// How the log file is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// A line for people.
    #[default]
    Text,
    /// A JSON object in each line.
    Json,
}

impl FromStr for LogFormat {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("choose \"text\" or \"json\""),
        }
    }
}

/// The log file, if there is one. Dropping it waits until everything is written.
pub struct LogFile(Option<Opened>);

struct Opened {
    options: LogOptions,
    writer: LogWriter,
}

impl LogFile {
    /// Opens the file to append to it.
    pub fn open(options: Option<LogOptions>) -> anyhow::Result<Self> {
        let opened = options.map(|options| {
            let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&options.path);
            let file =
                file.with_context(|| format!("cannot open the log file {}", options.path.display()))?;
            anyhow::Ok(Opened { writer: LogWriter::start(file), options })
        });
        Ok(Self(opened.transpose()?))
    }

    fn layer<S>(&self) -> Option<Box<dyn Layer<S> + Send + Sync>>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let Opened { options, writer } = self.0.as_ref()?;
        let writer = writer.clone();
        let lines = fmt::layer().with_ansi(false).with_writer(move || writer.clone());
        let levels = options.levels.0.clone();
        Some(match options.format {
            LogFormat::Text => lines.with_filter(levels).boxed(),
            LogFormat::Json => lines.json().flatten_event(true).with_filter(levels).boxed(),
        })
    }

    /// Warnings go to stderr, and events to the file.
    pub fn and_stderr(&self) {
        let stderr = fmt::layer().with_writer(io::stderr).with_filter(LevelFilter::WARN);
        install(Registry::default().with(self.layer()).with(stderr));
    }

    /// Each warning becomes a note in the journal, and events go to the file.
    pub fn and_journal(&self, hub: &Arc<Hub>) {
        let (sender, mut warnings) = mpsc::unbounded_channel();
        install(Registry::default().with(self.layer()).with(notes(sender)));
        let hub = Arc::clone(hub);
        tokio::spawn(async move {
            while let Some(text) = warnings.recv().await {
                hub.record(EntryKind::Note { text });
            }
        });
    }

    /// Events go to the file only.
    pub fn only(&self) {
        if let Some(layer) = self.layer() {
            install(Registry::default().with(layer));
        }
    }
}

impl Drop for LogFile {
    fn drop(&mut self) {
        if let Some(Opened { writer, .. }) = &self.0 {
            writer.finish();
        }
    }
}

/// It fails only if there is a subscriber already, and then that one gets the events.
fn install(subscriber: impl Subscriber + Send + Sync) {
    let _ = set_global_default(subscriber);
}

/// Sends each warning as a line. A channel, since the lock that a note needs may be held where the warning is emitted.
fn notes<S>(sender: mpsc::UnboundedSender<String>) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fmt::layer()
        .without_time()
        .with_level(false)
        .with_target(false)
        .with_ansi(false)
        .with_writer(move || WarningWriter(sender.clone()))
        .with_filter(LevelFilter::WARN)
}

/// Gets one warning, in one piece.
struct WarningWriter(mpsc::UnboundedSender<String>);

impl Write for WarningWriter {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        // The receiver is gone only when the program ends.
        let _ = self.0.send(format!("warning: {}", String::from_utf8_lossy(text).trim_end()));
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

enum LogMessage {
    Line(Vec<u8>),
    Finish(sync_mpsc::Sender<()>),
}

/// Gets one event, in one piece, and hands it to a thread: events are emitted where no disk may be waited for.
#[derive(Clone)]
struct LogWriter(sync_mpsc::Sender<LogMessage>);

impl LogWriter {
    fn start(mut file: File) -> Self {
        let (sender, messages) = sync_mpsc::channel();
        thread::spawn(move || {
            for message in messages {
                match message {
                    // A log that cannot be written, on a full disk perhaps, must not end the program.
                    LogMessage::Line(line) => drop(file.write_all(&line)),
                    LogMessage::Finish(finished) => drop(finished.send(())),
                }
            }
        });
        Self(sender)
    }

    fn finish(&self) {
        let (sender, finished) = sync_mpsc::channel();
        if self.0.send(LogMessage::Finish(sender)).is_ok() {
            let _ = finished.recv_timeout(LAST_LINES_TIMEOUT);
        }
    }
}

impl Write for LogWriter {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let _ = self.0.send(LogMessage::Line(text.to_vec()));
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tracing::subscriber::with_default;

    use super::*;

    #[test]
    fn a_warning_is_one_line_and_lower_levels_are_ignored() {
        let (sender, mut warnings) = mpsc::unbounded_channel();
        with_default(Registry::default().with(notes(sender)), || {
            tracing::info!("all is well");
            tracing::warn!(error = "no space", "cannot delete it; will retry");
        });
        let expected = "warning: cannot delete it; will retry error=\"no space\"";
        assert_eq!(warnings.try_recv().as_deref(), Ok(expected));
        assert!(warnings.try_recv().is_err());
    }

    #[test]
    fn levels_are_read_as_in_rust_log_and_a_misspelt_one_is_an_error() {
        for right in
            ["debug", "off", "WARN", "info,voltergeist::plugin=debug", "voltergeist=trace", "voltergeist"]
        {
            assert!(right.parse::<LogLevels>().is_ok(), "{right}");
        }
        for wrong in ["", "loud", "info,debgu", "voltergeist=loud"] {
            assert!(wrong.parse::<LogLevels>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_file_has_the_events_of_its_levels_as_text_or_json() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let log = |format, levels: &str| {
            let path = directory.path().join("log");
            let levels = levels.parse().expect("they are levels");
            let file =
                LogFile::open(Some(LogOptions { path: path.clone(), levels, format })).expect("it opens");
            with_default(Registry::default().with(file.layer()), || {
                tracing::debug!("a detail");
                tracing::info!(name = "demo", "started");
            });
            drop(file);
            let text = std::fs::read_to_string(&path).expect("it is there");
            std::fs::remove_file(path).expect("it is there");
            text
        };
        let text = log(LogFormat::Text, "info");
        assert!(
            text.lines().count() == 1 && text.contains("INFO") && text.contains("started name=\"demo\""),
            "{text}"
        );
        let json = log(LogFormat::Json, "debug");
        let lines: Vec<serde_json::Value> =
            json.lines().map(|line| serde_json::from_str(line).expect("it is JSON")).collect();
        assert_eq!((&lines[0]["level"], &lines[0]["message"]), (&"DEBUG".into(), &"a detail".into()));
        assert_eq!((&lines[1]["message"], &lines[1]["name"]), (&"started".into(), &"demo".into()));
    }
}
