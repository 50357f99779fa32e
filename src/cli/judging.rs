//! What `train --report` and `evaluate --report` print: metrics of each class, label or output, and the confusion matrix of classes.

use anyhow::bail;
use serde::Serialize;

use super::output::{Output, note};
use super::table::{Align, render};
use super::wrong::{self, Wrong};
use crate::data::{Dataset, TargetKind};
use crate::error::Error;
use crate::model::Network;
use crate::train::{
    ClassFigures, Judgement, LabelReport, MacroFigures, Model, OutputFigures, Report, ValueReport,
};

/// The `k` of the top-k accuracy where none is given, or the number of classes where that is smaller.
const TOP_K: usize = 5;

/// The least share of the largest class that is worth a line: of ten classes alike, as of MNIST, it says nothing.
const LARGE_CLASS: f64 = 0.2;

/// The most classes whose confusion matrix is printed.
const MOST_IN_MATRIX: usize = 256;

/// `--report` and `--top-k`.
#[derive(Debug, clap::Args)]
pub struct ReportArgs {
    /// Print a report on the test set: precision, recall and F1 of each class or label, and for classes top-k accuracy
    /// and the confusion matrix; if the model's target is values, MAE, RMSE and R2 of each output
    #[arg(long)]
    pub report: bool,
    /// Print the report, with top-K accuracy: a prediction is correct if the true class is among the K most probable
    /// ones. By default 5, or the number of classes if there are fewer
    #[arg(long, value_name = "K", value_parser = super::args::count, allow_negative_numbers = true)]
    pub top_k: Option<usize>,
}

impl ReportArgs {
    /// Whether a report is asked for.
    pub fn asked(&self) -> bool {
        self.report || self.top_k.is_some()
    }

