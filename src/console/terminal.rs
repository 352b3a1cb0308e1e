//! The terminal: taking it, and giving it back in every way that the console can end.
//!
//! ratatui's own `init` restores the screen on every panic of the process. Here a server lives beside the
//! console, and a panicking handler must not end it: so only a panic of the console's own task gives the
//! terminal back, and any other one becomes a note in the journal.

use std::{
    io::{self, Write, stdout},
    panic::{self, PanicHookInfo},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use crossterm::{
    cursor::Show,
    event::{
        DisableBracketedPaste, DisableFocusChange, DisableMouseCapture, EnableBracketedPaste,
        EnableFocusChange, KeyboardEnhancementFlags, PopKeyboardEnhancementFlags,
        PushKeyboardEnhancementFlags,
    },
    execute,
    style::Print,
    terminal::{EnterAlternateScreen, LeaveAlternateScreen, SetTitle, disable_raw_mode, enable_raw_mode},
};
use ratatui::{
    Terminal,
    backend::CrosstermBackend,
    layout::{Position, Rect},
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::sync::mpsc;

use super::notify::{Notifier, Notify, WindowFocus};
use crate::hub::Snapshot;

/// Whether the terminal is gone: its window was closed.
pub fn is_gone() -> bool {
    let stdout = stdout();
    // No event is asked for, so that only an error or a hang-up is reported.
    let mut watched = [PollFd::new(&stdout, PollFlags::empty())];
    poll(&mut watched, Some(&Timespec::default())).is_ok_and(|reported| reported > 0)
}

type Hook = dyn Fn(&PanicHookInfo<'_>) + Send + Sync;

/// The terminal while the console has it. Dropping it gives it back.
pub struct TerminalScreen {
    /// To draw on.
    pub terminal: Terminal<CrosstermBackend<TerminalOutput>>,
    /// What panicked elsewhere, in words.
    pub panics: mpsc::UnboundedReceiver<String>,
    /// The user's editor, as a line for the shell.
    pub editor: Option<String>,
    /// What notifies the user.
    notifier: Notifier,
    /// The title of the window, as it was set last.
    title: String,
    previous_hook: Arc<Hook>,
    taken: TerminalState,
}

/// Whether the terminal is taken. It is given back once: a second time would put the cursor back to where
/// it was at first, onto whatever was printed since.
#[derive(Clone, Default)]
struct TerminalState(Arc<AtomicBool>);

impl TerminalScreen {
    /// Takes the terminal.
    pub fn take(editor: Option<String>, notify: Notify) -> io::Result<Self> {
        let taken = TerminalState::default();
        taken.enter()?;
        let terminal = Terminal::new(CrosstermBackend::new(TerminalOutput { is_gone: false }))
            .inspect_err(|_| taken.leave())?;
        let (sender, panics) = mpsc::unbounded_channel();
        let previous_hook: Arc<Hook> = Arc::from(panic::take_hook());
        let (own_task, own_thread) = (tokio::task::try_id(), thread::current().id());
        let (hook, in_hook) = (Arc::clone(&previous_hook), taken.clone());
        panic::set_hook(Box::new(move |info| {
            let task = tokio::task::try_id();
            let own = task == own_task && (task.is_some() || thread::current().id() == own_thread);
            if own {
                in_hook.leave();
                hook(info);
            } else {
                let payload = info.payload();
                let text = payload.downcast_ref::<String>().map(String::as_str);
                let text =
                    text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("without a text");
                let place = info.location().map_or_else(String::new, |place| format!(" at {place}"));
                // Through a channel: the panicking task may hold the very lock that a note needs.
                let _ = sender.send(format!("a task panicked{place}: {text}"));
            }
        }));
        let notifier = Notifier::new(notify);
        Ok(Self { terminal, panics, editor, notifier, title: String::new(), previous_hook, taken })
    }

    /// Sets the title of the window, if it is another one now.
    pub fn set_title(&mut self, title: &str) -> io::Result<()> {
        if self.title != title {
            title.clone_into(&mut self.title);
            execute!(stdout(), SetTitle(title))?;
        }
        Ok(())
    }

    /// Notifies the user if a call is held that was not before.
    pub fn notify(&mut self, snapshot: &Snapshot, focus: WindowFocus) -> io::Result<()> {
        match self.notifier.newly_held(snapshot, focus) {
            Some(sequence) => execute!(stdout(), Print(sequence)),
            None => Ok(()),
        }
    }

    /// Gives the terminal back for a while.
    pub fn leave(&self) {
        self.taken.leave();
    }

    /// Takes the terminal again.
    pub fn retake(&mut self) -> io::Result<()> {
        self.taken.enter()?;
        self.title.clear();
        self.redraw_all()
    }

    /// Forgets every cell that is believed to be on the screen, so that all are drawn again. ratatui's own
    /// `clear` would ask the terminal for the cursor's place, and the answer is among the keys that the
    /// event stream reads.
    pub fn redraw_all(&mut self) -> io::Result<()> {
        let size = self.terminal.size()?;
        self.terminal.resize(Rect::from((Position::ORIGIN, size)))
    }
}

impl Drop for TerminalScreen {
    fn drop(&mut self) {
        // ratatui does it when it is dropped, and panics if the terminal is gone and nobody had an error yet.
        let _ = self.terminal.show_cursor();
        self.taken.leave();
        // A panicking thread must not change the hook; the process is about to end then anyway.
        if !thread::panicking() {
            let previous = Arc::clone(&self.previous_hook);
            panic::set_hook(Box::new(move |info| previous(info)));
        }
    }
}

impl TerminalState {
    fn enter(&self) -> io::Result<()> {
        enable_raw_mode()?;
        self.0.store(true, Ordering::SeqCst);
        // The title is kept on the terminal's stack, and comes back at the end.
        execute!(
            stdout(),
            Print("\x1b[22;2t"),
            EnterAlternateScreen,
            EnableBracketedPaste,
            EnableFocusChange,
            PushKeyboardEnhancementFlags(KeyboardEnhancementFlags::DISAMBIGUATE_ESCAPE_CODES)
        )
        .inspect_err(|_| self.leave())
    }

    /// Errors are ignored: a terminal that is gone needs no more.
    fn leave(&self) {
        if self.0.swap(false, Ordering::SeqCst) {
            // First, so that the terminal is usable once the screen shows that it is given back.
            let _ = disable_raw_mode();
            let _ = execute!(
                stdout(),
                PopKeyboardEnhancementFlags,
                DisableMouseCapture,
                DisableFocusChange,
                DisableBracketedPaste,
                LeaveAlternateScreen,
                Show,
                Print("\x1b[23;2t")
            );
        }
    }
}

/// Sets a terminal that takes no more output as it was before, as far as that needs none.
pub fn give_up() {
    let _ = disable_raw_mode();
}

/// The terminal's output. After an error, what is written is discarded: ratatui would print its own errors on stderr,
/// which is gone too when the terminal is.
pub struct TerminalOutput {
    is_gone: bool,
}

impl TerminalOutput {
    fn note<T>(&mut self, written: io::Result<T>) -> io::Result<T> {
        self.is_gone |= written.as_ref().is_err_and(|error| error.kind() != io::ErrorKind::Interrupted);
        written
    }
}

impl Write for TerminalOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_gone { Ok(bytes.len()) } else { self.note(stdout().write(bytes)) }
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.is_gone { Ok(()) } else { self.note(stdout().flush()) }
    }
}
