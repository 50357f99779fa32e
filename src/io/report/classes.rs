//! The parts of the page that grow with the number of classes. With very many, each shows the most informative ones,
//! and says so.

use std::cmp::Reverse;

use super::contents::RunReport;
use super::html::{bar, escaped, shortened, table};
use crate::model::thousands;
use crate::train::{ClassFigures, ConfusionMatrix, Report};

/// The darkest shade of a cell of the confusion matrix.
const DARKEST: f64 = 0.6;
/// Rows and columns of the matrix, at most: more would be wider than any screen and make up most of the page.
const MOST_IN_MATRIX: usize = 50;
/// Rows of the other tables.
pub(super) const MOST_ROWS: usize = 200;
const MOST_PAIRS: usize = 50;
const MOST_PROBABLE: usize = 50;

/// A class in a table: its number, and its name if it has one.
pub(super) fn class(report: &RunReport<'_>, class: usize) -> String {
    match name(report, class) {
        name if name == class.to_string() => name,
        name => format!("{class} {name}"),
    }
}

/// The name of a class, else its number.
pub fn name(report: &RunReport<'_>, class: usize) -> String {
    escaped(&shortened(&report.run.class_name(class)))
}

/// The confusion matrix.
pub fn confusion(report: &RunReport<'_>, found: &Report) -> String {
    let counts = &found.confusion;
    let samples = thousands(found.samples);
    let text = format!("A row for each true class, a column for each predicted one; {samples} test images.");
    if counts.classes() <= MOST_IN_MATRIX {
        let all: Vec<usize> = (0..counts.classes()).collect();
        return format!("<p>{text}</p>\n{}", matrix(report, counts, &all));
    }
    let shown = most_mistaken(counts, MOST_IN_MATRIX);
    format!(
        "<p>{text} Of {} classes these are the {} with the most mistakes, by or for them; \
         <code>shadegrad evaluate RUN --json</code> prints the counts of all.</p>\n{}{}",
        thousands(counts.classes()),
        shown.len(),
        matrix(report, counts, &shown),
        pairs(report, counts)
    )
}

/// At most `most` classes, those with the most mistakes by or for them, in order of their numbers. Classes that no
/// test image has and the model never predicted are left out.
fn most_mistaken(counts: &ConfusionMatrix, most: usize) -> Vec<usize> {
    let (mut wrong, mut occurs) = (vec![0; counts.classes()], vec![false; counts.classes()]);
    for (row, column, count) in counts.cells() {
        (occurs[row], occurs[column]) = (true, true);
        if row != column {
            wrong[row] += count;
            wrong[column] += count;
        }
    }
    let mut classes: Vec<usize> = (0..counts.classes()).filter(|&class| occurs[class]).collect();
    classes.sort_by_key(|&class| Reverse(wrong[class]));
    classes.truncate(most);
    classes.sort_unstable();
    classes
}

fn matrix(report: &RunReport<'_>, counts: &ConfusionMatrix, shown: &[usize]) -> String {
    let wrong = |row: usize, column: usize| if row == column { 0 } else { counts.count(row, column) };
    let off_diagonal = shown.iter().flat_map(|&row| shown.iter().map(move |&column| wrong(row, column)));
    let most_wrong = off_diagonal.max().unwrap_or(0).max(1);
    let support = |row: usize| counts.cells().filter(|cell| cell.0 == row).map(|cell| cell.2).sum::<u64>();
    let cell = |row: usize, column: usize| {
        let count = counts.count(row, column);
        let (kind, part) = if row == column {
            ("right", count as f64 / support(row).max(1) as f64)
        } else {
            ("wrong", (count as f64 / most_wrong as f64).sqrt())
        };
        let faint = if count == 0 { " none" } else { "" };
        format!("<td class=\"{kind}{faint}\" style=\"--shade:{:.2}\">{count}</td>", part * DARKEST)
    };
    let heading =
        |&column: &usize| format!("<th scope=\"col\" title=\"{}\">{column}</th>", name(report, column));
    let headings: String = shown.iter().map(heading).collect();
    let row = |&row: &usize| {
        let cells: String = shown.iter().map(|&column| cell(row, column)).collect();
        format!("<tr><th scope=\"row\">{}</th>{cells}</tr>\n", class(report, row))
    };
    let rows: String = shown.iter().map(row).collect();
    format!(
        "<div class=\"scroll\"><table class=\"matrix\">\n<thead><tr><td></td>{headings}</tr></thead>\n\
         <tbody>\n{rows}</tbody></table></div>\n"
    )
}

