//! The console, in a terminal of 200×50 that is read and not looked at.

use std::{io::Read, thread};

use portable_pty::{Child, CommandBuilder, MasterPty, NativePtySystem, PtySize, PtySystem};
use rustix::process::{Pid, Signal, kill_process};

/// A running console. Dropping it ends it in order, so that nothing of it stays.
pub struct Console {
    child: Box<dyn Child + Send + Sync>,
    _terminal: Box<dyn MasterPty + Send>,
}

impl Console {
    /// Starts the console with these arguments.
    pub fn start(arguments: &[String]) -> Self {
        let size = PtySize { rows: 50, cols: 200, ..PtySize::default() };
        let pty = NativePtySystem::default().openpty(size).expect("a terminal can be made");
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_voltergeist"));
        command.env("TERM", "xterm-256color");
        command.args(arguments);
        let child = pty.slave.spawn_command(command).expect("voltergeist starts");
        let mut screen = pty.master.try_clone_reader().expect("the terminal can be read");
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while screen.read(&mut buffer).is_ok_and(|read| read > 0) {}
        });
        Self { child, _terminal: pty.master }
    }

    /// Its process.
    pub fn process(&self) -> u32 {
        self.child.process_id().expect("voltergeist runs")
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        if let Some(process) = i32::try_from(self.process()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(process, Signal::TERM);
        }
        let _ = self.child.wait();
    }
}
