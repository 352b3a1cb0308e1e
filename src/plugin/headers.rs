//! Header lists as the journal keeps them: shared, since an engine sends the same headers with each request.

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hasher, RandomState},
};

use hyper::{
    HeaderMap,
    header::{HeaderName, HeaderValue},
};
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
    /// The headers of a request, names in lower case, in the order in which they were sent. `previous` are those of the
    /// request before it on the same connection, which are mostly equal.
    pub fn share(&self, map: &HeaderMap, previous: &mut Headers) -> Headers {
        if !is_copy(previous, map) {
            *previous = self.find(map);
        }
        previous.clone()
    }

    fn find(&self, map: &HeaderMap) -> Headers {
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
    let header = |(name, value): (&HeaderName, &HeaderValue)| {
        let value = &value.as_bytes()[..value.len().min(MAX_VALUE_LEN)];
        (name.as_str().into(), String::from_utf8_lossy(value).into())
    };
    Headers(map.iter().take(MAX_HEADERS).map(header).collect())
}

/// Whether these are the headers of a map, of which nothing was left out or replaced.
fn is_copy(headers: &Headers, map: &HeaderMap) -> bool {
    headers.0.len() == map.len()
        && headers.0.iter().zip(map).all(|((name, value), (own_name, own_value))| {
            **name == *own_name.as_str() && value.as_bytes() == own_value.as_bytes()
        })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn map(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn equal_lists_are_shared_and_different_lists_are_not() {
        let shared = SharedHeaders::default();
        let list = map(&[("host", "a"), ("accept", "b")]);
        let previous = &mut Headers::default();
        let first = shared.share(&list, previous);
        assert_eq!(first.0[0], ("host".into(), "a".into()));
        let on_the_same_connection = shared.share(&list, previous);
        let on_another = shared.share(&list, &mut Headers::default());
        assert!(Arc::ptr_eq(&first.0, &on_the_same_connection.0) && Arc::ptr_eq(&first.0, &on_another.0));
        for other in
            [&[("host", "ab"), ("accept", "")][..], &[("host", "a")], &[("accept", "b"), ("host", "a")], &[]]
        {
            assert_eq!(shared.share(&map(other), previous), copy(&map(other)));
        }
    }

    #[test]
    fn many_different_lists_do_not_use_more_memory() {
        let shared = SharedHeaders::default();
        for number in 0..10 * MAX_LISTS {
            let mut map = HeaderMap::new();
            map.insert("x-number", number.into());
            shared.share(&map, &mut Headers::default());
        }
        assert!(shared.seen.lock().len() <= MAX_LISTS);
    }
}
