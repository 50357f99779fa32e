//! Progress on standard error, in the style of Keras: a bar on a terminal, one line per epoch otherwise.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output::{is_silent, note};
use crate::model::thousands;
use crate::train::{EpochRecord, Schedule, StepRecord};

/// What follows the batches on a bar, while it grows and at its end: it fits into 80 columns.
const RUNNING: &str = "{bar:8.green/dim} {eta} left - {msg}";
/// The same while no batch has ended, so that nothing is known.
const WAITING: &str = "{bar:8.green/dim} {elapsed}";
const DONE: &str = "{msg}";
const BAR: &str = "━╸─";
/// How often the times on a bar are updated while no batch ends.
const TICK: Duration = Duration::from_millis(250);

/// Shows the progress of training.
#[derive(Debug)]
pub struct Progress {
    terminal: bool,
    quiet: bool,
    bar: Option<ProgressBar>,
    schedule: Schedule,
    /// Sums over the samples of the epoch so far.
    loss: f64,
    /// `None` where targets are no classes.
    correct: Option<u64>,
    samples: u64,
    /// Batches of the epoch so far.
    steps: usize,
    /// When the epoch began.
    begun: Instant,
    /// That of the epoch before.
    learning_rate: Option<f32>,
}

impl Progress {
    /// Before anything is shown.
    pub fn new() -> Self {
        Progress {
            terminal: is_terminal(),
            quiet: false,
            bar: None,
            schedule: Schedule { epochs: 0, steps_per_epoch: 0, steps_done: 0, steps: 0 },
            loss: 0.0,
            correct: Some(0),
            samples: 0,
            steps: 0,
            begun: Instant::now(),
            learning_rate: None,
        }
    }

    /// Shows no progress; warnings are still printed.
    pub fn quiet() -> Self {
        Progress { terminal: false, quiet: true, ..Progress::new() }
    }

    /// Before the first batch; ends what was shown of training that stopped within an epoch.
    pub fn begin(&mut self, schedule: &Schedule) {
        self.end();
        (self.loss, self.correct, self.samples) = (0.0, Some(0), 0);
        self.schedule = *schedule;
        self.steps = schedule.steps_done % schedule.steps_per_epoch.max(1);
    }

    /// After a batch.
    pub fn step(&mut self, record: &StepRecord) {
        self.steps += 1;
        self.loss += f64::from(record.loss) * f64::from(record.n);
        self.correct = self.correct.zip(record.correct).map(|(sum, more)| sum + u64::from(more));
        self.samples += u64::from(record.n);
        if let Some(bar) = &self.bar {
            let samples = self.samples.max(1) as f64;
            let rate = samples / self.begun.elapsed().as_secs_f64().max(f64::MIN_POSITIVE);
            let accuracy = self.correct.map(|correct| correct as f64 / samples);
            let figures = figures("", self.loss / samples, accuracy);
            bar.set_message(format!("{} images/s - {figures}", thousands(rate as usize)));
            if bar.position() == 0 {
                bar.set_style(style(RUNNING, bar));
            }
            bar.set_position(self.steps as u64);
        }
    }

    /// After an epoch.
    pub fn end_epoch(&mut self, record: &EpochRecord) {
        let mut text = format!(
            "{:.1}s {:.1}ms/step - {}",
            record.seconds,
            1e3 * record.seconds / self.steps.max(1) as f64,
            figures("", record.loss, record.accuracy)
        );
        if let Some(loss) = record.val_loss {
            text += &format!(" - {}", figures("val_", loss, record.val_accuracy));
        }
        if self
            .learning_rate
            .replace(record.learning_rate)
            .is_some_and(|before| before != record.learning_rate)
        {
            text += &format!(" - learning_rate: {}", format_args!("{:.4e}", record.learning_rate));
        }
        match self.bar.take() {
            Some(bar) => {
                bar.disable_steady_tick();
                bar.set_style(style(DONE, &bar));
                bar.finish_with_message(text);
            }
            None if self.quiet => {}
            None => {
                let Schedule { epochs, .. } = self.schedule;
                note(format_args!("Epoch {}/{epochs} - {} steps - {text}", record.epoch, self.steps));
            }
        }
        (self.loss, self.correct, self.samples, self.steps) = (0.0, Some(0), 0, 0);
    }

    /// Leaves the bar as it is when its epoch does not finish.
    pub fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.abandon();
        }
    }

    /// Prints a line above the bar.
    pub fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => note(text),
        }
    }

    /// Before the first batch of an epoch.
    pub fn begin_epoch(&mut self, epoch: usize) {
        let Schedule { epochs, steps_per_epoch, steps, .. } = self.schedule;
        self.begun = Instant::now();
        if self.terminal {
            note(format_args!("Epoch {epoch}/{epochs}"));
            let before = (epoch - 1) * steps_per_epoch;
            let bar = ProgressBar::new(steps_per_epoch.min(steps - before) as u64);
            bar.set_style(style(WAITING, &bar));
            bar.enable_steady_tick(TICK);
            self.bar = Some(bar);
        }
    }
}

/// Whether standard error is a terminal that a bar can be drawn on; a dumb terminal cannot go back in a line.
fn is_terminal() -> bool {
    !is_silent() && !ProgressDrawTarget::stderr().is_hidden()
}

/// A spinner for work of unknown length; hidden without a terminal.
pub fn spinner(text: String) -> ProgressBar {
    if !is_terminal() {
        return ProgressBar::hidden();
    }
    let spinner = ProgressBar::new_spinner().with_message(text);
    spinner.enable_steady_tick(TICK);
    spinner
}

/// A bar that counts up to a number; hidden without a terminal.
pub fn counter(length: usize, text: &'static str) -> ProgressBar {
    if !is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(length as u64).with_message(text);
    bar.set_style(style(RUNNING, &bar));
    bar.enable_steady_tick(TICK);
    bar
}

/// The metrics of some samples, each name behind `before`.
fn figures(before: &str, loss: f64, accuracy: Option<f64>) -> String {
    let accuracy = accuracy.map(|accuracy| format!(" - {before}accuracy: {accuracy:.4}"));
    format!("{before}loss: {loss:.4}{}", accuracy.unwrap_or_default())
}

/// The count of batches, then one of the templates above; the plain style if the template is not valid.
fn style(template: &str, bar: &ProgressBar) -> ProgressStyle {
    let width = bar.length().unwrap_or(0).to_string().len();
    let template = format!("{{pos:>{width}}}/{{len}} {template}");
    let plain = ProgressStyle::default_bar();
    plain.template(&template).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars(BAR)
}
