//! A reply of the upstream while it arrives: passed on as it comes, or collected for a fault that alters it.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::{
    body::Body,
    http::{StatusCode, Version, header, response::Parts},
    response::Response,
};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};

use super::{
    connection::{ExchangeGuard, is_connection_reset},
    exchange::Exchange,
};
use crate::{
    domain::model::entry::{self, Call},
    plugin::{
        call_guard::CallGuard,
        connection_control::{ConnectionControl, Disconnect},
        http_reply::HttpReply,
    },
};

/// The longest reply that a fault can alter, in bytes.
const MAX_ALTERED: usize = 64 * 1024 * 1024;

/// A reply whose head has arrived.
pub struct IncomingReply {
    head: Parts,
    body: Incoming,
    guard: ExchangeGuard,
    exchange: Exchange,
}

impl IncomingReply {
    /// A reply to this request.
    pub fn new(response: Response<Incoming>, guard: ExchangeGuard, exchange: Exchange) -> Self {
        let (head, body) = response.into_parts();
        Self { head, body, guard, exchange }
    }

    /// The whole reply, for a fault that delays or alters it. Fails as the upstream has ended the connection.
    pub async fn collect(mut self, call: &mut Call) -> Result<HttpReply, (Disconnect, Box<str>)> {
        let mut parts: Vec<Bytes> = Vec::new();
        let mut length = 0;
        while let Some(frame) = self.body.frame().await {
            let Ok(part) = frame.map_err(|error| incomplete(&error))?.into_data() else { continue };
            length += part.len();
            if length > MAX_ALTERED {
                let text = format!(
                    "the reply of the upstream is longer than {MAX_ALTERED} bytes, too long for a fault"
                );
                return Err((Disconnect::Eof, text.into()));
            }
            parts.push(part);
        }
        self.guard.complete();
        let body = if parts.len() == 1 { parts.swap_remove(0) } else { parts.concat().into() };
        let stored = entry::Body::new(&body);
        let error = self.exchange.finish(self.head.status, &body, &stored, call);
        Ok(HttpReply::of_upstream(&self.head, body, error))
    }

    /// A response that passes the reply on as it arrives.
    pub fn stream(self, call: CallGuard) -> Response {
        let Self { mut head, body, guard, exchange } = self;
        let has = |name| head.headers.contains_key(name);
        let is_delimited = has(header::CONTENT_LENGTH) || has(header::TRANSFER_ENCODING);
        if !is_delimited && body.size_hint().exact().is_none() {
            // The end of the connection is the end of the body. In HTTP/1.1 the server would send chunks instead.
            if head.version == Version::HTTP_11 {
                call.control().send_next_as_http_11();
            }
            head.version = Version::HTTP_10;
        }
        let is_empty = body.is_end_stream();
        let mut body = ForwardedBody {
            status: head.status,
            body,
            guard,
            control: Arc::clone(call.control()),
            unrecorded: Some((call, exchange)),
            stored: Vec::new(),
            length: 0,
            held_back: None,
            broken: None,
            ended: false,
        };
        if is_empty {
            // Nobody polls a body that has a length of 0.
            body.guard.complete();
            body.record(None);
        }
        Response::from_parts(head, Body::new(body))
    }
}

fn incomplete(error: &hyper::Error) -> (Disconnect, Box<str>) {
    let disconnect = if is_connection_reset(error) { Disconnect::Reset } else { Disconnect::Eof };
    (disconnect, "the upstream ended the connection within its reply".into())
}

/// The body of a reply that is passed on. The call is recorded when the end has arrived, before it is sent.
struct ForwardedBody {
    status: StatusCode,
    body: Incoming,
    guard: ExchangeGuard,
    control: Arc<ConnectionControl>,
    unrecorded: Option<(CallGuard, Exchange)>,
    /// The first bytes, for the journal.
    stored: Vec<u8>,
    length: usize,
    /// The latest frame, until it is known whether it is the last one.
    held_back: Option<Frame<Bytes>>,
    /// How the upstream has ended the connection within the body.
    broken: Option<Disconnect>,
    ended: bool,
}

impl ForwardedBody {
    fn store(&mut self, data: &Bytes) {
        let Some((_, exchange)) = &self.unrecorded else { return };
        self.length += data.len();
        let room = exchange.kept().saturating_sub(self.stored.len());
        self.stored.extend_from_slice(&data[..data.len().min(room)]);
    }

    /// Records the call with the part of the reply that has arrived.
    fn record(&mut self, broken: Option<Box<str>>) {
        self.ended = true;
        let Some((mut call, exchange)) = self.unrecorded.take() else { return };
        let bytes = Bytes::from(std::mem::take(&mut self.stored));
        let stored = entry::Body::of_length(&bytes, self.length);
        let error = match broken {
            Some(error) => Some(error),
            None if bytes.len() == self.length => exchange.finish(self.status, &bytes, &stored, call.call()),
            None => exchange.finish_long(self.status, &stored, call.call()),
        };
        call.record_body(self.status, error, stored);
    }

    fn fail(&mut self, error: &hyper::Error) {
        let (disconnect, text) = incomplete(error);
        self.broken = Some(self.control.disconnect(disconnect));
        self.record(Some(text));
    }
}

impl HttpBody for ForwardedBody {
    type Data = Bytes;
    type Error = Disconnect;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Disconnect>>> {
        let this = self.get_mut();
        while !this.ended {
            // A frame is held back only until the next poll, never until the upstream sends more.
            let frame = match Pin::new(&mut this.body).poll_frame(cx) {
                Poll::Pending if this.held_back.is_some() => {
                    return Poll::Ready(this.held_back.take().map(Ok));
                }
                frame => ready!(frame),
            };
            match frame {
                Some(Ok(frame)) => {
                    if let Some(data) = frame.data_ref() {
                        this.store(data);
                    }
                    let previous = this.held_back.replace(frame);
                    if this.body.is_end_stream() {
                        this.guard.complete();
                        this.record(None);
                    }
                    if previous.is_some() {
                        return Poll::Ready(previous.map(Ok));
                    }
                }
                Some(Err(error)) => this.fail(&error),
                None => {
                    this.guard.complete();
                    this.record(None);
                }
            }
        }
        Poll::Ready(this.held_back.take().map(Ok).or_else(|| this.broken.take().map(Err)))
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
