//! The figures of training, as a table or, on small screens, as lines.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Row, Table};

use super::super::state::{Epoch, State};
use super::super::theme::Colours;
use super::frames::framed;
use super::kernels;
use super::text::{clock, width};
use crate::cli::so_far;
use crate::model::thousands;

/// The rows of the table with its frame.
pub const HEIGHT: u16 = 7;
/// Of names of figures, and the least of a column of them.
const NAMES: u16 = 8;
const COLUMN: u16 = 10;
/// The heights of a small curve.
const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Printed where there is no figure.
const NONE: &str = "-";

/// The figures in a frame.
pub fn panel(frame: &mut Frame<'_>, area: Rect, state: &State, colours: Colours) {
    let block = framed(title(colours), colours);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    table(frame, inner, state, colours);
}

/// The figures, and below them the times of kernels, in a frame.
pub fn with_kernels(frame: &mut Frame<'_>, area: Rect, state: &State, colours: Colours) {
    let block = framed(title(colours), colours);
    let [figures, times] =
        block.inner(area).layout(&Layout::vertical([Constraint::Length(HEIGHT - 1), Constraint::Min(0)]));
    frame.render_widget(block, area);
    table(frame, figures, state, colours);
    kernels::below(frame, times, state, colours);
}

fn title(colours: Colours) -> Line<'static> {
    Line::styled(" Training ", colours.strong())
}

fn table(frame: &mut Frame<'_>, area: Rect, state: &State, colours: Colours) {
    let each = (area.width.saturating_sub(NAMES) / 3).max(COLUMN);
    let right = |text: String, style: Style| Line::styled(text, style).right_aligned();
    let last = state.epochs.last();
    let heading = last.map_or(NONE.to_owned(), |epoch| format!("epoch {}", epoch.record.epoch));
    let headings =
        ["now".to_owned(), heading, if state.facts.validation { "validated" } else { "" }.to_owned()];
    let quiet = colours.quiet();
    let mut rows = vec![Row::new(
        [Line::default()]
            .into_iter()
            .chain(headings.map(|heading| right(heading, quiet)))
            .collect::<Vec<_>>(),
    )];
    for (name, figures) in figures(state, usize::from(each) - 2) {
        let styles = [colours.strong(), Style::new(), colours.validation()];
        let cells = figures.into_iter().zip(styles).map(|(figure, style)| right(figure, style));
        rows.push(Row::new([Line::styled(name, quiet)].into_iter().chain(cells).collect::<Vec<_>>()));
    }
    let widths = [NAMES, each, each, each].map(Constraint::Length);
    frame.render_widget(Table::new(rows, widths).column_spacing(0), area);
}

/// Each figure now, of the last epoch and of its validation; of the learning rate how it changed, in so many columns.
fn figures(state: &State, columns: usize) -> Vec<(&'static str, [String; 3])> {
    let figure = |value: Option<f64>| value.map_or(NONE.to_owned(), |value| format!("{value:.4}"));
    let last = state.epochs.last().map(|epoch| epoch.record);
    let judged = |value: Option<f64>| if state.facts.validation { figure(value) } else { String::new() };
    let mut rows = vec![(
        "loss",
        [
            figure(state.so_far.loss()),
            figure(last.map(|record| record.loss)),
            judged(last.and_then(|record| record.val_loss)),
        ],
    )];
    if state.facts.classes {
        let of_last = [last.and_then(|record| record.accuracy), last.and_then(|record| record.val_accuracy)];
        rows.push(("accuracy", [figure(state.so_far.accuracy()), figure(of_last[0]), judged(of_last[1])]));
    }
    let rate = |rate: Option<f64>| rate.map_or(NONE.to_owned(), exact_rate);
    let before = rate(last.map(|record| f64::from(record.learning_rate)));
    rows.push(("rate", [rate(state.learning_rate_now()), before, small_curve(state, columns)]));
    let speed = thousands(state.so_far.samples_per_second() as usize);
    let speed = if state.so_far.loss().is_some() { speed } else { NONE.to_owned() };
    rows.push((
        if state.facts.samples == "images" { "images/s" } else { "per s" },
        [speed, String::new(), String::new()],
    ));
    rows
}

/// A learning rate as in the lines of epochs, or with a digit less where it would fill its column.
fn exact_rate(rate: f64) -> String {
    let text = format!("{rate:.4e}");
    if text.len() < usize::from(COLUMN) { text } else { format!("{rate:.3e}") }
}

/// The learning rate over all steps so far.
fn small_curve(state: &State, columns: usize) -> String {
    let points = state.learning_rate.points();
    let columns = columns.min(points.len());
    let rates: Vec<f64> = (1..=columns).map(|at| points[at * points.len() / columns - 1].raw).collect();
    let high = rates.iter().copied().fold(0.0, f64::max);
    let height =
        |rate: f64| if high > 0.0 { (rate / high * (HEIGHTS.len() - 1) as f64).round() as usize } else { 0 };
    // A rate that never changed is no curve.
    let changed = rates.iter().any(|&rate| rate != high);
    if changed {
        rates.into_iter().map(|rate| HEIGHTS[height(rate).min(HEIGHTS.len() - 1)]).collect()
    } else {
        String::new()
    }
}

