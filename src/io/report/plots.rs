//! Curves as SVG.

use std::fs;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;

use super::canvas::{Canvas, text_size};
use super::error::ReportError;
use super::logs::Epoch;

/// Of a plot, in pixels; on a phone it is shown smaller.
pub(super) const SIZE: (u32, u32) = (480, 300);
pub(super) const FONT: (&str, u32) = ("sans-serif", 18);
pub(super) const LINE: u32 = 2;
const DOT: u32 = 3;
/// The most points of a curve: of more, each point is the mean of several in a row.
const MOST_POINTS: usize = 300;
/// A curve with more points than this has no dots.
const MOST_DOTS: usize = 40;
/// The page repaints these; see `style.css`.
pub(super) const TRAINING: RGBColor = RGBColor(0x1F, 0x6F, 0xB4);
pub(super) const VALIDATION: RGBColor = RGBColor(0xD2, 0x5F, 0x0A);

/// A plot.
#[derive(Debug, Clone, PartialEq)]
pub struct Plot {
    /// Its file name, without extension.
    pub name: &'static str,
    /// What it shows.
    pub title: &'static str,
    /// How many steps or epochs a point is the mean of.
    pub block: usize,
    /// A whole SVG file.
    pub svg: String,
}

impl Plot {
    /// The text below it.
    pub fn caption(&self) -> String {
        match self.block {
            1 => self.title.to_owned(),
            block => format!("{}, in means of {block} in a row", self.title),
        }
    }
}

/// The names of all plots.
pub const PLOTS: [&str; 3] = ["loss", "accuracy", "step_loss"];

