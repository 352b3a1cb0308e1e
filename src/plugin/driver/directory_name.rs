//! The directory of a volume by its name. Engines send any text as a name; a directory's name is one plain component.

use std::{borrow::Cow, fmt::Write as _};

use sha2::{Digest, Sha256};

/// The one directory in the root that is no volume's.
pub const PRIVATE: &str = ".voltergeist";

/// The longest name that file systems have.
const MAX_LEN: usize = 255;

/// How much of a name that is too long is kept, so that people recognise it.
const KEPT_LEN: usize = 160;

/// The directory name of a volume. Different names have different ones, none of them leads elsewhere, and most names
/// stay as they are.
pub fn directory_name(volume: &str) -> Cow<'_, str> {
    let is_special = matches!(volume, "." | ".." | PRIVATE);
    let is_encoded = |c: char| matches!(c, '%' | '/') || c.is_control();
    if !is_special && volume.len() <= MAX_LEN && !volume.contains(is_encoded) {
        return Cow::Borrowed(volume);
    }
    let mut name = String::with_capacity(volume.len());
    for (index, c) in volume.char_indices() {
        if is_special && index == 0 || is_encoded(c) {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                let _ = write!(name, "%{byte:02X}");
            }
        } else {
            name.push(c);
        }
    }
    if name.len() <= MAX_LEN {
        return name.into();
    }
    let end = (0..=KEPT_LEN).rev().find(|end| name.is_char_boundary(*end)).unwrap_or(0);
    name.truncate(end);
    // No short name has a `%` before anything but two digits.
    name.push_str("%-");
    for byte in Sha256::digest(volume.as_bytes()) {
        let _ = write!(name, "{byte:02x}");
    }
    name.into()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_is_changed_only_where_it_must_be() {
        for (name, expected) in [
            ("data", "data"),
            ("größe mit raum", "größe mit raum"),
            ("-x", "-x"),
            ("...", "..."),
            (".", "%2E"),
            ("..", "%2E."),
            (".voltergeist", "%2Evoltergeist"),
            (".voltergeist2", ".voltergeist2"),
            ("a/../b", "a%2F..%2Fb"),
            ("50%", "50%25"),
            ("a\0\n\u{9b}", "a%00%0A%C2%9B"),
        ] {
            assert_eq!(directory_name(name), expected);
        }
    }

    #[test]
    fn long_names_differ_even_if_they_begin_alike() {
        let long = "ü".repeat(500);
        let names = [long.clone(), format!("{long}a"), format!("{long}b"), "x".repeat(255), "x".repeat(256)];
        let encoded: HashSet<_> = names.iter().map(|name| directory_name(name)).collect();
        assert_eq!(encoded.len(), names.len());
        assert!(encoded.iter().all(|name| name.len() <= MAX_LEN), "{encoded:?}");
    }

    proptest! {
        #[test]
        fn every_name_is_one_plain_component_of_its_own(
            one in "([./%\\x00-\\x20a2EF-]|\\PC){1,400}", other in "[./%2EF]{1,6}",
        ) {
            for name in [&one, &other] {
                let encoded = directory_name(name);
                prop_assert!(!encoded.contains(['/', '\0']) && encoded.len() <= MAX_LEN);
                prop_assert!(!["", ".", "..", PRIVATE].contains(&&*encoded));
            }
            prop_assert_eq!(directory_name(&one) == directory_name(&other), one == other);
        }
    }
}
