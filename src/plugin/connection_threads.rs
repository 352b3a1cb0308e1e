//! Threads that serve connections.
//!
//! Each has a runtime of its own, and a connection stays on one of them. On the runtime of the whole program, a request
//! would move between threads, and each move wakes one.

use std::{io, thread};

use tokio::runtime::{Builder, Runtime};
use tokio_util::task::TaskTracker;

use crate::net::Socket;

/// Engines have a few connections at a time.
const MAX_THREADS: usize = 8;

/// The threads. They end when this is dropped.
#[derive(Default)]
pub struct ConnectionThreads {
    runtimes: Vec<Runtime>,
}

impl ConnectionThreads {
    /// Starts as many threads as there are processors, at most [`MAX_THREADS`]. If calls are forwarded, the upstream
    /// needs as much time, and half of the processors are left to it: one thread that is busy is faster than two that
    /// are woken for each call.
    pub fn start(forwards: bool) -> io::Result<Self> {
        let processors = thread::available_parallelism()?.get();
        let count = if forwards { processors.div_ceil(2) } else { processors }.min(MAX_THREADS);
        // A runtime with one thread of those that can have several: only they have `block_in_place`, which hands the
        // other connections over to another thread while a call waits for the disk.
        let start =
            || Builder::new_multi_thread().worker_threads(1).thread_name("connections").enable_all().build();
        // If one cannot be started, `Drop` ends the others: tokio panics if a runtime itself is dropped in a task.
        let mut threads = Self::default();
        for _ in 0..count {
            threads.runtimes.push(start()?);
        }
        Ok(threads)
    }

    /// Spawns the task that serves a connection.
    pub fn spawn<F>(
        &self,
        tasks: &TaskTracker,
        number: u64,
        socket: Socket,
        serve: impl FnOnce(Socket) -> F + Send + 'static,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        let Some(runtime) = self.runtimes.get(number as usize % self.runtimes.len().max(1)) else {
            tasks.spawn(serve(socket));
            return;
        };
        let detached = socket.detach();
        let task = async move {
            match detached.and_then(|attach| attach()) {
                Ok(socket) => serve(socket).await,
                Err(error) => tracing::warn!(connection = number, %error, "a connection cannot be served"),
            }
        };
        tasks.spawn_on(task, runtime.handle());
    }
}

impl Drop for ConnectionThreads {
    fn drop(&mut self) {
        for runtime in self.runtimes.drain(..) {
            // A thread that waits for a disk that does not answer must not prevent the end.
            runtime.shutdown_background();
        }
    }
}
