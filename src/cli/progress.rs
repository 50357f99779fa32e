//! Progress in the style of Keras: a bar on standard error where that is a terminal, a line for each epoch otherwise.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::epoch_line::EpochLine;
use super::output::{Output, note};
use super::so_far::figures;
use super::terminal::{COLUMNS, Sink, draws_bars, error_columns, sink};
use crate::model::thousands;
use crate::train::{EpochRecord, Schedule, StepRecord};

/// What follows the batches on a bar while it grows.
const RUNNING: &str = "{bar:8.green/dim} {eta} left - {msg}";
/// The same on a narrow terminal.
const NARROW: &str = "{eta} left - {msg}";
/// The same while no batch has ended, so that nothing is known.
const WAITING: &str = "{bar:8.green/dim} {elapsed}";
const BAR: &str = "━╸─";
/// How often the times on a bar are updated while no batch ends.
const TICK: Duration = Duration::from_millis(250);

/// From where on a bar has room for the speed, and from where on for all metrics and the bar itself.
const ROOM_FOR_SPEED: usize = 78;
const ROOM_FOR_BAR: usize = 60;

/// Shows the progress of training.
#[derive(Debug)]
pub struct Progress<'a> {
    /// Whether there is a bar on standard error.
    bars: bool,
    lines: Lines<'a>,
    bar: Option<ProgressBar>,
    /// Columns of the terminal that the bar is on.
    columns: usize,
    line: Option<EpochLine>,
    /// What was left of a long job after the epoch before.
    left: Option<String>,
}

/// Where a line for each epoch goes.
#[derive(Debug)]
enum Lines<'a> {
    Nowhere,
    Errors,
    Output(&'a mut Output),
}

impl<'a> Progress<'a> {
    /// Before anything is shown: a bar where standard error is a terminal, lines on it otherwise.
    pub fn new() -> Self {
        if draws_bars() { Progress::showing(true, Lines::Nowhere) } else { Progress::lines() }
    }

    /// Where standard output is no terminal, lines of epochs go there; a bar is drawn beside it only where it is a file, as another
    /// program that reads it may write to the same terminal. Otherwise like [`new`](Self::new).
    pub fn on(output: &'a mut Output) -> Self {
        match sink() {
            Sink::Terminal => Progress::new(),
            Sink::File => Progress::showing(draws_bars(), Lines::Output(output)),
            Sink::Other => Progress::showing(false, Lines::Output(output)),
        }
    }

    /// Lines on standard error, also where that is a terminal.
    pub fn lines() -> Self {
        Progress::showing(false, Lines::Errors)
    }

    /// Shows no progress; warnings are still printed.
    pub fn quiet() -> Self {
        Progress::showing(false, Lines::Nowhere)
    }

    fn showing(bars: bool, lines: Lines<'a>) -> Self {
        Progress { bars, lines, bar: None, columns: COLUMNS, line: None, left: None }
    }

    /// Before the first batch; ends what was shown of training that stopped within an epoch.
    pub fn begin(&mut self, schedule: &Schedule) {
        self.end();
        self.line = Some(EpochLine::begin(schedule));
        self.left = None;
    }

    /// Before the first batch of an epoch.
    pub fn begin_epoch(&mut self, epoch: usize) {
        let Some(line) = &mut self.line else { return };
        line.epoch.begin();
        if !self.bars {
            return;
        }
        let Schedule { epochs, steps_per_epoch, steps, .. } = line.schedule;
        let left = self.left.take().map_or(String::new(), |left| format!(" - {left}"));
        note(format_args!("Epoch {epoch}/{epochs}{left}"));
        self.columns = error_columns().unwrap_or(COLUMNS);
        let before = (epoch - 1) * steps_per_epoch;
        let bar = ProgressBar::new(steps_per_epoch.min(steps - before) as u64);
        bar.set_style(style(WAITING, &bar));
        bar.enable_steady_tick(TICK);
        self.bar = Some(bar);
    }

    /// After a batch.
    pub fn step(&mut self, record: &StepRecord) {
        let Some(line) = &mut self.line else { return };
        line.step(record);
        let Some(bar) = &self.bar else { return };
        let wide = self.columns >= ROOM_FOR_BAR;
        let epoch = &line.epoch;
        let mut parts = figures("", epoch.loss().unwrap_or(0.0), epoch.accuracy().filter(|_| wide));
        if self.columns >= ROOM_FOR_SPEED {
            parts.insert(0, format!("{} images/s", thousands(epoch.samples_per_second() as usize)));
        }
        bar.set_message(parts.join(" - "));
        if bar.position() == 0 {
            bar.set_style(style(if wide { RUNNING } else { NARROW }, bar));
        }
        bar.set_position(epoch.steps() as u64);
    }

    /// After an epoch.
    ///
    /// # Errors
    /// When its line cannot be written to standard output.
    pub fn end_epoch(&mut self, record: &EpochRecord) -> anyhow::Result<()> {
        let Some(line) = &mut self.line else { return Ok(()) };
        let ended = line.end(record);
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
            let width = digits(&bar);
            let batches = format!("{:>width$}/{} ", bar.position(), bar.length().unwrap_or(0));
            let figures = ended.figures(self.columns, batches.len());
            note(format_args!("{batches}{figures}"));
            self.left.clone_from(&ended.left);
        }
        match &mut self.lines {
            Lines::Nowhere => {}
            Lines::Errors => note(ended.line()),
            Lines::Output(output) => output.line(ended.line())?,
        }
        Ok(())
    }

    /// Leaves the bar as it is when its epoch does not finish.
    pub fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.abandon();
        }
    }

    /// Prints a line where those of epochs go, and above bars.
    ///
    /// # Errors
    /// When it cannot be written to standard output.
    pub fn heading(&mut self, text: impl std::fmt::Display) -> anyhow::Result<()> {
        let text = text.to_string();
        if self.bars || !matches!(self.lines, Lines::Output(_)) {
            note(&text);
        }
        if let Lines::Output(output) = &mut self.lines {
            output.line(text)?;
        }
        Ok(())
    }

    /// Prints a line above the bar.
    pub fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => note(text),
        }
    }
}

/// A spinner for work of unknown length; hidden without a terminal.
pub fn spinner(text: String) -> ProgressBar {
    if !draws_bars() {
        return ProgressBar::hidden();
    }
    let spinner = ProgressBar::new_spinner().with_message(text);
    spinner.enable_steady_tick(TICK);
    spinner
}

/// A bar that counts up to a number; hidden without a terminal.
pub fn counter(length: usize, text: &'static str) -> ProgressBar {
    if !draws_bars() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(length as u64).with_message(text);
    bar.set_style(style(RUNNING, &bar));
    bar.enable_steady_tick(TICK);
    bar
}

/// The count of batches, then one of the templates above; the plain style if the template is not valid.
fn style(template: &str, bar: &ProgressBar) -> ProgressStyle {
    let width = digits(bar);
    let template = format!("{{pos:>{width}}}/{{len}} {template}");
    let plain = ProgressStyle::default_bar();
    plain.template(&template).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars(BAR)
}

/// Of the number of batches.
fn digits(bar: &ProgressBar) -> usize {
    bar.length().unwrap_or(0).to_string().len()
}
