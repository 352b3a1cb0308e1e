//! The expectations of the command line and of a file.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use toml::Spanned;

use crate::domain::{
    lang::expectation::{Expectation, ExpectationError},
    text::excerpt,
};

/// An expectation, and where it was written.
pub struct SourcedExpectation {
    pub expectation: Expectation,
    /// The file and the line in it, unless it was on the command line.
    pub place: Option<(PathBuf, usize)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectationFile {
    expect: Vec<Spanned<String>>,
}

/// Parses all expectations. The error says which of them is wrong, and where.
pub fn wanted(arguments: &[String], file: Option<&Path>) -> Result<Vec<SourcedExpectation>, String> {
    let mut wanted = Vec::new();
    for text in arguments {
        let expectation = text.parse().map_err(|error| with_caret(text, &error))?;
        wanted.push(SourcedExpectation { expectation, place: None });
    }
    let Some(path) = file else { return Ok(wanted) };
    let shown = path.display();
    let text = fs::read_to_string(path).map_err(|error| format!("cannot read {shown}: {error}"))?;
    let line = |at: usize| text[..at.min(text.len())].matches('\n').count() + 1;
    let file: ExpectationFile = toml::from_str(&text).map_err(|error| {
        let at = error.span().unwrap_or_default().start;
        format!(
            "{shown}:{}: {}; a file has a list: expect = [\"mount == unmount\"]",
            line(at),
            error.message()
        )
    })?;
    for one in file.expect {
        let line = line(one.span().start);
        let text = one.into_inner();
        let expectation =
            text.parse().map_err(|error| format!("{shown}:{line}: {}", with_caret(&text, &error)))?;
        wanted.push(SourcedExpectation { expectation, place: Some((path.to_owned(), line)) });
    }
    if wanted.is_empty() {
        return Err(format!("{shown} has no expectations, and none is on the command line"));
    }
    Ok(wanted)
}

/// The error, and the text with a mark under its column.
fn with_caret(text: &str, error: &ExpectationError) -> String {
    format!("{error}\n{}", excerpt("", text, error.column.saturating_sub(1), 1))
}
