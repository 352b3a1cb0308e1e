//! The outermost layer: every request becomes exactly one call entry.

use std::{
    convert::Infallible,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    BoxError,
    body::Body,
    extract::FromRequestParts,
    http::{Method, Request, StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::FutureExt;
use http_body_util::{BodyExt, Collected};
use hyper::body::Body as HttpBody;
use parking_lot::Mutex;
use tower::Service;

use super::{
    call_guard::CallGuard,
    connection_control::{ConnectionControl, Disconnect},
    headers::SharedHeaders,
    http_reply::{HttpReply, TEXT},
    request_body::RequestBody,
};
use crate::{
    domain::model::{
        entry::{Call, EntryKind, Outcome},
        protocol::{Caller, Operation, start},
    },
    hub::Hub,
};

/// Records the requests of one connection, whatever the inner service makes of them.
///
/// A handler asks for a disconnect by a [`Disconnect`] in the response's extensions. `call` then returns it as `Err`,
/// and hyper drops the connection.
#[derive(Clone)]
pub struct CallRecorder<S> {
    /// Where calls are recorded.
    pub hub: Arc<Hub>,
    /// Header lists, shared by all connections.
    pub headers: Arc<SharedHeaders>,
    /// The connection.
    pub control: Arc<ConnectionControl>,
    /// Whether requests are forwarded, so that long ones must stay whole.
    pub forwards: bool,
    /// The service that handles the requests.
    pub inner: S,
}

impl<S, B> Service<Request<B>> for CallRecorder<S>
where
    B: HttpBody<Data = Bytes, Error: Into<BoxError> + Send> + Send + Unpin + 'static,
    S: Service<Request<Body>, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = Disconnect;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Disconnect>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Disconnect>> {
        Poll::Ready(Ok(()))
    }

    /// The guard is created here and not in the future, which hyper drops unpolled if the client has already gone.
    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut head, body) = request.into_parts();
        let call = new_call(&head, &self.headers, self.hub.next_call(), &self.control);
        let mut guard = CallGuard::new(Arc::clone(&self.hub), Arc::clone(&self.control), call);
        let Self { control, inner, forwards, .. } = self;
        let forwards = *forwards;
        let (control, mut inner) = (Arc::clone(control), inner.clone());
        let request_under_way = control.begin_request();
        Box::pin(async move {
            let request_under_way = request_under_way;
            let body =
                RequestBody::read(body, forwards).await.map_err(|_| control.disconnect(Disconnect::Eof))?;
            if body.is_complete() {
                request_under_way.received();
            }
            guard.call().request = body.stored();
            let slot = CallSlot(Arc::new(Mutex::new(Some(ReceivedCall { guard, body }))));
            head.extensions.insert(slot.clone());
            let request = Request::from_parts(head, Body::empty());
            let handled = AssertUnwindSafe(async { inner.call(request).await }).catch_unwind().await;
            let response = match handled {
                Ok(Ok(response)) => response,
                Ok(Err(never)) => match never {},
                Err(_) => handler_panicked(),
            };
            let disconnect = response.extensions().get().copied();
            let unrecorded = slot.take().map(|call| call.guard);
            match (disconnect, unrecorded) {
                (Some(disconnect), unrecorded) => {
                    if let Some(guard) = unrecorded {
                        guard.disconnect(disconnect, &disconnect.to_string());
                    }
                    Err(control.disconnect(disconnect))
                }
                (None, Some(guard)) => Ok(record(guard, response).await),
                (None, None) => Ok(response),
            }
        })
    }
}

/// Passes a call through the router to its handler: an extension must be [`Clone`], which a guard cannot be.
#[derive(Clone)]
struct CallSlot(Arc<Mutex<Option<ReceivedCall>>>);

impl CallSlot {
    fn take(&self) -> Option<ReceivedCall> {
        self.0.lock().take()
    }
}

/// A call as its handler extracts it. The handler records how it ends; a call that no handler takes is recorded with
/// the response of the router.
pub struct ReceivedCall {
    /// Records the call.
    pub guard: CallGuard,
    /// What was sent.
    pub body: RequestBody,
}

impl<S: Sync> FromRequestParts<S> for ReceivedCall {
    type Rejection = Infallible;

    async fn from_request_parts(head: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let slot = head.extensions.get::<CallSlot>();
        Ok(slot.and_then(CallSlot::take).expect("the recorder passes each call to one handler"))
    }
}

/// Records a response that no handler has recorded, such as 404 and 405.
async fn record(guard: CallGuard, response: Response) -> Response {
    let (head, body) = response.into_parts();
    let body = body.collect().await.map(Collected::to_bytes).unwrap_or_default();
    let text = String::from_utf8_lossy(body.trim_ascii_end());
    let reply = HttpReply {
        error: Some(text.into()),
        content_type: TEXT,
        ..HttpReply::json(head.status, body.clone())
    };
    guard.record_reply(&reply, &body);
    Response::from_parts(head, Body::from(body))
}

