//! The figures of an epoch that is under way.

use std::time::Instant;

use crate::train::StepRecord;

/// Sums over the batches of an epoch so far.
#[derive(Debug, Clone)]
pub struct SoFar {
    loss: f64,
    /// `None` where targets are no classes.
    correct: Option<u64>,
    samples: u64,
    /// Batches, with those before training resumed.
    steps: usize,
    /// When the epoch began.
    begun: Instant,
}

impl SoFar {
    /// Before the first batch that is reported, after `steps` of the epoch.
    pub fn after(steps: usize) -> Self {
        SoFar { loss: 0.0, correct: Some(0), samples: 0, steps, begun: Instant::now() }
    }

    /// Where an epoch begins: its clock starts.
    pub fn begin(&mut self) {
        self.begun = Instant::now();
    }

    /// After a batch.
    pub fn add(&mut self, record: &StepRecord) {
        self.steps += 1;
        self.loss += f64::from(record.loss) * f64::from(record.n);
        self.correct = self.correct.zip(record.correct).map(|(sum, more)| sum + u64::from(more));
        self.samples += u64::from(record.n);
    }

    /// Batches of the epoch.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// The mean loss; `None` before the first batch.
    pub fn loss(&self) -> Option<f64> {
        (self.samples > 0).then(|| self.loss / self.samples as f64)
    }

    /// The share of samples that were classified correctly; `None` before the first batch, and where targets are no classes.
    pub fn accuracy(&self) -> Option<f64> {
        let correct = self.correct.filter(|_| self.samples > 0)?;
        Some(correct as f64 / self.samples as f64)
    }

    /// Samples in a second since the epoch began.
    pub fn samples_per_second(&self) -> f64 {
        self.samples as f64 / self.begun.elapsed().as_secs_f64().max(f64::MIN_POSITIVE)
    }
}

/// The metrics of some samples, each name behind `before`.
pub fn figures(before: &str, loss: f64, accuracy: Option<f64>) -> Vec<String> {
    let accuracy = accuracy.map(|accuracy| format!("{before}accuracy: {accuracy:.4}"));
    [format!("{before}loss: {loss:.4}")].into_iter().chain(accuracy).collect()
}