/// The most frequent mistakes; ties in order.
fn pairs(report: &RunReport<'_>, counts: &ConfusionMatrix) -> String {
    let mut wrong: Vec<_> = counts.cells().filter(|(row, column, _)| row != column).collect();
    wrong.sort_by_key(|(.., count)| Reverse(*count));
    let all = wrong.len();
    wrong.truncate(MOST_PAIRS);
    let row = |&(row, column, count): &(usize, usize, u64)| {
        vec![class(report, row), class(report, column), thousands(count as usize)]
    };
    let rows: Vec<_> = wrong.iter().map(row).collect();
    let left = match all - wrong.len() {
        0 => String::new(),
        more => format!("<p>{} more pairs are left out.</p>\n", thousands(more)),
    };
    if rows.is_empty() {
        return String::new();
    }
    format!(
        "<h3>The most frequent mistakes</h3>\n{}{left}",
        table(&["True class", "Taken for", "Times"], &rows)
    )
}

/// Precision, recall and F1 of each class.
pub fn figures(report: &RunReport<'_>, found: &Report) -> String {
    let figures = |name: String, [precision, recall, f1]: [f64; 3], support: usize| {
        let figure = |figure: f64| format!("{figure:.4}");
        vec![name, figure(precision), figure(recall), figure(f1), thousands(support)]
    };
    let row = |c: &&ClassFigures| {
        figures(class(report, c.class), [c.precision, c.recall, c.f1], c.support as usize)
    };
    let mut classes: Vec<_> = found.classes.iter().collect();
    let all = classes.len();
    let mut text = String::new();
    if all > MOST_ROWS {
        classes.retain(|class| class.support > 0);
        classes.sort_by(|a, b| a.f1.total_cmp(&b.f1));
        classes.truncate(MOST_ROWS);
        text = format!(
            "<p>Of {} classes these are the {} with the lowest F1, the lowest first; those without test images are left \
             out; <code>shadegrad evaluate RUN --json</code> prints all.</p>\n",
            thousands(all),
            classes.len()
        );
    }
    let mut rows: Vec<_> = classes.iter().map(row).collect();
    let means = found.means;
    rows.push(figures("mean".to_owned(), [means.precision, means.recall, means.f1], found.samples));
    format!("{text}{}", table(&["Class", "Precision", "Recall", "F1", "Samples"], &rows))
}

/// The probability of each class for the image that is followed.
pub fn probabilities(report: &RunReport<'_>) -> String {
    let mut all: Vec<(usize, f32)> = report.followed_outputs.iter().copied().enumerate().collect();
    let mut text = String::new();
    if all.len() > MOST_PROBABLE {
        text = format!("<p>The {MOST_PROBABLE} most probable of {} classes.</p>\n", thousands(all.len()));
        all.sort_by(|a, b| b.1.total_cmp(&a.1));
        all.truncate(MOST_PROBABLE);
    }
    let row = |&(at, probability): &(usize, f32)| {
        vec![class(report, at), format!("{probability:.4}"), bar(probability.into())]
    };
    let rows: Vec<_> = all.iter().map(row).collect();
    format!("{text}{}", table(&["Class", "Probability", ""], &rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_mistaken_classes_are_in_order() {
        let counts = vec![
            vec![9, 0, 0, 1, 0],
            vec![0, 9, 2, 0, 0],
            vec![0, 0, 9, 0, 0],
            vec![0, 3, 0, 9, 0],
            vec![0; 5],
        ];
        for (most, expected) in [(5, vec![0, 1, 2, 3]), (2, vec![1, 3]), (3, vec![1, 2, 3])] {
            assert_eq!(most_mistaken(&counts.clone().into(), most), expected);
        }
    }
}
