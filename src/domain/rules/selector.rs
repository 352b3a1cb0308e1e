//! Selectors: the conditions after `where`.

use globset::GlobBuilder;
use regex::bytes::{Regex, RegexBuilder};
use strum::{IntoStaticStr, VariantNames};

use super::key::{CallKey, asked};
use crate::domain::model::{
    entry::Call,
    peer::Peer,
    protocol::{Caller, Operation, Options},
};

/// What a rule can test on a request.
#[expect(clippy::struct_excessive_bools, reason = "each is a selector of its own")]
#[derive(Clone, Copy, Debug)]
pub struct RequestContext<'c> {
    /// The operation; none of a request that is no call of the protocol.
    pub operation: Option<Operation>,
    /// Its method and path, if it is none.
    pub request_line: Option<&'c str>,
    /// The volume that the request names, or empty.
    pub volume: &'c str,
    /// The mount ID in the request, or empty.
    pub id: &'c str,
    /// The volume's options; for Create, those of the request.
    pub options: &'c Options,
    /// Who sent it.
    pub caller: Caller,
    /// The number of the connection that it came on.
    pub connection: u64,
    /// Who connected, if the system says.
    pub peer: Option<&'c Peer>,
    /// Whether it is the first call of its peer.
    pub first_contact: bool,
    /// Whether the driver knows the volume.
    pub known: bool,
    /// Whether the volume has an open mount.
    pub mounted: bool,
    /// Whether the body is empty although this caller sends one, as in `dockerd`'s retries.
    pub retry: bool,
}

impl<'c> RequestContext<'c> {
    /// A request that names no volume, on no connection.
    pub const fn new(operation: Operation, caller: Caller, options: &'c Options) -> Self {
        Self {
            operation: Some(operation),
            request_line: None,
            volume: "",
            id: "",
            options,
            caller,
            connection: 0,
            peer: None,
            first_contact: false,
            known: false,
            mounted: false,
            retry: false,
        }
    }

    /// What a call shows. The options are those of its volume.
    pub fn of(call: &'c Call, options: &'c Options) -> Self {
        Self {
            operation: call.called(),
            request_line: call.request_line.as_deref(),
            volume: call.volume.as_deref().unwrap_or_default(),
            id: call.mount_id.as_deref().unwrap_or_default(),
            options,
            caller: call.caller,
            connection: call.connection,
            peer: call.peer.as_deref(),
            first_contact: call.first_contact,
            known: call.known,
            mounted: call.mounted,
            retry: call.is_retry(),
        }
    }

    /// What its counts depend on.
    pub fn key(&self) -> CallKey<'c> {
        let Self { operation, request_line, volume, id, connection, .. } = *self;
        CallKey { asked: asked(operation, request_line), volume, id, connection }
    }
}

/// One condition after `where`.
#[derive(Clone, Debug, PartialEq, Eq, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub enum Selector {
    /// `volume=GLOB`: the volume's name.
    Volume(Pattern),
    /// `opt.KEY` or `opt.KEY=GLOB`: a volume option, with any value or with a matching one.
    #[strum(serialize = "opt")]
    Option(String, Option<Pattern>),
    /// `id=PREFIX`: the mount ID starts with it.
    Id(String),
    /// `by=CALLER`: the caller; see [`Selector::is_by`].
    By(Caller),
    /// `peer=GLOB`: the process or the address that connected.
    Peer(Pattern),
    /// `connection=N`: the number of the connection.
    Connection(u64),
    /// `first-contact`: the first call of its peer.
    FirstContact,
    /// `known`: the driver knows the volume.
    Known,
    /// `unknown`: the driver does not know the volume.
    Unknown,
    /// `mounted`: the volume has an open mount.
    Mounted,
    /// `unmounted`: the volume has no open mount.
    Unmounted,
    /// `retry`: the body is empty although this caller sends one.
    Retry,
}

impl Selector {
    /// The first words of all selectors.
    pub const WORDS: [&str; Self::VARIANTS.len()] = *Self::VARIANTS.first_chunk().expect("all of them");

    /// Those without a value.
    pub const FLAGS: [Self; 6] =
        [Self::FirstContact, Self::Known, Self::Unknown, Self::Mounted, Self::Unmounted, Self::Retry];

