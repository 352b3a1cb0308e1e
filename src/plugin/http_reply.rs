//! A reply as it goes over the wire.

use std::sync::Arc;

use axum::{
    body::Body,
    http::{
        StatusCode,
        header::{self, HeaderValue},
        response::Parts,
    },
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde::Deserialize;

use super::connection_control::Disconnect;
use crate::domain::model::protocol::{CONTENT_TYPE, Reply};

/// The media type of errors, as Go's `http.Error` sets it.
pub const TEXT: &str = "text/plain; charset=utf-8";

/// Status, body, and the error in it.
#[derive(Clone, Debug)]
pub struct HttpReply {
    /// The HTTP status.
    pub status: StatusCode,
    /// The body's media type.
    pub content_type: &'static str,
    /// The body.
    pub body: Bytes,
    /// The error in it, or what makes it unreadable.
    pub error: Option<Box<str>>,
    /// The head as the upstream sent it, for what is no reply of our own.
    pub head: Option<Arc<Parts>>,
}

impl HttpReply {
    /// An error as Go's `http.Error` writes it.
    pub fn text(status: StatusCode, text: &str) -> Self {
        Self {
            status,
            content_type: TEXT,
            body: format!("{text}\n").into(),
            error: Some(text.into()),
            head: None,
        }
    }

    /// Of a path that does not exist, as Go's router gives it.
    pub fn not_found() -> Self {
        Self::text(StatusCode::NOT_FOUND, "404 page not found")
    }

    /// A body in the protocol's media type.
    pub fn json(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self { status, content_type: CONTENT_TYPE, body: body.into(), error: None, head: None }
    }

    /// A reply of the upstream.
    pub fn of_upstream(head: &Parts, body: Bytes, error: Option<Box<str>>) -> Self {
        Self { error, head: Some(Arc::new(head.clone())), ..Self::json(head.status, body) }
    }

    /// The same reply with an error.
    pub fn with_error(self, error: &str) -> Self {
        Self { error: Some(error.into()), ..self }
    }

    /// A response that declares the length of the whole body, and sends what the stream yields.
    pub fn streamed(
        &self,
        stream: impl futures_util::Stream<Item = Result<Bytes, Disconnect>> + Send + 'static,
    ) -> Response {
        let mut response = self.response(Body::from_stream(stream));
        response.headers_mut().insert(header::CONTENT_LENGTH, self.body.len().into());
        response
    }

    fn response(&self, body: Body) -> Response {
        if let Some(head) = &self.head {
            let mut head = (**head).clone();
            // The body may be another one now, and is sent at once.
            head.headers.remove(header::TRANSFER_ENCODING);
            head.headers.insert(header::CONTENT_LENGTH, self.body.len().into());
            return Response::from_parts(head, body);
        }
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        if self.content_type == TEXT {
            headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        }
        response
    }
}

impl IntoResponse for HttpReply {
    fn into_response(self) -> Response {
        self.response(Body::from(self.body.clone()))
    }
}

/// The error in a reply, as engines read it.
pub fn error_in(status: StatusCode, body: &[u8]) -> Option<Box<str>> {
    #[derive(Deserialize)]
    struct ErrorBody {
        #[serde(rename = "Err", default)]
        error: Option<String>,
    }
    // Engines read the first value only.
    let first = serde_json::Deserializer::from_slice(body).into_iter::<ErrorBody>().next();
    let error = match first {
        Some(Ok(body)) => body.error.filter(|error| !error.is_empty()).map(Into::into),
        Some(Err(_)) if status == StatusCode::OK => Some("the reply is not JSON".into()),
        None if status == StatusCode::OK => Some("the reply is empty".into()),
        _ => None,
    };
    error.or_else(|| {
        (status != StatusCode::OK).then(|| match String::from_utf8_lossy(body.trim_ascii_end()) {
            text if text.is_empty() => status.to_string().into(),
            text => text.into(),
        })
    })
}

impl IntoResponse for Disconnect {
    /// A response that is never sent: the recorder finds the extension and cuts the connection.
    fn into_response(self) -> Response {
        let mut response = Response::default();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Reply> for HttpReply {
    fn from(reply: Reply) -> Self {
        match &reply {
            Reply::ServerError(text) => Self::text(StatusCode::INTERNAL_SERVER_ERROR, text),
            Reply::Error(error) => Self::json(StatusCode::OK, reply.body()).with_error(error),
            _ => Self::json(StatusCode::OK, reply.body()),
        }
    }
}
