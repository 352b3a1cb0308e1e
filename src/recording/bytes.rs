//! Lines of a file by their offsets, without reading what is between them.

use std::{fs::File, io, os::unix::fs::FileExt};

/// How many bytes are read at a time.
const CHUNK: usize = 64 * 1024;

/// Reads up to so many bytes at an offset; fewer only at the end.
pub fn read_at(file: &File, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    let mut read = 0;
    while read < length {
        match file.read_at(&mut bytes[read..], offset + read as u64) {
            Ok(0) => break,
            Ok(count) => read += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(read);
    Ok(bytes)
}

/// The offset after the first line break at or after an offset, if there is one before `end`.
pub fn next_line_start(file: &File, mut offset: u64, end: u64) -> io::Result<Option<u64>> {
    while offset < end {
        let length = (end - offset).min(CHUNK as u64) as usize;
        let bytes = read_at(file, offset, length)?;
        if bytes.is_empty() {
            break;
        }
        if let Some(index) = memchr::memchr(b'\n', &bytes) {
            return Ok(Some(offset + index as u64 + 1));
        }
        offset += bytes.len() as u64;
    }
    Ok(None)
}

/// The offset after the last line break before `end`, or `start`.
pub fn last_line_start(file: &File, start: u64, end: u64) -> io::Result<u64> {
    let mut upper = end;
    while upper > start {
        let lower = upper.saturating_sub(CHUNK as u64).max(start);
        let bytes = read_at(file, lower, (upper - lower) as usize)?;
        if let Some(index) = memchr::memrchr(b'\n', &bytes) {
            return Ok(lower + index as u64 + 1);
        }
        upper = lower;
    }
    Ok(start)
}

/// The lines that begin before `end`, the last one first: the offset of each and its first bytes.
pub fn find_back<T>(
    file: &File,
    start: u64,
    end: u64,
    head: usize,
    mut look: impl FnMut(u64, &[u8]) -> Option<T>,
) -> io::Result<Option<T>> {
    let mut upper = end;
    while upper > start {
        let lower = upper.saturating_sub(4 * CHUNK as u64).max(start);
        // A line that begins in this part has its head in it or right after it.
        let bytes = read_at(file, lower, (upper - lower) as usize + head)?;
        let part = (upper - lower) as usize;
        let mut stop = part.min(bytes.len());
        // A line begins after a line break; one that begins at `upper` was looked at already.
        while let Some(index) = memchr::memrchr(b'\n', &bytes[..stop]) {
            if index + 1 < part
                && let Some(found) = look(lower + index as u64 + 1, &bytes[index + 1..])
            {
                return Ok(Some(found));
            }
            stop = index;
        }
        let begins_line =
            lower == start || read_at(file, lower - 1, 1)?.first().is_some_and(|byte| *byte == b'\n');
        if begins_line && let Some(found) = look(lower, &bytes) {
            return Ok(Some(found));
        }
        upper = lower;
    }
    Ok(None)
}
