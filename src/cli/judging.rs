//! What `train --report` and `evaluate --report` print: metrics of each class, and the confusion matrix.

use anyhow::bail;

use super::output::{Output, note};
use super::table::{Align, render};
use crate::data::Dataset;
use crate::error::Error;
use crate::train::{ClassFigures, Evaluation, Model, Report};

/// The `k` of the top-k accuracy where none is given, or the number of classes where that is smaller.
const TOP_K: usize = 5;

/// `--report` and `--top-k`.
#[derive(Debug, clap::Args)]
pub struct ReportArgs {
    /// Print precision, recall and F1 of each class, top-k accuracy and the confusion matrix on the test set
    #[arg(long)]
    pub report: bool,
    /// In the report, among how many of the most probable classes the right one counts as correct; by default 5
    #[arg(long, value_name = "K", value_parser = super::args::count, allow_negative_numbers = true)]
    pub top_k: Option<usize>,
}

impl ReportArgs {
    /// Whether a report is asked for.
    pub fn asked(&self) -> bool {
        self.report || self.top_k.is_some()
    }

    /// Refuses a `--top-k` that exceeds the model's number of classes, before hours of training.
    pub fn check(&self, classes: usize) -> anyhow::Result<()> {
        match self.top_k {
            Some(k) if k > classes => {
                bail!("--top-k: `k` is {k}, but must be from 1 to the number of classes, which is {classes}")
            }
            _ => Ok(()),
        }
    }

    /// Evaluates a model's predictions for a set, with these names of classes.
    pub fn judge(&self, model: &mut Model, data: &Dataset, names: &[String]) -> Result<Report, Error> {
        let classes = model.network().classes();
        let probabilities = model.predict(data.images())?;
        let k = self.top_k.unwrap_or(TOP_K.min(classes));
        Ok(Report::new(&probabilities, data.labels(), classes, k)?.named(names))
    }
}

/// A report as text: a line per class, the means, and the matrix with a row per true class.
pub fn text(report: &Report) -> String {
    let figures = |name: String, precision: f64, recall: f64, f1: f64, support: String| {
        [name, format!("{precision:.4}"), format!("{recall:.4}"), format!("{f1:.4}"), support]
    };
    let named = report.classes.iter().any(|figures| figures.name.is_some());
    let mut rows: Vec<_> = report
        .classes
        .iter()
        .map(|c| figures(title(c), c.precision, c.recall, c.f1, c.support.to_string()))
        .collect();
    let means = report.means;
    rows.push(figures(
        "mean".to_owned(),
        means.precision,
        means.recall,
        means.f1,
        report.samples.to_string(),
    ));
    let headings = [
        ("Class", if named { Align::Left } else { Align::Right }),
        ("Precision", Align::Right),
        ("Recall", Align::Right),
        ("F1", Align::Right),
        ("Samples", Align::Right),
    ];
    format!(
        "{}\n\nTop-{} accuracy: {:.4}\n\nConfusion matrix (a row for each true class, a column for each predicted one)\n{}",
        render(headings, &rows),
        report.k,
        report.top_k_accuracy,
        matrix(report.confusion.counts(), &report.classes)
    )
}

/// A class in a table: its number, and its name if it has one.
fn title(figures: &ClassFigures) -> String {
    match &figures.name {
        Some(name) => format!("{} {name}", figures.class),
        None => figures.class.to_string(),
    }
}

/// Numbers in columns of equal width, with the numbers of the classes above them and the classes beside them, with
/// their names if they have any.
fn matrix(counts: &[Vec<u64>], figures: &[ClassFigures]) -> String {
    let classes = counts.len();
    let widest = counts.iter().flatten().copied().max().unwrap_or(0).max(classes as u64);
    let width = widest.to_string().len();
    let heads: Vec<String> = figures
        .iter()
        .map(|one| if one.name.is_some() { title(one) } else { format!("{:>width$}", one.class) })
        .collect();
    let widest = heads.iter().map(|head| head.chars().count()).max().unwrap_or(width);
    let line = |head: &str, cells: &mut dyn Iterator<Item = String>| {
        let cells: String = cells.map(|cell| format!("  {cell:>width$}")).collect();
        format!("{head:<widest$}{cells}")
    };
    let mut lines = vec![line("", &mut (0..classes).map(|class| class.to_string()))];
    for (head, row) in heads.iter().zip(counts) {
        lines.push(line(head, &mut row.iter().map(u64::to_string)));
    }
    lines.join("\n")
}

/// The last line of `train` and `evaluate`.
pub fn print_figures(evaluation: &Evaluation, output: &mut Output) -> anyhow::Result<()> {
    let Evaluation { loss, accuracy } = evaluation;
    if !loss.is_finite() {
        note("warning: the test loss is not a finite number: these weights are useless");
    }
    output.result(format_args!("Test accuracy: {accuracy:.4}  Test loss: {loss:.4}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_reads_as_a_table() {
        let scores = [0.9, 0.1, 0.2, 0.8, 0.6, 0.4];
        let report = Report::new(&scores, &[0, 1, 1], 2, 2).unwrap();
        let expected = "\
Class  Precision  Recall      F1  Samples
    0     0.5000  1.0000  0.6667        1
    1     1.0000  0.5000  0.6667        2
 mean     0.7500  0.7500  0.6667        3

Top-2 accuracy: 1.0000

Confusion matrix (a row for each true class, a column for each predicted one)
   0  1
0  1  0
1  1  1";
        assert_eq!(text(&report), expected);
        let names = ["shirt", "Stiefel für Kinder"].map(str::to_owned);
        let expected = "\
Class                 Precision  Recall      F1  Samples
0 shirt                  0.5000  1.0000  0.6667        1
1 Stiefel für Kinder     1.0000  0.5000  0.6667        2
mean                     0.7500  0.7500  0.6667        3

Top-2 accuracy: 1.0000

Confusion matrix (a row for each true class, a column for each predicted one)
                      0  1
0 shirt               1  0
1 Stiefel für Kinder  1  1";
        assert_eq!(text(&report.named(&names)), expected);
    }
}
