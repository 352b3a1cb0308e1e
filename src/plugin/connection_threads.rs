//! Threads that serve connections.
//!
//! Each has a runtime of its own, and a connection stays on one of them. On the runtime of the whole program, a request
//! would move between threads, and each move wakes one.

use std::{io, thread};

use tokio::{
    runtime::{Builder, Handle},
    sync::oneshot,
};
use tokio_util::task::TaskTracker;

use crate::net::Socket;

/// As many threads as there are processors. They end when this is dropped.
#[derive(Default)]
pub struct ConnectionThreads {
    threads: Vec<(Handle, oneshot::Sender<()>)>,
}

impl ConnectionThreads {
    /// Starts the threads.
    pub fn start() -> io::Result<Self> {
        let count = thread::available_parallelism()?.get();
        let threads = (0..count).map(|_| start()).collect::<io::Result<_>>()?;
        Ok(Self { threads })
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
        let Some((thread, _)) = self.threads.get(number as usize % self.threads.len().max(1)) else {
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
        tasks.spawn_on(task, thread);
    }
}

fn start() -> io::Result<(Handle, oneshot::Sender<()>)> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    let (end, ended) = oneshot::channel();
    thread::Builder::new().name("connections".to_owned()).spawn(move || {
        drop(runtime.block_on(ended));
        // A thread that waits for a disk that does not answer must not prevent the end.
        runtime.shutdown_background();
    })?;
    Ok((handle, end))
}
