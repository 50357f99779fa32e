//! Colours by what the terminal can.

use ratatui::style::{Color, Modifier, Style};

/// The colours of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colours {
    /// None, as NO_COLOR asks for.
    None,
    /// The sixteen of every terminal.
    Sixteen,
    /// Those of xterm: a cube of 6x6x6 and 24 greys.
    Palette,
    /// Any.
    All,
}

impl Colours {
    /// Those of the terminal that these environment variables tell of.
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let value = |name: &str| variable(name).unwrap_or_default();
        if !value("NO_COLOR").is_empty() {
            return Colours::None;
        }
        let (colours, term) = (value("COLORTERM"), value("TERM"));
        match (colours.as_str(), term) {
            ("truecolor" | "24bit", _) => Colours::All,
            (_, term) if term.ends_with("-direct") => Colours::All,
            (_, term) if term.contains("256color") => Colours::Palette,
            // Every console of Windows that takes its codes shows all colours.
            _ if cfg!(windows) => Colours::All,
            _ => Colours::Sixteen,
        }
    }

    /// The nearest colour; `None` where pictures are to be drawn by characters.
    pub fn nearest(self, [r, g, b]: [u8; 3]) -> Option<Color> {
        match self {
            Colours::All => Some(Color::Rgb(r, g, b)),
            Colours::Palette if r == g && g == b => Some(Color::Indexed(grey(r))),
            Colours::Palette => {
                let [r, g, b] = [r, g, b].map(cube);
                Some(Color::Indexed(16 + 36 * r + 6 * g + b))
            }
            Colours::Sixteen | Colours::None => None,
        }
    }

    fn style(self, colour: Color) -> Style {
        if self == Colours::None { Style::new() } else { Style::new().fg(colour) }
    }

    /// Training: its curves, its bar.
    pub fn training(self) -> Style {
        self.style(Color::Cyan)
    }

    /// The validation set.
    pub fn validation(self) -> Style {
        self.style(Color::Magenta)
    }

    /// The learning rate.
    pub fn rate(self) -> Style {
        self.style(Color::Yellow)
    }

    /// What is fine.
    pub fn good(self) -> Style {
        self.style(Color::Green)
    }

    /// Warnings.
    pub fn warning(self) -> Style {
        self.style(Color::Yellow)
    }

    /// Errors, wrong predictions.
    pub fn wrong(self) -> Style {
        self.style(Color::Red)
    }

    /// What explains, and frames.
    pub fn quiet(self) -> Style {
        match self {
            Colours::None => Style::new().add_modifier(Modifier::DIM),
            colours => colours.style(Color::DarkGray),
        }
    }

    /// What is looked for first.
    pub fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }
}

/// The grey of the palette: 24 steps between its black and its white.
fn grey(level: u8) -> u8 {
    match level {
        0..=3 => 16,
        247.. => 231,
        _ => 232 + ((u16::from(level) - 3) / 10).min(23) as u8,
    }
}

/// The step of the cube, whose levels are 0, 95, 135, 175, 215, 255.
fn cube(level: u8) -> u8 {
    match level {
        0..=47 => 0,
        48..=114 => 1,
        _ => (level - 35) / 40,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_tells_the_colours() {
        let rows: [(&[(&str, &str)], Colours); 7] = [
            (&[("TERM", "xterm-256color")], Colours::Palette),
            (&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")], Colours::All),
            (&[("TERM", "xterm"), ("COLORTERM", "24bit")], Colours::All),
            (&[("TERM", "xterm-direct")], Colours::All),
            (&[("TERM", "xterm-256color"), ("NO_COLOR", "1")], Colours::None),
            (&[("TERM", "xterm-256color"), ("NO_COLOR", "")], Colours::Palette),
            (&[("TERM", "linux")], if cfg!(windows) { Colours::All } else { Colours::Sixteen }),
        ];
        for (variables, expected) in rows {
            let value = |name: &str| {
                let found = variables.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(Colours::of(value), expected, "{variables:?}");
        }
    }

    #[test]
    fn the_palette_gets_lighter_with_the_level() {
        // What xterm shows for an index of the palette.
        let shown = |index: u8| match index {
            16 => 0,
            231 => 255,
            index => 8 + 10 * (i32::from(index) - 232),
        };
        for level in 0..=255u8 {
            let distance = (shown(grey(level)) - i32::from(level)).abs();
            assert!(distance <= 9, "{level}: {distance}");
        }
        assert_eq!([0, 60, 135, 180, 215, 255].map(cube), [0, 1, 2, 3, 4, 5]);
        assert_eq!(Colours::Palette.nearest([255, 0, 0]), Some(Color::Indexed(196)));
    }
}
