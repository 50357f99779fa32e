//! What the view shows: fed by the events of training, it knows of no terminal.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::mistakes::{Mistakes, NoMistakes};
use super::series::Series;
use crate::cli::so_far::SoFar;
use crate::profile::ProfileSoFar;
use crate::train::{EpochRecord, Schedule, StepRecord};

/// The most lines of notes that are kept for the screen; the terminal gets all of them in the end.
const NOTES: usize = 64;
/// The time left is not told before this many steps and this time.
const STEPS_TO_TELL: usize = 10;
const TIME_TO_TELL: Duration = Duration::from_secs(2);
/// How long the answer to a key stays in sight.
const IN_SIGHT: Duration = Duration::from_secs(5);

/// What does not change in a run.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    pub model: String,
    pub device: String,
    pub run: String,
    /// What samples are called.
    pub samples: &'static str,
    /// Whether targets are classes, so that there is an accuracy.
    pub classes: bool,
    /// Whether a validation set is judged after each epoch.
    pub validation: bool,
    /// The steps of the plan that are timed, with their places in it.
    pub steps: Vec<PlanStep>,
    /// Where the times of steps come from, or why there are none.
    pub kernels: KernelTimes,
    pub no_mistakes: Option<NoMistakes>,
}

/// A step of the plan that runs in training.
#[derive(Debug, Clone)]
pub struct PlanStep {
    /// Its place in the plan.
    pub index: usize,
    pub name: String,
    pub kind: &'static str,
}

/// Whether kernels are timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KernelTimes {
    /// `--profile` times them.
    Timed,
    /// It was not given.
    #[default]
    NotAsked,
    /// A batch has several micro-batches, of which the parts of a step are told at the end.
    InParts,
}

/// What training does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Phase {
    /// No batch has ended yet.
    #[default]
    Beginning,
    Training,
    /// The validation set is judged.
    Judging,
    /// A stop was asked for.
    Stopping,
}

/// A finished epoch.
#[derive(Debug, Clone, Copy)]
pub struct Epoch {
    /// The last step.
    pub step: usize,
    pub record: EpochRecord,
}

/// Everything that is shown.
#[derive(Debug, Clone)]
pub struct State {
    pub facts: Arc<Facts>,
    pub schedule: Schedule,
    pub phase: Phase,
    /// The epoch under way, counted from 1; 0 before the first.
    pub epoch: usize,
    pub so_far: SoFar,
    /// The last step.
    pub step: usize,
    pub loss: Series,
    pub accuracy: Series,
    pub learning_rate: Series,
    /// Those of this call and of the run that it resumes.
    pub epochs: Vec<Epoch>,
    pub mistakes: Option<Arc<Mistakes>>,
    pub profile: Option<ProfileSoFar>,
    /// The last lines, the oldest first.
    pub notes: VecDeque<String>,
    /// The answer to a key, and when it was given.
    told: Option<(Instant, String)>,
    pub help: bool,
    /// When the view was opened, and when the first batch ended.
    begun: Instant,
    first: Option<(Instant, usize)>,
}

impl State {
    /// Before training, with the epochs of the run that it resumes.
    pub fn new(facts: Facts, before: &[EpochRecord]) -> Self {
        State {
            facts: Arc::new(facts),
            schedule: Schedule { epochs: 0, steps_per_epoch: 0, steps_done: 0, steps: 0 },
            phase: Phase::Beginning,
            epoch: 0,
            so_far: SoFar::after(0),
            step: 0,
            loss: Series::default(),
            accuracy: Series::default(),
            learning_rate: Series::default(),
            epochs: before.iter().map(|&record| Epoch { step: 0, record }).collect(),
            mistakes: None,
            profile: None,
            notes: VecDeque::new(),
            told: None,
            help: false,
            begun: Instant::now(),
            first: None,
        }
    }

