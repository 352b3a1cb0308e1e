//! The only place that listens to the signals that end the program.

use std::{
    io,
    sync::{Arc, OnceLock},
};

use tokio::signal::unix::{self, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// A signal that asks the program to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signal(i32);

impl Signal {
    /// SIGINT, for which Ctrl-C stands while the console reads the keys.
    pub const INTERRUPT: Self = Self(SignalKind::interrupt().as_raw_value());

    /// SIGHUP, for which the end of the terminal stands.
    pub const HANGUP: Self = Self(SignalKind::hangup().as_raw_value());

    /// The exit status by which a shell knows which signal it was.
    pub fn exit_status(self) -> u8 {
        u8::try_from(128 + self.0).unwrap_or(1)
    }
}

/// The end of the program, asked for by SIGINT, SIGTERM, SIGHUP or by the program itself.
#[derive(Clone, Debug)]
pub struct Shutdown {
    /// The program is to end in order. Cancelled by the first signal.
    pub requested: CancellationToken,
    /// The clean-up is not to be waited for. Cancelled by a signal after the request.
    pub forced: CancellationToken,
    requested_by: Arc<OnceLock<Signal>>,
}

impl Shutdown {
    /// Listens to signals until two have asked for the end.
    pub fn watch() -> io::Result<Self> {
        let mut signals = Signals::new()?;
        let shutdown = Self {
            requested: CancellationToken::new(),
            forced: CancellationToken::new(),
            requested_by: Arc::default(),
        };
        let Self { requested, forced, requested_by } = shutdown.clone();
        tokio::spawn(async move {
            let signal = signals.next().await;
            if !requested.is_cancelled() {
                let _ = requested_by.set(signal);
                requested.cancel();
                signals.next().await;
            }
            forced.cancel();
        });
        Ok(shutdown)
    }

    /// The signal that has asked for the end, if it was one.
    pub fn signal(&self) -> Option<Signal> {
        self.requested_by.get().copied()
    }
}

struct Signals {
    interrupt: unix::Signal,
    terminate: unix::Signal,
    hangup: unix::Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Signal {
        let kind = tokio::select! {
            _ = self.interrupt.recv() => SignalKind::interrupt(),
            _ = self.terminate.recv() => SignalKind::terminate(),
            _ = self.hangup.recv() => SignalKind::hangup(),
        };
        Signal(kind.as_raw_value())
    }
}
