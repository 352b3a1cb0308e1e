//! A console on a hub, drawn into memory.

use std::sync::Arc;

use jiff::tz::TimeZone;
use ratatui::{Terminal, backend::TestBackend};
use voltergeist::{
    console::{
        input::keymap::Keymap,
        model::{App, Event},
        theme::Theme,
        view,
    },
    hub::Hub,
};

/// The console, in a terminal of 200×50.
pub struct Screen {
    pub hub: Arc<Hub>,
    pub app: App,
    terminal: Terminal<TestBackend>,
}

impl Screen {
    /// A console that has not been drawn yet.
    pub fn new(hub: Arc<Hub>) -> Self {
        let theme = Theme::named("default", false).expect("the default theme is shipped");
        Self {
            hub,
            app: App::new((200, 50), theme, Keymap::default(), TimeZone::UTC),
            terminal: Terminal::new(TestBackend::new(200, 50)).expect("memory can be drawn on"),
        }
    }

    /// All that the loop does for one frame.
    pub fn frame(&mut self) {
        let snapshot = self.hub.snapshot();
        while self.app.wants() < snapshot.kept.end {
            let (entries, _) = self.hub.entries_after(self.app.wants() - 1, 4096);
            self.app.update(Event::Entries(entries, snapshot.kept.clone()), &snapshot);
        }
        self.terminal
            .draw(|frame| view::render(frame, &self.app, &snapshot, &self.app.theme))
            .expect("memory can be drawn on");
    }
}