    /// Before the first batch.
    pub fn begin(&mut self, schedule: &Schedule) {
        self.schedule = *schedule;
        self.step = schedule.steps_done;
        self.so_far = SoFar::after(schedule.steps_done % schedule.steps_per_epoch.max(1));
        for epoch in &mut self.epochs {
            epoch.step = epoch.record.epoch * schedule.steps_per_epoch;
        }
    }

    /// Before the first batch of an epoch.
    pub fn begin_epoch(&mut self, epoch: usize) {
        self.epoch = epoch;
        self.so_far.begin();
        self.go_on();
    }

    /// After a batch.
    pub fn end_step(&mut self, record: &StepRecord) {
        self.step = record.step;
        self.so_far.add(record);
        self.loss.push(record.step, f64::from(record.loss));
        if let Some(correct) = record.correct {
            self.accuracy.push(record.step, f64::from(correct) / f64::from(record.n.max(1)));
        }
        self.learning_rate.push(record.step, f64::from(record.learning_rate));
        self.first.get_or_insert_with(|| (Instant::now(), record.step));
        if self.phase != Phase::Stopping {
            let ended = self.facts.validation && self.so_far.steps() == self.steps_of_epoch();
            self.phase = if ended { Phase::Judging } else { Phase::Training };
        }
    }

    /// After an epoch and its validation.
    pub fn end_epoch(&mut self, record: &EpochRecord) {
        self.epochs.push(Epoch { step: self.step, record: *record });
        self.so_far = SoFar::after(0);
        self.go_on();
    }

    /// Lines that the terminal gets in the end.
    pub fn note(&mut self, text: &str) {
        self.notes.extend(text.lines().map(str::to_owned));
        while self.notes.len() > NOTES {
            self.notes.pop_front();
        }
    }

    /// The answer to a key: it stays in sight for a while, whatever else is noted.
    pub fn tell(&mut self, text: &str) {
        self.told = Some((Instant::now(), text.to_owned()));
        self.note(text);
    }

    /// The last answer to a key, while it is new, else the last note.
    pub fn last_note(&self) -> Option<&str> {
        let told = self.told.as_ref().filter(|(at, _)| at.elapsed() < IN_SIGHT);
        told.map(|(_, text)| text.as_str()).or(self.notes.back().map(String::as_str))
    }

    /// From now on there are no mistakes to show, not even those of an earlier epoch.
    pub fn failed(&mut self, why: NoMistakes) {
        self.mistakes = None;
        let facts = Facts { no_mistakes: Some(why), ..(*self.facts).clone() };
        self.facts = Arc::new(facts);
    }

    /// Steps of the epoch under way.
    pub fn steps_of_epoch(&self) -> usize {
        let Schedule { steps_per_epoch, steps, .. } = self.schedule;
        let before = self.epoch.saturating_sub(1) * steps_per_epoch;
        steps_per_epoch.min(steps.saturating_sub(before))
    }

    /// The learning rate of the last step, once there was one.
    pub fn learning_rate_now(&self) -> Option<f64> {
        self.learning_rate.last()
    }

    /// The time since the view was opened.
    pub fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// The time until all steps are taken, once it is known. Validation so far counts as a part of the steps.
    pub fn left(&self) -> Option<Duration> {
        let (begun, first) = self.first?;
        left(begun.elapsed(), self.step.saturating_sub(first), self.schedule.steps.saturating_sub(self.step))
    }

    fn go_on(&mut self) {
        if self.phase == Phase::Judging {
            self.phase = Phase::Training;
        }
    }
}

/// The time that `left` steps take, if `done` took so long; `None` where that is too little to tell.
fn left(took: Duration, done: usize, left: usize) -> Option<Duration> {
    let known = done >= STEPS_TO_TELL && took >= TIME_TO_TELL;
    known.then(|| took.mul_f64(left as f64 / done as f64))
}

#[cfg(test)]
mod tests {
    use super::super::example::{epoch_record, facts, schedule, step_record};
    use super::*;

