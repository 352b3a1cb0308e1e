//! What the random inputs begin with.

use std::{fs, path::PathBuf, thread};

/// Valid inputs of a target and those that once failed, and what is put into them.
pub struct Corpus {
    entries: Vec<Vec<u8>>,
    words: &'static [&'static str],
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(name)
}

impl Corpus {
    /// The lines of a file.
    pub fn lines(name: &str, words: &'static [&'static str]) -> Self {
        let text = fs::read_to_string(path(name)).expect("the corpus is there");
        Self::new(text.lines().map(|line| line.as_bytes().to_vec()).collect(), words)
    }

    /// The lines of a file, in which bytes are escaped as in Rust.
    pub fn escaped(name: &str, words: &'static [&'static str]) -> Self {
        let lines = Self::lines(name, words);
        Self::new(lines.entries.iter().map(|line| unescaped(line)).collect(), words)
    }

    /// The files of a directory.
    pub fn files(name: &str, words: &'static [&'static str]) -> Self {
        let files = fs::read_dir(path(name)).expect("the corpus is there");
        let mut paths: Vec<_> = files.map(|file| file.expect("it is readable").path()).collect();
        // The same random input is the same edit on each machine.
        paths.sort_unstable();
        Self::new(paths.iter().map(|path| fs::read(path).expect("it is readable")).collect(), words)
    }

    fn new(entries: Vec<Vec<u8>>, words: &'static [&'static str]) -> Self {
        assert!(!entries.is_empty());
        Self { entries, words }
    }

    /// Tries each entry as it is.
    pub fn each(&self, test: impl Fn(&[u8])) {
        for entry in &self.entries {
            run(entry, &test);
        }
    }

    /// An entry with a few edits, as the random input says. Random bytes are hardly ever valid, and so would show little.
    pub fn edited(&self, input: &[u8]) -> Vec<u8> {
        let Some((&[high, low], edits)) = input.split_first_chunk() else { return Vec::new() };
        let mut edited = self.entry(high, low).to_vec();
        for edit in edits.chunks_exact(4) {
            let [kind, high, low, what] = *edit else { continue };
            let place = number(high, low) * (edited.len() + 1) / (1 << 16);
            let rest = &edited[place..];
            let word_end = place + rest.iter().position(|byte| b" \n".contains(byte)).unwrap_or(rest.len());
            let range_end = (place + usize::from(what)).min(edited.len());
            let word = self.words[usize::from(what) % self.words.len()].bytes();
            match kind % 10 {
                0 | 1 => drop(edited.splice(place..place, word)),
                2 => drop(edited.splice(place..word_end, word)),
                3 => drop(edited.drain(place..word_end)),
                4 => drop(edited.splice(place..place, char::from(what).to_string().into_bytes())),
                5 => edited.insert(place, what),
                6 => edited.extend_from_slice(self.entry(low, what)),
                7 => drop(edited.drain(place..range_end)),
                8 => edited.extend_from_within(place..range_end),
                _ => edited.truncate(place),
            }
        }
        edited
    }

    fn entry(&self, high: u8, low: u8) -> &[u8] {
        &self.entries[number(high, low) % self.entries.len()]
    }
}

fn number(high: u8, low: u8) -> usize {
    usize::from(u16::from_be_bytes([high, low]))
}

/// Runs a test, and shows its input if it panics.
pub fn run(input: &[u8], test: impl Fn(&[u8])) {
    struct Shown<'i>(&'i [u8]);
    impl Drop for Shown<'_> {
        fn drop(&mut self) {
            if thread::panicking() {
                eprintln!("failed: {}", self.0.escape_ascii());
            }
        }
    }
    let shown = Shown(input);
    test(input);
    drop(shown);
}

/// Bytes that [`slice::escape_ascii`] has escaped.
fn unescaped(line: &[u8]) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::new(), line);
    while let [byte, following @ ..] = rest {
        rest = following;
        let unescaped = match (byte, following) {
            (b'\\', [b'x', digits @ ..]) => {
                let digits = digits.get(..2).and_then(|digits| str::from_utf8(digits).ok());
                rest = &following[3..];
                u8::from_str_radix(digits.expect("two digits"), 16).expect("a hexadecimal number")
            }
            (b'\\', [escaped, ..]) => {
                rest = &following[1..];
                match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    escaped => *escaped,
                }
            }
            (byte, _) => *byte,
        };
        bytes.push(unescaped);
    }
    bytes
}

#[test]
fn what_a_failure_prints_can_be_an_entry() {
    let bytes: Vec<u8> = (0..=255).collect();
    assert_eq!(unescaped(bytes.escape_ascii().to_string().as_bytes()), bytes);
}

/// Tries the entries of a corpus, and then random inputs.
#[macro_export]
macro_rules! fuzz {
    ($corpus:expr, $test:expr) => {{
        let (corpus, test) = ($corpus, $test);
        corpus.each(&test);
        bolero::check!()
            .with_max_len($crate::MAX_INPUT)
            .for_each(|input: &[u8]| $crate::corpus::run(&corpus.edited(input), &test));
    }};
}
