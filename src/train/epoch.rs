//! An epoch of training, part by part.

use super::callback::Callback;
use super::checkpoint::Checkpoints;
use super::micro::with_slots;
use super::model::Model;
use super::passes::train_part;
use super::records::{EpochRecord, StopReason, Stopped};
use super::requests::{Requests, agreed};
use super::run::{Run, asked_to, ended};
use crate::data::batches::epoch_order;
use crate::error::{Error, SettingError};
use crate::executor::{DataSlot, Pass};
use crate::plan::Phase;
use crate::wait::Instant;

/// How an epoch ended.
pub(super) enum Epoch {
    Done(EpochRecord),
    Stopped(Stopped),
}

impl Model {
    /// Trains for an epoch, or what is left of it, or what `max_steps` leaves, and evaluates on the validation set.
    pub(super) fn epoch(&mut self, run: &mut Run<'_>, callback: &mut dyn Callback) -> Result<Epoch, Error> {
        let number = self.training.run.epoch + 1;
        let steps = run.table.len().min(run.schedule.steps - self.training.run.step);
        let mut rows = run.table[..steps].to_vec();
        let shuffle_seed = run.options.shuffle.then_some(self.compile.seed);
        let mut begun = Instant::now();
        let order = epoch_order(run.samples, self.training.epochs_begun, shuffle_seed);
        let transforms = self.transforms(&order);
        callback.on_epoch_begin(number)?;
        if self.training.run.within.rows == steps {
            // They were all taken before a break; what callbacks asked for with the last one counts for the rate that is recorded.
            self.fill(&mut rows, self.training.steps_begun, run.options);
        }
        while self.training.run.within.rows < steps {
            let from = self.training.run.within.rows;
            let to = match run.checkpoints {
                Checkpoints::Steps(every) => {
                    (from / every.max(1) + 1).saturating_mul(every.max(1)).min(steps)
                }
                _ => steps,
            };
            self.fill(&mut rows[from..], self.training.steps_begun + from, run.options);
            let steps_of_part = with_slots(&rows[from..to]);
            let pass = Pass {
                phase: Phase::Train,
                data: DataSlot::Training,
                order: &order,
                batches: &steps_of_part,
                transforms: &transforms,
            };
            self.guard(run)?;
            let mut state = self.training.run;
            let part = train_part(self.runner()?, &pass, &mut state, callback);
            self.training.run = state;
            let part = part?;
            if let Some(row) = part.ran.tripped {
                return Err(self.tripped(run, &pass, row, part.last_loss)?.into());
            }
            self.check_part(run)?;
            self.training.run.within.seconds += begun.elapsed().as_secs_f64();
            let is_due = from + part.ran.rows == to;
            if let Some(stopped) =
                self.end_part(run, part.asked, [is_due, self.training.run.within.rows == steps], callback)?
            {
                return Ok(Epoch::Stopped(stopped));
            }
            begun = Instant::now();
        }
        let mut runner = self.runner()?;
        let validation = run.validation.map(|samples| runner.evaluate(samples, run.capacity)).transpose()?;
        let within = self.training.run.within;
        let training = within.mean(self.network.target);
        Ok(Epoch::Done(EpochRecord {
            epoch: number,
            loss: training.loss,
            accuracy: training.accuracy,
            val_loss: validation.map(|v| v.loss),
            val_accuracy: validation.and_then(|v| v.accuracy),
            learning_rate: rows.last().map_or(0.0, |row| row.learning_rate),
            seconds: within.seconds,
        }))
    }

    /// After a part of an epoch, does what callbacks asked for, and makes a checkpoint if one `is_due` or asked for. What the end of
    /// an epoch follows is left to that. Returns why training ends within the epoch, if it does.
    fn end_part(
        &mut self,
        run: &mut Run<'_>,
        asked: (Requests, bool),
        [is_due, is_last]: [bool; 2],
        callback: &mut dyn Callback,
    ) -> Result<Option<Stopped>, Error> {
        let (asked, interrupted) = agreed(self.collective.as_mut(), asked)?;
        self.change_rate(&asked)?;
        run.asked = std::mem::take(&mut run.asked).and(asked);
        let is_whole = self.training.run.within.rows == run.table.len();
        let epoch = self.training.run.epoch + 1;
        // A reason to stop comes first, also where `max_steps` would end the epoch here: it is in the checkpoint, so that nobody goes on.
        let mut stopped = None;
        if let Some(why) = run.asked.stop.take_if(|_| !is_whole) {
            run.history.stopped = Some(asked_to(why, epoch));
            stopped = run.history.stopped.clone();
        } else if !is_last && interrupted {
            stopped = Some(ended(StopReason::Interrupted, epoch));
        }
        // Also at the end of an epoch that is cut short, before what follows an epoch: the epoch may be resumed.
        if !is_whole && (is_due || stopped.is_some() || run.asked.checkpoint) {
            self.checkpoint_for(run, callback)?;
        }
        Ok(stopped)
    }

    /// Multiplies the learning rate as asked.
    pub(super) fn change_rate(&mut self, asked: &Requests) -> Result<(), SettingError> {
        let Some(factor) = asked.rate_factor else { return Ok(()) };
        let all = self.training.rate_factor.unwrap_or(1.0) * factor;
        if !(all > 0.0 && all.is_finite()) {
            return Err(SettingError::new(
                "rate_factor",
                f64::from(factor),
                "above 0, and finite with the factors before",
            ));
        }
        self.training.rate_factor = Some(all);
        Ok(())
    }
}
