//! Themes: a style for each meaning, read from `assets/themes/`.
//!
//! A style is a line of words, as `black on yellow bold`. Colours are the 16 ANSI names, which follow
//! the user's terminal, numbers of the palette of 256, or `#rrggbb`. The mono theme sets no colour at all, only modifiers: under
//! `NO_COLOR` crossterm writes a colour change as a reset of every attribute, so that a bold and
//! coloured text would come out plain.

use std::borrow::Cow;

use ratatui::style::{Color, Modifier, Style};
use serde::{Deserialize, Deserializer, de::Error as _};

use crate::{
    console::{
        color_depth::ColorDepth,
        glyphs::{ASCII, Glyphs, UNICODE},
    },
    domain::text::describe::Tone,
};

/// The themes that come with the program: name and text.
pub(super) const SHIPPED: [(&str, &str); 5] = [
    ("default", include_str!("../../assets/themes/default.toml")),
    ("light", include_str!("../../assets/themes/light.toml")),
    ("mono", include_str!("../../assets/themes/mono.toml")),
    ("colour-blind", include_str!("../../assets/themes/colour-blind.toml")),
    ("high-contrast", include_str!("../../assets/themes/high-contrast.toml")),
];

/// A style for each meaning, and the symbols.
#[derive(Clone, Debug)]
pub struct Theme {
    /// Its name, as in `--theme NAME`.
    pub name: Cow<'static, str>,
    /// The styles.
    pub styles: Styles,
    /// The symbols.
    pub glyphs: &'static Glyphs,
}

/// A style for each meaning.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Styles {
    /// Normal text.
    #[serde(deserialize_with = "style")]
    pub text: Style,
    /// Less important text.
    #[serde(deserialize_with = "style")]
    pub dim: Style,
    /// The program's name, titles of panes, numbers that count.
    #[serde(deserialize_with = "style")]
    pub bold: Style,
    /// Borders.
    #[serde(deserialize_with = "style")]
    pub border: Style,
    /// The border of the pane that has the keys.
    #[serde(deserialize_with = "style")]
    pub focus: Style,
    /// The selected row.
    #[serde(deserialize_with = "style")]
    pub selection: Style,
    /// A key in a hint.
    #[serde(deserialize_with = "style")]
    pub key: Style,
    /// It went well.
    #[serde(deserialize_with = "style")]
    pub good: Style,
    /// It went wrong.
    #[serde(deserialize_with = "style")]
    pub bad: Style,
    /// It needs a look.
    #[serde(deserialize_with = "style")]
    pub warning: Style,
    /// What a rule did.
    #[serde(deserialize_with = "style")]
    pub fault: Style,
    /// The banner: what is armed cannot be overlooked.
    #[serde(deserialize_with = "style")]
    pub armed: Style,
    /// A command that was given.
    #[serde(deserialize_with = "style")]
    pub command: Style,
    /// The sparkline.
    #[serde(deserialize_with = "style")]
    pub graph: Style,
}

impl Styles {
    /// Every style in another form.
    fn map(&self, form: impl Fn(Style) -> Style) -> Self {
        Self {
            text: form(self.text),
            dim: form(self.dim),
            bold: form(self.bold),
            border: form(self.border),
            focus: form(self.focus),
            selection: form(self.selection),
            key: form(self.key),
            good: form(self.good),
            bad: form(self.bad),
            warning: form(self.warning),
            fault: form(self.fault),
            armed: form(self.armed),
            command: form(self.command),
            graph: form(self.graph),
        }
    }

    /// The style of a tone.
    pub const fn of(&self, tone: Tone) -> Style {
        match tone {
            Tone::Text => self.text,
            Tone::Dim => self.dim,
            Tone::Bold => self.bold,
            Tone::Good => self.good,
            Tone::Bad => self.bad,
            Tone::Warning => self.warning,
            Tone::Fault => self.fault,
            Tone::Command => self.command,
        }
    }
}

/// Why there is no such theme.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown theme {name:?}; choose one of: {}", names.join(", "))]
pub struct NoTheme {
    name: String,
    names: Vec<String>,
}