    fn state(facts: Facts) -> State {
        let mut state = State::new(facts, &[]);
        state.begin(&schedule(2, 10));
        state
    }

    #[test]
    fn an_epoch_goes_from_its_first_step_to_its_validation() {
        let mut state = state(facts());
        assert_eq!((state.phase, state.epoch), (Phase::Beginning, 0));
        state.begin_epoch(1);
        for step in 1..=10 {
            state.end_step(&step_record(step, 1, 1.0 / step as f32));
            let expected = if step < 10 { Phase::Training } else { Phase::Judging };
            assert_eq!(state.phase, expected, "step {step}");
        }
        let mean = (1..=10).map(|step| 1.0 / f64::from(step)).sum::<f64>() / 10.0;
        assert!((state.so_far.loss().unwrap() - mean).abs() < 1e-6);
        assert_eq!((state.so_far.steps(), state.steps_of_epoch()), (10, 10));
        state.end_epoch(&epoch_record(1, 0.3));
        assert_eq!((state.phase, state.so_far.steps(), state.epochs[0].step), (Phase::Training, 0, 10));
        assert_eq!((state.loss.points().len(), state.accuracy.points().len()), (10, 10));
    }

    #[test]
    fn a_run_that_goes_on_knows_its_epochs_and_its_place() {
        let mut state = State::new(facts(), &[epoch_record(1, 0.5)]);
        state.begin(&Schedule { steps_done: 14, ..schedule(2, 10) });
        state.begin_epoch(2);
        assert_eq!((state.epochs[0].step, state.step, state.so_far.steps()), (10, 14, 4));
        state.end_step(&step_record(15, 2, 0.5));
        assert_eq!(state.so_far.steps(), 5);
    }

    #[test]
    fn the_last_epoch_may_be_cut_short() {
        let mut state = State::new(facts(), &[]);
        state.begin(&Schedule { steps: 13, ..schedule(2, 10) });
        state.begin_epoch(2);
        assert_eq!(state.steps_of_epoch(), 3);
    }

    #[test]
    fn a_stop_that_was_asked_for_stays_in_sight() {
        let mut state = state(facts());
        state.begin_epoch(1);
        state.phase = Phase::Stopping;
        state.end_step(&step_record(1, 1, 1.0));
        assert_eq!(state.phase, Phase::Stopping);
    }

    #[test]
    fn values_have_no_accuracy() {
        let mut state = state(Facts { classes: false, ..facts() });
        state.begin_epoch(1);
        state.end_step(&StepRecord { correct: None, ..step_record(1, 1, 0.5) });
        assert!(state.accuracy.points().is_empty() && state.so_far.accuracy().is_none());
    }

    #[test]
    fn the_time_left_is_told_once_it_is_known() {
        let seconds = Duration::from_secs;
        assert_eq!(left(seconds(1), 100, 100), None);
        assert_eq!(left(seconds(20), 9, 100), None);
        assert_eq!(left(seconds(20), 10, 100), Some(seconds(200)));
        assert_eq!(left(seconds(20), 10, 0), Some(seconds(0)));
    }

    #[test]
    fn the_answer_to_a_key_stays_in_sight() {
        let mut state = state(facts());
        assert_eq!(state.last_note(), None);
        state.note("first");
        assert_eq!(state.last_note(), Some("first"));
        state.tell("answer");
        state.note("last");
        assert_eq!((state.last_note(), state.notes.len()), (Some("answer"), 3));
        state.told = Some((Instant::now() - IN_SIGHT, "answer".to_owned()));
        assert_eq!(state.last_note(), Some("last"));
    }

    #[test]
    fn only_the_last_notes_are_kept() {
        let mut state = state(facts());
        (0..2 * NOTES).for_each(|number| state.note(&format!("{number}\nmore")));
        assert_eq!(state.notes.len(), NOTES);
        assert_eq!(state.notes.back().unwrap(), "more");
    }
}
