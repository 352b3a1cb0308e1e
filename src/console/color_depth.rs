//! How many colours the terminal has, and the nearest ones that it has to those of a theme.

use ratatui::style::{Color, Style};

/// How many colours the terminal has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColorDepth {
    /// The 16 that the user chooses.
    Sixteen,
    /// Those and a fixed palette of 240.
    Palette,
    /// Every colour.
    #[default]
    True,
}

/// The steps of red, green and blue in the palette.
const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// The 16 colours as most terminals have them.
const NAMED: [(Color, [u8; 3]); 16] = [
    (Color::Black, [0, 0, 0]),
    (Color::Red, [205, 0, 0]),
    (Color::Green, [0, 205, 0]),
    (Color::Yellow, [205, 205, 0]),
    (Color::Blue, [0, 0, 238]),
    (Color::Magenta, [205, 0, 205]),
    (Color::Cyan, [0, 205, 205]),
    (Color::Gray, [229, 229, 229]),
    (Color::DarkGray, [127, 127, 127]),
    (Color::LightRed, [255, 0, 0]),
    (Color::LightGreen, [0, 255, 0]),
    (Color::LightYellow, [255, 255, 0]),
    (Color::LightBlue, [92, 92, 255]),
    (Color::LightMagenta, [255, 0, 255]),
    (Color::LightCyan, [0, 255, 255]),
    (Color::White, [255, 255, 255]),
];

impl ColorDepth {
    /// What the environment says of the terminal. `variable` looks a variable up.
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let terminal = variable("TERM").unwrap_or_default();
        let all = variable("COLORTERM").is_some_and(|value| matches!(&*value, "truecolor" | "24bit"));
        if all || terminal.ends_with("-direct") {
            Self::True
        } else if terminal.contains("256color") {
            Self::Palette
        } else {
            Self::Sixteen
        }
    }

    /// A style in the colours that there are.
    pub fn style(self, style: Style) -> Style {
        Style {
            fg: style.fg.map(|colour| self.nearest(colour)),
            bg: style.bg.map(|colour| self.nearest(colour)),
            ..style
        }
    }

    fn nearest(self, colour: Color) -> Color {
        match (self, colour) {
            (Self::Palette, Color::Rgb(red, green, blue)) => in_palette([red, green, blue]),
            (Self::Sixteen, Color::Rgb(red, green, blue)) => named([red, green, blue]),
            (Self::Sixteen, Color::Indexed(index @ 16..)) => named(of_index(index)),
            (_, colour) => colour,
        }
    }
}

fn distance(one: [u8; 3], other: [u8; 3]) -> u32 {
    one.iter().zip(other).map(|(one, other)| u32::from(one.abs_diff(other)).pow(2)).sum()
}

fn named(wanted: [u8; 3]) -> Color {
    let nearest = NAMED.into_iter().min_by_key(|(_, colour)| distance(*colour, wanted));
    nearest.map_or(Color::Reset, |(colour, _)| colour)
}

fn in_palette(wanted: [u8; 3]) -> Color {
    let nearest = (16..=255).min_by_key(|index| distance(of_index(*index), wanted));
    nearest.map_or(Color::Reset, Color::Indexed)
}

/// The colour with a number from 16: a cube of 6×6×6, then 24 greys.
fn of_index(index: u8) -> [u8; 3] {
    let in_cube = index.saturating_sub(16);
    if in_cube < 216 {
        [in_cube / 36, in_cube / 6 % 6, in_cube % 6].map(|step| STEPS[usize::from(step)])
    } else {
        [8 + 10 * (in_cube - 216); 3]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_says_how_many_colours_there_are() {
        for (term, colorterm, expected) in [
            ("xterm-256color", "truecolor", ColorDepth::True),
            ("xterm", "24bit", ColorDepth::True),
            ("xterm-direct", "", ColorDepth::True),
            ("screen-256color", "", ColorDepth::Palette),
            ("xterm-256color", "yes", ColorDepth::Palette),
            ("linux", "", ColorDepth::Sixteen),
            ("", "", ColorDepth::Sixteen),
        ] {
            let variable = |name: &str| Some(if name == "TERM" { term } else { colorterm }.to_owned());
            assert_eq!(ColorDepth::of(variable), expected, "{term} {colorterm}");
        }
    }

    #[test]
    fn a_colour_becomes_the_nearest_that_there_is() {
        let blue = Color::Rgb(0x56, 0xb4, 0xe9);
        assert_eq!(ColorDepth::True.nearest(blue), blue);
        assert_eq!(ColorDepth::Palette.nearest(blue), Color::Indexed(74));
        assert_eq!(ColorDepth::Palette.nearest(Color::Rgb(120, 118, 119)), Color::Indexed(243));
        assert_eq!(ColorDepth::Sixteen.nearest(Color::Rgb(250, 10, 3)), Color::LightRed);
        assert_eq!(ColorDepth::Sixteen.nearest(Color::Indexed(196)), Color::LightRed);
        for depth in [ColorDepth::Sixteen, ColorDepth::Palette, ColorDepth::True] {
            assert_eq!(depth.nearest(Color::Cyan), Color::Cyan);
        }
    }
}
