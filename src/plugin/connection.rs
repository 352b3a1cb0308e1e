//! Connections: a task for each one, which serves HTTP/1.1 on a stream that can be cut.

use std::sync::Arc;

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::AsyncReadExt,
    sync::watch,
    time::{Duration, Instant, sleep_until},
};
use tokio_util::task::TaskTracker;
use tower::Service;

use super::{
    connection_control::{ConnectionControl, Disconnect},
    connection_threads::ConnectionThreads,
    fault_stream::FaultStream,
    recorder,
    routes::Routes,
    unread::Unread,
};
use crate::{
    hub::OpenConnection,
    net::{HeadTimeout, Socket},
};

/// How long a connection without a request is kept at the end: one may have been sent before it was accepted.
const FIRST_REQUEST_TIMEOUT: Duration = Duration::from_millis(100);

/// What happens to all connections of a group.
#[derive(Clone, Copy, Debug)]
enum ConnectionCommand {
    /// Requests are served.
    Serve,
    /// Each is closed after the call in flight.
    Finish,
    /// They stay open, and nothing is read or written.
    Freeze,
    /// They are closed at once, for this reason.
    Close(&'static str),
}

/// How requests on new connections are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AcceptMode {
    /// They are served.
    Serve,
    /// Each is recorded and its connection reset.
    Reset,
    /// They are read and ignored.
    Ignore,
}

/// Connections accepted since the last crash or outage change; they are closed together.
pub struct ConnectionGroup {
    routes: Arc<Routes>,
    threads: Arc<ConnectionThreads>,
    mode: AcceptMode,
    command: watch::Sender<ConnectionCommand>,
    tasks: TaskTracker,
}

impl ConnectionGroup {
    /// No connections yet.
    pub fn new(routes: Arc<Routes>, threads: Arc<ConnectionThreads>, mode: AcceptMode) -> Self {
        let command = watch::Sender::new(ConnectionCommand::Serve);
        Self { routes, threads, mode, command, tasks: TaskTracker::new() }
    }

    /// Spawns the task of an accepted connection.
    pub fn spawn(&self, socket: Socket, number: u64) {
        let command = self.command.subscribe();
        let connection = self.routes.hub().open_connection(number, socket.peer());
        if self.mode == AcceptMode::Ignore {
            self.tasks.spawn(ignore(socket, connection, command));
        } else {
            let reset = self.mode == AcceptMode::Reset;
            let routes = Arc::clone(&self.routes);
            let unread = Unread::new();
            let serve = move |socket| serve(socket, unread, connection, routes, reset, command);
            self.threads.spawn(&self.tasks, number, socket, serve);
        }
    }

    /// Stops reading and writing, without a sign to the peers.
    pub fn freeze(&self) {
        self.command.send_replace(ConnectionCommand::Freeze);
    }

    /// Closes them at once, and waits until their tasks have ended.
    pub async fn close(&self, reason: &'static str) {
        self.command.send_replace(ConnectionCommand::Close(reason));
        self.closed().await;
    }

    /// Closes each after the call in flight.
    pub fn finish(&self) {
        self.command.send_replace(ConnectionCommand::Finish);
    }

    /// Waits until all are closed.
    pub async fn closed(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

async fn serve(
    socket: Socket,
    unread: Unread,
    open: OpenConnection,
    routes: Arc<Routes>,
    reset: bool,
    mut command: watch::Receiver<ConnectionCommand>,
) {
    let control = Arc::new(ConnectionControl::of(&open));
    let stream = FaultStream::new(socket, Arc::clone(&control), unread);
    let stream = HeadTimeout::new(stream, routes.head_timeout(), Arc::clone(control.requests()));
    let service = routes.service(&control, reset);
    // Not `TowerToHyperService`: it calls the service when its future is first polled, which may never happen.
    let service = service_fn(|request| service.clone().call(request));
    let mut http = http1::Builder::new();
    http.writev(false);
    if routes.forwarding().is_some() {
        http.preserve_header_case(true).auto_date_header(false);
        control.upstream();
    }
    let mut connection = std::pin::pin!(http.serve_connection(TokioIo::new(stream), service));
    let mut frozen = false;
    let mut last_chance = None;
    loop {
        tokio::select! {
            biased;
            changed = command.changed() => {
                let server_ended = ConnectionCommand::Close("the server ended");
                match changed.map_or(server_ended, |()| *command.borrow()) {
                    ConnectionCommand::Serve => {}
                    ConnectionCommand::Finish if control.has_begun() => connection.as_mut().graceful_shutdown(),
                    ConnectionCommand::Finish => last_chance = Some(Instant::now() + FIRST_REQUEST_TIMEOUT),
                    ConnectionCommand::Freeze => frozen = true,
                    ConnectionCommand::Close(reason) => return control.close(reason),
                }
            }
            ended = &mut connection, if !frozen => {
                if let Err(error) = ended {
                    if control.requests().is_late() {
                        recorder::record_late(routes.hub(), &control);
                    } else if error.is_parse() {
                        recorder::record_refused(routes.hub(), &control, &error);
                    }
                    tracing::debug!(connection = control.number(), %error, "the connection ended early");
                }
                return;
            }
            () = sleep_until(last_chance.unwrap_or_else(Instant::now)), if last_chance.is_some() => {
                last_chance = None;
                connection.as_mut().graceful_shutdown();
            }
            // After the connection, which may have given it something to send.
            how = control.run_upstream(), if !frozen => {
                if let Some(forwarding) = routes.forwarding() {
                    forwarding.suspected.notify_one();
                }
                if how == Disconnect::Reset {
                    control.disconnect(how);
                    return;
                }
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

/// Reads and discards everything, and replies nothing, until the peer disconnects.
async fn ignore(mut socket: Socket, _open: OpenConnection, mut command: watch::Receiver<ConnectionCommand>) {
    let mut scratch = vec![0; 4096];
    let discarded = async { while matches!(socket.read(&mut scratch).await, Ok(1..)) {} };
    tokio::select! {
        () = discarded => {}
        _ = command.wait_for(|command| !matches!(command, ConnectionCommand::Serve)) => {}
    }
}
