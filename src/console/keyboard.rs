//! What is typed at the terminal, read by a thread of its own.
//!
//! See `docs/decisions/reading-the-terminal.md` for why the reader of crossterm is not used.

use std::{
    fs::OpenOptions,
    io,
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::fs::OpenOptionsExt as _,
    },
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    thread,
    time::Duration,
};

use crossterm::event::Event;
use futures_util::Stream;
use rustix::{
    event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll},
    fs::OFlags,
    termios::isatty,
};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc,
};

use super::input::decoder::Decoder;

/// How many events wait for the console at most, before the rest waits in the terminal.
const MAX_EVENTS: usize = 1024;
/// How many bytes are read at a time.
const CHUNK: usize = 4096;

/// Keys, pastes, mouse events and changes of the terminal's size. Dropping it leaves what is typed from then on to others.
pub struct Keyboard {
    events: Option<mpsc::Receiver<io::Result<Event>>>,
    resized: Signal,
    /// Ends the thread.
    end: Arc<OwnedFd>,
    reader: Option<thread::JoinHandle<()>>,
}

impl Keyboard {
    /// Begins to read the terminal.
    pub fn open() -> io::Result<Self> {
        let end = Arc::new(eventfd(0, EventfdFlags::CLOEXEC)?);
        let (sender, events) = mpsc::channel(MAX_EVENTS);
        let reader =
            TerminalReader { terminal: terminal()?, end: Arc::clone(&end), decoder: Decoder::default() };
        let reader = thread::Builder::new().name("keyboard".into()).spawn(move || {
            if let Err(error) = reader.read_to_end(&sender) {
                drop(sender.blocking_send(Err(error)));
            }
        })?;
        let resized = signal(SignalKind::window_change())?;
        Ok(Self { events: Some(events), resized, end, reader: Some(reader) })
    }
}

impl Stream for Keyboard {
    type Item = io::Result<Event>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Event>>> {
        if self.resized.poll_recv(cx).is_ready() {
            let size = crossterm::terminal::size();
            return Poll::Ready(Some(size.map(|(width, height)| Event::Resize(width, height))));
        }
        match &mut self.events {
            Some(events) => events.poll_recv(cx),
            None => Poll::Ready(None),
        }
    }
}

impl Drop for Keyboard {
    fn drop(&mut self) {
        // First, so that the thread does not wait for room.
        self.events = None;
        let signalled = rustix::io::write(&*self.end, &1_u64.to_ne_bytes());
        if let (Ok(_), Some(reader)) = (signalled, self.reader.take()) {
            drop(reader.join());
        }
    }
}

/// The terminal, opened again so that reading never waits and the other programs on it are left alone.
fn terminal() -> io::Result<OwnedFd> {
    let stdin = io::stdin();
    let is_terminal = isatty(&stdin);
    let path = if is_terminal { "/proc/self/fd/0" } else { "/dev/tty" };
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let opened = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path);
    match opened {
        // As after su, when the terminal is another user's.
        Err(_) if is_terminal => stdin.as_fd().try_clone_to_owned(),
        opened => opened.map(OwnedFd::from),
    }
}

struct TerminalReader {
    terminal: OwnedFd,
    end: Arc<OwnedFd>,
    decoder: Decoder,
}

impl TerminalReader {
    /// Reads until the receiver is dropped.
    fn read_to_end(mut self, events: &mpsc::Sender<io::Result<Event>>) -> io::Result<()> {
        let mut chunk = vec![0; CHUNK];
        let mut decoded = Vec::new();
        loop {
            match self.wait()? {
                Input::Bytes => match rustix::io::read(&self.terminal, &mut chunk) {
                    Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                    Ok(length) => self.decoder.push(&chunk[..length], &mut decoded),
                    Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {}
                    Err(error) => return Err(error.into()),
                },
                Input::Pause => self.decoder.pause(&mut decoded),
                Input::End => return Ok(()),
            }
            for event in decoded.drain(..) {
                if events.blocking_send(Ok(event)).is_err() {
                    return Ok(());
                }
            }
        }
    }

    fn wait(&self) -> io::Result<Input> {
        let timeout = self.decoder.timeout().map(timespec);
        let mut watched =
            [PollFd::new(&self.terminal, PollFlags::IN), PollFd::new(&*self.end, PollFlags::IN)];
        match poll(&mut watched, timeout.as_ref()) {
            Ok(0) => return Ok(Input::Pause),
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => return self.wait(),
            Err(error) => return Err(error.into()),
        }
        Ok(if watched[1].revents().is_empty() { Input::Bytes } else { Input::End })
    }
}

enum Input {
    Bytes,
    Pause,
    End,
}

fn timespec(duration: Duration) -> Timespec {
    Timespec { tv_sec: duration.as_secs().cast_signed(), tv_nsec: duration.subsec_nanos().into() }
}
