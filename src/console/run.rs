//! The loop: waits for a key, the end or a change, lets the app decide, carries its effects out, draws.

use std::{future::poll_fn, io, sync::Arc, task::Poll, time::Duration};

use crossterm::event::{Event as TerminalEvent, EventStream};
use futures_util::{Stream, StreamExt as _};
use ratatui::{Terminal, backend::Backend};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{
    ExitReason,
    app::{App, Effect, Event, ReplyEdit},
    copy,
    editor::{self, EditFailed, Edited},
    terminal::{self, Screen},
    view,
};
use crate::{
    domain::model::entry::EntryKind,
    state::{Hub, Snapshot},
};

/// At most so many frames in a second, whatever happens. Keys are drawn at once all the same.
pub const FRAMES_PER_SECOND: u32 = 30;

const FRAME: Duration = Duration::from_millis(1000 / FRAMES_PER_SECOND as u64);
const TICK: Duration = Duration::from_secs(1);
/// How many new entries are taken under one lock.
const BATCH: usize = 4096;

/// What the loop asks of whatever it draws on, beside drawing.
pub trait TerminalHost {
    /// Puts a text on the user's clipboard.
    fn copy(&mut self, text: &str) -> io::Result<()>;
    /// Takes the mouse from the terminal, or gives it back.
    fn mouse(&mut self, taken: bool) -> io::Result<()>;
    /// What is typed. Dropping it leaves what is typed from then on to others.
    type Keys: Stream<Item = io::Result<TerminalEvent>> + Unpin;
    /// Begins to take what is typed.
    fn keys(&mut self) -> Self::Keys;
    /// Columns and rows.
    fn size(&self) -> io::Result<(u16, u16)>;
    /// Gives the terminal to the user's editor with a text until that ends, or until `stop` comes.
    fn edit<E>(
        &mut self,
        text: &str,
        stop: impl Future<Output = E>,
    ) -> impl Future<Output = io::Result<Result<Result<Edited, EditFailed>, E>>>;
    /// Gives the terminal back, stops the process, and takes the terminal again when it goes on.
    fn suspend(&mut self) -> io::Result<()>;
    /// Lets go every cell that is believed to be on the screen.
    fn forget(&mut self) -> io::Result<()>;
    /// Draws one frame.
    fn draw(&mut self, app: &App, snapshot: &Snapshot) -> io::Result<()>;
}

/// Runs on the process's own terminal.
pub async fn on_terminal(
    hub: Arc<Hub>,
    app: App,
    editor: Option<String>,
    shutdown: CancellationToken,
) -> io::Result<ExitReason> {
    let mut screen = Screen::take(editor)?;
    let (notes, receiver) = mpsc::unbounded_channel();
    let panics = std::mem::replace(&mut screen.panics, receiver);
    drop(notes);
    if app.mouse {
        screen.mouse(true)?;
    }
    drive(hub, app, &mut screen, panics, shutdown).await
}

impl TerminalHost for Screen {
    fn copy(&mut self, text: &str) -> io::Result<()> {
        use io::Write as _;
        let mut out = io::stdout().lock();
        out.write_all(copy::osc52(text).as_bytes())?;
        out.flush()
    }

    fn mouse(&mut self, taken: bool) -> io::Result<()> {
        terminal::take_mouse(taken)
    }

    type Keys = EventStream;

    fn keys(&mut self) -> EventStream {
        EventStream::new()
    }

    fn size(&self) -> io::Result<(u16, u16)> {
        crossterm::terminal::size()
    }

    async fn edit<E>(
        &mut self,
        text: &str,
        stop: impl Future<Output = E>,
    ) -> io::Result<Result<Result<Edited, EditFailed>, E>> {
        self.leave();
        let edited = editor::edit(self.editor.as_deref(), text, stop).await;
        if edited.is_ok() {
            self.retake()?;
        }
        Ok(edited)
    }

