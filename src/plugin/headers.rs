//! Headers as the journal keeps them: shared, since one engine sends the same ones again and again.

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hasher, RandomState},
};

use hyper::HeaderMap;
use parking_lot::Mutex;

use crate::domain::model::entry::Headers;

/// How many different lists are shared at a time.
const LISTS: usize = 256;
/// What is kept of one list, in headers and in bytes of each value.
const HEADERS: usize = 64;
const VALUE: usize = 1024;

/// The lists that were seen lately, by their hash.
#[derive(Default)]
pub struct SharedHeaders {
    hasher: RandomState,
    seen: Mutex<HashMap<u64, Headers>>,
}

impl SharedHeaders {
    /// The headers of a request, names in lower case, in the order of their arrival.
    pub fn of(&self, map: &HeaderMap) -> Headers {
        let mut hasher = self.hasher.build_hasher();
        for (name, value) in map {
            hasher.write(name.as_str().as_bytes());
            hasher.write_u8(0xff);
            hasher.write(value.as_bytes());
            hasher.write_u8(0xff);
        }
        let mut seen = self.seen.lock();
        if seen.len() >= LISTS {
            seen.clear();
        }
        seen.entry(hasher.finish()).or_insert_with(|| copy(map)).clone()
    }
}

fn copy(map: &HeaderMap) -> Headers {
    let header = |(name, value): (&hyper::header::HeaderName, &hyper::header::HeaderValue)| {
        let value = &value.as_bytes()[..value.len().min(VALUE)];
        (name.as_str().into(), String::from_utf8_lossy(value).into())
    };
    Headers(map.iter().take(HEADERS).map(header).collect())
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
    fn equal_lists_are_one_and_different_lists_are_not() {
        let shared = SharedHeaders::default();
        let first = shared.of(&map(&[("host", "a"), ("accept", "b")]));
        assert!(Arc::ptr_eq(&first.0, &shared.of(&map(&[("host", "a"), ("accept", "b")])).0));
        assert_ne!(first, shared.of(&map(&[("host", "ab"), ("accept", "")])));
        assert_eq!(first.0[0], ("host".into(), "a".into()));
    }

    #[test]
    fn a_flood_of_different_lists_does_not_grow_what_is_shared() {
        let shared = SharedHeaders::default();
        for number in 0..10 * LISTS {
            let mut map = HeaderMap::new();
            map.insert("x-number", number.into());
            shared.of(&map);
        }
        assert!(shared.seen.lock().len() <= LISTS);
    }
}
