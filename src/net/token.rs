//! The token that a TCP control port asks for.

use std::{fs, os::unix::fs::MetadataExt as _, path::Path};

use super::client::ClientError;

/// The shortest token, in characters.
const SHORTEST: usize = 16;

/// Reads a token from a file that only its owner can read.
pub fn read(path: &Path) -> Result<String, ClientError> {
    let failed = |problem: String| ClientError::Token { path: path.to_owned(), problem };
    let make = format!("(umask 077; head -c 24 /dev/urandom | base64 > {})", path.display());
    let metadata = fs::metadata(path).map_err(|error| failed(format!("{error}; to make one: {make}")))?;
    if metadata.is_file() && metadata.mode() & 0o077 != 0 {
        return Err(failed(format!("others can read it; run chmod 600 {}", path.display())));
    }
    let token = fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    let token = token.trim();
    if token.len() < SHORTEST || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        let problem =
            format!("it must have one line of at least {SHORTEST} letters and digits; to make one: {make}");
        return Err(failed(problem));
    }
    Ok(token.to_owned())
}
