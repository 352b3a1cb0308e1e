//! The body of a request.

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Body as HttpBody;

use crate::domain::model::{entry::Body, protocol::MAX_BODY_LEN};

/// The body of a request, or the first part of one that is too long.
pub struct RequestBody {
    /// What is kept of it.
    pub bytes: Bytes,
    /// Its whole length.
    pub length: usize,
}

/// How many bytes of a body that is too long are read and discarded, so that the client gets to read the reply.
const MAX_DISCARDED: usize = 16 * MAX_BODY_LEN;

impl RequestBody {
    /// Reads a body.
    pub async fn read<B: HttpBody<Data = Bytes> + Unpin>(mut body: B) -> Result<Self, B::Error> {
        let mut parts: Vec<Bytes> = Vec::new();
        let mut length = 0;
        while length <= MAX_DISCARDED
            && let Some(frame) = body.frame().await
        {
            let Ok(part) = frame?.into_data() else { continue };
            length += part.len();
            if length <= MAX_BODY_LEN {
                parts.push(part);
            }
        }
        let bytes = if parts.len() == 1 { parts.swap_remove(0) } else { parts.concat().into() };
        Ok(Self { bytes, length })
    }

    /// The body as the journal keeps it: a copy, since `bytes` is a part of the connection's read buffer.
    pub fn stored(&self) -> Body {
        let kept = &self.bytes[..self.bytes.len().min(Body::KEPT)];
        Body { bytes: Bytes::copy_from_slice(kept), length: self.length }
    }
}
