//! The parts of the page for targets that are no classes: labels and numbers.

use super::classes::{MOST_ROWS, class, name};
use super::contents::RunReport;
use super::html::{bar, table};
use super::mistakes::Target;
use crate::model::thousands;
use crate::train::{LabelReport, ValueReport};

/// Numbers of one sample that are listed.
const MOST_NUMBERS: usize = 8;

/// Precision, recall and F1 of each label.
pub fn labels(report: &RunReport<'_>, figures: &LabelReport) -> String {
    let row = |name: String, [precision, recall, f1]: [f64; 3], support: usize| {
        let figure = |figure: f64| format!("{figure:.4}");
        vec![name, figure(precision), figure(recall), figure(f1), thousands(support)]
    };
    let mut rows: Vec<_> = figures
        .labels
        .iter()
        .take(MOST_ROWS)
        .collect::<Vec<_>>()
        .into_iter()
        .map(|label| {
            row(class(report, label.class), [label.precision, label.recall, label.f1], label.support as usize)
        })
        .collect();
    let means = figures.means;
    rows.push(row("mean".to_owned(), [means.precision, means.recall, means.f1], figures.samples));
    format!(
        "<p>A label is predicted if its probability is above {}. {:.2} % of all predictions are correct; {:.2} % of \
         the samples have all labels correct.</p>\n{}{}",
        figures.threshold,
        1e2 * figures.binary_accuracy,
        1e2 * figures.exact_match,
        left_out(figures.labels.len()),
        table(&["Label", "Precision", "Recall", "F1", "Samples"], &rows)
    )
}

/// The errors of each output.
pub fn values(report: &RunReport<'_>, figures: &ValueReport) -> String {
    let row = |name: String, mae: f64, rmse: f64, r2: Option<f64>| {
        let r2 = r2.map_or("-".to_owned(), |r2| format!("{r2:.4}"));
        vec![name, format!("{mae:.4}"), format!("{rmse:.4}"), r2]
    };
    let mut rows: Vec<_> = figures
        .outputs
        .iter()
        .take(MOST_ROWS)
        .map(|output| row(class(report, output.output), output.mae, output.rmse, output.r2))
        .collect();
    rows.push(row("all".to_owned(), figures.mae, figures.rmse, figures.r2));
    format!(
        "<p>Mean absolute and root mean squared error, and the coefficient of determination: 1 is perfect, 0 as good as the mean of the \
         targets.</p>\n{}{}",
        left_out(figures.outputs.len()),
        table(&["Output", "MAE", "RMSE", "R2"], &rows)
    )
}

/// What a sample is, or is taken for.
pub fn told(report: &RunReport<'_>, target: &Target) -> String {
    match target {
        Target::Class(class) => name(report, *class),
        Target::Labels(labels) if labels.is_empty() => "no label".to_owned(),
        Target::Labels(labels) => {
            let names = labels.iter().take(MOST_NUMBERS).map(|&label| name(report, label));
            format!("{}{}", names.collect::<Vec<_>>().join(", "), more(labels.len()))
        }
        Target::Values(values) => {
            let numbers = values.iter().take(MOST_NUMBERS).map(|value| format!("{value:.4}"));
            format!("{}{}", numbers.collect::<Vec<_>>().join(", "), more(values.len()))
        }
    }
}

/// The outputs for the sample that is followed.
pub fn followed(report: &RunReport<'_>, is_probability: bool) -> String {
    let row = |(at, &output): (usize, &f32)| {
        let bar = if is_probability { bar(output.into()) } else { String::new() };
        vec![class(report, at), format!("{output:.4}"), bar]
    };
    let rows: Vec<_> = report.followed_outputs.iter().take(MOST_ROWS).enumerate().map(row).collect();
    let heading = if is_probability { "Probability" } else { "Value" };
    format!("{}{}", left_out(report.followed_outputs.len()), table(&["Output", heading, ""], &rows))
}

fn more(all: usize) -> String {
    match all.saturating_sub(MOST_NUMBERS) {
        0 => String::new(),
        more => format!(" and {more} more"),
    }
}

fn left_out(all: usize) -> String {
    match all {
        all if all > MOST_ROWS => format!("<p>The first {MOST_ROWS} of {}.</p>\n", thousands(all)),
        _ => String::new(),
    }
}
