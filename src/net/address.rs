//! Addresses as users write them.

use std::{fmt, path::PathBuf, str::FromStr};

/// A Unix socket or a TCP port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// `unix`, `unix:PATH` or `unix://PATH`; without a path, the default one.
    Unix(Option<PathBuf>),
    /// `tcp://HOST:PORT`; port 0 is any free one.
    Tcp(String),
}

/// A text that is not an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an address; write unix, unix:PATH or tcp://HOST:PORT")]
pub struct AddressError(String);

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let wrong = || AddressError(text.to_owned());
        if let Some(host_port) = text.strip_prefix("tcp://") {
            let (host, port) = host_port.rsplit_once(':').ok_or_else(wrong)?;
            let valid = !host.is_empty() && !host.contains('/') && port.parse::<u16>().is_ok();
            return if valid { Ok(Self::Tcp(host_port.to_owned())) } else { Err(wrong()) };
        }
        match text.strip_prefix("unix").ok_or_else(wrong)? {
            "" => Ok(Self::Unix(None)),
            rest => {
                let path = rest.strip_prefix("://").or_else(|| rest.strip_prefix(':')).ok_or_else(wrong)?;
                if path.is_empty() { Err(wrong()) } else { Ok(Self::Unix(Some(path.into()))) }
            }
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(None) => f.write_str("unix"),
            Self::Unix(Some(path)) => write!(f, "unix://{}", path.display()),
            Self::Tcp(host_port) => write!(f, "tcp://{host_port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_parse_and_print() {
        for (text, expected) in [
            ("unix", Address::Unix(None)),
            ("unix:/run/a.sock", Address::Unix(Some("/run/a.sock".into()))),
            ("unix:///run/a.sock", Address::Unix(Some("/run/a.sock".into()))),
            ("unix:a.sock", Address::Unix(Some("a.sock".into()))),
            ("tcp://127.0.0.1:0", Address::Tcp("127.0.0.1:0".into())),
            ("tcp://[::1]:8080", Address::Tcp("[::1]:8080".into())),
            ("tcp://localhost:8080", Address::Tcp("localhost:8080".into())),
        ] {
            let address: Address = text.parse().expect(text);
            assert_eq!(address, expected);
            assert_eq!(address.to_string().parse(), Ok(expected));
        }
        for text in [
            "",
            "unix:",
            "unix://",
            "unixes",
            "tcp://",
            "tcp://host",
            "tcp://:80",
            "tcp://a:b",
            "tcp://h/x:80",
            "http://h:80",
            "/run/a.sock",
        ] {
            assert_eq!(text.parse::<Address>(), Err(AddressError(text.to_owned())));
        }
    }
}
