//! The event loop: waits for a key, a change or the end, updates the app, runs its effects, draws.

mod replies;
mod shell;

use std::{future::poll_fn, io, sync::Arc, task::Poll, time::Duration};

use crossterm::event::Event as TerminalEvent;
use futures_util::{Stream, StreamExt as _};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use crate::{
    console::{
        jobs::{EditedReply, Jobs, or_never},
        model::{
            app::{App, TICK},
            event::{Effect, Event},
            mode::Mode,
            reply_edit::ReplyEdit,
        },
        notify::{Notify, WindowFocus},
        shell::ShellCommand,
        terminal::TerminalScreen,
        terminal_host::TerminalHost,
        view,
    },
    domain::model::{origin::Origin, source_status::SourceStatus},
    hub::Snapshot,
    source::Source,
};

/// Why the console ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitReason {
    /// The user left, by key or by the command `quit`.
    Quit,
    /// The user pressed what sends SIGINT elsewhere.
    Interrupted,
    /// There is no terminal any more.
    TerminalGone,
    /// The rest of the program is ending, by a signal perhaps.
    Shutdown,
}

/// At most so many frames in a second, whatever happens. Keys are drawn at once all the same.
pub const FRAMES_PER_SECOND: u32 = 20;

const FRAME: Duration = Duration::from_millis(1000 / FRAMES_PER_SECOND as u64);
/// How many new entries are taken under one lock.
const BATCH: usize = 4096;

/// Runs on the process's own terminal.
pub async fn on_terminal(
    source: Arc<dyn Source>,
    app: &mut App,
    (editor, notify): (Option<String>, Notify),
    shutdown: CancellationToken,
) -> io::Result<ExitReason> {
    let mut screen = TerminalScreen::take(editor, notify)?;
    let (notes, receiver) = mpsc::unbounded_channel();
    let panics = std::mem::replace(&mut screen.panics, receiver);
    drop(notes);
    if app.mouse {
        screen.mouse(true)?;
    }
    drive(source, app, &mut screen, panics, shutdown).await
}