    /// The first word.
    pub fn as_str(&self) -> &'static str {
        self.into()
    }

    /// Whether it can match calls of an operation; `None` stands for the method of another interface.
    pub fn applies_to(&self, operation: Option<Operation>) -> bool {
        match self {
            Self::Volume(_)
            | Self::Option(..)
            | Self::Known
            | Self::Unknown
            | Self::Mounted
            | Self::Unmounted => operation.is_some_and(Operation::requires_volume),
            Self::Id(_) => matches!(operation, Some(Operation::Mount | Operation::Unmount)),
            Self::By(_) | Self::Peer(_) | Self::Connection(_) | Self::FirstContact => true,
            Self::Retry => operation.is_some_and(|operation| operation != Operation::Activate),
        }
    }

    /// Whether a caller counts as another. The simulated daemon stands in for docker, so `by=docker` means both.
    pub fn is_by(wanted: Caller, caller: Caller) -> bool {
        caller == wanted || (wanted, caller) == (Caller::Docker, Caller::Simulated)
    }

    /// Whether it matches a request.
    pub fn matches(&self, request: &RequestContext<'_>) -> bool {
        match self {
            Self::Volume(name) => name.matches(request.volume),
            Self::Option(key, value) => request
                .options
                .get(key)
                .is_some_and(|found| value.as_ref().is_none_or(|value| value.matches(found))),
            Self::Id(prefix) => request.id.starts_with(prefix),
            Self::By(caller) => Self::is_by(*caller, request.caller),
            Self::Peer(pattern) => {
                request.peer.is_some_and(|peer| peer.is_known_as(|text| pattern.matches(text)))
            }
            Self::Connection(number) => request.connection == *number,
            Self::FirstContact => request.first_contact,
            Self::Known => request.known,
            Self::Unknown => !request.known,
            Self::Mounted => request.mounted,
            Self::Unmounted => !request.mounted,
            Self::Retry => request.retry,
        }
    }
}

/// A glob: `*`, `?` (one byte), `[a-z]`, `{one,other}`. `*` also matches a slash, since names are not paths.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    /// How many bytes of it stand for themselves. Most names differ in them.
    literal: usize,
    /// A glob matches paths, and would look for their components first.
    regex: Regex,
}

/// Why a text is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidPattern(String);

impl Pattern {
    /// Compiles a pattern.
    pub fn new(text: &str) -> Result<Self, InvalidPattern> {
        let glob = GlobBuilder::new(text).backslash_escape(true).empty_alternates(true).build();
        let glob = glob.map_err(|error| InvalidPattern(error.kind().to_string()))?;
        let regex = RegexBuilder::new(glob.regex()).dot_matches_new_line(true).build();
        let regex = regex.map_err(|_| InvalidPattern("it is too large".to_owned()))?;
        let literal = text.find(['*', '?', '[', '{', '\\']).unwrap_or(text.len());
        Ok(Self { text: text.to_owned(), literal, regex })
    }

    /// What matches a text and nothing else.
    pub fn exactly(text: &str) -> Self {
        Self::new(&globset::escape(text).replace('\\', r"\\")).expect("an escaped text is a pattern")
    }

    /// The text that it was compiled from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it matches a whole text.
    pub fn matches(&self, text: &str) -> bool {
        text.starts_with(&self.text[..self.literal]) && self.regex.is_match(text.as_bytes())
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_names_and_not_paths() {
        for (pattern, name, expected) in [
            ("db*", "db1", true),
            ("db*", "adb", false),
            ("*", "a/b", true),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("d?", "dx", true),
            ("{a,b}-[0-9]", "b-7", true),
            ("{a,b}-[0-9]", "c-7", false),
            ("\\*", "*", true),
            ("\\*", "x", false),
            ("DB", "db", false),
            ("a.b", "axb", false),
            ("a*b", "a\nb", true),
            ("*.tar", "x/y.tar", true),
            ("a]b", "a]b", true),
            ("a,b", "a,b", true),
            ("db{1,2}*", "db2x", true),
            ("a\\*b", "a*b", true),
            ("a\\*b", "axb", false),
        ] {
            assert_eq!(Pattern::new(pattern).expect(pattern).matches(name), expected, "{pattern} {name}");
        }
        for pattern in ["[", "{a", "a\\", &"{".repeat(400)] {
            assert!(Pattern::new(pattern).is_err(), "{pattern} was read");
        }
    }
}
