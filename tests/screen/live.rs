//! A running console whose keys and screen a test holds in its hands.

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
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;
use voltergeist::{
    console::{
        ExitReason, TerminalHost, drive,
        editor::{EditFailed, Edited},
        input::keymap::{Chord, Keymap},
        model::App,
        theme::Theme,
        view,
    },
    domain::{
        model::{entry::Session, volume::Volumes},
        state::journal::Bounds,
    },
    hub::{Hub, InMemoryStore, Snapshot},
    source::{LocalSource, Source},
};

use super::fixture::text_of;

/// Keys as a stream that keeps the waker of the first unanswered question until the next key.
#[derive(Clone, Default)]
pub struct Keys(Arc<Mutex<PromptEvent>>);

#[derive(Default)]
struct PromptEvent {
    events: VecDeque<io::Result<Event>>,
    waker: Option<Waker>,
}

impl Keys {
    pub fn push(&self, event: io::Result<Event>) {
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

/// An editor: what it makes of a text, once it may end.
pub type Editing = Box<dyn FnMut(&str) -> oneshot::Receiver<Result<Edited, EditFailed>> + Send>;

/// What the loop draws on: every frame's text, and how many there were.
struct Frames {
    keys: Keys,
    editing: Editing,
    terminal: Terminal<TestBackend>,
    shown: watch::Sender<(usize, String)>,
    copied: Arc<Mutex<Vec<String>>>,
    broken: bool,
}

impl TerminalHost for Frames {
    fn copy(&mut self, text: &str) -> io::Result<()> {
        self.copied.lock().unwrap_or_else(PoisonError::into_inner).push(text.to_owned());
        Ok(())
    }

    fn mouse(&mut self, _: bool) -> io::Result<()> {
        Ok(())
    }

    type Keys = Keys;

    fn keys(&mut self) -> io::Result<Keys> {
        Ok(self.keys.clone())
    }

    fn size(&self) -> io::Result<(u16, u16)> {
        Ok((100, 30))
    }

    async fn edit<E>(
        &mut self,
        text: &str,
        stop: impl Future<Output = E>,
    ) -> io::Result<Result<Result<Edited, EditFailed>, E>> {
        let ended = (self.editing)(text);
        Ok(tokio::select! {
            edited = ended => Ok(edited.expect("the test's editor ends")),
            stopped = stop => Err(stopped),
        })
    }

    async fn suspend(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn redraw_all(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn draw(&mut self, app: &App, snapshot: &Snapshot) -> io::Result<()> {
        if self.broken {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let drawn = self.terminal.draw(|frame| view::render(frame, app, snapshot, &app.theme));
        let text = text_of(drawn.expect("a test backend cannot fail").buffer);
        self.shown.send_modify(|(frames, screen)| {
            *frames += 1;
            *screen = text;
        });
        Ok(())
    }
}

/// A console at work.
pub struct Live {
    pub hub: Arc<Hub>,
    pub keys: Keys,
    shown: watch::Receiver<(usize, String)>,
    pub copied: Arc<Mutex<Vec<String>>>,
    pub panics: mpsc::UnboundedSender<String>,
    pub shutdown: CancellationToken,
    running: JoinHandle<io::Result<ExitReason>>,
}

impl Live {
    /// On a hub of its own.
    pub fn start() -> Self {
        Self::start_on(
            Hub::new(Session::new(7, Volumes::default()), Box::new(InMemoryStore), Bounds::default()),
            false,
        )
    }

    /// On a hub of its own, with an editor.
    pub fn start_with(editing: Editing) -> Self {
        let hub = Hub::new(Session::new(7, Volumes::default()), Box::new(InMemoryStore), Bounds::default());
        Self::start_whole(Arc::clone(&hub), LocalSource::new(hub), false, editing)
    }

    /// On a given hub, and perhaps on a terminal that cannot be written to.
    pub fn start_on(hub: Arc<Hub>, broken: bool) -> Self {
        let source = LocalSource::new(Arc::clone(&hub));
        Self::start_whole(hub, source, broken, Box::new(|_| panic!("nobody asked for an editor")))
    }

    /// On a source of the test's own over a hub.
    pub fn start_source(hub: Arc<Hub>, source: Arc<dyn Source>) -> Self {
        Self::start_whole(hub, source, false, Box::new(|_| panic!("nobody asked for an editor")))
    }

    fn start_whole(hub: Arc<Hub>, source: Arc<dyn Source>, broken: bool, editing: Editing) -> Self {
        let keys = Keys::default();
        let (shown, frames) = watch::channel((0, String::new()));
        let copied = Arc::default();
        let terminal = Terminal::new(TestBackend::new(100, 30)).expect("a test backend cannot fail");
        let mut host =
            Frames { keys: keys.clone(), editing, terminal, shown, copied: Arc::clone(&copied), broken };
        let (panics, receiver) = mpsc::unbounded_channel();
        let shutdown = CancellationToken::new();
        let theme = Theme::named("default", false).expect("it is shipped");
        let mut app = App::new((100, 30), theme, Keymap::default(), jiff::tz::TimeZone::UTC);
        let running = tokio::spawn({
            let shutdown = shutdown.clone();
            async move { drive(source, &mut app, &mut host, receiver, shutdown).await }
        });
        Self { hub, keys, shown: frames, copied, panics, shutdown, running }
    }

    pub fn press(&self, keys: &str) {
        for key in keys.split_whitespace() {
            let chord: Chord = key.parse().expect("a key in the user's notation");
            self.keys.push(Ok(Event::Key(chord.event())));
        }
    }

    /// Waits until the screen shows a text.
    pub async fn shows(&mut self, text: &str) {
        let shown = self.shown.wait_for(|(_, screen)| screen.contains(text));
        let shown = tokio::time::timeout(Duration::from_secs(5), shown).await.map(drop);
        assert!(shown.is_ok(), "no {text:?} in\n{}", self.shown.borrow().1);
    }

    pub fn screen(&self) -> String {
        self.shown.borrow().1.clone()
    }

    pub fn frames(&self) -> usize {
        self.shown.borrow().0
    }

    pub async fn release_action(self) -> ExitReason {
        let release_action = tokio::time::timeout(Duration::from_secs(5), self.running).await;
        release_action.expect("it ends").expect("it does not panic").expect("it does not fail")
    }
}