/// The figures now, and those of the last epoch.
pub fn two_lines(frame: &mut Frame<'_>, area: Rect, state: &State, colours: Colours) {
    let mut now = Vec::new();
    now.extend(state.so_far.loss().map(|loss| format!("loss {loss:.4}")));
    now.extend(state.so_far.accuracy().map(|accuracy| format!("accuracy {accuracy:.4}")));
    let mut others = Vec::new();
    others.extend(state.learning_rate_now().map(|rate| format!("rate {rate:.1e}")));
    others.extend(state.epochs.last().map_or(Vec::new(), ended));
    let room = usize::from(area.width);
    let lines = vec![
        Line::styled(fitting(&now, room), colours.strong()),
        Line::styled(fitting(&others, room), colours.quiet()),
    ];
    frame.render_widget(Paragraph::new(lines), area);
}

/// The figures of an epoch's validation, or, where there is none, of its training.
fn ended(epoch: &Epoch) -> Vec<String> {
    let record = &epoch.record;
    let Some(loss) = record.val_loss else {
        return vec![format!(
            "epoch {}: {}",
            record.epoch,
            so_far::figures("", record.loss, record.accuracy).join(" - ")
        )];
    };
    let accuracy = record.val_accuracy.map(|accuracy| format!("val_accuracy {accuracy:.4}"));
    [format!("val_loss {loss:.4}")].into_iter().chain(accuracy).collect()
}

/// As many of these as fit.
fn fitting(parts: &[String], columns: usize) -> String {
    let mut line = String::new();
    for part in parts {
        let longer = format!("{line} {part} ");
        if width(&longer) > columns + 1 {
            break;
        }
        line = longer;
    }
    line
}

/// Figures alone, a line each, the most important first: for screens on which nothing else has room.
pub fn lines(frame: &mut Frame<'_>, area: Rect, state: &State, colours: Colours) {
    let mut lines = vec![Line::from(format!(
        "{}/{}  {}/{}",
        state.epoch.max(1),
        state.schedule.epochs.max(1),
        state.so_far.steps(),
        state.steps_of_epoch()
    ))];
    let named = |name: &'static str, figure: String| {
        Line::from_iter([Span::styled(name, colours.quiet()), Span::styled(figure, colours.strong())])
    };
    lines.extend(state.so_far.loss().map(|loss| named("loss ", format!("{loss:.4}"))));
    lines.extend(state.so_far.accuracy().map(|accuracy| named("acc ", format!("{accuracy:.4}"))));
    lines.extend(state.learning_rate_now().map(|rate| named("rate ", format!("{rate:.1e}"))));
    lines.push(named("time ", clock(state.elapsed())));
    lines.extend(state.left().map(|left| named("left ", clock(left))));
    lines.push(Line::styled("q stop  ? help", colours.quiet()));
    frame.render_widget(Paragraph::new(lines), area);
}

#[cfg(test)]
mod tests {
    use super::super::super::example::{facts, state};
    use super::super::super::state::Facts;
    use super::*;

    #[test]
    fn figures_stand_beside_those_of_the_last_epoch() {
        let rows = figures(&state(facts()), 8);
        let names: Vec<_> = rows.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["loss", "accuracy", "rate", "images/s"]);
        assert_eq!(rows[0].1[1..], ["0.2091", "0.1046"]);
        assert_eq!(rows[1].1, ["0.9375", "0.9381", "0.9712"]);
        assert_eq!(rows[2].1, ["1.0000e-3", "1.0000e-3", ""]);
    }

    #[test]
    fn rates_leave_a_gap_between_columns() {
        let rows = [(1e-3, "1.0000e-3"), (2.5e-10, "2.500e-10"), (f64::from(f32::MIN_POSITIVE), "1.175e-38")];
        for (rate, expected) in rows {
            assert_eq!(exact_rate(rate), expected);
        }
    }

    #[test]
    fn values_have_no_row_of_accuracy() {
        let facts = Facts { classes: false, validation: false, samples: "samples", ..facts() };
        let rows = figures(&state(facts), 8);
        assert_eq!(rows.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["loss", "rate", "per s"]);
        assert_eq!(rows[0].1[2], "");
    }

    #[test]
    fn parts_that_do_not_fit_are_left_out() {
        let parts = ["loss 0.1".to_owned(), "rate 1".to_owned()];
        assert_eq!(
            [fitting(&parts, 30), fitting(&parts, 12), fitting(&parts, 3)],
            [" loss 0.1  rate 1 ", " loss 0.1 ", ""]
        );
    }
}
