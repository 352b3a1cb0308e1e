//! The themes that can be chosen: those that come with the program, and the user's own.

use std::{fs, io, path::Path, sync::Arc};

use super::{
    color_depth::ColorDepth,
    theme::{NoTheme, SHIPPED, Theme, read_styles},
};

/// The name that stands for the theme that fits the terminal's background.
pub const AUTO: &str = "auto";

/// A file of a theme that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the theme {path}: {problem}")]
pub struct BadTheme {
    path: String,
    problem: String,
}

/// The themes, in the order in which a key goes through them.
#[derive(Clone, Debug)]
pub struct Themes(Arc<[Theme]>);

impl Themes {
    /// The themes that come with the program.
    pub fn shipped(ascii: bool) -> Self {
        let named = |(name, _): (&str, &str)| Theme::named(name, ascii).expect("the name is from the list");
        Self(SHIPPED.into_iter().map(named).collect())
    }

    /// These and the user's own: each file `NAME.toml` of a directory, which need not be there. One with the name of
    /// another replaces it.
    pub fn with_own(self, directory: &Path) -> Result<Self, BadTheme> {
        let mut themes = self.0.to_vec();
        let glyphs = themes[0].glyphs;
        let bad = |path: &Path, problem: String| BadTheme { path: path.display().to_string(), problem };
        let files = match fs::read_dir(directory) {
            Ok(files) => files,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(Self(themes.into()));
            }
            Err(error) => return Err(bad(directory, error.to_string())),
        };
        let mut paths: Vec<_> = files.filter_map(Result::ok).map(|file| file.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
        paths.sort();
        for path in paths {
            let Some(name) = path.file_stem().and_then(|name| name.to_str()) else { continue };
            let text = fs::read_to_string(&path).map_err(|error| bad(&path, error.to_string()))?;
            let styles = read_styles(&text).map_err(|error| bad(&path, error.trim_end().to_owned()))?;
            themes.retain(|theme| theme.name != name);
            themes.push(Theme { name: name.to_owned().into(), styles, glyphs });
        }
        Ok(Self(themes.into()))
    }

    /// The themes in the colours that the terminal has.
    #[must_use]
    pub fn in_depth(self, depth: ColorDepth) -> Self {
        Self(self.0.iter().map(|theme| theme.in_depth(depth)).collect())
    }

    /// The names of all.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|theme| &*theme.name)
    }

    /// One by its name.
    pub fn named(&self, name: &str) -> Result<Theme, NoTheme> {
        let found = self.0.iter().find(|theme| theme.name == name).cloned();
        found.ok_or_else(|| NoTheme::new(name, self.names()))
    }

    /// The one that comes after another.
    pub fn after(&self, name: &str) -> &Theme {
        let next = self.0.iter().position(|theme| theme.name == name).map_or(0, |index| index + 1);
        &self.0[next % self.0.len()]
    }
}

#[cfg(test)]
mod tests {
    use ratatui::style::Color;

    use super::*;

    #[test]
    fn an_own_theme_says_only_what_it_changes() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let write = |name: &str, text: &str| {
            fs::write(directory.path().join(name), text).expect("it can be written");
        };
        write("night.toml", "focus = \"#ff8800 bold\"\n");
        write("notes.txt", "no theme");
        let themes = Themes::shipped(false).with_own(directory.path()).expect("it is sound");
        let themes = themes.in_depth(ColorDepth::Palette);
        let night = themes.named("night").expect("it was read");
        let default = Theme::named("default", false).expect("it is shipped");
        assert_eq!(night.styles.focus.fg, Some(Color::Indexed(208)));
        assert_eq!(night.styles.good, default.styles.good);
        assert_eq!(themes.after("night").name, "default");
        assert!(themes.named("neon").is_err_and(|error| error.to_string().ends_with("night")));
        write("bad.toml", "focus = \"plaid\"\n");
        let error = Themes::shipped(false).with_own(directory.path()).expect_err("there is no such colour");
        assert!(error.to_string().contains("bad.toml") && error.to_string().contains("plaid"), "{error}");
    }

    #[test]
    fn without_a_directory_there_are_the_shipped_ones() {
        let themes = Themes::shipped(true).with_own(Path::new("/nowhere")).expect("it need not be there");
        assert_eq!(themes.names().count(), SHIPPED.len());
    }
}
