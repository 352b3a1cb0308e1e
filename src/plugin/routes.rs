//! The routes: one for each operation of the protocol, generated from its table.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{self, State},
    http::{Method, StatusCode},
    response::Response,
    routing::post,
};

use super::{
    call_guard::CallGuard,
    connection_control::{ConnectionControl, Disconnect},
    driver::{Answer, Driver, DriverCall, Forwarding},
    headers::SharedHeaders,
    http_reply::HttpReply,
    inject::inject,
    recorder::{CallRecorder, ReceivedCall},
    request_body::{HttpRequest, RequestBody},
    web_pages,
};
use crate::{
    domain::model::{
        driver::Outage,
        entry::AppliedFault,
        protocol::{MAX_BODY_LEN, Operation, Request, recorded_name},
    },
    hub::Hub,
    net::TrustedHosts,
};

/// What the connections serve.
pub struct Routes {
    hub: Arc<Hub>,
    headers: Arc<SharedHeaders>,
    calls: Router,
    reset: Router,
    forwarding: Option<Forwarding>,
    head_timeout: Option<Duration>,
}

impl Routes {
    /// The nine calls, answered by a driver; and all other requests, if it forwards them. `hosts` are those that are
    /// trusted on a TCP port, and a head takes at most `head_timeout`.
    pub fn new<D: Driver>(
        hub: &Arc<Hub>,
        driver: D,
        hosts: Option<TrustedHosts>,
        head_timeout: Option<Duration>,
    ) -> Self {
        let forwarding = driver.forwarding().cloned();
        let calls = calls(Arc::new(PluginState { hub: Arc::clone(hub), driver }));
        Self {
            hub: Arc::clone(hub),
            headers: Arc::default(),
            calls: match hosts {
                Some(hosts) => web_pages::refuse(calls, hosts),
                None => calls,
            },
            reset: Router::new().fallback(reset),
            forwarding,
            head_timeout,
        }
    }

    /// How long the head of a request may take.
    pub fn head_timeout(&self) -> Option<Duration> {
        self.head_timeout
    }

    /// Where requests are forwarded to, if they are.
    pub fn forwarding(&self) -> Option<&Forwarding> {
        self.forwarding.as_ref()
    }

    /// The hub in which calls are recorded.
    pub fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// The service of one connection, on which all calls may be `reset` because the driver is down.
    pub fn service(&self, control: &Arc<ConnectionControl>, reset: bool) -> CallRecorder<Router> {
        CallRecorder {
            hub: Arc::clone(&self.hub),
            headers: Arc::clone(&self.headers),
            control: Arc::clone(control),
            forwards: self.forwarding.is_some(),
            inner: if reset { self.reset.clone() } else { self.calls.clone() },
        }
    }
}

/// What the handlers share.
struct PluginState<D> {
    hub: Arc<Hub>,
    driver: D,
}

fn calls<D: Driver>(state: Arc<PluginState<D>>) -> Router {
    let router = Router::new().fallback(handle::<D>);
    if D::FORWARDS {
        return router.with_state(state);
    }
    let route = |router: Router<_>, operation: Operation| router.route(operation.path(), post(handle::<D>));
    let router = Operation::ALL.into_iter().fold(router, route);
    router.method_not_allowed_fallback(method_not_allowed).with_state(state)
}

async fn method_not_allowed(method: Method) -> HttpReply {
    let text = format!("{method} is not allowed; each call is a POST");
    HttpReply::text(StatusCode::METHOD_NOT_ALLOWED, &text)
}

/// Answers a request, or does to it what a rule demands.
async fn handle<D: Driver>(
    State(state): State<Arc<PluginState<D>>>,
    ReceivedCall { mut guard, body }: ReceivedCall,
    request: extract::Request,
) -> Response {
    let PluginState { hub, driver } = &*state;
    let (head, _) = request.into_parts();
    let call = guard.call();
    let operation = call.called();
    // Other interfaces have other requests.
    let request = match operation.map_or_else(|| Ok(Request::default()), |_| parse(&body)) {
        Ok(request) => request,
        // The upstream says what is wrong.
        Err(_) if D::FORWARDS => Request::default(),
        Err(reply) => return guard.reply(reply),
    };
    call.volume = recorded_name(&request.name);
    call.mount_id = recorded_name(&request.id);
    let injection = hub.admit(call, &request);
    let http = HttpRequest::new(head, body);
    let control = Arc::clone(guard.control());
    let driver_call = DriverCall { operation, request: &request, http: &http, control: &control };
    if let Some(injection) = injection {
        // It is large, and most calls need no room for it.
        return Box::pin(inject(injection, driver, &driver_call, guard)).await;
    }
    let answer = driver.call(&driver_call, guard.call()).await;
    respond(answer, guard).await
}

/// Records what the driver answers, and returns the response that sends it.
async fn respond(answer: Answer, guard: CallGuard) -> Response {
    match answer {
        Answer::Reply(reply) => guard.reply(reply),
        Answer::Incoming(incoming) => incoming.stream(guard),
        Answer::List(list) => list.stream(guard).await,
        Answer::Disconnect(disconnect, reason) => guard.disconnect(disconnect, &reason),
    }
}

/// Records a call to a driver that is down, and resets its connection.
async fn reset(call: ReceivedCall) -> Response {
    let ReceivedCall { mut guard, body } = call;
    let call = guard.call();
    if let Ok(request) = Request::parse(&body.bytes) {
        (call.volume, call.mount_id) = (recorded_name(&request.name), recorded_name(&request.id));
    }
    call.fault = Some(Box::new(AppliedFault::of_outage(Outage::Reset)));
    guard.disconnect(Disconnect::Reset, "the connection was reset: the driver is down")
}

fn parse(body: &RequestBody) -> Result<Request, HttpReply> {
    if body.length > MAX_BODY_LEN {
        let text = format!("the body is longer than {MAX_BODY_LEN} bytes; send a shorter one");
        return Err(HttpReply::text(StatusCode::PAYLOAD_TOO_LARGE, &text));
    }
    Request::parse(&body.bytes).map_err(|error| {
        let text = format!("the body is not a request: {error}; send {{\"Name\": \"…\"}}");
        HttpReply::text(StatusCode::INTERNAL_SERVER_ERROR, &text)
    })
}
