//! What is said at the end of an epoch.

use std::time::Duration;

use super::clock::{JobClock, length};
use super::so_far::{SoFar, figures};
use crate::train::{EpochRecord, Schedule, StepRecord};

/// Between the parts of a line.
const BETWEEN: &str = " - ";
/// Before lines that continue another.
const INDENT: &str = "  ";

/// Follows training, to make the line of each epoch.
#[derive(Debug)]
pub struct EpochLine {
    pub schedule: Schedule,
    pub epoch: SoFar,
    /// That of the epoch before.
    learning_rate: Option<f32>,
    clock: JobClock,
}

/// What is said of an epoch that has ended.
#[derive(Debug)]
pub struct Ended {
    /// `Epoch 2/5`.
    pub epoch: String,
    pub steps: usize,
    /// Time, metrics, a rate that has changed.
    parts: Vec<String>,
    /// What is left of a long job.
    pub left: Option<String>,
}

impl EpochLine {
    /// Before training begins, or where it resumes.
    pub fn begin(schedule: &Schedule) -> Self {
        EpochLine {
            schedule: *schedule,
            epoch: SoFar::after(schedule.steps_done % schedule.steps_per_epoch.max(1)),
            learning_rate: None,
            clock: JobClock::start(schedule),
        }
    }

    /// After an epoch.
    pub fn end(&mut self, record: &EpochRecord) -> Ended {
        let steps = self.epoch.steps();
        let each = 1e3 * record.seconds / steps.max(1) as f64;
        let time = Duration::try_from_secs_f64(record.seconds).unwrap_or_default();
        let mut parts = vec![format!("{} {each:.1}ms/step", length(time))];
        parts.extend(figures("", record.loss, record.accuracy));
        if let Some(loss) = record.val_loss {
            parts.extend(figures("val_", loss, record.val_accuracy));
        }
        let before = self.learning_rate.replace(record.learning_rate);
        if before.is_some_and(|before| before != record.learning_rate) {
            parts.push(format!("learning_rate: {:.4e}", record.learning_rate));
        }
        self.epoch = SoFar::after(0);
        let Schedule { epochs, steps_per_epoch, steps: all, .. } = self.schedule;
        let left = self.clock.left((record.epoch * steps_per_epoch).min(all));
        Ended { epoch: format!("Epoch {}/{epochs}", record.epoch), steps, parts, left }
    }

    /// After a batch.
    pub fn step(&mut self, record: &StepRecord) {
        self.epoch.add(record);
    }
}

impl Ended {
    /// All of it in one line.
    pub fn line(&self) -> String {
        let mut parts = vec![self.epoch.clone(), format!("{} steps", self.steps)];
        parts.extend(self.parts.iter().chain(&self.left).cloned());
        parts.join(BETWEEN)
    }

    /// Time and metrics, in as many lines as it takes where there are this many columns, of which `taken` are taken in the first.
    pub fn figures(&self, columns: usize, taken: usize) -> String {
        let mut text = String::new();
        let mut column = taken;
        for part in &self.parts {
            let length = part.chars().count();
            if text.is_empty() {
                column += length;
            } else if column + BETWEEN.len() + length <= columns {
                text += BETWEEN;
                column += BETWEEN.len() + length;
            } else {
                text += "\n";
                text += INDENT;
                column = INDENT.len() + length;
            }
            text += part;
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended() -> Ended {
        let parts = ["2.9s 3.1ms/step", "loss: 0.2091", "accuracy: 0.9381", "val_loss: 0.0689"];
        Ended {
            epoch: "Epoch 1/5".to_owned(),
            steps: 938,
            parts: parts.map(str::to_owned).to_vec(),
            left: Some("2m 5s left, until 23:50".to_owned()),
        }
    }

    #[test]
    fn a_line_says_all() {
        assert_eq!(
            ended().line(),
            "Epoch 1/5 - 938 steps - 2.9s 3.1ms/step - loss: 0.2091 - accuracy: 0.9381 - val_loss: 0.0689 - \
             2m 5s left, until 23:50"
        );
    }

    #[test]
    fn figures_go_on_where_a_terminal_ends() {
        let rows = [
            (200, "2.9s 3.1ms/step - loss: 0.2091 - accuracy: 0.9381 - val_loss: 0.0689"),
            (68, "2.9s 3.1ms/step - loss: 0.2091 - accuracy: 0.9381\n  val_loss: 0.0689"),
            (40, "2.9s 3.1ms/step - loss: 0.2091\n  accuracy: 0.9381 - val_loss: 0.0689"),
            (10, "2.9s 3.1ms/step\n  loss: 0.2091\n  accuracy: 0.9381\n  val_loss: 0.0689"),
        ];
        for (columns, expected) in rows {
            assert_eq!(ended().figures(columns, 8), expected, "{columns}");
        }
    }
}
