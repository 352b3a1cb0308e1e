//! Which names a volume can have.

/// Why a name cannot be a volume of this driver.
///
/// Docker does not check names for plugins: `..`, `a/b` and an empty name all arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    /// The body had no name, as in `dockerd`'s retry with an empty body.
    #[error("the request names no volume; send {{\"Name\": \"…\"}} (dockerd retries with an empty body)")]
    Missing,
    /// A path rather than a name.
    #[error(
        "a volume name must be one plain path component: not \".\" or \"..\", and without \"/\" or NUL; choose another name"
    )]
    NotPlain,
    /// Longer than a file name can be.
    #[error("a volume name can have at most 255 bytes; choose a shorter one")]
    TooLong,
    /// The directory in which the driver keeps its own records.
    #[error("\"{RESERVED_NAME}\" is where the driver keeps its records; choose another name")]
    Reserved,
}

/// The one plain name that no volume can have.
pub const RESERVED_NAME: &str = ".voltergeist";

/// Accepts a name that is one plain path component.
pub fn check_name(name: &str) -> Result<(), BadName> {
    match name {
        "" => Err(BadName::Missing),
        "." | ".." => Err(BadName::NotPlain),
        _ if name.contains(['/', '\0']) => Err(BadName::NotPlain),
        _ if name.len() > 255 => Err(BadName::TooLong),
        RESERVED_NAME => Err(BadName::Reserved),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_could_lead_anywhere_is_refused() {
        for (name, expected) in [
            ("", Err(BadName::Missing)),
            (".", Err(BadName::NotPlain)),
            ("..", Err(BadName::NotPlain)),
            ("a/b", Err(BadName::NotPlain)),
            ("a\0b", Err(BadName::NotPlain)),
            (".voltergeist", Err(BadName::Reserved)),
            ("...", Ok(())),
            ("-x", Ok(())),
            ("größe mit raum", Ok(())),
        ] {
            assert_eq!(check_name(name), expected, "{name:?}");
        }
        assert_eq!(check_name(&"x".repeat(255)), Ok(()));
        assert_eq!(check_name(&"x".repeat(256)), Err(BadName::TooLong));
    }
}
