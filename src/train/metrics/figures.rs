//! Precision, recall and F1.

use serde::Serialize;

/// Metrics of one class or label; each is 0 where it would be 0/0.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassFigures {
    /// The class or label.
    pub class: usize,
    /// Its name, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Of the samples predicted as this class, or to have this label, the share that is right: `tp / (tp + fp)`.
    pub precision: f64,
    /// Of the samples of this class, or with this label, the share that was predicted so: `tp / (tp + fn)`.
    pub recall: f64,
    /// The harmonic mean of both: `2 * precision * recall / (precision + recall)`.
    pub f1: f64,
    /// The number of samples of this class, or with this label.
    pub support: u64,
}

/// Means over the classes or labels, with equal weights.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MacroFigures {
    /// Mean precision.
    pub precision: f64,
    /// Mean recall.
    pub recall: f64,
    /// Mean F1.
    pub f1: f64,
}

impl MacroFigures {
    /// Of these classes or labels.
    pub fn of(figures: &[ClassFigures]) -> Self {
        let mean = |of: fn(&ClassFigures) -> f64| figures.iter().map(of).sum::<f64>() / figures.len() as f64;
        MacroFigures { precision: mean(|c| c.precision), recall: mean(|c| c.recall), f1: mean(|c| c.f1) }
    }
}

/// The harmonic mean; 0 of zeros.
pub(super) fn harmonic(a: f64, b: f64) -> f64 {
    if a + b > 0.0 { 2.0 * a * b / (a + b) } else { 0.0 }
}

/// A ratio; 0 where `whole` is 0.
pub(super) fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