impl NoTheme {
    /// None with this name among those that there are.
    pub(super) fn new<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Self {
        Self { name: name.to_owned(), names: names.map(str::to_owned).collect() }
    }
}

impl Theme {
    /// The names of the themes that come with the program.
    pub fn names() -> impl Iterator<Item = &'static str> {
        SHIPPED.into_iter().map(|(name, _)| name)
    }

    /// A theme that comes with the program.
    pub fn named(name: &str, ascii: bool) -> Result<Self, NoTheme> {
        let (name, text) = SHIPPED
            .into_iter()
            .find(|(known, _)| *known == name)
            .ok_or_else(|| NoTheme::new(name, Self::names()))?;
        let styles = toml::from_str(text).expect("the shipped themes are read by a test");
        Ok(Self { name: name.into(), styles, glyphs: if ascii { &ASCII } else { &UNICODE } })
    }

    /// The theme in the colours that the terminal has.
    #[must_use]
    pub fn in_depth(&self, depth: ColorDepth) -> Self {
        Self { styles: self.styles.map(|style| depth.style(style)), ..self.clone() }
    }
}

/// Reads the styles of a user's theme. What they leave out is as in the default theme.
pub(super) fn read_styles(text: &str) -> Result<Styles, String> {
    let mut all: toml::Table = toml::from_str(SHIPPED[0].1).map_err(|error| error.to_string())?;
    // Checked by itself first, so that an error shows its line.
    let own: toml::Table = toml::from_str(text).map_err(|error| error.to_string())?;
    all.extend(own);
    all.try_into().map_err(|error: toml::de::Error| error.to_string())
}

fn style<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Style, D::Error> {
    parse_style(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

fn parse_style(text: &str) -> Result<Style, String> {
    let mut style = Style::new();
    let mut words = text.split_whitespace();
    while let Some(word) = words.next() {
        let colour =
            |word: &str| word.parse::<Color>().map_err(|_| format!("unknown colour or modifier {word:?}"));
        style = match word {
            "on" => style.bg(colour(words.next().unwrap_or_default())?),
            "bold" => style.add_modifier(Modifier::BOLD),
            "dim" => style.add_modifier(Modifier::DIM),
            "italic" => style.add_modifier(Modifier::ITALIC),
            "underlined" => style.add_modifier(Modifier::UNDERLINED),
            "reversed" => style.add_modifier(Modifier::REVERSED),
            word => style.fg(colour(word)?),
        };
    }
    Ok(style)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    fn all(styles: &Styles) -> Vec<Style> {
        let all = RefCell::new(Vec::new());
        styles.map(|style| {
            all.borrow_mut().push(style);
            style
        });
        all.into_inner()
    }

    #[test]
    fn every_shipped_theme_can_be_read() {
        for name in Theme::names() {
            assert_eq!(Theme::named(name, false).expect(name).name, name);
        }
        let error = Theme::named("neon", false).expect_err("no such theme").to_string();
        assert!(error.contains("default, light, mono"), "{error}");
    }

    #[test]
    fn the_mono_theme_sets_no_colour() {
        let mono = Theme::named("mono", false).expect("mono is shipped");
        for style in all(&mono.styles) {
            assert_eq!((style.fg, style.bg), (None, None));
        }
    }

    #[test]
    fn the_default_theme_uses_the_colours_of_the_terminal_only() {
        let default = Theme::named("default", false).expect("default is shipped");
        for style in all(&default.styles) {
            for colour in [style.fg, style.bg].into_iter().flatten() {
                assert!(!matches!(colour, Color::Rgb(..) | Color::Indexed(_)), "{colour}");
            }
        }
    }

    #[test]
    fn a_style_is_a_line_of_words() {
        let expected = Style::new().fg(Color::Black).bg(Color::Yellow).add_modifier(Modifier::BOLD);
        assert_eq!(parse_style("black on yellow bold"), Ok(expected));
        assert!(parse_style("plaid").is_err() && parse_style("red on").is_err());
    }
}