/// Shows a source on a terminal. Everything outside comes in as an argument, so that tests run the same loop.
pub async fn drive(
    source: Arc<dyn Source>,
    app: &mut App,
    host: &mut impl TerminalHost,
    mut panics: mpsc::UnboundedReceiver<String>,
    shutdown: CancellationToken,
) -> io::Result<ExitReason> {
    let mut keys = host.keys()?;
    let ended = async || {
        shutdown.cancelled().await;
        ExitReason::Shutdown
    };
    let mut changes = source.changes();
    let jobs = Jobs::new(Arc::clone(&source));
    let mut console = Console { snapshot: source.snapshot(), source, jobs, app, unsent: None, shell: None };
    let mut drawn = Instant::now();
    let mut due = Some(drawn);
    loop {
        let next_frame = or_never(due.map(sleep_until));
        let keys_wait_until = console.jobs.keys_wait_until();
        // The order matters: the end before keys, keys before drawing, and drawing before the changes that
        // would ask for drawing again, so that load delays neither frames nor keys.
        tokio::select! {
            biased;
            ending = ended() => return Ok(ending),
            key = keys.next(), if keys_wait_until.is_none() => {
                let mut next = Some(key);
                // What was typed faster than drawn is taken together.
                while let Some(key) = next {
                    let Some(Ok(key)) = key else { return Ok(ExitReason::TerminalGone) };
                    match console.handle(key, host)? {
                        AfterKey::Continue => {}
                        AfterKey::Exit(ending) => return Ok(ending),
                        AfterKey::Suspend => {
                            host.suspend().await?;
                            console.retake_terminal(host)?;
                        }
                        AfterKey::Edit(edit) => {
                            drop(keys);
                            match host.edit(&edit.text, ended()).await? {
                                Ok(edited) => console.edited(&edit, edited),
                                Err(ending) => return Ok(ending),
                            }
                            console.retake_terminal(host)?;
                            keys = host.keys()?;
                        }
                    }
                    if console.jobs.keys_wait_until().is_some() {
                        break;
                    }
                    next = waiting_key(&mut keys).await;
                }
                due = Some(Instant::now());
            }
            (event, edited) = console.jobs.next() => {
                console.job_event(event, edited);
                due = Some(Instant::now());
            }
            result = or_never(console.shell.as_mut().map(ShellCommand::ended)) => {
                console.shell_ended(result);
                due = Some(Instant::now());
            }
            () = or_never(keys_wait_until.map(sleep_until)) => {}
            () = next_frame => {
                changes.mark_unchanged();
                if console.refresh(host).is_err() {
                    return Ok(ExitReason::TerminalGone);
                }
                if console.snapshot.driver_state.quitting && console.snapshot.source == SourceStatus::Local {
                    return Ok(ExitReason::Quit);
                }
                drawn = Instant::now();
                due = console.app.is_ticking(&console.snapshot).then(|| drawn + TICK);
            }
            Some(text) = panics.recv() => {
                console.source.note(text);
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
/// It polls with the task's own waker: with a no-op waker (as in `now_or_never`) the next key would wake nobody.
async fn waiting_key<S: Stream + Unpin>(keys: &mut S) -> Option<Option<S::Item>> {
    poll_fn(|context| match keys.poll_next_unpin(context) {
        Poll::Ready(key) => Poll::Ready(Some(key)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// What the loop does after a key.
enum AfterKey {
    Continue,
    Edit(ReplyEdit),
    Suspend,
    Exit(ExitReason),
}

/// The app with its source, the jobs under way and the snapshot that is on the screen.
struct Console<'a> {
    source: Arc<dyn Source>,
    jobs: Jobs,
    app: &'a mut App,
    snapshot: Snapshot,
    /// An edited reply about which the user is asked.
    unsent: Option<EditedReply>,
    /// What runs in the user's shell.
    shell: Option<ShellCommand>,
}

impl Console<'_> {
    fn handle(&mut self, event: TerminalEvent, host: &mut impl TerminalHost) -> io::Result<AfterKey> {
        let event = match event {
            TerminalEvent::Key(key) => Event::Key(key),
            TerminalEvent::Paste(text) => Event::Paste(text),
            TerminalEvent::Resize(width, height) => Event::Resize(width, height),
            TerminalEvent::Mouse(mouse) => Event::Mouse(mouse, Instant::now().into_std()),
            TerminalEvent::FocusGained => {
                self.app.window_focus = WindowFocus::Gained;
                return Ok(AfterKey::Continue);
            }
            TerminalEvent::FocusLost => {
                self.app.window_focus = WindowFocus::Lost;
                return Ok(AfterKey::Continue);
            }
        };
        view::prepare(self.app, &event, &self.snapshot);
        let typing = matches!(self.app.mode, Mode::Type(_));
        let asking = matches!(self.app.mode, Mode::Ask(_));
        for effect in self.app.update(event, &self.snapshot) {
            match effect {
                Effect::Run(command) => {
                    let is_typed = typing || asking && self.app.is_submitted(&command);
                    let origin = if is_typed { Origin::Line } else { self.app.last_key_origin() };
                    self.jobs.run(*command, origin, None);
                }
                Effect::DryRun { number, rule } => self.jobs.dry_run(number, *rule),
                Effect::Seek(seek) => self.jobs.seek(seek),
                Effect::ChooseNode(choice) => {
                    let chosen = self.source.choose_node(&choice);
                    self.take_snapshot();
                    self.app.update(Event::NodeChosen(chosen), &self.snapshot);
                }
                Effect::Copy(text) => host.copy(&text)?,
                Effect::Mouse(taken) => host.mouse(taken)?,
                Effect::Redraw => host.redraw_all()?,
                Effect::Suspend => return Ok(AfterKey::Suspend),
                Effect::Edit(edit) => {
                    self.unsent = None;
                    return Ok(AfterKey::Edit(edit));
                }
                Effect::Shell(line) => self.start_shell(&line),
                Effect::EndShell => {
                    if let Some(shell) = &mut self.shell {
                        shell.end();
                    }
                }
                Effect::SendEdited(edit) => {
                    let unsent = self.unsent.take();
                    if let Some(command) = edit.command(&edit.text) {
                        let origin = self.app.last_key_origin();
                        self.send(command, origin, unsent);
                    }
                }
                Effect::KeepEdited(call, why) => {
                    if let Some((_, edited)) = self.unsent.take() {
                        self.note_kept(call, edited.keep(), &why);
                    }
                }
                Effect::Leave => return Ok(AfterKey::Exit(ExitReason::Quit)),
                Effect::Interrupt => {
                    return Ok(AfterKey::Exit(ExitReason::Interrupted));
                }
            }
        }
        Ok(AfterKey::Continue)
    }

    /// Takes the result of a job. The next key sees what a command has changed.
    fn job_event(&mut self, event: Event, edited: Option<EditedReply>) {
        if let (Event::CommandDone { result: Err(why), .. }, Some((call, edited))) = (&event, edited) {
            self.note_kept(call, edited.keep(), why);
        }
        self.take_snapshot();
        for effect in self.app.update(event, &self.snapshot) {
            if let Effect::DryRun { number, rule } = effect {
                self.jobs.dry_run(number, *rule);
            }
        }
    }

    /// Takes up a terminal that others had meanwhile: what they set, and its size, may be another now.
    fn retake_terminal(&mut self, host: &mut impl TerminalHost) -> io::Result<()> {
        host.mouse(self.app.mouse)?;
        let (width, height) = host.size()?;
        self.app.update(Event::Resize(width, height), &self.snapshot);
        Ok(())
    }

    fn take_snapshot(&mut self) {
        let epoch = self.snapshot.epoch;
        self.snapshot = self.source.snapshot();
        if self.snapshot.epoch != epoch {
            self.app.update(Event::Restarted, &self.snapshot);
        }
    }

    fn refresh(&mut self, host: &mut impl TerminalHost) -> io::Result<()> {
        self.take_snapshot();
        let until = self.snapshot.kept.end;
        loop {
            let next = self.app.wants();
            if next >= until {
                break;
            }
            let entries = self.source.entries_after(next - 1, BATCH);
            if entries.is_empty() {
                break;
            }
            self.app.update(Event::Entries(entries, self.snapshot.kept.clone()), &self.snapshot);
        }
        self.app.update(Event::Entries(Vec::new(), self.snapshot.kept.clone()), &self.snapshot);
        host.draw(self.app, &self.snapshot)
    }
}