    fn suspend(&mut self) -> io::Result<()> {
        self.leave();
        // The whole group, as the terminal itself would: a shell that started us through another program
        // (cargo run) takes the keyboard back only when all of it stands still.
        rustix::process::kill_current_process_group(rustix::process::Signal::STOP)?;
        self.retake()
    }

    fn forget(&mut self) -> io::Result<()> {
        self.forget_cells()
    }

    fn draw(&mut self, app: &App, snapshot: &Snapshot) -> io::Result<()> {
        draw_on(&mut self.terminal, app, snapshot)
    }
}

fn draw_on<B: Backend>(terminal: &mut Terminal<B>, app: &App, snapshot: &Snapshot) -> Result<(), B::Error> {
    terminal.draw(|frame| view::render(frame, app, snapshot, &app.theme)).map(|_| ())
}

/// Shows a hub on a surface. Everything outside comes in as an argument, so that tests can run the very same loop.
pub async fn drive(
    hub: Arc<Hub>,
    app: App,
    surface: &mut impl TerminalHost,
    mut panics: mpsc::UnboundedReceiver<String>,
    shutdown: CancellationToken,
) -> io::Result<ExitReason> {
    let mut keys = surface.keys();
    let ended = async || {
        shutdown.cancelled().await;
        ExitReason::Shutdown
    };
    let mut changes = hub.changes();
    let mut shown = Console { snapshot: hub.snapshot(), hub, app };
    let mut drawn = Instant::now();
    let mut due = Some(drawn);
    loop {
        let next_frame = async {
            match due {
                Some(due) => sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        // The order matters: the end before keys, keys before drawing, and drawing before the news that
        // would ask for drawing again, so that a flood can neither starve the frames nor the keys.
        tokio::select! {
            biased;
            ending = ended() => return Ok(ending),
            key = keys.next() => {
                let mut next = Some(key);
                // What was typed faster than drawn is taken together.
                while let Some(key) = next {
                    let Some(Ok(key)) = key else { return Ok(ExitReason::TerminalGone) };
                    match shown.take(key, surface)? {
                        Next::Go => {}
                        Next::End(ending) => return Ok(ending),
                        Next::Edit(draft) => {
                            drop(keys);
                            match surface.edit(&draft.text, ended()).await? {
                                Ok(edited) => shown.edited(&draft, edited),
                                Err(ending) => return Ok(ending),
                            }
                            shown.back(surface)?;
                            keys = surface.keys();
                        }
                    }
                    next = waiting_key(&mut keys).await;
                }
                due = Some(Instant::now());
            }
            () = next_frame => {
                changes.mark_unchanged();
                if shown.refresh(surface).is_err() {
                    return Ok(ExitReason::TerminalGone);
                }
                if shown.snapshot.driver_state.quitting {
                    return Ok(ExitReason::Quit);
                }
                drawn = Instant::now();
                due = shown.app.is_ticking(&shown.snapshot).then(|| drawn + TICK);
            }
            Some(text) = panics.recv() => {
                shown.hub.record(EntryKind::Note { text });
            }
            news = changes.changed(), if due.is_none_or(|due| due > drawn + FRAME) => {
                if news.is_err() {
                    return Ok(ExitReason::Shutdown);
                }
                due = Some(drawn + FRAME);
            }
        }
    }
}

/// The next key if there is one already.
///
/// It asks with the task's own waker: crossterm's stream keeps the waker of the first unanswered question
/// until the next key, and one that wakes nobody (as in `now_or_never`) would leave that key lying.
async fn waiting_key<S: Stream + Unpin>(keys: &mut S) -> Option<Option<S::Item>> {
    poll_fn(|context| match keys.poll_next_unpin(context) {
        Poll::Ready(key) => Poll::Ready(Some(key)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// What the loop does after a key.
enum Next {
    Go,
    Edit(ReplyEdit),
    End(ExitReason),
}

/// The app with the hub it shows and the picture that is on the screen.
struct Console {
    hub: Arc<Hub>,
    app: App,
    snapshot: Snapshot,
}

impl Console {
    fn take(&mut self, event: TerminalEvent, surface: &mut impl TerminalHost) -> io::Result<Next> {
        let event = match event {
            TerminalEvent::Key(key) => Event::Key(key),
            TerminalEvent::Paste(text) => Event::Paste(text),
            TerminalEvent::Resize(width, height) => Event::Resize(width, height),
            TerminalEvent::Mouse(mouse) => Event::Mouse(mouse),
            TerminalEvent::FocusGained | TerminalEvent::FocusLost => {
                return Ok(Next::Go);
            }
        };
        for effect in self.app.update(event, &self.snapshot) {
            match effect {
                Effect::Run(command) => {
                    let result = self.hub.command(&command);
                    let result = result.map(|effect| effect.text).map_err(|error| error.to_string());
                    self.app.update(Event::Done { line: command.to_string(), result }, &self.snapshot);
                    // A second key in the same breath must see what the first one did.
                    self.look();
                }
                Effect::Rehearse(rule) => {
                    let dry_run = self.hub.dry_run(&rule);
                    self.app.update(Event::Rehearsed(dry_run), &self.snapshot);
                }
                Effect::Copy(text) => surface.copy(&text)?,
                Effect::Mouse(taken) => surface.mouse(taken)?,
                Effect::Redraw => surface.forget()?,
                Effect::Suspend => {
                    surface.suspend()?;
                    self.back(surface)?;
                }
                Effect::Edit(draft) => return Ok(Next::Edit(draft)),
                Effect::Leave => return Ok(Next::End(ExitReason::Quit)),
                Effect::Interrupt => {
                    return Ok(Next::End(ExitReason::Interrupted));
                }
            }
        }
        Ok(Next::Go)
    }

    /// Sends what came out of the editor. What cannot be sent is not lost: a note says where it is.
    fn edited(&mut self, draft: &ReplyEdit, edited: Result<Edited, EditFailed>) {
        let call = draft.call;
        let (line, result, kept) = match edited {
            Err(failed) => (format!("edit the reply to call {call}"), Err(failed.to_string()), failed.kept()),
            Ok(edited) => match draft.command(&edited.text) {
                None => {
                    let emptied = edited.text.trim().is_empty() && !draft.text.trim().is_empty();
                    let why = if emptied {
                        "the reply was emptied, so nothing is sent"
                    } else {
                        "nothing was changed"
                    };
                    let text = format!("{why}; call {call} waits as before");
                    (format!("edit the reply to call {call}"), Ok(text), None)
                }
                Some(command) => match self.hub.command(&command) {
                    Ok(effect) => (command.to_string(), Ok(effect.text), None),
                    Err(error) => (command.to_string(), Err(error.to_string()), edited.keep()),
                },
            },
        };
        if let (Err(why), Some(path)) = (&result, kept) {
            let path = path.display();
            let text = format!("the edited reply to call {call} was not sent, and is kept in {path}: {why}");
            self.hub.record(EntryKind::Note { text });
        }
        self.app.update(Event::Done { line, result }, &self.snapshot);
        self.look();
    }

    /// Takes up a terminal that others had meanwhile: what they set, and its size, may be another now.
    fn back(&mut self, surface: &mut impl TerminalHost) -> io::Result<()> {
        surface.mouse(self.app.mouse)?;
        let (width, height) = surface.size()?;
        self.app.update(Event::Resize(width, height), &self.snapshot);
        Ok(())
    }

    fn look(&mut self) {
        self.snapshot = self.hub.snapshot();
    }

    fn refresh(&mut self, surface: &mut impl TerminalHost) -> io::Result<()> {
        self.look();
        let until = self.snapshot.kept.end;
        loop {
            let next = self.app.wants();
            if next >= until {
                break;
            }
            let (entries, _) = self.hub.entries_after(next - 1, BATCH);
            if entries.is_empty() {
                break;
            }
            self.app.update(Event::Entries(entries, self.snapshot.kept.clone()), &self.snapshot);
        }
        self.app.update(Event::Entries(Vec::new(), self.snapshot.kept.clone()), &self.snapshot);
        surface.draw(&self.app, &self.snapshot)
    }
}
