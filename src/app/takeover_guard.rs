//! The guard: a second process of this program, which gives a plugin's place back if this one is killed.
//!
//! It holds the other end of a pipe, which the kernel closes when this process ends, however it ends.

use std::{
    io::{self, Read as _},
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use nix::sys::signal::SigSet;

use crate::net::takeover::{Restored, restore};

/// How long the guard waits for the end of a process that has closed its pipe.
const RESTORE_TIMEOUT: Duration = Duration::from_secs(10);

/// The guard of one place.
#[derive(Debug)]
pub struct TakeoverGuard(Child);

impl TakeoverGuard {
    /// Starts the guard. `program` is this one.
    pub fn start(program: &Path, path: &Path) -> io::Result<Self> {
        let guard = Command::new(program)
            .arg("guard")
            .arg(path)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C in the terminal is for the console.
            .process_group(0)
            .spawn()?;
        Ok(Self(guard))
    }
}

impl Drop for TakeoverGuard {
    /// Ends the guard, which finds that nothing is left to do.
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// Waits for the end of stdin, then gives the place back.
pub fn guard(path: &Path) -> io::Result<()> {
    // A signal to all processes of a service must not end the guard before the one that it guards.
    SigSet::all().thread_block()?;
    io::stdin().read_to_end(&mut Vec::new())?;
    let started = Instant::now();
    while restore(path)? == Restored::InUse && started.elapsed() < RESTORE_TIMEOUT {
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}
