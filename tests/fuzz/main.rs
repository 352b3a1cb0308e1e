//! Fuzz targets: what comes from outside is read or refused, and nothing panics.
//!
//! `cargo test --test fuzz` tries the inputs of the corpora and a thousand random ones for each target, and
//! `BOLERO_RANDOM_ITERATIONS=1000000` more of them. With a nightly toolchain, `cargo bolero test --test fuzz TARGET` lets
//! libFuzzer look for inputs that reach new code.

mod files;
mod languages;
mod requests;
#[path = "../support/mod.rs"]
mod support;
mod terminal;

/// How many bytes of input a target gets at most: more edits leave nothing of a text.
const MAX_INPUT: usize = 24;

/// A sequence of pieces: each byte stands for one, and a few for a character of their own.
fn sequence(bytes: &[u8], pieces: &[&str]) -> String {
    let piece = |byte: &u8| match byte {
        240.. => char::from(*byte).to_string(),
        _ => pieces[usize::from(*byte) % pieces.len()].to_owned(),
    };
    bytes.iter().map(piece).collect()
}

/// A valid text with a few edits. Random text is hardly ever valid, and so would show little.
fn edited(bytes: &[u8], valid: &[&str], words: &[&str]) -> String {
    let Some((first, edits)) = bytes.split_first() else { return String::new() };
    let valid = |byte: u8| valid[usize::from(byte) % valid.len()];
    let mut text = valid(*first).to_owned();
    for edit in edits.chunks_exact(3) {
        let [kind, place, what] = *edit else { continue };
        let place = usize::from(place) * (text.len() + 1) / 256;
        let place = (0..=place).rev().find(|place| text.is_char_boundary(*place)).unwrap_or(0);
        let word_end = text[place..].find(' ').map_or(text.len(), |length| place + length);
        match kind % 5 {
            0 => text.insert_str(place, words[usize::from(what) % words.len()]),
            1 => text.replace_range(place..word_end, words[usize::from(what) % words.len()]),
            2 => text.replace_range(place..word_end, ""),
            3 => text.insert(place, char::from(what)),
            _ => text.push_str(valid(what)),
        }
    }
    text
}
