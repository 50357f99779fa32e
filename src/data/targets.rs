//! What a model is to give for each sample.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::error::DataError;

/// What the target of a sample is, and with it what the outputs of a model mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetKind {
    /// One class of several: the outputs are a probability, or any score, of each. The target of the loss is one-hot.
    #[default]
    Classes,
    /// Any number of labels at once: the outputs are a probability of each, by itself. The target of the loss is 1 where a
    /// label holds, else 0.
    MultiLabel,
    /// Numbers, as of a regression: the outputs are estimates of them.
    Values,
}

impl TargetKind {
    /// The name in model files.
    pub fn name(self) -> &'static str {
        match self {
            TargetKind::Classes => "classes",
            TargetKind::MultiLabel => "multi_label",
            TargetKind::Values => "values",
        }
    }
}

impl fmt::Display for TargetKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The most classes, labels or numbers of a target.
const MAX_CLASSES: usize = 1 << 24;

/// What a model is to give for each of some samples.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Targets {
    /// One class each; see [`TargetKind::Classes`].
    Classes {
        /// A number below `classes` for each sample.
        labels: Vec<u32>,
        /// How many classes there are.
        classes: usize,
    },
    /// A row of numbers each; see [`TargetKind::MultiLabel`] and [`TargetKind::Values`].
    Rows {
        /// Which of the two.
        kind: TargetKind,
        /// `[samples, columns]`, row-major.
        values: Vec<f32>,
        /// Numbers of one sample.
        columns: usize,
    },
}

impl Targets {
    /// The class of each sample, counted from 0.
    ///
    /// Errors: [`DataError::Label`] with the first label that is negative or over 32 bits.
    pub fn classes<L: TryInto<u32>>(
        labels: impl IntoIterator<Item = L>,
        classes: usize,
    ) -> Result<Self, DataError> {
        let label = |(index, label): (usize, L)| label.try_into().map_err(|_| DataError::Label { index });
        let labels = labels.into_iter().enumerate().map(label).collect::<Result<_, _>>()?;
        Ok(Targets::Classes { labels, classes })
    }

    /// For each sample a row that says of each label whether it holds: `true`, 1 or `false`, 0.
    ///
    /// Errors: [`DataError::Row`] with the first row that has not one number for each label.
    pub fn multi_label<V, R>(rows: impl IntoIterator<Item = R>, labels: usize) -> Result<Self, DataError>
    where
        V: Copy + Into<f32>,
        R: AsRef<[V]>,
    {
        Targets::rows(TargetKind::MultiLabel, rows, labels)
    }

    /// For each sample a row of numbers, one for each output of the model.
    ///
    /// Errors: [`DataError::Row`] with the first row that has not one number for each output.
    pub fn values<V, R>(rows: impl IntoIterator<Item = R>, outputs: usize) -> Result<Self, DataError>
    where
        V: Copy + Into<f32>,
        R: AsRef<[V]>,
    {
        Targets::rows(TargetKind::Values, rows, outputs)
    }

    fn rows<V, R>(
        kind: TargetKind,
        rows: impl IntoIterator<Item = R>,
        columns: usize,
    ) -> Result<Self, DataError>
    where
        V: Copy + Into<f32>,
        R: AsRef<[V]>,
    {
        let mut values = Vec::new();
        for (index, row) in rows.into_iter().enumerate() {
            let row = row.as_ref();
            if row.len() != columns {
                return Err(DataError::Row { index, expected: columns, found: row.len() });
            }
            values.extend(row.iter().map(|&value| value.into()));
        }
        Ok(Targets::Rows { kind, values, columns })
    }

    /// Of so many samples of which nothing is known.
    pub(crate) fn blank(kind: TargetKind, samples: usize, columns: usize) -> Self {
        match kind {
            TargetKind::Classes => Targets::Classes { labels: vec![0; samples], classes: columns },
            kind => Targets::Rows { kind, values: vec![0.0; samples * columns], columns },
        }
    }

    /// Classes as targets of another kind, in so many columns, or as many as there are classes, where those are more; `None` of
    /// targets that are no classes, and where classes are asked for.
    pub(super) fn classes_as(&self, kind: TargetKind, columns: usize) -> Option<Self> {
        let Targets::Classes { labels, classes } = self else { return None };
        let columns = match kind {
            TargetKind::Classes => return None,
            TargetKind::Values if columns == 1 => 1,
            _ => columns.max(*classes),
        };
        let row = |&label: &u32| match kind {
            TargetKind::Values if columns == 1 => vec![label as f32],
            _ => (0..columns).map(|column| f32::from(u8::from(column == label as usize))).collect(),
        };
        Some(Targets::Rows { kind, values: labels.iter().flat_map(row).collect(), columns })
    }

    /// What kind of targets these are.
    pub fn kind(&self) -> TargetKind {
        match self {
            Targets::Classes { .. } => TargetKind::Classes,
            Targets::Rows { kind, .. } => *kind,
        }
    }

    /// How many outputs a model has for them: classes, labels, or numbers of a sample.
    pub fn columns(&self) -> usize {
        match self {
            Targets::Classes { classes, .. } => *classes,
            Targets::Rows { columns, .. } => *columns,
        }
    }

    /// How many samples these are the targets of, once they are checked.
    pub(super) fn len(&self) -> usize {
        match self {
            Targets::Classes { labels, .. } => labels.len(),
            Targets::Rows { values, columns, .. } => values.len() / columns,
        }
    }

    /// Refuses no targets, labels past the last class, rows that are not whole, and numbers that are none.
    pub(super) fn check(&self) -> Result<(), DataError> {
        match self {
            _ if !(1..=MAX_CLASSES).contains(&self.columns()) => {
                Err(DataError::Classes { found: self.columns(), limit: MAX_CLASSES })
            }
            Targets::Classes { labels, .. } if labels.is_empty() => Err(DataError::Empty),
            Targets::Classes { labels, classes } => {
                match labels.iter().position(|&label| label as usize >= *classes) {
                    Some(index) => {
                        Err(DataError::LabelOutOfRange { index, label: labels[index], classes: *classes })
                    }
                    None => Ok(()),
                }
            }
            Targets::Rows { values, .. } if values.is_empty() => Err(DataError::Empty),
            Targets::Rows { values, columns, .. } if !values.len().is_multiple_of(*columns) => {
                Err(DataError::TargetLength { columns: *columns, found: values.len() })
            }
            Targets::Rows { kind, values, columns } => {
                let (is_good, expected): (fn(f32) -> bool, _) = match kind {
                    TargetKind::MultiLabel => {
                        (|value| (0.0..=1.0).contains(&value), "1 where the label holds, else 0")
                    }
                    _ => (f32::is_finite, "a finite number"),
                };
                match values.iter().position(|&value| !is_good(value)) {
                    Some(at) => Err(DataError::Target {
                        index: at / columns,
                        column: at % columns,
                        value: values[at],
                        expected,
                    }),
                    None => Ok(()),
                }
            }
        }
    }

    /// Those of these samples, in this order; all of them must exist.
    pub(super) fn select(&self, samples: &[usize]) -> Self {
        match self {
            Targets::Classes { labels, classes } => {
                Targets::Classes { labels: samples.iter().map(|&at| labels[at]).collect(), classes: *classes }
            }
            Targets::Rows { kind, values, columns } => {
                let rows = samples.iter().flat_map(|&at| &values[at * columns..(at + 1) * columns]);
                Targets::Rows { kind: *kind, values: rows.copied().collect(), columns: *columns }
            }
        }
    }
}
