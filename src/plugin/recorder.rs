//! The one middleware: each request is read, admitted, answered or not, and an entry in the journal.
//!
//! It stands at the very front, before any routing: a request to a path that is none of the protocol's
//! is an entry too, and a call may end without an answer, which no HTTP router can say.

use std::{panic::AssertUnwindSafe, sync::Arc};

use bytes::Bytes;
use futures_util::FutureExt;
use http_body_util::BodyExt;
use hyper::{Method, Request as HttpRequest, Response, StatusCode, body::Incoming, http::request::Parts};

use super::{
    call_guard::CallGuard,
    driver::Plugin,
    fault_stream::{ConnectionControl, Disconnect},
    headers::SharedHeaders,
    http_reply::{HttpReply, ReplyBody},
    inject::inject,
};
use crate::{
    domain::{
        lang::command::Outage,
        model::{
            entry::{AppliedFault, Body, Call, Outcome},
            protocol::{BODY_LIMIT, Caller, Operation, Request},
        },
    },
    state::{Hub, IncomingCall},
};

/// Answers requests and records them.
pub struct Recorder {
    hub: Arc<Hub>,
    plugin: Plugin,
    headers: SharedHeaders,
}

impl Recorder {
    /// A recorder in front of a driver.
    pub fn new(hub: Arc<Hub>, plugin: Plugin) -> Self {
        Self { hub, plugin, headers: SharedHeaders::default() }
    }

    /// The hub that it records in.
    pub fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// Answers a request. On a connection that `resets` it is recorded and met with a reset.
    ///
    /// The draft is there as soon as the request is: a caller that has given up already makes the HTTP layer
    /// drop the future without ever polling it.
    pub fn call(
        self: Arc<Self>,
        request: HttpRequest<Incoming>,
        line: Arc<ConnectionControl>,
        resets: bool,
    ) -> impl Future<Output = Result<Response<ReplyBody>, Disconnect>> {
        let (head, body) = request.into_parts();
        let call = self.begin(&head, line.connection());
        let draft = CallGuard::new(Arc::clone(&self.hub), line, call);
        async move {
            let answer = AssertUnwindSafe(self.answer(&head, body, draft, resets)).catch_unwind().await;
            answer.unwrap_or_else(|_| {
                let text = "the handler panicked; voltergeist tells the reason on its screen or on stderr";
                Ok(HttpReply::text(StatusCode::INTERNAL_SERVER_ERROR, text).response())
            })
        }
    }

    async fn answer(
        &self,
        head: &Parts,
        body: Incoming,
        mut draft: CallGuard,
        resets: bool,
    ) -> Result<Response<ReplyBody>, Disconnect> {
        let body = read(body).await.map_err(|_| Disconnect::Eof)?;
        draft.call().request = body.kept();
        if resets {
            // It is refused unheard, but the journal tells what it was about.
            if let Ok(request) = Request::parse(&body.bytes) {
                let call = draft.call();
                (call.volume, call.mount_id) = (named(&request.name), named(&request.id));
            }
            draft.call().fault = Some(AppliedFault::of_outage(Outage::Reset));
            draft.unanswered("the connection was reset: the driver is down");
            return Err(Disconnect::Reset);
        }
        let (operation, request) = match understand(head, draft.call().operation, &body) {
            Ok(understood) => understood,
            Err(answer) => {
                draft.answered(&answer, &answer.body);
                return Ok(answer.response());
            }
        };

        let caller = draft.call().caller;
        let call = draft.call().call;
        let arrival =
            IncomingCall { call, operation, request: &request, caller, empty_body: body.length == 0 };
        let admission = self.hub.admit(&arrival);
        let call = draft.call();
        call.lints = admission.lints;
        call.mounted = admission.mounted;
        call.volume = named(&request.name);
        call.mount_id = named(&request.id);
        if let Some(injection) = admission.injection {
            return inject(injection, &self.plugin, operation, &request, draft).await;
        }
        let answer = HttpReply::from(self.plugin.perform(operation, &request, draft.call()));
        draft.answered(&answer, &answer.body);
        Ok(answer.response())
    }

    fn begin(&self, head: &Parts, connection: u64) -> Call {
        let operation = Operation::from_path(head.uri.path());
        let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
        let ordinary = operation.is_some() && head.method == Method::POST;
        let request_line = || cut(&format!("{} {}", head.method, head.uri), 1024);
        Call {
            call: self.hub.next_call(),
            operation,
            request_line: (!ordinary).then(request_line),
            caller: Caller::from_headers(header),
            connection,
            volume: None,
            mount_id: None,
            mounted: false,
            headers: self.headers.of(&head.headers),
            request: Body::default(),
            fault: None,
            outcome: Outcome::Cancelled,
            status: None,
            error: None,
            reply: Body::default(),
            duration: std::time::Duration::ZERO,
            changes: Vec::new(),
            lints: Vec::new(),
            held_seq: None,
        }
    }
}

/// A name or an ID as the journal keeps it: whole if it can be a name at all.
fn named(text: &str) -> Option<Box<str>> {
    (!text.is_empty()).then(|| cut(text, 255))
}

fn cut(text: &str, bytes: usize) -> Box<str> {
    let end = (0..=bytes.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text[..end.unwrap_or(0)].into()
}

/// A request's body, or the first part of one that is too long.
struct ReadBody {
    bytes: Bytes,
    length: usize,
}

impl ReadBody {
    /// The body as the journal keeps it: a copy, since what arrived is a part of the connection's read buffer.
    fn kept(&self) -> Body {
        let kept = &self.bytes[..self.bytes.len().min(Body::KEPT)];
        Body { bytes: Bytes::copy_from_slice(kept), length: self.length }
    }
}

/// How much of a body that is too long is read, in bytes, so that its sender comes to read the answer.
const PATIENCE: usize = 16 * BODY_LIMIT;

async fn read(mut body: Incoming) -> hyper::Result<ReadBody> {
    let mut parts: Vec<Bytes> = Vec::new();
    let mut length = 0;
    while length <= PATIENCE
        && let Some(frame) = body.frame().await
    {
        let Ok(part) = frame?.into_data() else { continue };
        length += part.len();
        if length <= BODY_LIMIT {
            parts.push(part);
        }
    }
    let bytes = if parts.len() == 1 { parts.swap_remove(0) } else { parts.concat().into() };
    Ok(ReadBody { bytes, length })
}

/// What is asked, or the answer to what is not in the protocol.
fn understand(
    head: &Parts,
    operation: Option<Operation>,
    body: &ReadBody,
) -> Result<(Operation, Request), HttpReply> {
    let operation = operation.ok_or_else(|| HttpReply::text(StatusCode::NOT_FOUND, "404 page not found"))?;
    if head.method != Method::POST {
        let text = format!("{} is not allowed; each call is a POST", head.method);
        return Err(HttpReply::text(StatusCode::METHOD_NOT_ALLOWED, &text));
    }
    if body.length > BODY_LIMIT {
        let text = format!("the body is longer than {BODY_LIMIT} bytes; send a shorter one");
        return Err(HttpReply::text(StatusCode::PAYLOAD_TOO_LARGE, &text));
    }
    let request = Request::parse(&body.bytes).map_err(|error| {
        let text = format!("the body is not a request: {error}; send {{\"Name\": \"…\"}}");
        HttpReply::text(StatusCode::INTERNAL_SERVER_ERROR, &text)
    })?;
    Ok((operation, request))
}
