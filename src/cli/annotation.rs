//! Annotations that GitHub shows in the log of a job and beside the lines of a file.

use std::{fmt, path::Path};

use clap::ValueEnum;

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// Text
    #[default]
    Text,
    /// Text, and a GitHub annotation for each failure
    Github,
}

/// What has failed.
pub struct Annotation<'a> {
    pub title: &'a str,
    pub text: &'a str,
    /// The file and the line in it.
    pub place: Option<(&'a Path, usize)>,
}

/// A line of its own: `::error file=a.toml,line=3,title=…::…`
impl fmt::Display for Annotation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("::error ")?;
        if let Some((file, line)) = self.place {
            write!(f, "file={},line={line},", property(&file.display().to_string()))?;
        }
        write!(f, "title={}::{}", property(self.title), data(self.text))
    }
}

fn data(text: &str) -> String {
    text.trim_end().replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_meaning_in_an_annotation_is_escaped() {
        let place = Some((Path::new("a,b.toml"), 3));
        let annotation = Annotation { title: "50%: x", text: "one,\ntwo: 3\n", place };
        assert_eq!(annotation.to_string(), "::error file=a%2Cb.toml,line=3,title=50%25%3A x::one,%0Atwo: 3");
        let annotation = Annotation { place: None, ..annotation };
        assert_eq!(annotation.to_string(), "::error title=50%25%3A x::one,%0Atwo: 3");
    }
}
