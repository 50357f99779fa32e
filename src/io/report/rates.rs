//! The curve of `lr-find` as SVG.

use plotters::prelude::*;

use super::canvas::Canvas;
use super::error::ReportError;
use super::plots::{FONT, LINE, SIZE, TRAINING, VALIDATION, rounded};
use crate::train::{RatePoint, top_of_curve};

/// How high the picture is, in the greatest smoothed loss before the least.
const ROOM: f64 = 1.5;

/// Losses of single batches.
const BATCH: RGBColor = RGBColor(0xB8, 0xC4, 0xD0);

/// Draws the losses and their smoothed values over the logarithm of the learning rate, and a line at the suggested rate. What is
/// far above all that comes before the least loss is cut off.
///
/// # Errors
/// When there is no point, or the plotting library fails.
pub fn rate_plot(points: &[RatePoint], suggested: Option<f64>) -> Result<String, ReportError> {
    let mut svg = String::new();
    let fail = |problem: String| ReportError::Plot { plot: "learning rates", problem };
    paint(&mut svg, points, suggested).map_err(|error| fail(error.to_string()))?;
    Ok(svg)
}

fn paint(
    svg: &mut String,
    points: &[RatePoint],
    suggested: Option<f64>,
) -> Result<(), Box<dyn std::error::Error>> {
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return Err("no batch has a finite loss".into());
    };
    let (from, to) = (f64::from(first.learning_rate), f64::from(last.learning_rate));
    let to = if to > from { to } else { 10.0 * from };
    let most = top_of_curve(points);
    let top = if most > 0.0 { ROOM * most } else { 1.0 };
    let root = Canvas::new(svg, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .margin(10)
        .margin_right(18)
        .x_label_area_size(50)
        .y_label_area_size(68)
        .build_cartesian_2d((from..to).log_scale(), 0.0..top)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .x_labels(8)
        .y_labels(6)
        .x_label_formatter(&|x| format!("{x:.0e}"))
        .y_label_formatter(&|y| rounded(*y))
        .label_style(FONT)
        .axis_desc_style(FONT)
        .x_desc("learning rate")
        .y_desc("loss")
        .draw()?;
    let batches = points.iter().map(|p| (f64::from(p.learning_rate), f64::from(p.loss).min(top)));
    let smoothed = points.iter().map(|p| (f64::from(p.learning_rate), p.smoothed.min(top)));
    let mark = suggested.map(|rate| vec![(rate.clamp(from, to), 0.0), (rate.clamp(from, to), top)]);
    let lines = [
        ("of a batch", BATCH, batches.collect()),
        ("smoothed", TRAINING, smoothed.collect()),
        ("suggested", VALIDATION, mark.unwrap_or_default()),
    ];
    for (name, color, line) in lines.into_iter().filter(|(_, _, line): &(_, _, Vec<_>)| !line.is_empty()) {
        let style = color.stroke_width(LINE);
        chart
            .draw_series(LineSeries::new(line, style))?
            .label(name)
            .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 18, y)], style));
    }
    chart.configure_series_labels().position(SeriesLabelPosition::LowerLeft).label_font(FONT).draw()?;
    root.present()?;
    drop(chart);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_curve_is_drawn_or_refused() {
        let point = |n: i32, loss: f32| RatePoint {
            learning_rate: 10f32.powi(n - 7),
            loss,
            smoothed: f64::from(loss),
        };
        let many: Vec<_> = (0..8).map(|n| point(n, 2.0 - 0.1 * n as f32)).collect();
        let zeros: Vec<_> = (0..8).map(|n| point(n, 0.0)).collect();
        let rows: [(&[RatePoint], Option<f64>, bool); 5] = [
            (&many, Some(1e-3), true),
            (&many, None, true),
            (&many[..1], None, true),
            (&zeros, None, true),
            (&[], None, false),
        ];
        for (points, suggested, drawn) in rows {
            let found = rate_plot(points, suggested);
            assert_eq!(found.is_ok(), drawn, "{points:?}: {found:?}");
            let Ok(svg) = found else { continue };
            assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"), "{svg}");
            assert_eq!(svg.contains("suggested"), suggested.is_some(), "{svg}");
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
    }
}
