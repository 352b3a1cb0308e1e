//! An answer as it goes over the wire.

use bytes::Bytes;
use http_body_util::{Either, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    Response, StatusCode,
    body::Frame,
    header::{self, HeaderValue},
};

use super::fault_stream::Disconnect;
use crate::domain::model::protocol::{CONTENT_TYPE, Reply};

/// The media type of errors, as Go's `http.Error` sets it.
pub const TEXT: &str = "text/plain; charset=utf-8";

/// A body that is sent at once, or one that takes its time and may end in a cut.
pub type ReplyBody = Either<Full<Bytes>, UnsyncBoxBody<Bytes, Disconnect>>;

/// What is sent, and what the caller is told went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpReply {
    /// The HTTP status.
    pub status: StatusCode,
    /// The body's media type.
    pub media: &'static str,
    /// The body.
    pub body: Bytes,
    /// What went wrong, if it says so or cannot be read.
    pub error: Option<Box<str>>,
}

impl HttpReply {
    /// An error as Go's `http.Error` writes it.
    pub fn text(status: StatusCode, text: &str) -> Self {
        Self { status, media: TEXT, body: format!("{text}\n").into(), error: Some(text.into()) }
    }

    /// A body in the protocol's media type.
    pub fn json(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self { status, media: CONTENT_TYPE, body: body.into(), error: None }
    }

    /// The same, with what is wrong with it.
    pub fn wrong(self, error: &str) -> Self {
        Self { error: Some(error.into()), ..self }
    }

    /// The response that sends it.
    pub fn response(&self) -> Response<ReplyBody> {
        self.with_body(Either::Left(Full::new(self.body.clone())))
    }

    /// The response that promises all of it and sends what the stream yields.
    pub fn streamed(
        &self,
        stream: impl futures_util::Stream<Item = Result<Bytes, Disconnect>> + Send + 'static,
    ) -> Response<ReplyBody> {
        use futures_util::TryStreamExt;
        let body = UnsyncBoxBody::new(StreamBody::new(stream.map_ok(Frame::data)));
        let mut response = self.with_body(Either::Right(body));
        response.headers_mut().insert(header::CONTENT_LENGTH, self.body.len().into());
        response
    }

    fn with_body(&self, body: ReplyBody) -> Response<ReplyBody> {
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(self.media));
        if self.media == TEXT {
            response
                .headers_mut()
                .insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        }
        response
    }
}

impl From<Reply> for HttpReply {
    fn from(reply: Reply) -> Self {
        match &reply {
            Reply::Broken(text) => Self::text(StatusCode::INTERNAL_SERVER_ERROR, text),
            Reply::Refused(why) => Self::json(StatusCode::OK, reply.body()).wrong(why),
            _ => Self::json(StatusCode::OK, reply.body()),
        }
    }
}
