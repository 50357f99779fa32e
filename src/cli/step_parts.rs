//! The parts of training steps whose gradients are added up over micro-batches, as a table.

use std::fmt::Write;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::profile::StepTimes;

/// How long the parts of a step take in one process, in milliseconds, each the mean over all steps.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StepParts {
    /// Forward and backward, of this process's micro-batches.
    pub compute: f64,
    /// Until the gradients are in the host's memory.
    pub map: f64,
    /// Adding up.
    pub sum: f64,
    /// Waiting for other processes, and for what they send.
    pub exchange: f64,
    /// Bringing the sums to the device.
    pub upload: f64,
    /// The update.
    pub update: f64,
    /// All of it, by the clock.
    pub step: f64,
}

impl StepParts {
    pub fn of(times: &StepTimes) -> Self {
        let mean = |time: Duration| time.as_secs_f64() * 1e3 / times.steps.max(1) as f64;
        StepParts {
            compute: mean(times.compute.0),
            map: mean(times.map.0),
            sum: mean(times.sum.0),
            exchange: mean(times.exchange.0),
            upload: mean(times.upload.0),
            update: mean(times.update.0),
            step: mean(times.whole.0),
        }
    }

    fn rows(&self) -> [(&'static str, f64); 7] {
        [
            ("compute", self.compute),
            ("map", self.map),
            ("exchange", self.exchange),
            ("sum", self.sum),
            ("upload", self.upload),
            ("update", self.update),
            ("step", self.step),
        ]
    }
}

/// The parts of steps in every process.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepReport {
    pub micro_batches: usize,
    /// Of the largest micro-batch.
    pub samples: usize,
    /// Over which each part is the mean.
    pub steps: usize,
    /// Process by process, in milliseconds.
    pub processes: Vec<StepParts>,
}

impl StepReport {
    /// A table with a column for the first process, and, where there are several, for the least and the most of all.
    pub fn text(&self) -> String {
        let several = self.processes.len() > 1;
        let mut text = format!(
            "{} of {} samples to a batch, {}; milliseconds of a step, mean of {} steps:\n\n",
            counted(self.micro_batches, "micro-batch", "micro-batches"),
            self.samples,
            counted(self.processes.len(), "process", "processes"),
            self.steps
        );
        text += "part";
        if several {
            let _ = write!(text, "{:>18}{:>12}{:>12}", "process 0", "least", "most");
        }
        let rows: Vec<_> = self.processes.iter().map(StepParts::rows).collect();
        for (at, (name, first)) in rows.first().into_iter().flatten().enumerate() {
            let _ = write!(text, "\n{name:<10}{first:>12.3}");
            if several {
                let all = rows.iter().map(|process| process[at].1);
                let least = all.clone().fold(f64::INFINITY, f64::min);
                let _ = write!(text, "{least:>12.3}{:>12.3}", all.fold(0.0, f64::max));
            }
        }
        text
    }
}

fn counted(count: usize, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_processes_have_three_columns() {
        let parts = |compute| StepParts {
            compute,
            map: 0.5,
            sum: 0.25,
            exchange: 2.0,
            upload: 0.125,
            update: 1.0,
            step: compute + 3.875,
        };
        let report = |processes| StepReport { micro_batches: 4, samples: 16, steps: 50, processes }.text();
        assert_eq!(
            report(vec![parts(10.0), parts(12.0)]),
            "4 micro-batches of 16 samples to a batch, 2 processes; milliseconds of a step, mean of 50 steps:\n\n\
             part         process 0       least        most\n\
             compute         10.000      10.000      12.000\n\
             map              0.500       0.500       0.500\n\
             exchange         2.000       2.000       2.000\n\
             sum              0.250       0.250       0.250\n\
             upload           0.125       0.125       0.125\n\
             update           1.000       1.000       1.000\n\
             step            13.875      13.875      15.875"
        );
        assert_eq!(report(vec![parts(10.0)]).lines().nth(3).unwrap(), "compute         10.000");
    }
}
