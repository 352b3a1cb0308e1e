//! The console: keys in, frames out.
//!
//! ```text
//! key ──▶ keymap ──▶ App::update ──▶ Effect ──▶ command, dry run, clipboard, leave
//!                        ▲                       │ (jobs: off the event loop)
//!                        └── CommandDone, … ◀────┘
//! source ──change──▶ new entries ──▶ App::update
//!        └─snapshot──▶ view::render(frame, &App, &Snapshot, &Theme)
//! ```
//!
//! Nothing is drawn while nothing changes, and at most [`FRAMES_PER_SECOND`] under load; a key is drawn at once.
//! State changes in one place, [`model::app::App::update`], which is pure. Drawing changes nothing. Nothing blocks the
//! event loop: what may wait for a disk is a job, and its result comes back as an event.

pub mod clipboard;
pub mod color_depth;
pub mod column;
pub mod editor;
pub mod glyphs;
pub mod input;
mod jobs;
mod keyboard;
pub mod layout;
pub mod memory;
pub mod model;
pub mod notify;
mod run;
mod shell;
mod terminal;
mod terminal_host;
pub mod theme;
pub mod themes;
pub mod view;

use std::{io, path::PathBuf, sync::Arc};

use tokio_util::sync::CancellationToken;

pub use run::{ExitReason, FRAMES_PER_SECOND, drive};
pub use terminal::give_up as give_up_terminal;
pub use terminal_host::TerminalHost;

use crate::{
    console::{
        input::keymap::Keymap,
        memory::{Memory, SourceKind},
        model::app::App,
        notify::Notify,
        theme::Theme,
        themes::Themes,
    },
    source::Source,
};

/// How the console looks and listens.
#[derive(Clone, Debug)]
pub struct ConsoleOptions {
    /// Styles and symbols.
    pub theme: Theme,
    /// The themes that can be chosen.
    pub themes: Themes,
    /// Which key does what.
    pub keymap: Keymap,
    /// The zone that times are shown in.
    pub zone: jiff::tz::TimeZone,
    /// Whether the mouse selects and scrolls from the start.
    pub mouse: bool,
    /// How the terminal notifies the user when a call is held.
    pub notify: Notify,
    /// The user's editor, as a line for the shell: see [`editor::find`].
    pub editor: Option<String>,
    /// The user's shell, for the commands after `!`.
    pub shell: String,
    /// The file of what is remembered from one run to the next.
    pub memory: Option<PathBuf>,
}

impl Default for ConsoleOptions {
    fn default() -> Self {
        Self {
            theme: Theme::named("default", false).expect("the default theme is shipped"),
            themes: Themes::shipped(false),
            keymap: Keymap::default(),
            zone: jiff::tz::TimeZone::UTC,
            mouse: true,
            notify: Notify::Off,
            editor: None,
            shell: "sh".to_owned(),
            memory: None,
        }
    }
}

/// Takes the terminal and shows a source in it until the user or the program ends that.
pub async fn run(
    source: Arc<dyn Source>,
    options: ConsoleOptions,
    shutdown: CancellationToken,
) -> io::Result<ExitReason> {
    match show(source, options, shutdown).await {
        // Whatever failed, it failed because of that.
        Err(_) if terminal::is_gone() => Ok(ExitReason::TerminalGone),
        reason => reason,
    }
}

async fn show(
    source: Arc<dyn Source>,
    options: ConsoleOptions,
    shutdown: CancellationToken,
) -> io::Result<ExitReason> {
    let size = crossterm::terminal::size()?;
    let mut app = App::new(size, options.theme, options.keymap, options.zone);
    app.themes = options.themes;
    app.mouse = options.mouse;
    let kind = SourceKind::of(&source.snapshot());
    if let Some(path) = &options.memory {
        Memory::read(path).restore(&mut app, kind);
    }
    app.shell.clone_from(&options.shell);
    let reason = run::on_terminal(source, &mut app, (options.editor, options.notify), shutdown).await;
    if let Some(path) = &options.memory
        && let Err(error) = Memory::write(&app, kind, path)
    {
        tracing::warn!(%error, path = %path.display(), "cannot save the typed lines and the borders of the panes");
    }
    reason
}

/// Whether the symbols must be ASCII, by the locale variables, which are looked up by name.
pub fn wants_ascii(variable: impl Fn(&str) -> Option<String>) -> bool {
    let locale =
        ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(variable).find(|value| !value.is_empty());
    let locale = locale.unwrap_or_default().to_ascii_lowercase();
    !(locale.contains("utf-8") || locale.contains("utf8"))
}
