//! How long the steps of a plan take: recorded by an executor during training.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::wait::Instant;

/// Which batches of training are measured step by step. The others are measured as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sampling {
    /// None.
    Whole,
    /// The first, and then one of this many; at least 1.
    Every(usize),
}

impl Sampling {
    /// How many batches come before the next one that is measured step by step, `seen` batches after the first.
    fn before_next(self, seen: usize) -> usize {
        match self {
            Sampling::Whole => usize::MAX,
            Sampling::Every(period) => seen.next_multiple_of(period.max(1)) - seen,
        }
    }
}

/// How the time of a step was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// By timestamps of the device at the start and the end of the step: its kernel alone.
    Device,
    /// By the host, from submitting the step alone to its end; includes the cost of a submission.
    Submission,
    /// By the host, around the step's function.
    Host,
}

impl std::fmt::Display for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Clock::Device => "timestamps of the device",
            Clock::Submission => "the host's clock, one submission a step",
            Clock::Host => "the host's clock",
        })
    }
}

/// Measured times, in seconds. Each is the median of all recorded values.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    clock: Clock,
    /// For each step of the plan.
    steps: Vec<Vec<f64>>,
    whole: Vec<f64>,
    encode: Vec<f64>,
    submit: Vec<f64>,
}

impl Profile {
    /// How the times of steps were measured.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// How many batches were measured step by step.
    pub fn samples(&self) -> usize {
        self.steps.iter().map(Vec::len).max().unwrap_or(0)
    }

    /// The time of one step, by its index in the plan; `None` if it did not run.
    pub fn step(&self, index: usize) -> Option<f64> {
        self.steps.get(index).and_then(|times| median(times))
    }

    /// The time of a batch in training, from one batch to the next; `None` if every batch was measured step by step.
    pub fn whole(&self) -> Option<f64> {
        median(&self.whole)
    }

    /// The time in which the host encodes a batch in training, and copies its samples if they are streamed; `None` if
    /// nothing is encoded.
    pub fn encode(&self) -> Option<f64> {
        median(&self.encode)
    }

    /// The time in which the host submits an encoded batch to the driver; `None` if nothing is submitted.
    pub fn submit(&self) -> Option<f64> {
        median(&self.submit)
    }
}

/// The times that are measured while training runs, for whoever wants to look at them meanwhile, from any thread.
#[derive(Debug, Clone)]
pub struct ProfileSoFar(Arc<Mutex<Profile>>);

impl ProfileSoFar {
    /// What is known by now.
    pub fn get(&self) -> Profile {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Profile> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Records a [`Profile`] while an executor runs.
#[derive(Debug)]
pub(crate) struct Profiler {
    pub(crate) sampling: Sampling,
    /// Batches since the sampling was set.
    seen: usize,
    profile: ProfileSoFar,
}

impl Profiler {
    /// Empty, for a plan of this many steps.
    pub(crate) fn new(clock: Clock, steps: usize) -> Self {
        let profile = Profile {
            clock,
            steps: vec![Vec::new(); steps],
            whole: Vec::new(),
            encode: Vec::new(),
            submit: Vec::new(),
        };
        Profiler { sampling: Sampling::Whole, seen: 0, profile: ProfileSoFar(Arc::new(Mutex::new(profile))) }
    }

    /// Continues with another sampling; earlier records stay. All of them can be seen in what is returned.
    pub(crate) fn sample(&mut self, sampling: Sampling) -> ProfileSoFar {
        (self.sampling, self.seen) = (sampling, 0);
        self.profile.clone()
    }

    /// How many batches come before the next one that is to be measured step by step.
    pub(crate) fn before_next(&self) -> usize {
        self.sampling.before_next(self.seen)
    }

    /// Records that batches ran.
    pub(crate) fn ran(&mut self, batches: usize) {
        self.seen += batches;
    }

    /// Records the time of a step in seconds.
    pub(crate) fn step(&mut self, index: usize, seconds: f64) {
        if let Some(times) = self.profile.lock().steps.get_mut(index) {
            times.push(seconds);
        }
    }

    /// Records the time of consecutive batches.
    pub(crate) fn whole(&mut self, took: Duration, batches: usize) {
        if batches > 0 {
            self.profile.lock().whole.push(took.as_secs_f64() / batches as f64);
        }
    }

    /// Records the host's part of batches that were submitted together.
    pub(crate) fn submission(&mut self, encode: Duration, submit: Duration, batches: usize) {
        let mut profile = self.profile.lock();
        profile.encode.push(encode.as_secs_f64() / batches as f64);
        profile.submit.push(submit.as_secs_f64() / batches as f64);
    }

    pub(crate) fn finish(self) -> Profile {
        self.profile.get()
    }
}

/// How long something took, over all steps together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spent(pub Duration);

impl Spent {
    /// Does something, and adds the time that it takes.
    pub(crate) fn time<T>(&mut self, act: impl FnOnce() -> T) -> T {
        let begun = Instant::now();
        let done = act();
        self.0 += begun.elapsed();
        done
    }
}

/// How long the parts of training steps took, where the gradients of micro-batches are added up: by the host's clock, over all steps
/// together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StepTimes {
    /// Steps.
    pub steps: usize,
    /// Forward and backward, of this process's micro-batches.
    pub compute: Spent,
    /// From the end of that until the gradients are in the host's memory.
    pub map: Spent,
    /// Adding up, over this process's micro-batches and over processes.
    pub sum: Spent,
    /// Waiting for other processes, and for what they send.
    pub exchange: Spent,
    /// Bringing the sums back to the device.
    pub upload: Spent,
    /// The update; on an adapter, where steps are not measured one by one, a part of the next step's `compute`.
    pub update: Spent,
    /// Whole steps, by the clock.
    pub whole: Spent,
    /// Whether the end of each update is waited for, so that it counts as itself. Default false.
    pub one_by_one: bool,
}

/// The value in the middle, or the mean of the two there; `None` for no values.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = sorted[(sorted.len() - 1) / 2];
    Some(f64::midpoint(lower, upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        let rows: [(&[f64], Option<f64>); 4] =
            [(&[], None), (&[3.0], Some(3.0)), (&[9.0, 1.0], Some(5.0)), (&[7.0, 1.0, 2.0], Some(2.0))];
        for (values, expected) in rows {
            assert_eq!(median(values), expected, "{values:?}");
        }
    }

    #[test]
    fn the_first_batch_is_sampled_and_then_one_of_each_period() {
        let due = |period: usize| -> Vec<usize> {
            (0..8).filter(|&seen| Sampling::Every(period).before_next(seen) == 0).collect()
        };
        assert_eq!(due(3), [0, 3, 6]);
        assert_eq!(due(1), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(due(0), due(1));
        assert_eq!(Sampling::Every(3).before_next(4), 2);
        assert_eq!(Sampling::Whole.before_next(0), usize::MAX);
    }
}
