//! Samples with names, such as the files of pictures, that a model takes for another class.

use serde::Serialize;

use crate::data::{Dataset, TargetKind};

/// The most that are printed as text.
const PRINTED: usize = 24;

/// A sample that is taken for another class.
#[derive(Debug, PartialEq, Serialize)]
pub struct Wrong {
    /// Its path in the folder of pictures.
    pub file: String,
    /// Its place in the test set.
    pub sample: usize,
    pub label: usize,
    pub name: String,
    /// The class that it is taken for, and with which probability.
    pub predicted: usize,
    pub predicted_name: String,
    pub probability: f32,
}

/// All of a test set, the most certain mistakes first, by the predictions for it, `[samples, classes]`, and the names of classes. `None`
/// where samples have no names, or targets are no classes.
pub fn wrong(predictions: &[f32], test: &Dataset, classes: &[String]) -> Option<Vec<Wrong>> {
    let names = test.sample_names().filter(|_| test.target() == TargetKind::Classes)?;
    let called = |class: usize| classes.get(class).cloned().unwrap_or_else(|| class.to_string());
    let columns = (predictions.len() / test.len()).max(1);
    let rows = predictions.chunks_exact(columns).zip(test.labels()).zip(names);
    let of_sample = |(sample, ((row, &label), file)): (usize, ((&[f32], &u32), &str))| {
        // The first of equal ones.
        let predicted = (0..columns).fold(0, |best, at| if row[at] > row[best] { at } else { best });
        let (label, file) = (label as usize, file.to_owned());
        let [name, predicted_name] = [label, predicted].map(called);
        let probability = row[predicted];
        (predicted != label).then_some(Wrong {
            file,
            sample,
            label,
            name,
            predicted,
            predicted_name,
            probability,
        })
    };
    let mut found: Vec<Wrong> = rows.enumerate().filter_map(of_sample).collect();
    found.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    Some(found)
}

/// A line for each of the first.
pub fn text(wrong: &[Wrong]) -> String {
    let line = |one: &Wrong| {
        format!("{}: {} taken for {} ({:.4})", one.file, one.name, one.predicted_name, one.probability)
    };
    let mut lines: Vec<String> = wrong.iter().take(PRINTED).map(line).collect();
    match wrong.len().saturating_sub(PRINTED) {
        _ if wrong.is_empty() => return "Mistakes: none".to_owned(),
        0 => lines.insert(0, "Mistakes, the most certain first".to_owned()),
        more => {
            lines.insert(0, format!("Mistakes, the {PRINTED} most certain ones of {}", wrong.len()));
            lines.push(format!("and {more} more; `evaluate --json` has them all"));
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_have_their_files() {
        let data = Dataset::new(vec![0; 3], vec![0, 1, 1], [1, 1, 1], 2).unwrap();
        let scores = [0.4, 0.6, 0.2, 0.8, 0.9, 0.1];
        let classes = ["cat", "dog"].map(str::to_owned);
        assert_eq!(wrong(&scores, &data, &classes), None);
        let data = data.with_sample_names(["cat/0.png", "dog/1.png", "dog/2.png"]).unwrap();
        let found = wrong(&scores, &data, &classes).unwrap();
        assert_eq!(
            text(&found),
            "Mistakes, the most certain first\ndog/2.png: dog taken for cat (0.9000)\ncat/0.png: cat taken for dog (0.6000)"
        );
        assert_eq!((found[0].sample, found[0].label, found[0].predicted), (2, 1, 0));
        let part = wrong(&scores[2..], &data.slice(1..3).unwrap(), &[]).unwrap();
        assert_eq!(text(&part), "Mistakes, the most certain first\ndog/2.png: 1 taken for 0 (0.9000)");
        assert_eq!(text(&[]), "Mistakes: none");
        let many: Vec<Wrong> = (0..30).flat_map(|_| wrong(&scores, &data, &classes).unwrap()).collect();
        let text = text(&many);
        assert!(text.starts_with("Mistakes, the 24 most certain ones of 60\n"), "{text}");
        assert!(text.ends_with("and 36 more; `evaluate --json` has them all"), "{text}");
    }
}
