//! The real program in a terminal of its own: keys go in, a screen comes out.

use std::{
    io::{Read, Write},
    num::NonZero,
    path::Path,
    sync::Arc,
    thread,
};

use parking_lot::Mutex;
use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, NativePtySystem, PtySize, PtySystem};
use rustix::process::{Pid, Signal, kill_process};

use super::{TIMEOUT, wait_for};

pub struct Terminal {
    /// All that was written to it.
    output: Arc<Mutex<Vec<u8>>>,
    screen: Arc<Mutex<vt100::Parser>>,
    keyboard: Box<dyn Write + Send>,
    master: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
    /// How the terminal was set before the program began, to be found again after its end.
    settings: String,
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize { rows, cols: columns, ..PtySize::default() }
}

fn cells(count: u16) -> NonZero<u16> {
    NonZero::new(count).expect("a terminal has at least one cell")
}

fn settings(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().expect("the terminal has settings"))
}

fn command(directory: &Path, args: &[&str], env: &[(&str, &str)]) -> CommandBuilder {
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_voltergeist"));
    command.args(args);
    for (flag, place) in [("--root", "volumes"), ("--listen", "plugin.sock"), ("--control", "control.sock")] {
        let place = directory.join(place).display().to_string();
        command.args([flag, &if flag == "--root" { place } else { format!("unix://{place}") }]);
    }
    command.env("TERM", "xterm-256color");
    command.env("LANG", "C.UTF-8");
    // Nobody here says what the background is.
    command.env("VOLTERGEIST_THEME", "default");
    command.env("XDG_CONFIG_HOME", directory);
    command.env("XDG_STATE_HOME", directory);
    command.env_remove("NO_COLOR");
    for (name, value) in env {
        command.env(name, value);
    }
    command
}

/// A terminal that nobody reads, with voltergeist in it. Dropping it closes its window.
pub struct UnreadTerminal {
    master: Option<Box<dyn MasterPty + Send>>,
    child: Box<dyn Child + Send + Sync>,
}

impl UnreadTerminal {
    /// Starts voltergeist, and waits until it serves.
    pub fn start(directory: &Path, args: &[&str]) -> Self {
        let pty = NativePtySystem::default().openpty(size(200, 50)).expect("a terminal can be made");
        let child = pty.slave.spawn_command(command(directory, args, &[])).expect("voltergeist starts");
        let socket = directory.join("control.sock");
        let serves = wait_for(TIMEOUT, || super::http::request(&socket, "GET", "/v1/state", "").ok());
        assert!(serves.is_some(), "the control socket does not answer");
        Self { master: Some(pty.master), child }
    }

    /// Closes the window.
    pub fn close(&mut self) {
        self.master = None;
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = self.child.process_id().and_then(|pid| Pid::from_raw(pid.try_into().ok()?));
        kill_process(pid.expect("the program has a number"), signal).expect("the program runs");
    }

    /// Waits for the end and returns the exit status.
    pub fn wait_for_end(&mut self) -> u32 {
        let ended = wait_for(TIMEOUT, || self.child.try_wait().expect("the program can be waited for"));
        ended.expect("the program ends").exit_code()
    }
}

impl Drop for UnreadTerminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Terminal {
    /// Starts voltergeist in a terminal of a size, with its sockets and volumes in a directory.
    pub fn start(columns: u16, rows: u16, directory: &Path, args: &[&str], env: &[(&str, &str)]) -> Self {
        let pty = NativePtySystem::default().openpty(size(columns, rows)).expect("a terminal can be made");
        let command = command(directory, args, env);
        let settings = settings(&*pty.master);
        let child = pty.slave.spawn_command(command).expect("voltergeist starts");
        let screen = Arc::new(Mutex::new(vt100::Parser::new(cells(rows), cells(columns), 0)));
        let mut output = pty.master.try_clone_reader().expect("the terminal can be read");
        let written = Arc::new(Mutex::new(Vec::new()));
        thread::spawn({
            let (screen, written) = (Arc::clone(&screen), Arc::clone(&written));
            move || {
                let mut chunk = [0; 4096];
                while let Ok(read @ 1..) = output.read(&mut chunk) {
                    written.lock().extend_from_slice(&chunk[..read]);
                    screen.lock().process(&chunk[..read]);
                }
            }
        });
        let keyboard = pty.master.take_writer().expect("the terminal can be typed at");
        Self { output: written, screen, keyboard, master: pty.master, child, settings }
    }

    /// Types.
    pub fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("the terminal takes keys");
    }

    /// All that was written to the terminal, with its control sequences.
    pub fn output(&self) -> String {
        String::from_utf8_lossy(&self.output.lock()).into_owned()
    }

    /// Waits until something was written.
    pub fn wait_for_output(&self, bytes: &str) {
        let seen = wait_for(TIMEOUT, || self.output().contains(bytes).then_some(()));
        assert!(seen.is_some(), "{bytes:?} was not written");
    }

    /// What stands on the screen.
    pub fn text(&self) -> String {
        self.screen.lock().screen().contents()
    }

    /// Waits until the screen is as it should be.
    pub fn wait_until(&mut self, what: &str, condition: impl Fn(&vt100::Screen) -> bool) {
        let seen = wait_for(TIMEOUT, || condition(self.screen.lock().screen()).then_some(()));
        assert!(seen.is_some(), "{what} did not come about; the screen is\n{}", self.text());
    }

    /// Waits until a text stands on the screen.
    pub fn wait_for_text(&mut self, text: &str) {
        self.wait_until(&format!("{text:?}"), |screen| screen.contents().contains(text));
    }

    /// Makes the window larger or smaller.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.screen.lock().screen_mut().set_size(cells(rows), cells(columns));
        self.master.resize(size(columns, rows)).expect("the terminal can be resized");
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = self.child.process_id().and_then(|pid| Pid::from_raw(pid.try_into().ok()?));
        kill_process(pid.expect("the program has a number"), signal).expect("the program runs");
    }

    /// The number of its process.
    pub fn pid(&self) -> u32 {
        self.child.process_id().expect("the program has a number")
    }

    /// Waits for the end and returns the exit status.
    pub fn wait_for_end(&mut self) -> ExitStatus {
        let ended = wait_for(TIMEOUT, || self.child.try_wait().expect("the program can be waited for"));
        ended.unwrap_or_else(|| panic!("the program did not end; the screen is\n{}", self.text()))
    }

    /// Asserts that the terminal is as it was before: no alternate screen, a cursor, the same settings.
    pub fn assert_restored(&mut self) {
        self.wait_until("the normal screen with a cursor", |screen| {
            !screen.alternate_screen() && !screen.hide_cursor()
        });
        assert_eq!(settings(&*self.master), self.settings, "the terminal's settings were left changed");
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
