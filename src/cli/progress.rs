//! Progress on standard error, in the style of Keras: a bar on a terminal, one line per epoch otherwise.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output::{is_silent, note};
use super::so_far::{SoFar, figures};
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
    epoch: SoFar,
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
            epoch: SoFar::after(0),
            learning_rate: None,
        }
    }

    /// Prints a line for each epoch, also on a terminal.
    pub fn lines() -> Self {
        Progress { terminal: false, ..Progress::new() }
    }

    /// Shows no progress; warnings are still printed.
    pub fn quiet() -> Self {
        Progress { terminal: false, quiet: true, ..Progress::new() }
    }

    /// Before the first batch; ends what was shown of training that stopped within an epoch.
    pub fn begin(&mut self, schedule: &Schedule) {
        self.end();
        self.schedule = *schedule;
        self.epoch = SoFar::after(schedule.steps_done % schedule.steps_per_epoch.max(1));
    }

    /// After a batch.
    pub fn step(&mut self, record: &StepRecord) {
        self.epoch.add(record);
        if let Some(bar) = &self.bar {
            let figures = figures("", self.epoch.loss().unwrap_or(0.0), self.epoch.accuracy());
            let rate = self.epoch.samples_per_second();
            bar.set_message(format!("{} images/s - {figures}", thousands(rate as usize)));
            if bar.position() == 0 {
                bar.set_style(style(RUNNING, bar));
            }
            bar.set_position(self.epoch.steps() as u64);
        }
    }

    /// After an epoch.
    pub fn end_epoch(&mut self, record: &EpochRecord) {
        let mut text = format!(
            "{:.1}s {:.1}ms/step - {}",
            record.seconds,
            1e3 * record.seconds / self.epoch.steps().max(1) as f64,
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
                let steps = self.epoch.steps();
                note(format_args!("Epoch {}/{epochs} - {steps} steps - {text}", record.epoch));
            }
        }
        self.epoch = SoFar::after(0);
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
        self.epoch.begin();
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

/// The count of batches, then one of the templates above; the plain style if the template is not valid.
fn style(template: &str, bar: &ProgressBar) -> ProgressStyle {
    let width = bar.length().unwrap_or(0).to_string().len();
    let template = format!("{{pos:>{width}}}/{{len}} {template}");
    let plain = ProgressStyle::default_bar();
    plain.template(&template).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars(BAR)
}
