//! The body of a request.

use std::mem;

use axum::{
    BoxError,
    body::Body,
    http::{Request, header, request::Parts},
};
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use http_body_util::{BodyDataStream, BodyExt};
use hyper::body::Body as HttpBody;
use parking_lot::Mutex;

use crate::domain::model::{entry, protocol::MAX_BODY_LEN};

/// The body of a request, or the first part of one that is too long.
pub struct RequestBody {
    /// What is kept of it.
    pub bytes: Bytes,
    /// Its whole length, as far as it is known.
    pub length: usize,
    /// What follows `bytes`, unread.
    rest: Option<Body>,
}

/// How many bytes of a body that is too long are read and discarded, so that the client gets to read the reply.
const MAX_DISCARDED: usize = 16 * MAX_BODY_LEN;

impl RequestBody {
    /// Reads a body. What is longer than a call of the protocol is discarded, or kept unread if it is to be `forwarded`.
    pub async fn read<B>(mut body: B, forwarded: bool) -> Result<Self, B::Error>
    where
        B: HttpBody<Data = Bytes, Error: Into<BoxError> + Send> + Send + Unpin + 'static,
    {
        let declared = body.size_hint().exact();
        let mut bytes = Bytes::new();
        let mut length = 0;
        let mut rest = None;
        while length <= MAX_DISCARDED
            && let Some(frame) = body.frame().await
        {
            let Ok(part) = frame?.into_data() else { continue };
            length += part.len();
            if length <= MAX_BODY_LEN {
                bytes = if bytes.is_empty() { part } else { join(bytes, &part) };
            } else if forwarded {
                let part = stream::once(std::future::ready(Ok(part)));
                rest = Some(Body::from_stream(part.chain(BodyDataStream::new(body))));
                length = declared.and_then(|declared| declared.try_into().ok()).unwrap_or(length);
                break;
            }
        }
        Ok(Self { bytes, length, rest })
    }

    /// Whether nothing of it is left to be read.
    pub fn is_complete(&self) -> bool {
        self.rest.is_none()
    }

    /// The body as the journal keeps it.
    pub fn stored(&self) -> entry::Body {
        entry::Body::of_length(&self.bytes, self.length)
    }
}

fn join(bytes: Bytes, part: &[u8]) -> Bytes {
    let mut joined = bytes.try_into_mut().unwrap_or_else(|shared| BytesMut::from(&*shared));
    joined.extend_from_slice(part);
    joined.freeze()
}

/// A request as it came.
pub struct HttpRequest {
    head: Parts,
    bytes: Bytes,
    rest: Mutex<Option<Body>>,
}

impl HttpRequest {
    /// Puts head and body together again.
    pub fn new(head: Parts, body: RequestBody) -> Self {
        Self { head, bytes: body.bytes, rest: Mutex::new(body.rest) }
    }

    /// The same request, to be sent. A second time, a body that is too long to be kept is cut to what is.
    pub fn to_request(&self) -> Request<Body> {
        let body = match mem::take(&mut *self.rest.lock()) {
            Some(rest) => {
                let bytes = stream::once(std::future::ready(Ok(self.bytes.clone())));
                Body::from_stream(bytes.chain(BodyDataStream::new(rest)))
            }
            // A body that is known to be empty would lose its chunks.
            None if self.bytes.is_empty() && self.head.headers.contains_key(header::TRANSFER_ENCODING) => {
                Body::from_stream(stream::empty::<Result<Bytes, BoxError>>())
            }
            None => Body::from(self.bytes.clone()),
        };
        Request::from_parts(self.head.clone(), body)
    }
}
