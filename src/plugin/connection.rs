//! Connections: each is a task that speaks HTTP/1.1 on a wire, and all of one time share a fate.

use std::sync::Arc;

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{io::AsyncReadExt, sync::watch};
use tokio_util::task::TaskTracker;

use super::{
    fault_stream::{ConnectionControl, FaultStream},
    recorder::Recorder,
    socket::Socket,
};

/// What becomes of connections.
#[derive(Clone, Copy, Debug)]
enum ConnectionCommand {
    /// They are served.
    Served,
    /// They end after the call in flight.
    Finished,
    /// They are left alone, without a sign to the peer.
    Frozen,
    /// They are ended at once.
    Disconnect(&'static str),
}

/// How new connections are met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AcceptMode {
    /// Requests are answered.
    HttpReply,
    /// Each request is met with a reset.
    Reset,
    /// What is sent is swallowed.
    Swallow,
}

/// The connections of one time in the driver's life, between two turns of its fate.
pub struct Connections {
    recorder: Arc<Recorder>,
    manner: AcceptMode,
    fate: watch::Sender<ConnectionCommand>,
    tasks: TaskTracker,
}

impl Connections {
    /// None yet.
    pub fn new(recorder: Arc<Recorder>, manner: AcceptMode) -> Self {
        Self {
            recorder,
            manner,
            fate: watch::Sender::new(ConnectionCommand::Served),
            tasks: TaskTracker::new(),
        }
    }

    /// Begins to serve one.
    pub fn begin(&self, socket: Socket) {
        let (recorder, fate) = (Arc::clone(&self.recorder), self.fate.subscribe());
        if self.manner == AcceptMode::Swallow {
            self.tasks.spawn(swallow(socket, fate));
        } else {
            self.tasks.spawn(serve(socket, recorder, self.manner == AcceptMode::Reset, fate));
        }
    }

    /// Leaves them as they are, without a sign to the peers.
    pub fn freeze(&self) {
        self.fate.send_replace(ConnectionCommand::Frozen);
    }

    /// Ends them at once, and waits until they are gone.
    pub async fn cut(&self, why: &'static str) {
        self.fate.send_replace(ConnectionCommand::Disconnect(why));
        self.gone().await;
    }

    /// Ends each after the call in flight.
    pub fn finish(&self) {
        self.fate.send_replace(ConnectionCommand::Finished);
    }

    /// Waits until all have ended.
    pub async fn gone(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

async fn serve(
    socket: Socket,
    recorder: Arc<Recorder>,
    resets: bool,
    mut fate: watch::Receiver<ConnectionCommand>,
) {
    let line = Arc::new(ConnectionControl::new(recorder.hub().next_connection()));
    let wire = FaultStream::new(socket, Arc::clone(&line), Arc::clone(recorder.hub()));
    let service = service_fn(|request| {
        let line = Arc::clone(&line);
        let call = Arc::clone(&recorder).call(request, Arc::clone(&line), resets);
        async move { call.await.map_err(|cut| line.cut(cut)) }
    });
    let mut connection = std::pin::pin!(http1::Builder::new().serve_connection(TokioIo::new(wire), service));
    let mut frozen = false;
    loop {
        tokio::select! {
            biased;
            turned = fate.changed() => match turned.map_or(ConnectionCommand::Disconnect("the server ended"), |()| *fate.borrow()) {
                ConnectionCommand::Served => {}
                ConnectionCommand::Finished => connection.as_mut().graceful_shutdown(),
                ConnectionCommand::Frozen => frozen = true,
                ConnectionCommand::Disconnect(why) => return line.end(why),
            },
            ended = &mut connection, if !frozen => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection ended early");
                }
                return;
            }
        }
    }
}

/// Takes what is sent, and answers nothing, until the peer gives up.
async fn swallow(mut socket: Socket, mut fate: watch::Receiver<ConnectionCommand>) {
    let mut scratch = vec![0; 4096];
    let swallowed = async { while matches!(socket.read(&mut scratch).await, Ok(1..)) {} };
    tokio::select! {
        () = swallowed => {}
        _ = fate.wait_for(|fate| !matches!(fate, ConnectionCommand::Served)) => {}
    }
}
