//! The curves: loss, accuracy, learning rate.

use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Axis, Chart, Dataset, GraphType};

use super::super::series::{Point, Series};
use super::super::state::State;
use super::super::theme::Colours;
use super::frames::{PAIR_FROM, WIDE_FROM, framed};
use super::text::{power, tick};
use crate::model::thousands;

/// A loss that has fallen by this factor is drawn by its logarithm.
const LOGARITHMIC: f64 = 8.0;
/// Of accuracies, this share of the points, the lowest, may be below the chart: those of the first steps.
const LOWEST: f64 = 0.05;
/// Room above and below, as a share of the height.
const ROOM: f64 = 0.06;
/// Rows of a chart from which on its steps are written below it.
const STEPS_FROM: u16 = 9;

/// More epochs are a line.
const MOST_MARKS: usize = 12;

/// What a chart shows.
struct Curve<'a> {
    name: &'static str,
    /// The figure now.
    now: Option<String>,
    series: &'a Series,
    style: Style,
    /// Steps and values of epochs' validation.
    marks: Vec<(f64, f64)>,
    /// Whether single steps are shown beside the smoothed curve.
    raw: bool,
    scale: Scale,
    /// A value beside the axis.
    tick: fn(f64) -> String,
}

/// How values become heights.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Scale {
    low: f64,
    high: f64,
    logarithmic: bool,
}

/// The curves side by side, as many as there is room for.
pub fn draw(frame: &mut Frame<'_>, area: Rect, state: &State, colours: Colours) {
    let mut curves = vec![loss(state, colours)];
    if state.facts.classes && area.width >= PAIR_FROM {
        curves.push(accuracy(state, colours));
    }
    if area.width >= WIDE_FROM || !state.facts.classes && area.width >= PAIR_FROM {
        curves.push(learning_rate(state, colours));
    }
    let shares = [5, 4, 3].map(Constraint::Fill);
    let areas = Layout::horizontal(&shares[..curves.len()]).split(area);
    for (curve, area) in curves.iter().zip(areas.iter()) {
        chart(frame, *area, curve, state, colours);
    }
}

fn loss<'a>(state: &'a State, colours: Colours) -> Curve<'a> {
    let marks = marks(state, |epoch| epoch.record.val_loss);
    let smoothed = state.loss.points().iter().map(|point| point.smoothed);
    Curve {
        name: "Loss",
        now: state.so_far.loss().map(|loss| format!("{loss:.4}")),
        scale: Scale::of_losses(smoothed.chain(marks.iter().map(|mark| mark.1))),
        series: &state.loss,
        style: colours.training(),
        marks,
        raw: true,
        tick,
    }
}

fn accuracy<'a>(state: &'a State, colours: Colours) -> Curve<'a> {
    let marks = marks(state, |epoch| epoch.record.val_accuracy);
    let least = marks.iter().map(|mark| mark.1).fold(f64::INFINITY, f64::min);
    Curve {
        name: "Accuracy",
        now: state.so_far.accuracy().map(|accuracy| format!("{accuracy:.4}")),
        scale: Scale::of_accuracies(state.accuracy.points(), least),
        series: &state.accuracy,
        style: colours.good(),
        marks,
        raw: true,
        tick,
    }
}

fn learning_rate<'a>(state: &'a State, colours: Colours) -> Curve<'a> {
    let rates = state.learning_rate.points().iter().map(|point| point.raw);
    let (low, high) =
        rates.fold((f64::INFINITY, 0.0f64), |(low, high), rate| (low.min(rate), high.max(rate)));
    // A rate that stays lies in the middle.
    let scale = if low < high { Scale { low: 0.0, high, logarithmic: false } } else { Scale::around(high) };
    Curve {
        name: "Learning rate",
        now: state.learning_rate_now().map(|rate| format!("{rate:.4e}")),
        scale,
        series: &state.learning_rate,
        style: colours.rate(),
        marks: Vec::new(),
        raw: false,
        tick: power,
    }
}

fn marks(state: &State, value: impl Fn(&super::super::state::Epoch) -> Option<f64>) -> Vec<(f64, f64)> {
    let mark = |epoch| Some((epoch_step(epoch), value(epoch).filter(|value| value.is_finite())?));
    state.epochs.iter().filter_map(mark).collect()
}

fn epoch_step(epoch: &super::super::state::Epoch) -> f64 {
    epoch.step as f64
}

impl Scale {
    fn around(value: f64) -> Self {
        Scale { low: 0.0, high: if value > 0.0 { 2.0 * value } else { 1.0 }, logarithmic: false }
    }

    fn of_losses(values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = values
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        if low.partial_cmp(&high) != Some(std::cmp::Ordering::Less) {
            return Scale::around(if low.is_finite() { low } else { 0.0 });
        }
        let logarithmic = low > 0.0 && high / low > LOGARITHMIC;
        Scale { low, high, logarithmic }.wider()
    }

    fn of_accuracies(points: &[Point], least: f64) -> Self {
        let mut sorted: Vec<f64> = points.iter().map(|point| point.smoothed).collect();
        sorted.sort_by(f64::total_cmp);
        let low = sorted.get((LOWEST * sorted.len() as f64) as usize).copied().unwrap_or(0.0).min(least);
        if low < 1.0 {
            Scale { low, high: 1.0, logarithmic: false }
        } else {
            Scale { low: 0.0, ..Scale::around(0.5) }
        }
    }

    /// With some room.
    fn wider(self) -> Self {
        let [low, high] = [self.low, self.high].map(|value| self.height(value));
        let room = ROOM * (high - low);
        let value = |height: f64| if self.logarithmic { height.exp() } else { height };
        Scale { low: value(low - room), high: value(high + room), ..self }
    }

