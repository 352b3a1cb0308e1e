//! The control API: what the console shows and does, for scripts. `docs/control.md` is its reference.

mod access;
mod checkpoint;
mod commands;
mod entries;
mod file_access;
mod metrics;
mod state;

use std::{io, path::PathBuf, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{ConnectInfo, Request, connect_info::Connected},
    http::{Method, StatusCode},
    middleware::{self, Next},
    response::Response,
    routing::{get, post},
    serve::IncomingStream,
};
use tokio_util::sync::CancellationToken;

pub use access::Access;
use file_access::FileAccess;

use crate::{
    domain::model::peer::Peer,
    hub::Hub,
    net::{HeadTimeout, Listener, RequestProgress, Socket},
};

/// The mountpoint of a volume by its name.
pub type MountpointOf = Arc<dyn Fn(&str) -> String + Send + Sync>;

/// What the handlers share.
#[derive(Clone)]
struct ApiState {
    hub: Arc<Hub>,
    mountpoint: MountpointOf,
    files: FileAccess,
    /// Ends the entry streams.
    shutdown: CancellationToken,
}

/// The control API on its listener.
pub struct ControlServer {
    listener: ControlListener,
    router: Router,
    shutdown: CancellationToken,
}

impl ControlServer {
    /// An API for this hub. Nothing is accepted before it runs. Over TCP, files are saved in `save_directory` only.
    pub fn new(
        hub: Arc<Hub>,
        mountpoint: MountpointOf,
        listener: ControlListener,
        access: Access,
        save_directory: Option<PathBuf>,
    ) -> Self {
        let shutdown = CancellationToken::new();
        let files =
            if listener.listener.is_tcp() { FileAccess::Within(save_directory) } else { FileAccess::All };
        let router = router(ApiState { hub, mountpoint, files, shutdown: shutdown.clone() }, access);
        Self { listener, router, shutdown }
    }

    /// The address of its socket.
    pub fn address(&self) -> String {
        self.listener.listener.address()
    }

    /// Cancelling it ends the streams, and the server after the requests in flight.
    pub fn shutdown(&self) -> CancellationToken {
        self.shutdown.clone()
    }

    /// Serves until it is shut down.
    pub async fn run(self) {
        let Self { listener, router, shutdown } = self;
        let shutdown = shutdown.cancelled_owned();
        let service = router.into_make_service_with_connect_info::<ClientPeer>();
        if let Err(error) = axum::serve(listener, service).with_graceful_shutdown(shutdown).await {
            tracing::warn!(%error, "the control API failed");
        }
    }
}

/// The listener of the control API, with the time that the head of a request may take.
pub struct ControlListener {
    listener: Listener,
    head_timeout: Option<Duration>,
}

impl ControlListener {
    /// A listener on which the head of a request may take so long.
    pub fn new(listener: Listener, head_timeout: Option<Duration>) -> Self {
        Self { listener, head_timeout }
    }
}

impl axum::serve::Listener for ControlListener {
    type Io = HeadTimeout<Socket>;
    type Addr = ClientPeer;

    async fn accept(&mut self) -> (HeadTimeout<Socket>, ClientPeer) {
        let socket = self.listener.accept().await;
        let requests = Arc::<RequestProgress>::default();
        let peer = ClientPeer { peer: socket.peer().map(Arc::new), requests: Arc::clone(&requests) };
        (HeadTimeout::new(socket, self.head_timeout, requests), peer)
    }

    fn local_addr(&self) -> io::Result<ClientPeer> {
        Ok(ClientPeer { peer: None, requests: Arc::default() })
    }
}

/// Who sends the requests of a connection, if the system says, and how far these are.
#[derive(Clone, Debug)]
pub struct ClientPeer {
    peer: Option<Arc<Peer>>,
    requests: Arc<RequestProgress>,
}

impl Connected<IncomingStream<'_, ControlListener>> for ClientPeer {
    fn connect_info(stream: IncomingStream<'_, ControlListener>) -> Self {
        stream.remote_addr().clone()
    }
}

/// Notes that the head of a request is complete.
async fn follow_request(
    ConnectInfo(client): ConnectInfo<ClientPeer>,
    request: Request,
    next: Next,
) -> Response {
    let _request_under_way = client.requests.begin();
    next.run(request).await
}

fn router(state: ApiState, access: Access) -> Router {
    Router::new()
        .route("/v1/state", get(state::state))
        .route("/v1/checkpoint", get(checkpoint::checkpoint))
        .route("/v1/entries", get(entries::entries))
        .route("/v1/entries/stream", get(entries::stream))
        .route("/v1/commands", post(commands::command))
        .route("/metrics", get(metrics::metrics))
        .fallback((StatusCode::NOT_FOUND, "not found; docs/control.md lists all requests\n"))
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn_with_state(access, access::check))
        .layer(middleware::from_fn(follow_request))
        .with_state(state)
}

async fn method_not_allowed(method: Method) -> (StatusCode, String) {
    let text = format!("{method} is not allowed here; docs/control.md lists all requests\n");
    (StatusCode::METHOD_NOT_ALLOWED, text)
}
