//! The signals that ask for an orderly end. Nothing else in the program listens to any.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

/// A signal that asks for the end, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signal(pub i32);

impl Signal {
    /// SIGINT, which Ctrl-C stands for where a screen takes the keys.
    pub const INTERRUPT: Self = Self(SignalKind::interrupt().as_raw_value());

    /// The exit status that tells a shell which signal it was.
    pub fn exit_status(self) -> u8 {
        u8::try_from(128 + self.0).unwrap_or(1)
    }
}

/// Starts to listen, and returns what waits for the first of SIGINT, SIGTERM and SIGHUP.
pub fn first() -> io::Result<impl Future<Output = Signal>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        let kind = tokio::select! {
            _ = interrupt.recv() => SignalKind::interrupt(),
            _ = terminate.recv() => SignalKind::terminate(),
            _ = hangup.recv() => SignalKind::hangup(),
        };
        Signal(kind.as_raw_value())
    })
}