fn handler_panicked() -> Response {
    let text = "the handler panicked; the reason is on voltergeist's screen or on stderr";
    HttpReply::text(StatusCode::INTERNAL_SERVER_ERROR, text).into_response()
}

/// Records a request that hyper has refused, since it is no HTTP or too large. A call that nobody understood still was
/// one.
pub fn record_refused(hub: &Hub, control: &ConnectionControl, error: &hyper::Error) {
    let status = if error.is_parse_too_large() { 431 } else { 400 };
    record_unread(hub, control, "(no HTTP request)", Some(status), &error.to_string());
}

/// Records a request whose head was not finished in time.
pub fn record_late(hub: &Hub, control: &ConnectionControl) {
    let error = "the head of the request was not finished in time (--header-timeout)";
    record_unread(hub, control, "(unfinished request)", None, error);
}

fn record_unread(hub: &Hub, control: &ConnectionControl, line: &str, status: Option<u16>, error: &str) {
    let call = Call {
        number: hub.next_call(),
        request_line: Some(line.into()),
        outcome: Outcome::Error,
        status,
        error: Some(error.into()),
        ..new_call(&Request::new(()).into_parts().0, &SharedHeaders::default(), 0, control)
    };
    hub.record(EntryKind::Call(Box::new(call)));
}

fn new_call(head: &Parts, headers: &SharedHeaders, call: u64, control: &ConnectionControl) -> Call {
    let operation = Operation::from_path(head.uri.path());
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    let in_protocol = operation.is_some() && head.method == Method::POST;
    let request_line = || start(&format!("{} {}", head.method, head.uri), 1024);
    Call {
        number: call,
        operation,
        request_line: (!in_protocol).then(request_line),
        caller: Caller::from_headers(header),
        connection: control.number(),
        peer: control.peer().cloned(),
        first_contact: control.begin_call(),
        headers: control.with_headers(|previous| headers.share(&head.headers, previous)),
        ..Call::default()
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;

    use super::*;

    fn recorder(inner: Router) -> CallRecorder<Router> {
        let hub = Hub::for_tests();
        let control = Arc::new(ConnectionControl::new(7));
        CallRecorder { hub, headers: Arc::default(), control, forwards: false, inner }
    }

    fn get() -> Request<Body> {
        Request::post(Operation::Get.path()).body(Body::from("{}")).expect("the request is valid")
    }

    fn recorded(recorder: &CallRecorder<Router>) -> Call {
        let (entries, _) = recorder.hub.entries_after(0, usize::MAX);
        let [_session, entry] = &*entries else { panic!("one call, not {entries:?}") };
        entry.call().expect("the entry is a call").clone()
    }

    #[test]
    fn a_call_whose_future_is_never_polled_is_recorded() {
        let mut recorder = recorder(Router::new());
        drop(recorder.call(get()));
        let call = recorded(&recorder);
        assert_eq!((call.operation, call.outcome), (Some(Operation::Get), Outcome::Cancelled));
        assert_eq!((call.number, call.connection), (1, 7));
    }

    #[tokio::test]
    async fn a_disconnect_in_a_response_is_an_error_and_recorded() {
        for disconnect in [Disconnect::Reset, Disconnect::Eof] {
            let mut recorder = recorder(Router::new().fallback(move || async move { disconnect }));
            assert_eq!(recorder.call(get()).await.map(drop), Err(disconnect));
            let call = recorded(&recorder);
            assert_eq!((call.outcome, call.status), (Outcome::Error, None));
            assert_eq!(call.error, Some(disconnect.to_string().into()));
        }
    }

    #[tokio::test]
    async fn a_response_that_no_handler_has_recorded_is_recorded_as_it_is_sent() {
        let mut recorder = recorder(Router::new().fallback((StatusCode::IM_A_TEAPOT, "short and stout\n")));
        let response = recorder.call(get()).await.expect("there is a response");
        assert_eq!(response.status(), StatusCode::IM_A_TEAPOT);
        let body = response.into_body().collect().await.expect("the body is complete").to_bytes();
        let call = recorded(&recorder);
        assert_eq!((call.status, call.error.as_deref()), (Some(418), Some("short and stout")));
        assert_eq!((&*call.reply.bytes, call.request.text()), (&*body, "{}".into()));
    }

    #[tokio::test]
    async fn a_handler_that_panics_is_recorded_and_answered() {
        async fn handler(_: ReceivedCall) -> Response {
            panic!("a test of panics")
        }
        let mut recorder = recorder(Router::new().fallback(handler));
        let response = recorder.call(get()).await.expect("there is a response");
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(recorded(&recorder).outcome, Outcome::Panicked);
    }
}
