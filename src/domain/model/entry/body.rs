//! Headers and bodies as they were on the wire.

use std::sync::Arc;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A request's headers. An engine sends the same ones with each request, so equal headers are shared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Headers(pub Arc<[(Box<str>, Box<str>)]>);

impl Headers {
    /// How many bytes of memory they hold, unless other entries share them.
    pub(super) fn size_estimate(&self) -> usize {
        if Arc::strong_count(&self.0) > 2 {
            return 0;
        }
        self.0.iter().map(|(name, value)| size_of_val(&**name) + size_of_val(&**value) + 64).sum()
    }
}

/// A body as it was on the wire, cut to its first bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(with = "BodyForm"))]
pub struct Body {
    /// The first bytes, at most [`Body::KEPT`] of them.
    pub bytes: Arc<[u8]>,
    /// How long it really was, in bytes.
    pub length: usize,
}

impl Body {
    /// How many bytes of a body are kept.
    pub const KEPT: usize = 16 * 1024;

    /// Keeps a body.
    pub fn new(bytes: &[u8]) -> Self {
        Self::of_length(bytes, bytes.len())
    }

    /// Keeps the first bytes of a body of this length.
    pub fn of_length(bytes: &[u8], length: usize) -> Self {
        Self { bytes: bytes[..bytes.len().min(Self::KEPT)].into(), length }
    }

    /// Its text, with what is not UTF-8 replaced.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self::new(&bytes)
    }
}

/// A body as JSON: its text, or its first bytes if it is long or not UTF-8.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
enum BodyForm<'b> {
    /// The whole text.
    Text(std::borrow::Cow<'b, str>),
    /// The first bytes.
    Encoded {
        /// At most 16 KiB of it, in Base64.
        base64: String,
        /// The length of the whole body in bytes.
        length: usize,
    },
}

impl Serialize for Body {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.bytes) {
            Ok(text) if self.bytes.len() == self.length => BodyForm::Text(text.into()),
            _ => BodyForm::Encoded { base64: BASE64_STANDARD.encode(&self.bytes), length: self.length },
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match BodyForm::deserialize(deserializer)? {
            BodyForm::Text(text) => text.into_owned().into_bytes().into(),
            BodyForm::Encoded { base64, length } => {
                let bytes = BASE64_STANDARD.decode(base64).map_err(serde::de::Error::custom)?;
                Self { bytes: bytes.into(), length }
            }
        })
    }
}