    /// Refuses a `--top-k` of what are no classes, or that exceeds their number, before hours of training.
    pub fn check(&self, network: &Network) -> anyhow::Result<()> {
        let classes = network.classes();
        match self.top_k {
            Some(_) if network.target != TargetKind::Classes => {
                bail!("--top-k is for classes, but this model's target is {}; leave it out", network.target)
            }
            Some(k) if k > classes => {
                bail!("--top-k is {k}, but must be from 1 to {classes}, the number of classes")
            }
            Some(k) if k == classes => {
                note(format_args!(
                    "note: the right class is always among all {k}, so the top-{k} accuracy is left out; give a smaller --top-k"
                ));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Evaluates a model's predictions for a set, with these names of classes.
    pub fn judge(&self, model: &mut Model, data: &Dataset, names: &[String]) -> Result<Judged, Error> {
        let predictions = model.predict_data(data)?;
        let k = self.top_k.unwrap_or(TOP_K.min(model.network().classes()));
        let figures = Judgement::new(&predictions, data, k)?.named(names);
        Ok(Judged { figures, mistakes: wrong::wrong(&predictions, data, names) })
    }
}

/// What predictions for a set are worth.
#[derive(Debug, Serialize)]
pub struct Judged {
    #[serde(flatten)]
    pub figures: Judgement,
    /// `None` where samples have no names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mistakes: Option<Vec<Wrong>>,
}

/// A report as text.
pub fn text(judged: &Judged) -> String {
    let figures = match &judged.figures {
        Judgement::Classes(report) => of_classes(report),
        Judgement::Labels(report) => of_labels(report),
        Judgement::Values(report) => of_values(report),
    };
    match &judged.mistakes {
        Some(mistakes) => format!("{figures}\n\n{}", wrong::text(mistakes)),
        None => figures,
    }
}

/// The class with the most samples in a test set, and their share: the accuracy of always naming it. `None` where targets are no
/// classes.
pub fn largest_class(test: &Dataset) -> Option<(usize, f64)> {
    let mut counts = vec![0usize; test.classes()];
    test.labels().iter().for_each(|&label| counts[label as usize] += 1);
    let largest = (0..counts.len()).fold(0, |best, at| if counts[at] > counts[best] { at } else { best });
    (!test.labels().is_empty()).then(|| (largest, counts[largest] as f64 / test.len() as f64))
}

/// Prints what an accuracy is to be compared with, where the largest class has a name and a good share of the test set.
pub fn print_baseline(test: &Dataset, names: &[String], output: &mut Output) -> anyhow::Result<()> {
    let largest = largest_class(test).filter(|(_, share)| *share >= LARGE_CLASS);
    match largest.and_then(|(class, share)| Some((names.get(class)?, share))) {
        Some((name, share)) => {
            output.line(format_args!("Always naming the largest class, {name}, would give {share:.4}"))
        }
        None => Ok(()),
    }
}

/// A line per class, the means, and the matrix with a row per true class.
fn of_classes(report: &Report) -> String {
    let top_k = match report.k < report.classes.len() {
        true => format!("\n\nTop-{} accuracy: {:.4}", report.k, report.top_k_accuracy),
        // Of all classes one is right.
        false => String::new(),
    };
    format!(
        "{}{top_k}\n\nConfusion matrix (a row for each true class, a column for each predicted one)\n{}",
        figures("Class", &report.classes, &report.means, report.samples),
        match report.classes.len() {
            few if few <= MOST_IN_MATRIX => matrix(&report.confusion.counts(), &report.classes),
            many => format!("of {many} classes is left out; --json has it"),
        }
    )
}

/// A line per label, and the means.
fn of_labels(report: &LabelReport) -> String {
    format!(
        "{}\n\nA label is predicted if its probability is above {}.\nCorrect predictions: {:.4} of all labels; \
         samples with all labels correct: {:.4}",
        figures("Label", &report.labels, &report.means, report.samples),
        report.threshold,
        report.binary_accuracy,
        report.exact_match
    )
}

/// A line per output, and the metrics over all.
fn of_values(report: &ValueReport) -> String {
    let row = |name: String, mae: f64, rmse: f64, r2: Option<f64>| {
        let r2 = r2.map_or("-".to_owned(), |r2| format!("{r2:.4}"));
        [name, format!("{mae:.4}"), format!("{rmse:.4}"), r2]
    };
    let named = report.outputs.iter().any(|output| output.name.is_some());
    let of_output = |o: &OutputFigures| row(title(o.output, o.name.as_ref()), o.mae, o.rmse, o.r2);
    let mut rows: Vec<_> = report.outputs.iter().map(of_output).collect();
    if rows.len() > 1 {
        rows.push(row("all".to_owned(), report.mae, report.rmse, report.r2));
    }
    let headings = [
        ("Output", if named { Align::Left } else { Align::Right }),
        ("MAE", Align::Right),
        ("RMSE", Align::Right),
        ("R2", Align::Right),
    ];
    render(headings, &rows)
}

/// Precision, recall and F1 of each class or label, and their means.
fn figures(what: &'static str, all: &[ClassFigures], means: &MacroFigures, samples: usize) -> String {
    let row = |name: String, precision: f64, recall: f64, f1: f64, support: String| {
        [name, format!("{precision:.4}"), format!("{recall:.4}"), format!("{f1:.4}"), support]
    };
    let named = all.iter().any(|figures| figures.name.is_some());
    let of_class = |c: &ClassFigures| {
        row(title(c.class, c.name.as_ref()), c.precision, c.recall, c.f1, c.support.to_string())
    };
    let mut rows: Vec<_> = all.iter().map(of_class).collect();
    rows.push(row("mean".to_owned(), means.precision, means.recall, means.f1, samples.to_string()));
    let headings = [
        (what, if named { Align::Left } else { Align::Right }),
        ("Precision", Align::Right),
        ("Recall", Align::Right),
        ("F1", Align::Right),
        ("Samples", Align::Right),
    ];
    render(headings, &rows)
}

/// A class, label or output in a table: its number, and its name if it has one.
fn title(number: usize, name: Option<&String>) -> String {
    name.map_or_else(|| number.to_string(), |name| format!("{number} {name}"))
}

/// Numbers in columns of equal width, with the numbers of the classes above them and the classes beside them, with
/// their names if they have any.
fn matrix(counts: &[Vec<u64>], figures: &[ClassFigures]) -> String {
    let classes = counts.len();
    let widest = counts.iter().flatten().copied().max().unwrap_or(0).max(classes as u64);
    let width = widest.to_string().len();
    let heads: Vec<String> = figures
        .iter()
        .map(|one| {
            if one.name.is_some() {
                title(one.class, one.name.as_ref())
            } else {
                format!("{:>width$}", one.class)
            }
        })
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

/// The last line of `train` and `evaluate`: the metric that stands for all, and the loss.
pub fn print_figures((metric, figure): (&str, f64), loss: f64, output: &mut Output) -> anyhow::Result<()> {
    if !loss.is_finite() {
        note("warning: the test loss is not a finite number: these weights are useless");
    }
    output.result(format_args!("Test {metric}: {figure:.4}  Test loss: {loss:.4}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_reads_as_a_table() {
        let scores = [0.9, 0.1, 0.2, 0.8, 0.6, 0.4];
        let data = Dataset::new(vec![0; 3], vec![0, 1, 1], [1, 1, 1], 2).unwrap();
        let judged = |figures: Judgement, data: &Dataset, names: &[String]| {
            text(&Judged { figures, mistakes: wrong::wrong(&scores, data, names) })
        };
        let report = Judgement::new(&scores, &data, 2).unwrap();
        let expected = "\
Class  Precision  Recall      F1  Samples
    0     0.5000  1.0000  0.6667        1
    1     1.0000  0.5000  0.6667        2
 mean     0.7500  0.7500  0.6667        3

Confusion matrix (a row for each true class, a column for each predicted one)
   0  1
0  1  0
1  1  1";
        assert_eq!(judged(report, &data, &[]), expected, "of two classes one is right");
        let report = Judgement::new(&scores, &data, 1).unwrap();
        let names = ["shirt", "Stiefel für Kinder"].map(str::to_owned);
        let expected = "\
Class                 Precision  Recall      F1  Samples
0 shirt                  0.5000  1.0000  0.6667        1
1 Stiefel für Kinder     1.0000  0.5000  0.6667        2
mean                     0.7500  0.7500  0.6667        3

Top-1 accuracy: 0.6667

Confusion matrix (a row for each true class, a column for each predicted one)
                      0  1
0 shirt               1  0
1 Stiefel für Kinder  1  1";
        assert_eq!(judged(report.clone().named(&names), &data, &names), expected);
        let data = data.with_sample_names(["0.png", "1.png", "2.png"]).unwrap();
        let text = judged(report.named(&names), &data, &names);
        let mistakes =
            "\n\nMistakes, the most certain first\n2.png: Stiefel für Kinder taken for shirt (0.6000)";
        assert_eq!(text.strip_prefix(expected), Some(mistakes));
    }

    #[test]
    fn the_largest_class_is_what_accuracy_is_compared_with() {
        let rows: [(&[u8], (usize, f64)); 3] =
            [(&[0, 1, 1, 2], (1, 0.5)), (&[2, 1], (1, 0.5)), (&[2], (2, 1.0))];
        for (labels, expected) in rows {
            let data = Dataset::new(vec![0; labels.len()], labels.to_vec(), [1, 1, 1], 3).unwrap();
            assert_eq!(largest_class(&data), Some(expected), "{labels:?}");
        }
    }
}
