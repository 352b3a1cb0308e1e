//! The running loop on a hub: when it draws, how it hears keys, and how it ends.

use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use crossterm::event::Event;
use futures_util::Stream;
use ratatui::{Terminal, backend::TestBackend};
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;
use voltergeist::{
    console::{
        Ending, FRAMES_PER_SECOND, Surface, app::App, drive, key::Chord, key::Keymap, theme::Theme, view,
    },
    domain::{entry::Kind, journal::Bounds, protocol::Operation, volume::Volumes},
    hub::{Hub, NoStore, Snapshot},
};

use super::stage::{call, text_of};

/// Keys as crossterm's stream gives them: it keeps the waker of the first unanswered question until the next key.
#[derive(Clone, Default)]
struct Keys(Arc<Mutex<Typed>>);

#[derive(Default)]
struct Typed {
    events: VecDeque<io::Result<Event>>,
    waker: Option<Waker>,
}

impl Keys {
    fn push(&self, event: io::Result<Event>) {
        let mut typed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        typed.events.push_back(event);
        if let Some(waker) = typed.waker.take() {
            waker.wake();
        }
    }
}

impl Stream for Keys {
    type Item = io::Result<Event>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut typed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(event) = typed.events.pop_front() {
            return Poll::Ready(Some(event));
        }
        typed.waker.get_or_insert_with(|| context.waker().clone());
        Poll::Pending
    }
}

/// What the loop draws on: every frame's text, and how many there were.
struct Frames {
    terminal: Terminal<TestBackend>,
    shown: watch::Sender<(usize, String)>,
    copied: Arc<Mutex<Vec<String>>>,
    broken: bool,
}

impl Surface for Frames {
    fn copy(&mut self, text: &str) -> io::Result<()> {
        self.copied.lock().unwrap_or_else(PoisonError::into_inner).push(text.to_owned());
        Ok(())
    }

