//! What the options of a volume say about its directory.

use super::protocol::Options;

/// How a volume's directory is made and used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DirectoryOptions {
    /// Nothing is written into the volume at a mount, so that an engine can fill it with the image's files.
    pub plain: bool,
    /// The data is elsewhere, and appears in the directory only while the volume is mounted.
    pub mount: bool,
    /// The owner.
    pub uid: Option<u32>,
    /// The group.
    pub gid: Option<u32>,
    /// The permissions.
    pub mode: Option<u32>,
}

/// The greatest number means "unchanged" to the kernel.
const MAX_ID: u32 = u32::MAX - 1;

/// An option whose value cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the option {key} cannot be {value:?}; {allowed}")]
pub struct BadOption {
    key: &'static str,
    value: String,
    allowed: &'static str,
}

impl DirectoryOptions {
    /// Reads the options of a volume. Those that it does not have are as in `defaults`.
    pub fn read(options: &Options, defaults: Self) -> Result<Self, BadOption> {
        let flag = |key, default| match options.get(key).map(String::as_str) {
            None => Ok(default),
            Some("" | "true" | "1") => Ok(true),
            Some("false" | "0") => Ok(false),
            Some(value) => Err(bad(key, value, "write true or false, or no value for true")),
        };
        let number = |key, default, radix, max, allowed| match options.get(key) {
            None => Ok(default),
            Some(value) => match u32::from_str_radix(value, radix) {
                Ok(number) if number <= max => Ok(Some(number)),
                _ => Err(bad(key, value, allowed)),
            },
        };
        Ok(Self {
            plain: flag("plain", defaults.plain)?,
            mount: flag("mount", defaults.mount)?,
            uid: number("uid", defaults.uid, 10, MAX_ID, "write the number of a user")?,
            gid: number("gid", defaults.gid, 10, MAX_ID, "write the number of a group")?,
            mode: number("mode", defaults.mode, 8, 0o7777, "write octal digits, as in 0750")?,
        })
    }
}

fn bad(key: &'static str, value: &str, allowed: &'static str) -> BadOption {
    BadOption { key, value: value.to_owned(), allowed }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(options: &[(&str, &str)]) -> Result<DirectoryOptions, String> {
        let options = options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        DirectoryOptions::read(&options, DirectoryOptions { plain: true, ..DirectoryOptions::default() })
            .map_err(|error| error.to_string())
    }

    #[test]
    fn options_are_read_as_engines_send_them() {
        let default = DirectoryOptions { plain: true, ..DirectoryOptions::default() };
        for (options, expected) in [
            (vec![], default),
            (vec![("tier", "gold")], default),
            (
                vec![("plain", "false"), ("mount", "")],
                DirectoryOptions { plain: false, mount: true, ..default },
            ),
            (
                vec![("uid", "1234"), ("gid", "0"), ("mode", "0750")],
                DirectoryOptions { uid: Some(1234), gid: Some(0), mode: Some(0o750), ..default },
            ),
        ] {
            assert_eq!(read(&options), Ok(expected), "{options:?}");
        }
    }

    #[test]
    fn an_option_that_cannot_be_used_is_an_error_that_says_what_can() {
        for (key, value) in [
            ("uid", "root"),
            ("uid", "-1"),
            ("gid", "4294967295"),
            ("mode", "rwx"),
            ("mode", "888"),
            ("mode", "10000"),
            ("mount", "yes please"),
        ] {
            let error = read(&[(key, value)]).expect_err(value);
            assert!(error.starts_with(&format!("the option {key} cannot be {value:?}; write ")), "{error}");
        }
    }
}
