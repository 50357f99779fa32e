//! What `lr-find` prints of its curve: a plot of characters, or a table.

use super::table::{Align, render};
use crate::train::{CurveEnd, RateCurve, RatePoint, RateSuggestion, top_of_curve};

/// Of the plot, without its axes: the most columns, and the fewest.
const WIDEST: usize = 72;
const NARROWEST: usize = 24;
const HEIGHT: usize = 16;
/// How high it is above the least smoothed loss, in the greatest one before that.
const ROOM: f64 = 1.25;
/// Of the numbers beside it.
const MARGIN: usize = 8;

/// The curve over the logarithm of the rate, on a terminal of this many columns. What is above the plot is drawn at its top, and what
/// is below at its bottom.
pub fn plot(points: &[RatePoint], suggested: Option<f64>, columns: usize) -> String {
    let width = columns.saturating_sub(MARGIN + 2).clamp(NARROWEST, WIDEST);
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return String::new() };
    let low = points.iter().map(|point| point.smoothed).fold(f64::INFINITY, f64::min);
    let high = low + ROOM * (top_of_curve(points) - low);
    let (from, to) = (f64::from(first.learning_rate).log10(), f64::from(last.learning_rate).log10());
    let column = |rate: f64| place((rate.log10() - from) / (to - from), width);
    let row = |loss: f64| HEIGHT - 1 - place((loss - low) / (high - low), HEIGHT);
    let mut grid = vec![vec![' '; width]; HEIGHT];
    if let Some(rate) = suggested {
        grid.iter_mut().for_each(|line| line[column(rate)] = '|');
    }
    for point in points {
        grid[row(f64::from(point.loss))][column(f64::from(point.learning_rate))] = '.';
    }
    for point in points {
        grid[row(point.smoothed)][column(f64::from(point.learning_rate))] = '*';
    }
    let label = |at: usize| match at {
        0 => format!("{high:>MARGIN$.3}"),
        _ if at + 1 == HEIGHT => format!("{low:>MARGIN$.3}"),
        _ => " ".repeat(MARGIN),
    };
    let line = |(at, cells): (usize, &Vec<char>)| {
        format!("{} |{}", label(at), cells.iter().collect::<String>()).trim_end().to_owned()
    };
    let mut lines = vec!["    loss".to_owned()];
    lines.extend(grid.iter().enumerate().map(line));
    let [from, to] = [first, last].map(|point| format!("{:.1e}", point.learning_rate));
    lines.push(format!("{} +{}", " ".repeat(MARGIN), "-".repeat(width)));
    let between = width.saturating_sub(from.len() + to.len());
    let middle = format!("{:^between$}", "learning rate");
    lines.push(format!("{}  {from}{middle}{to}", " ".repeat(MARGIN)));
    let mark = suggested.map_or("", |_| ", | suggested");
    lines.push(match width {
        WIDEST => format!("{}  * smoothed loss, . loss of a batch{mark}", " ".repeat(MARGIN)),
        _ => format!("* smoothed, . of a batch{mark}"),
    });
    lines.join("\n")
}

/// The cell of a share of an axis with so many; the first where the axis has no length.
fn place(share: f64, cells: usize) -> usize {
    // A cast takes NaN to 0.
    (share.clamp(0.0, 1.0) * (cells - 1) as f64).round() as usize
}

/// A line for each batch.
pub fn table(points: &[RatePoint]) -> String {
    let row = |(number, point): (usize, &RatePoint)| {
        [
            number.to_string(),
            format!("{:.3e}", point.learning_rate),
            format!("{:.4}", point.loss),
            format!("{:.4}", point.smoothed),
        ]
    };
    let rows: Vec<_> = (1..).zip(points).map(row).collect();
    let right = |heading| (heading, Align::Right);
    render([right("Batch"), right("Rate"), right("Loss"), right("Smoothed")], &rows)
}

/// Why there are no more points, in one line.
pub fn end(curve: &RateCurve) -> String {
    let count = curve.points.len();
    let rate = curve.points.last().map_or(0.0, |point| point.learning_rate);
    match curve.end {
        CurveEnd::AllTried if count == 1 => format!("One rate was tried, {rate:.1e}"),
        CurveEnd::AllTried => format!("All {count} rates were tried, up to {rate:.1e}"),
        CurveEnd::Diverged => {
            format!(
                "Stopped after {count} batches, at {rate:.1e}: the smoothed loss is over four times its least"
            )
        }
        CurveEnd::NotFinite => {
            format!("Stopped after {count} batches, at {rate:.1e}: a loss or a gradient is not finite")
        }
    }
}

/// What is suggested, and why.
pub fn reason(suggestion: &RateSuggestion) -> String {
    let RateSuggestion { learning_rate, steepest, least, bound, still_falling } = *suggestion;
    let mut text = format!("Suggested learning rate: {learning_rate:e}, ");
    text += &match bound < f64::from(steepest) {
        true => format!(
            "a tenth of the rate at which the smoothed loss is least ({least:.1e}); it falls fastest at {steepest:.1e}, \
             which is more"
        ),
        false => format!(
            "where the smoothed loss falls fastest; it is least at {least:.1e}, and a tenth of that, {bound:.1e}, would be \
             the most"
        ),
    };
    if still_falling {
        text += ". The loss was still falling at the last rate: larger ones may do (--max-rate)";
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(n: i32, loss: f32, smoothed: f64) -> RatePoint {
        RatePoint { learning_rate: 10f32.powi(n - 4), loss, smoothed }
    }

    #[test]
    fn a_curve_reads_as_a_picture() {
        let points = [point(0, 2.5, 2.0), point(1, 1.0, 1.5), point(2, 0.5, 0.5)];
        let text = plot(&points, Some(1e-3), 120);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), HEIGHT + 4, "{text}");
        assert!(lines[1].starts_with("   2.375 |.") && lines[1].ends_with('|'), "{text}");
        assert!(lines[4].starts_with("         |*"), "{text}");
        assert_eq!(lines[HEIGHT], format!("   0.500 |{}|{}*", " ".repeat(36), " ".repeat(34)), "{text}");
        assert!(lines[HEIGHT + 2].contains("1.0e-4") && lines[HEIGHT + 2].ends_with("1.0e-2"), "{text}");
        assert!(lines.iter().all(|line| line.len() <= 120), "{text}");
        for columns in [40, 80] {
            let text = plot(&points, None, columns);
            assert!(text.lines().all(|line| line.chars().count() <= columns), "{columns}: {text}");
        }
        // Curves without an extent.
        assert_eq!(plot(&[], None, 80), "");
        for points in [&[point(0, 1.0, 1.0)][..], &[point(0, 0.0, 0.0), point(1, 0.0, 0.0)]] {
            assert!(plot(points, None, 80).contains('*'), "{points:?}");
        }
    }

    #[test]
    fn the_reason_says_which_rule_decided() {
        let suggestion = RateSuggestion {
            learning_rate: 2e-3,
            steepest: 2e-3,
            least: 1e-1,
            bound: 1e-2,
            still_falling: false,
        };
        let rows = [
            (suggestion, "2e-3, where the smoothed loss falls fastest"),
            (
                RateSuggestion { steepest: 5e-2, learning_rate: 1e-2, ..suggestion },
                "1e-2, a tenth of the rate",
            ),
            (RateSuggestion { still_falling: true, ..suggestion }, "(--max-rate)"),
        ];
        for (suggestion, said) in rows {
            let text = reason(&suggestion);
            assert!(text.contains(said), "{said}: {text}");
        }
    }
}