    fn suspend(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn forget(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn draw(&mut self, app: &App, seen: &Snapshot) -> io::Result<()> {
        if self.broken {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let drawn = self.terminal.draw(|frame| view::render(frame, app, seen, &app.theme));
        let text = text_of(drawn.expect("a test backend cannot fail").buffer);
        self.shown.send_modify(|(frames, screen)| {
            *frames += 1;
            *screen = text;
        });
        Ok(())
    }
}

/// A console at work.
struct Live {
    hub: Arc<Hub>,
    keys: Keys,
    shown: watch::Receiver<(usize, String)>,
    copied: Arc<Mutex<Vec<String>>>,
    panics: mpsc::UnboundedSender<String>,
    shutdown: CancellationToken,
    running: JoinHandle<io::Result<Ending>>,
}

impl Live {
    fn start() -> Self {
        Self::start_on(false)
    }

    fn start_on(broken: bool) -> Self {
        let hub = Hub::new(7, Volumes::default(), Box::new(NoStore), Bounds::default());
        let keys = Keys::default();
        let (shown, frames) = watch::channel((0, String::new()));
        let copied = Arc::default();
        let terminal = Terminal::new(TestBackend::new(100, 30)).expect("a test backend cannot fail");
        let mut surface = Frames { terminal, shown, copied: Arc::clone(&copied), broken };
        let (panics, receiver) = mpsc::unbounded_channel();
        let shutdown = CancellationToken::new();
        let theme = Theme::named("default", false).expect("it is shipped");
        let app = App::new((100, 30), theme, Keymap::default(), jiff::tz::TimeZone::UTC);
        let running = tokio::spawn({
            let (hub, keys, shutdown) = (Arc::clone(&hub), keys.clone(), shutdown.clone());
            async move { drive(hub, app, &mut surface, keys, receiver, shutdown).await }
        });
        Self { hub, keys, shown: frames, copied, panics, shutdown, running }
    }

    fn press(&self, keys: &str) {
        for key in keys.split_whitespace() {
            let chord: Chord = key.parse().expect("a key in the user's notation");
            self.keys.push(Ok(Event::Key(chord.event())));
        }
    }

    /// Waits until the screen shows a text.
    async fn shows(&mut self, text: &str) {
        let shown = self.shown.wait_for(|(_, screen)| screen.contains(text));
        let shown = tokio::time::timeout(Duration::from_secs(5), shown).await.map(drop);
        assert!(shown.is_ok(), "no {text:?} in\n{}", self.shown.borrow().1);
    }

    fn frames(&self) -> usize {
        self.shown.borrow().0
    }

    async fn ending(self) -> Ending {
        let ending = tokio::time::timeout(Duration::from_secs(5), self.running).await;
        ending.expect("it ends").expect("it does not panic").expect("it does not fail")
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_drawn_while_nothing_changes() {
    let mut live = Live::start();
    live.shows("Nobody has called yet").await;
    let before = live.frames();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(live.frames(), before);
}

#[tokio::test(start_paused = true)]
async fn after_a_call_it_draws_once_a_second_until_the_sparkline_is_flat() {
    let mut live = Live::start();
    live.shows("0/s").await;
    live.hub.record(Kind::Call(Box::new(call(Operation::Get, "db1"))));
    live.shows("db1").await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let flat = live.frames();
    assert!(flat <= view::SPARK + 5, "{flat} frames for one call");
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(live.frames(), flat);
}

#[tokio::test(start_paused = true)]
async fn a_flood_is_drawn_thirty_times_a_second() {
    let mut live = Live::start();
    live.shows("0/s").await;
    let before = live.frames();
    for _ in 0..2000 {
        live.hub.record(Kind::Call(Box::new(call(Operation::Get, "db1"))));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let frames = live.frames() - before;
    let most = 2 * FRAMES_PER_SECOND as usize + 2;
    assert!((most / 2..=most).contains(&frames), "{frames} frames in two seconds");
    live.shows("get 2 000").await;
}

#[tokio::test(start_paused = true)]
async fn every_key_is_heard_even_one_at_a_time() {
    let mut live = Live::start();
    live.shows("Nobody has called yet").await;
    for _ in 0..3 {
        live.press("?");
        live.shows("voltergeist: help").await;
        live.press("esc");
        live.shows("Nobody has called yet").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_commands_the_hub_and_is_echoed_as_its_line() {
    let mut live = Live::start();
    live.press("g");
    live.shows(": arm get: empty as empty-get").await;
    live.shows("GET ANSWERS EMPTY").await;
    live.press("g g");
    live.shows("armed rule 2").await;
    live.press("d");
    live.shows("THE DRIVER IS DOWN").await;
    live.press("d");
    live.shows("the driver is up").await;
}

#[tokio::test(start_paused = true)]
async fn a_command_that_is_refused_says_why() {
    let mut live = Live::start();
    live.press(": f o r g e t space n o n e enter");
    live.shows("there is no volume \"none\"").await;
}

#[tokio::test(start_paused = true)]
async fn a_panic_elsewhere_becomes_a_note() {
    let mut live = Live::start();
    live.panics.send("a task panicked: boom".into()).expect("the loop listens");
    live.shows("# a task panicked: boom").await;
}

#[tokio::test(start_paused = true)]
async fn what_is_copied_leaves_the_console() {
    let mut live = Live::start();
    live.hub.introduce(voltergeist::hub::Driver { name: "haunted".into(), ..Default::default() });
    live.shows("--volume-driver haunted").await;
    live.press("y");
    live.shows("copied the docker command").await;
    let copied = live.copied.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert_eq!(copied, ["docker run --rm -v demo:/data --volume-driver haunted busybox touch /data/hello"]);
}

#[tokio::test(start_paused = true)]
async fn it_ends_by_key_by_command_with_the_program_and_with_the_terminal() {
    let live = Live::start();
    live.press("q");
    assert_eq!(live.ending().await, Ending::Quit);

    let live = Live::start();
    live.hub.command_line("quit").expect("a command");
    assert_eq!(live.ending().await, Ending::Quit);

    let live = Live::start();
    live.shutdown.cancel();
    assert_eq!(live.ending().await, Ending::Shutdown);

    let live = Live::start();
    live.keys.push(Err(io::ErrorKind::UnexpectedEof.into()));
    assert_eq!(live.ending().await, Ending::TerminalGone);

    assert_eq!(Live::start_on(true).ending().await, Ending::TerminalGone);
}
