//! Numbers and names as text.

use std::time::Duration;

use ratatui::text::Span;

/// Hours, minutes and seconds, as clocks show them.
pub fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// How many columns a text takes.
pub fn width(text: &str) -> usize {
    Span::raw(text).width()
}

/// A text, cut at its end to so many columns.
pub fn clip(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut cut = String::new();
    for character in text.chars() {
        let longer = format!("{cut}{character}");
        if width(&longer) + 1 > columns {
            break;
        }
        cut = longer;
    }
    if columns > 0 { cut + "…" } else { cut }
}

/// A path, cut at its beginning.
pub fn clip_start(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let backwards: String = text.chars().rev().collect();
    clip(&backwards, columns).chars().rev().collect()
}

/// A number beside an axis: about three digits.
pub fn tick(value: f64) -> String {
    let size = value.abs();
    match size {
        0.0 => "0".to_owned(),
        _ if !(1e-3..1e5).contains(&size) => format!("{value:.1e}"),
        _ if size < 0.1 => format!("{value:.4}"),
        _ if size < 10.0 => format!("{value:.2}"),
        _ => format!("{value:.0}"),
    }
}

/// A learning rate beside an axis.
pub fn power(value: f64) -> String {
    if value == 0.0 { "0".to_owned() } else { format!("{value:.1e}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_clocks() {
        let rows = [
            (0, "0:00"),
            (59, "0:59"),
            (61, "1:01"),
            (3599, "59:59"),
            (3600, "1:00:00"),
            (90061, "25:01:01"),
        ];
        for (seconds, expected) in rows {
            assert_eq!(clock(Duration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn texts_are_cut_to_columns() {
        assert_eq!(
            [clip("abcd", 4), clip("abcde", 4), clip("abc", 1), clip("abc", 0)],
            ["abcd", "abc…", "…", ""]
        );
        // Characters that take two columns.
        assert_eq!([clip("日本語", 6), clip("日本語", 5), clip("日本語", 4)], ["日本語", "日本…", "日…"]);
        assert_eq!(clip_start("runs/tutorial-1", 8), "…orial-1");
    }

    #[test]
    fn ticks_have_about_three_digits() {
        let rows = [
            (0.0, "0"),
            (2.345, "2.35"),
            (0.0123, "0.0123"),
            (0.00012, "1.2e-4"),
            (938.0, "938"),
            (0.5, "0.50"),
        ];
        for (value, expected) in rows {
            assert_eq!(tick(value), expected);
        }
    }
}
