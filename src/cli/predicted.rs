//! What a model says of one sample, as text and as JSON.

use serde_json::{Map, Value, json};

use crate::data::TargetKind;
use crate::io::SavedRun;
use crate::train::THRESHOLD;

/// The number of classes, labels or outputs that are printed.
const PRINTED: usize = 3;

/// The outputs for one sample, and the run of the model that gave them.
pub struct Predicted<'a> {
    pub run: &'a SavedRun,
    pub row: &'a [f32],
}

impl Predicted<'_> {
    /// The most probable class and the next ones, `7 (0.9981)  then 1 (0.0012), 9 (0.0004)`; the labels that hold and then the
    /// most probable of the others, likewise; or the estimates, `12.5000`, by name where there are several.
    pub fn text(&self) -> String {
        let figure = |&at: &usize| format!("{} ({:.4})", self.run.class_name(at), self.row[at]);
        let list = |of: &[usize]| of.iter().map(figure).collect::<Vec<_>>().join(", ");
        let then = |others: &[usize]| match list(&others[..others.len().min(PRINTED - 1)]) {
            none if none.is_empty() => none,
            some => format!("  then {some}"),
        };
        match (self.run.network.target, self.row) {
            (TargetKind::Classes, _) => {
                let ranked = ranked(self.row);
                format!("{}{}", list(&ranked[..1]), then(&ranked[1..]))
            }
            (TargetKind::MultiLabel, _) => {
                let (held, others) = self.labels();
                let held = if held.is_empty() { "no label".to_owned() } else { list(&held) };
                format!("{held}{}", then(&others))
            }
            (TargetKind::Values, [one]) => format!("{one:.4}"),
            (TargetKind::Values, row) => {
                let named = |at: usize| format!("{} {:.4}", self.run.class_name(at), row[at]);
                let more = match row.len().saturating_sub(PRINTED) {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                format!("{}{more}", (0..row.len().min(PRINTED)).map(named).collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// The most probable class.
    pub fn class(&self) -> usize {
        ranked(self.row).first().copied().unwrap_or_default()
    }

    /// The fields of a line of JSON.
    pub fn json(&self) -> Map<String, Value> {
        let name = |at: usize| self.run.class_name(at);
        let fields = match self.run.network.target {
            TargetKind::Classes => {
                let label = ranked(self.row)[0];
                json!({
                    "label": label,
                    "name": name(label),
                    "probability": self.row[label],
                    "probabilities": self.row,
                })
            }
            TargetKind::MultiLabel => {
                let (held, _) = self.labels();
                let names: Vec<_> = held.iter().map(|&at| name(at)).collect();
                json!({ "labels": held, "names": names, "probabilities": self.row })
            }
            TargetKind::Values => {
                let names: Vec<_> = (0..self.row.len()).map(name).collect();
                json!({ "names": names, "values": self.row })
            }
        };
        match fields {
            Value::Object(fields) => fields,
            _ => Map::new(),
        }
    }

    /// The labels that hold, and the others, each most probable first.
    fn labels(&self) -> (Vec<usize>, Vec<usize>) {
        ranked(self.row).into_iter().partition(|&at| self.row[at] > THRESHOLD)
    }
}

/// The classes, most probable first, of equal ones the first.
fn ranked(row: &[f32]) -> Vec<usize> {
    let mut classes: Vec<usize> = (0..row.len()).collect();
    classes.sort_by(|&a, &b| row[b].total_cmp(&row[a]));
    classes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::ModelFile;

    fn run(target: TargetKind, outputs: usize) -> SavedRun {
        let text = format!(
            "name = \"m\"\ninput_shape = [3]\ntarget = \"{target}\"\nclass_names = [{}]\n[[layers]]\ntype = \"Dense\"\nunits = {outputs}\n",
            (0..outputs).map(|at| format!("\"c{at}\"")).collect::<Vec<_>>().join(", ")
        );
        let file = ModelFile::parse("m.toml", &text).unwrap();
        let network = file.model.network().unwrap();
        let weights = network.initial_weights(0);
        SavedRun { file, network, weights }
    }

    #[test]
    fn each_kind_of_target_has_its_words() {
        use TargetKind::{Classes, MultiLabel, Values};
        let rows: [(TargetKind, &[f32], &str, Value); 6] = [
            (
                Classes,
                &[0.1, 0.7, 0.2, 0.0],
                "c1 (0.7000)  then c2 (0.2000), c0 (0.1000)",
                json!({ "label": 1, "name": "c1", "probability": 0.7f32, "probabilities": [0.1f32, 0.7f32, 0.2f32, 0.0] }),
            ),
            (
                MultiLabel,
                &[0.75, 0.5, 0.875],
                "c2 (0.8750), c0 (0.7500)  then c1 (0.5000)",
                json!({ "labels": [2, 0], "names": ["c2", "c0"], "probabilities": [0.75, 0.5, 0.875] }),
            ),
            (
                MultiLabel,
                &[0.25],
                "no label  then c0 (0.2500)",
                json!({ "labels": [], "names": [], "probabilities": [0.25] }),
            ),
            (
                MultiLabel,
                &[0.75],
                "c0 (0.7500)",
                json!({ "labels": [0], "names": ["c0"], "probabilities": [0.75] }),
            ),
            (Values, &[-2.5], "-2.5000", json!({ "names": ["c0"], "values": [-2.5] })),
            (
                Values,
                &[1.0, 2.0, 3.0, 4.0],
                "c0 1.0000, c1 2.0000, c2 3.0000 and 1 more",
                json!({ "names": ["c0", "c1", "c2", "c3"], "values": [1.0, 2.0, 3.0, 4.0] }),
            ),
        ];
        for (target, row, text, fields) in rows {
            let run = run(target, row.len());
            let predicted = Predicted { run: &run, row };
            assert_eq!(predicted.text(), text, "{target} {row:?}");
            assert_eq!(Value::Object(predicted.json()), fields, "{target} {row:?}");
        }
    }
}