    fn height(self, value: f64) -> f64 {
        if self.logarithmic { value.ln() } else { value }
    }

    fn bounds(self) -> [f64; 2] {
        [self.low, self.high].map(|value| self.height(value))
    }

    /// Three values beside the axis, from below.
    fn ticks(self) -> [f64; 3] {
        let [low, high] = self.bounds();
        let middle = f64::midpoint(low, high);
        [self.low, if self.logarithmic { middle.exp() } else { middle }, self.high]
    }

    /// The points that are within, as heights.
    fn within(self, points: impl Iterator<Item = (f64, f64)>) -> Vec<(f64, f64)> {
        let [low, high] = self.bounds();
        let points = points.map(|(step, value)| (step, self.height(value)));
        points.filter(|(_, height)| (low..=high).contains(height)).collect()
    }
}

fn chart(frame: &mut Frame<'_>, area: Rect, curve: &Curve<'_>, state: &State, colours: Colours) {
    let points = curve.series.points();
    let raw = curve.scale.within(points.iter().map(|point| (point.step as f64, point.raw)));
    let smoothed = curve.scale.within(
        points.iter().map(|point| (point.step as f64, if curve.raw { point.smoothed } else { point.raw })),
    );
    let marks = curve.scale.within(curve.marks.iter().copied());
    let set = |points, style, kind, marker| {
        Dataset::default().data(points).style(style).graph_type(kind).marker(marker)
    };
    let mut sets = Vec::new();
    if curve.raw {
        sets.push(set(&raw, colours.quiet(), GraphType::Scatter, Marker::Braille));
    }
    sets.push(set(&smoothed, curve.style, GraphType::Line, Marker::Braille));
    let (kind, marker) = if marks.len() > MOST_MARKS {
        (GraphType::Line, Marker::Braille)
    } else {
        (GraphType::Scatter, Marker::Dot)
    };
    sets.push(set(&marks, colours.validation(), kind, marker));
    let first = points.first().map_or(0, |point| point.step).min(first_mark(&curve.marks));
    let last = state.step.max(first + 1);
    let mut x = Axis::default().bounds([first as f64, last as f64]).style(colours.quiet());
    if area.height >= STEPS_FROM {
        x = x.labels([thousands(first), format!("step {}", thousands(state.step))]);
        x = x.labels_alignment(Alignment::Right);
    }
    let y = Axis::default()
        .bounds(curve.scale.bounds())
        .style(colours.quiet())
        .labels(curve.scale.ticks().map(curve.tick));
    let block = framed(heading(curve, colours), colours).title_bottom(legend(curve, area.width, colours));
    frame.render_widget(Chart::new(sets).block(block).x_axis(x).y_axis(y).legend_position(None), area);
}

fn first_mark(marks: &[(f64, f64)]) -> usize {
    marks.first().map_or(usize::MAX, |mark| mark.0 as usize)
}

/// The name of a curve, its figure, and whether its scale is logarithmic.
fn heading(curve: &Curve<'_>, colours: Colours) -> Line<'static> {
    let mut spans = vec![Span::styled(format!(" {} ", curve.name), colours.strong())];
    if let Some(now) = &curve.now {
        spans.push(Span::styled(format!("{now} "), curve.style));
    }
    if curve.scale.logarithmic {
        spans.push(Span::styled("logarithmic ", colours.quiet()));
    }
    Line::from(spans)
}

/// What the marks of a chart mean, where there are several kinds and room for it.
fn legend(curve: &Curve<'_>, width: u16, colours: Colours) -> Line<'static> {
    let mut spans = Vec::new();
    if curve.raw {
        spans.extend([Span::styled(" ━", curve.style), Span::styled(" smoothed ", colours.quiet())]);
        spans.push(Span::styled(" · each step ", colours.quiet()));
    }
    if !curve.marks.is_empty() {
        spans.extend([
            Span::styled(" •", colours.validation()),
            Span::styled(" validation ", colours.quiet()),
        ]);
    }
    let line = Line::from(spans).alignment(Alignment::Right);
    if line.width() + 2 <= usize::from(width) { line } else { Line::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_that_has_fallen_far_is_drawn_by_its_logarithm() {
        let near = Scale::of_losses([2.0, 1.0].into_iter());
        assert!(!near.logarithmic && near.low < 1.0 && near.high > 2.0);
        let far = Scale::of_losses([2.0, 0.02].into_iter());
        assert!(far.logarithmic && far.low < 0.02 && far.low > 0.0 && far.high > 2.0);
        assert!((far.ticks()[1] - 0.2).abs() < 1e-9, "{far:?}");
        assert!(!Scale::of_losses([2.0, -0.1].into_iter()).logarithmic);
    }

    #[test]
    fn scales_of_nothing_and_of_one_value_have_a_height() {
        let scales = [
            Scale::of_losses([].into_iter()),
            Scale::of_losses([0.5, 0.5].into_iter()),
            Scale::of_losses([0.0].into_iter()),
            Scale::of_accuracies(&[], f64::INFINITY),
            Scale::of_accuracies(&[Point { step: 1, raw: 1.0, smoothed: 1.0 }], f64::INFINITY),
            Scale::around(1e-3),
        ];
        for scale in scales {
            let [low, high] = scale.bounds();
            assert!(low < high && low.is_finite() && high.is_finite(), "{scale:?}");
        }
    }

    #[test]
    fn points_that_are_not_within_are_left_out() {
        let scale = Scale { low: 0.5, high: 1.0, logarithmic: false };
        let found = scale.within([(1.0, 0.1), (2.0, 0.75), (3.0, f64::NAN)].into_iter());
        assert_eq!(found, [(2.0, 0.75)]);
    }
}
