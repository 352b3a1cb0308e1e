//! Header lists as the journal keeps them: shared, since an engine sends the same headers with each request.

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hasher, RandomState},
};

use hyper::HeaderMap;
use parking_lot::Mutex;

use crate::domain::model::entry::Headers;

/// How many different lists are shared at a time.
const MAX_LISTS: usize = 256;
/// How many headers of one list are kept, and how many bytes of each value.
const MAX_HEADERS: usize = 64;
const MAX_VALUE_LEN: usize = 1024;

/// The lists of recent requests, by their hash.
#[derive(Default)]
pub struct SharedHeaders {
    hasher: RandomState,
    seen: Mutex<HashMap<u64, Headers>>,
}

impl SharedHeaders {
    /// The headers of a request, names in lower case, in the order in which they were sent.
    pub fn share(&self, map: &HeaderMap) -> Headers {
        let mut hasher = self.hasher.build_hasher();
        for (name, value) in map {
            hasher.write(name.as_str().as_bytes());
            hasher.write_u8(0xff);
            hasher.write(value.as_bytes());
            hasher.write_u8(0xff);
        }
        let mut seen = self.seen.lock();
        if seen.len() >= MAX_LISTS {
            seen.clear();
        }
        seen.entry(hasher.finish()).or_insert_with(|| copy(map)).clone()
    }
}

fn copy(map: &HeaderMap) -> Headers {
    let header = |(name, value): (&hyper::header::HeaderName, &hyper::header::HeaderValue)| {
        let value = &value.as_bytes()[..value.len().min(MAX_VALUE_LEN)];
        (name.as_str().into(), String::from_utf8_lossy(value).into())
    };
    Headers(map.iter().take(MAX_HEADERS).map(header).collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn map(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (hyper::header::HeaderName::from_static(name), hyper::header::HeaderValue::from_static(value))
            })
            .collect()
    }

    #[test]
    fn equal_lists_are_shared_and_different_lists_are_not() {
        let shared = SharedHeaders::default();
        let first = shared.share(&map(&[("host", "a"), ("accept", "b")]));
        assert!(Arc::ptr_eq(&first.0, &shared.share(&map(&[("host", "a"), ("accept", "b")])).0));
        assert_ne!(first, shared.share(&map(&[("host", "ab"), ("accept", "")])));
        assert_eq!(first.0[0], ("host".into(), "a".into()));
    }

    #[test]
    fn many_different_lists_do_not_use_more_memory() {
        let shared = SharedHeaders::default();
        for number in 0..10 * MAX_LISTS {
            let mut map = HeaderMap::new();
            map.insert("x-number", number.into());
            shared.share(&map);
        }
        assert!(shared.seen.lock().len() <= MAX_LISTS);
    }
}
