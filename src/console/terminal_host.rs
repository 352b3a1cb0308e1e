//! What the event loop does to a terminal.

use std::{io, time::Duration};

use crossterm::{
    event::{DisableMouseCapture, EnableMouseCapture, Event as TerminalEvent},
    execute,
    terminal::{BeginSynchronizedUpdate, EndSynchronizedUpdate},
};
use futures_util::Stream;
use rustix::process::{Signal, kill_current_process_group};
use tokio::{
    signal::unix::{SignalKind, signal},
    time::timeout,
};

use super::{
    clipboard,
    editor::{self, EditFailed, Edited},
    keyboard::Keyboard,
    model::{app::App, fault_list},
    terminal::TerminalScreen,
    view,
};
use crate::{domain::text, hub::Snapshot};

/// The terminal as the event loop uses it.
pub trait TerminalHost {
    /// Puts a text on the user's clipboard.
    fn copy(&mut self, text: &str) -> io::Result<()>;
    /// Takes the mouse from the terminal, or gives it back.
    fn mouse(&mut self, taken: bool) -> io::Result<()>;
    /// What is typed. Dropping it leaves what is typed from then on to others.
    type Keys: Stream<Item = io::Result<TerminalEvent>> + Unpin;
    /// Begins to take what is typed.
    fn keys(&mut self) -> io::Result<Self::Keys>;
    /// Columns and rows.
    fn size(&self) -> io::Result<(u16, u16)>;
    /// Gives the terminal to the user's editor with a text until that ends, or until `stop` comes.
    fn edit<E>(
        &mut self,
        text: &str,
        stop: impl Future<Output = E>,
    ) -> impl Future<Output = io::Result<Result<Result<Edited, EditFailed>, E>>>;
    /// Gives the terminal back, stops the process, and takes the terminal again when it continues.
    fn suspend(&mut self) -> impl Future<Output = io::Result<()>>;
    /// Draws every cell again, whatever is believed to be on the screen.
    fn redraw_all(&mut self) -> io::Result<()>;
    /// Draws one frame.
    fn draw(&mut self, app: &App, snapshot: &Snapshot) -> io::Result<()>;
}

impl TerminalHost for TerminalScreen {
    fn copy(&mut self, text: &str) -> io::Result<()> {
        use io::Write as _;
        let mut out = io::stdout().lock();
        out.write_all(clipboard::osc52(text).as_bytes())?;
        out.flush()
    }

    fn mouse(&mut self, taken: bool) -> io::Result<()> {
        let out = &mut io::stdout();
        if taken { execute!(out, EnableMouseCapture) } else { execute!(out, DisableMouseCapture) }
    }

    type Keys = Keyboard;

    fn keys(&mut self) -> io::Result<Keyboard> {
        Keyboard::open()
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

    async fn suspend(&mut self) -> io::Result<()> {
        let mut continued = signal(SignalKind::from_raw(Signal::CONT.as_raw()))?;
        self.leave();
        // The whole group, as the terminal itself would: a shell that started us through another program
        // (cargo run) takes the keyboard back only when all of it is stopped.
        kill_current_process_group(Signal::STOP)?;
        // This thread runs on until the process is stopped. The first process of a container cannot be.
        let _ = timeout(Duration::from_secs(1), continued.recv()).await;
        self.retake()
    }

    fn redraw_all(&mut self) -> io::Result<()> {
        Self::redraw_all(self)
    }

    fn draw(&mut self, app: &App, snapshot: &Snapshot) -> io::Result<()> {
        // A terminal that knows it shows the frame in one piece; any other ignores it.
        execute!(io::stdout(), BeginSynchronizedUpdate)?;
        let drawn = self.terminal.draw(|frame| view::render(frame, app, snapshot, &app.theme)).map(|_| ());
        execute!(io::stdout(), EndSynchronizedUpdate)?;
        self.set_title(&title(app, snapshot))?;
        self.notify(snapshot, app.window_focus)?;
        drawn
    }
}

/// The title of the terminal's window: the driver, and what is wrong with it on purpose.
fn title(app: &App, snapshot: &Snapshot) -> String {
    let armed = fault_list::armed(snapshot).count() as u64;
    let mut parts = vec![format!("voltergeist {}", text::clean(&snapshot.driver.name))];
    parts.extend((armed > 0).then(|| format!("{} armed", text::counted(armed, "rule"))));
    parts.extend(snapshot.driver_state.status.outage().map(|outage| format!("down ({outage})")));
    let held = snapshot.held.len() as u64;
    parts.extend((held > 0).then(|| format!("{} held", text::counted(held, "call"))));
    parts.join(if app.theme.glyphs.ascii { " - " } else { " · " })
}
