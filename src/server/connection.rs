//! One connection: HTTP/1.1 on a wire, each request to the recorder.

use std::sync::Arc;

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio_util::sync::CancellationToken;

use super::{record::Recorder, wire::Socket};

/// Serves a connection to its end. When `stop` is cancelled it ends after the call in flight.
pub async fn serve(socket: Socket, recorder: Arc<Recorder>, stop: CancellationToken) {
    let service = service_fn(move |request| {
        let recorder = Arc::clone(&recorder);
        async move { Ok::<_, std::convert::Infallible>(recorder.call(request).await) }
    });
    let mut connection =
        std::pin::pin!(http1::Builder::new().serve_connection(TokioIo::new(socket), service));
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}
