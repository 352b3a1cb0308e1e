//! The one middleware: each request is read, admitted, answered, and an entry in the journal.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{HeaderMap, Method, Request as HttpRequest, Response, body::Incoming, header};

use super::plugin::Plugin;
use crate::{
    domain::{
        entry::{Body, Call, Headers, Kind, Outcome},
        protocol::{BODY_LIMIT, CONTENT_TYPE, Caller, Operation, Reply, Request},
    },
    hub::{Arrival, Hub},
};

/// Answers requests and records them.
pub struct Recorder {
    hub: Arc<Hub>,
    plugin: Plugin,
}

impl Recorder {
    pub fn new(hub: Arc<Hub>, plugin: Plugin) -> Self {
        Self { hub, plugin }
    }

    pub async fn call(&self, request: HttpRequest<Incoming>) -> Response<Full<Bytes>> {
        let started = Instant::now();
        let (head, body) = request.into_parts();
        let operation = Operation::from_path(head.uri.path());
        let caller = Caller::recognise(|name| head.headers.get(name).and_then(|value| value.to_str().ok()));
        let body = Limited::new(body, BODY_LIMIT).collect().await.map(http_body_util::Collected::to_bytes);
        let body = body.unwrap_or_default();
        let parsed = Request::parse(&body);
        let mut changes = Vec::new();
        let (admission, reply) = match (operation, &parsed) {
            (Some(operation), Ok(request)) if head.method == Method::POST => {
                let arrival = Arrival { operation, request, caller, empty_body: body.is_empty() };
                let admission = self.hub.admit(Some(&arrival));
                (admission, self.plugin.perform(operation, request, &mut changes))
            }
            (_, parsed) => {
                let why = parsed.as_ref().err().map_or("not in the protocol".into(), ToString::to_string);
                (self.hub.admit(None), Reply::Broken(why))
            }
        };
        let bytes = Bytes::from(reply.body());
        let text = |text: &String| (!text.is_empty()).then(|| text.as_str().into());
        let request = parsed.unwrap_or_default();
        self.hub.record(Kind::Call(Box::new(Call {
            number: admission.number,
            operation,
            request_line: None,
            caller,
            volume: text(&request.name),
            id: text(&request.id),
            headers: headers(&head.headers),
            body: Body::new(&body),
            fault: None,
            outcome: if reply.error().is_some() { Outcome::Failed } else { Outcome::Answered },
            status: Some(reply.status()),
            error: reply.error().map(Into::into),
            reply: Body::new(&bytes),
            took: started.elapsed(),
            changes,
            lints: admission.lints,
            mounted: admission.mounted,
            waited: None,
        })));
        let mut response = Response::new(Full::new(bytes));
        *response.status_mut() =
            hyper::StatusCode::from_u16(reply.status()).unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
        response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(CONTENT_TYPE));
        response
    }
}

fn headers(map: &HeaderMap) -> Headers {
    let pair = |(name, value): (&header::HeaderName, &header::HeaderValue)| {
        (name.as_str().into(), String::from_utf8_lossy(value.as_bytes()).into())
    };
    Headers(map.iter().map(pair).collect())
}
