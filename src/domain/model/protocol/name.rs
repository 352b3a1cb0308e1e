//! The limits of what a request contains.

use super::{Operation, Options, Request};

/// The longest name of a volume in bytes. Engines send any text: `..`, `a/b`, spaces and an empty name all arrive.
pub const MAX_NAME_LEN: usize = 1024;

/// The longest mount ID in bytes. `dockerd` sends 64.
pub const MAX_ID_LEN: usize = 255;

/// How many bytes the options of a volume can have, keys and values together.
pub const MAX_OPTIONS_LEN: usize = 64 * 1024;

/// A name or an ID as entries have it: none if it is empty, and its start if it is too long.
pub fn recorded_name(text: &str) -> Option<Box<str>> {
    (!text.is_empty()).then(|| start(text, MAX_NAME_LEN))
}

/// The start of a text, at most so many bytes.
pub fn start(text: &str, bytes: usize) -> Box<str> {
    let end = (0..=bytes.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text[..end.unwrap_or(0)].into()
}

/// Why a request cannot be fulfilled, whatever the volumes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum BadRequest {
    #[error("the request names no volume; send {{\"Name\": \"…\"}} (dockerd retries with an empty body)")]
    NoName,
    #[error("a volume name can have at most {MAX_NAME_LEN} bytes; choose a shorter one")]
    LongName,
    #[error("a mount ID can have at most {MAX_ID_LEN} bytes; send a shorter one")]
    LongId,
    #[error("the options of a volume can have at most {MAX_OPTIONS_LEN} bytes; send fewer or shorter ones")]
    LongOptions,
}

/// Whether a text can be the name of a volume.
pub fn check_name(name: &str) -> Result<(), BadRequest> {
    match name.len() {
        0 => Err(BadRequest::NoName),
        1..=MAX_NAME_LEN => Ok(()),
        _ => Err(BadRequest::LongName),
    }
}

/// Whether options are short enough to be kept.
pub fn check_options(options: &Options) -> Result<(), BadRequest> {
    let length: usize = options.iter().map(|(key, value)| key.len() + value.len()).sum();
    if length <= MAX_OPTIONS_LEN { Ok(()) } else { Err(BadRequest::LongOptions) }
}

impl Request {
    /// Whether all that the request contains is within its limits.
    pub fn check(&self, operation: Operation) -> Result<(), BadRequest> {
        if operation.requires_volume() {
            check_name(&self.name)?;
        }
        if self.id.len() > MAX_ID_LEN {
            return Err(BadRequest::LongId);
        }
        check_options(&self.options)
    }
}

/// Why a text cannot be the name of a driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadDriverName {
    /// It is empty.
    #[error("a driver name must not be empty")]
    Empty,
    /// A path rather than a name.
    #[error("a driver name must be one plain path component: not \".\" or \"..\", and without \"/\" or NUL")]
    NotPlain,
    /// Longer than the name of its socket can be.
    #[error("a driver name can have at most 200 bytes")]
    TooLong,
}

/// Whether a text can be the name of a driver, after which its socket is named.
pub fn check_driver_name(name: &str) -> Result<(), BadDriverName> {
    match name {
        "" => Err(BadDriverName::Empty),
        "." | ".." => Err(BadDriverName::NotPlain),
        _ if name.contains(['/', '\0']) => Err(BadDriverName::NotPlain),
        _ if name.len() > 200 => Err(BadDriverName::TooLong),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_that_engines_send_is_accepted() {
        for name in ["..", "a/b", "a\0b", ".voltergeist", "-x", " ", "größe mit raum", &"x".repeat(1024)] {
            assert_eq!(check_name(name), Ok(()), "{name:?}");
        }
        assert_eq!(check_name(""), Err(BadRequest::NoName));
        assert_eq!(check_name(&"x".repeat(1025)), Err(BadRequest::LongName));
    }

    #[test]
    fn what_a_request_contains_has_limits() {
        let request = Request { name: "v".into(), id: "x".repeat(255), ..Request::default() };
        let options = |length| [("k".to_owned(), "x".repeat(length))].into();
        for (request, expected) in [
            (Request { options: options(64 * 1024 - 1), ..request.clone() }, Ok(())),
            (Request { options: options(64 * 1024), ..request.clone() }, Err(BadRequest::LongOptions)),
            (Request { id: "x".repeat(256), ..request.clone() }, Err(BadRequest::LongId)),
            (Request { name: String::new(), ..request.clone() }, Err(BadRequest::NoName)),
        ] {
            assert_eq!(request.check(Operation::Create), expected);
        }
        assert_eq!(Request::default().check(Operation::List), Ok(()));
    }

    #[test]
    fn a_driver_name_that_could_lead_anywhere_is_refused() {
        for name in ["", ".", "..", "a/b", "a\0b", &"x".repeat(201)] {
            assert!(check_driver_name(name).is_err(), "{name:?}");
        }
        assert_eq!(check_driver_name("voltergeist"), Ok(()));
    }
}