/// Whether a file is a plot that `report` or `lr-find` wrote: of this size, with a curve in one of its colours.
pub fn is_plot(path: &Path) -> bool {
    let is_file = fs::metadata(path).is_ok_and(|found| found.is_file());
    let svg = if is_file { fs::read_to_string(path).unwrap_or_default() } else { String::new() };
    let (width, height) = SIZE;
    let start = format!("<svg width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" ");
    let has = |RGBColor(r, g, b)| svg.contains(&format!("stroke=\"#{r:02X}{g:02X}{b:02X}\""));
    svg.starts_with(&start) && (has(TRAINING) || has(VALIDATION))
}

/// One curve.
struct Curve {
    name: &'static str,
    color: RGBColor,
    points: Vec<(f64, f64)>,
}

/// What is drawn.
struct Axes {
    x: &'static str,
    y: &'static str,
    /// Whether y is a share, with an axis that ends at 1.
    share: bool,
}

/// The curves of a run; a curve without data is left out.
pub fn plots(epochs: &[Epoch], step_losses: &[(f64, f64)]) -> Result<Vec<Plot>, ReportError> {
    let curve = |name, color, of: fn(&Epoch) -> Option<f64>| {
        let points = epochs.iter().filter_map(|epoch| Some((epoch.epoch as f64, of(epoch)?))).collect();
        Curve { name, color, points }
    };
    let loss = vec![curve("training", TRAINING, |e| e.loss), curve("validation", VALIDATION, |e| e.val_loss)];
    let accuracy = vec![
        curve("training", TRAINING, |e| e.accuracy),
        curve("validation", VALIDATION, |e| e.val_accuracy),
    ];
    let steps = vec![Curve { name: "training", color: TRAINING, points: step_losses.to_vec() }];
    let [of_loss, of_accuracy, of_steps] = PLOTS;
    let rows = [
        (of_loss, "Loss of each epoch", Axes { x: "epoch", y: "loss", share: false }, loss),
        (of_accuracy, "Accuracy of each epoch", Axes { x: "epoch", y: "accuracy", share: true }, accuracy),
        (of_steps, "Loss of each step", Axes { x: "step", y: "loss", share: false }, steps),
    ];
    let mut plots = Vec::new();
    for (name, title, axes, mut curves) in rows {
        curves.retain(|curve| !curve.points.is_empty());
        if !curves.is_empty() {
            let block = curves.iter().map(|curve| block(&curve.points)).max().unwrap_or(1);
            curves.iter_mut().for_each(|curve| curve.points = thinned(&curve.points, block));
            let svg = draw(&axes, &curves).map_err(|problem| ReportError::Plot { plot: name, problem })?;
            plots.push(Plot { name, title, block, svg });
        }
    }
    Ok(plots)
}

/// How many points in a row to average so that few remain.
fn block(points: &[(f64, f64)]) -> usize {
    points.len().div_ceil(MOST_POINTS).max(1)
}

/// The means of this many points in a row.
fn thinned(points: &[(f64, f64)], block: usize) -> Vec<(f64, f64)> {
    let mean = |block: &[(f64, f64)]| {
        let (x, y) = block.iter().fold((0.0, 0.0), |sum, point| (sum.0 + point.0, sum.1 + point.1));
        (x / block.len() as f64, y / block.len() as f64)
    };
    points.chunks(block).map(mean).collect()
}

fn draw(axes: &Axes, curves: &[Curve]) -> Result<String, String> {
    let mut svg = String::new();
    paint(&mut svg, axes, curves).map_err(|error| error.to_string())?;
    Ok(svg)
}

fn paint(svg: &mut String, axes: &Axes, curves: &[Curve]) -> Result<(), Box<dyn std::error::Error>> {
    let [x, y] = ranges(axes, curves);
    let root = Canvas::new(svg, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .margin(10)
        .margin_right(18)
        .x_label_area_size(50)
        .y_label_area_size(68)
        .build_cartesian_2d(x[0]..x[1], y[0]..y[1])?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .x_labels(6)
        .y_labels(6)
        .x_label_formatter(&|x| if x.fract() == 0.0 { format!("{x}") } else { String::new() })
        .y_label_formatter(&|y| rounded(*y))
        .label_style(FONT)
        .axis_desc_style(FONT)
        .x_desc(axes.x)
        .y_desc(axes.y)
        .draw()?;
    for curve in curves {
        let color = curve.color;
        let line = LineSeries::new(curve.points.iter().copied(), color.stroke_width(LINE));
        chart.draw_series(line)?;
        if curve.points.len() <= MOST_DOTS {
            chart.draw_series(curve.points.iter().map(|&at| Circle::new(at, DOT, color.filled())))?;
        }
    }
    legend(&chart.plotting_area().strip_coord_spec(), axes, curves)?;
    root.present()?;
    drop(chart);
    Ok(())
}

/// Which curve is which, where curves seldom are: below on the right where they rise, else above.
fn legend(
    area: &DrawingArea<Canvas<'_>, Shift>,
    axes: &Axes,
    curves: &[Curve],
) -> Result<(), Box<dyn std::error::Error>> {
    let [margin, border, dash, indent] = [10, 5, 18, 30];
    let row = 1.25 * f64::from(FONT.1);
    let top = |at: usize| (at as f64 * row).round() as i32;
    let sizes = curves.iter().map(|curve| text_size(curve.name, FONT.1.into()).map(|size| size as i32));
    let sizes: Vec<[i32; 2]> = sizes.collect();
    let widest = sizes.iter().map(|size| size[0]).max().unwrap_or_default();
    let lowest = sizes.iter().enumerate().map(|(at, size)| top(at) + size[1]).max().unwrap_or_default();
    let (width, height) = area.dim_in_pixel();
    let x = width as i32 - border - margin - widest - indent;
    let y = margin + if axes.share { height as i32 - border - 2 * margin - lowest } else { border };
    for (at, curve) in curves.iter().enumerate() {
        area.draw(&Text::new(curve.name, (x + indent, y + top(at)), FONT))?;
    }
    for (at, (curve, size)) in curves.iter().zip(&sizes).enumerate() {
        let middle = y + top(at) + size[1] / 2;
        area.draw(&PathElement::new([(x, middle), (x + dash, middle)], curve.color.stroke_width(LINE)))?;
    }
    Ok(())
}

/// The ranges of x and y: all points and some room; a loss from 0, a share to 1.
fn ranges(axes: &Axes, curves: &[Curve]) -> [[f64; 2]; 2] {
    let all = || curves.iter().flat_map(|curve| &curve.points);
    let least = |of: fn(&(f64, f64)) -> f64| all().map(of).fold(f64::INFINITY, f64::min);
    let most = |of: fn(&(f64, f64)) -> f64| all().map(of).fold(f64::NEG_INFINITY, f64::max);
    let (first, last) = (least(|p| p.0), most(|p| p.0));
    let room = if first < last { (last - first) / 50.0 } else { 0.5 };
    let y = if axes.share {
        let least = least(|p| p.1);
        [(least - 0.1 * (1.0 - least).max(0.01)).max(0.0), 1.0]
    } else {
        let (least, most) = (least(|p| p.1).min(0.0), most(|p| p.1));
        [least, if most > least { least + 1.06 * (most - least) } else { least + 1.0 }]
    };
    [[first - room, last + room], y]
}

/// A number at an axis: as many digits as it needs, at most three.
pub(super) fn rounded(y: f64) -> String {
    if y.abs() >= 1e5 {
        return format!("{y:.1e}");
    }
    let text = format!("{y:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch(epoch: usize, loss: Option<f64>, val_loss: Option<f64>) -> Epoch {
        Epoch { epoch, loss, accuracy: Some(0.5), val_loss, val_accuracy: None }
    }

    #[test]
    fn what_is_known_is_drawn() {
        let epochs = [epoch(1, Some(2.0), Some(1.5)), epoch(2, None, Some(1.0)), epoch(3, Some(0.5), None)];
        let plots = plots(&epochs, &[]).unwrap();
        assert_eq!(plots.iter().map(|plot| plot.name).collect::<Vec<_>>(), ["loss", "accuracy"]);
        let [loss, accuracy] = [&plots[0].svg, &plots[1].svg];
        for (svg, dots) in [(loss, 4), (accuracy, 3)] {
            assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"), "{svg}");
            assert_eq!(svg.matches("<circle").count(), dots, "{svg}");
        }
        assert!(loss.contains("validation") && !accuracy.contains("validation"));
        assert!(plots.iter().all(|plot| plot.svg.contains("epoch")));
    }

    #[test]
    fn long_curves_are_means_of_points_in_a_row() {
        let points: Vec<_> = (1..=601).map(|step| (f64::from(step), f64::from(step) * 10.0)).collect();
        let thin = thinned(&points, block(&points));
        assert_eq!((thin.len(), thin[0], thin[200]), (201, (2.0, 20.0), (601.0, 6010.0)));
        assert_eq!(thinned(&points[..300], block(&points[..300])), points[..300]);
        assert!(thinned(&[], block(&[])).is_empty());

        let epochs: Vec<_> = (1..=100_000).map(|n| epoch(n, Some(1.0 / n as f64), Some(2.0))).collect();
        let plots = plots(&epochs, &points).unwrap();
        let captions: Vec<_> = plots.iter().map(Plot::caption).collect();
        assert_eq!(captions[0], "Loss of each epoch, in means of 334 in a row");
        assert_eq!(captions[2], "Loss of each step, in means of 3 in a row");
        assert!(plots.iter().all(|plot| plot.svg.len() < 50_000), "{captions:?}");
    }

    /// Whether y is a share, points, ranges of x and y.
    type Row<'a> = (bool, &'a [(f64, f64)], [[f64; 2]; 2]);

    #[test]
    fn odd_curves_have_ranges() {
        let axes = |share| Axes { x: "x", y: "y", share };
        let curve = |points: &[(f64, f64)]| vec![Curve { name: "", color: BLACK, points: points.to_vec() }];
        let rows: [Row<'_>; 4] = [
            (false, &[(1.0, 0.0)], [[0.5, 1.5], [0.0, 1.0]]),
            (false, &[(1.0, 1.0), (51.0, 3.0)], [[0.0, 52.0], [0.0, 3.18]]),
            (true, &[(1.0, 1.0)], [[0.5, 1.5], [0.999, 1.0]]),
            (true, &[(1.0, 0.0)], [[0.5, 1.5], [0.0, 1.0]]),
        ];
        for (share, points, expected) in rows {
            assert_eq!(ranges(&axes(share), &curve(points)), expected, "{share} {points:?}");
        }
        assert_eq!([rounded(0.25), rounded(1.0), rounded(20.0)], ["0.25", "1", "20"]);
    }
}
