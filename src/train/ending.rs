//! The end of an epoch and of training.

use super::callback::Callback;
use super::collective::any;
use super::model::Model;
use super::records::{EpochRecord, History, StopReason, Stopped};
use super::requests::agreed;
use super::run::{Run, asked_to, ended};
use crate::error::Error;

impl Model {
    /// Ends an epoch: decides how training continues, reports the epoch, and makes a checkpoint if the epoch was full. Of one that was cut
    /// short there is a checkpoint from before its end, from which it can be resumed; if a callback stops training now, another one says
    /// that it cannot.
    pub(super) fn end_epoch(
        &mut self,
        run: &mut Run<'_>,
        record: &EpochRecord,
        callback: &mut dyn Callback,
    ) -> Result<(), Error> {
        let whole = self.training.run.within.rows == run.table.len();
        let before = (!whole).then(|| (self.training, self.best_weights.clone()));
        self.training.end_epoch();
        run.history.stopped = self.after_epoch(run, record)?;
        callback.on_epoch_end(record)?;
        run.history.epochs.push(*record);
        let (asked, _) = agreed(self.collective.as_mut(), (callback.requests(), false))?;
        self.change_rate(&asked)?;
        run.asked = std::mem::take(&mut run.asked).and(asked);
        if let Some(why) = run.asked.stop.take()
            && run.history.stopped.as_ref().is_none_or(|stopped| !stopped.is_final())
        {
            run.history.stopped = Some(asked_to(why, record.epoch));
        }
        let is_by_callback = |stopped: &Stopped| stopped.reason == StopReason::Callback;
        match before {
            None => self.checkpoint_for(run, callback)?,
            Some(before) if run.history.stopped.as_ref().is_some_and(is_by_callback) => {
                let after = (self.training, self.best_weights.take());
                (self.training, self.best_weights) = before;
                run.history.epochs.pop();
                self.checkpoint_for(run, callback)?;
                run.history.epochs.push(*record);
                (self.training, self.best_weights) = after;
            }
            Some(_) => {}
        }
        if run.history.stopped.is_none() && any(self.collective.as_mut(), callback.interrupted())? {
            run.history.stopped = Some(ended(StopReason::Interrupted, record.epoch));
        }
        Ok(())
    }

    /// After an epoch: may reduce the learning rate, keep the weights, or end training.
    fn after_epoch(&mut self, run: &Run<'_>, record: &EpochRecord) -> Result<Option<Stopped>, Error> {
        let options = run.options;
        if let Some(plateau) = &options.reduce_lr_on_plateau {
            let state = &mut self.training.run.plateau;
            // Without what callbacks multiply it by.
            let base = self.compile.optimizer.learning_rate() as f32;
            let reduced = plateau.after_epoch(state, record, self.training.learning_rate.unwrap_or(base));
            self.training.learning_rate = reduced.or(self.training.learning_rate);
        }
        let mut reason = None;
        if let Some(stopping) = &options.early_stopping {
            let verdict = stopping.after_epoch(&mut self.training.run.early_stopping, record);
            if verdict.keep && stopping.restore_best_weights {
                self.best_weights = Some(self.weights()?);
            }
            reason = verdict.stop.then_some(StopReason::EarlyStopping);
        }
        let good = options
            .is_good_enough(record.val_loss.unwrap_or(record.loss), record.val_accuracy.or(record.accuracy));
        if good {
            reason = Some(StopReason::GoodEnough);
        }
        let all = options.epochs.saturating_mul(run.schedule.steps_per_epoch);
        let last = if run.schedule.steps == all { StopReason::Epochs } else { StopReason::MaxSteps };
        let reason = reason.or((record.epoch == run.schedule.epochs).then_some(last));
        Ok(reason.map(|reason| ended(reason, record.epoch)))
    }

    /// Gives the model the weights that training ends with: their moving average, if the optimizer keeps one, or those of
    /// the best epoch, if they were kept. Weights that were good enough stay, averaged or not, and so do those of training
    /// that will be resumed.
    pub(super) fn finish(&mut self, history: &mut History) -> Result<(), Error> {
        let best = self.best_weights.take();
        let Some(stopped) = &mut history.stopped else { return Ok(()) };
        if stopped.reason == StopReason::Interrupted {
            return Ok(());
        }
        self.take_average()?;
        if let (Some(weights), true) = (best, stopped.reason != StopReason::GoodEnough) {
            stopped.weights_of_epoch = self.training.run.early_stopping.best_epoch;
            if stopped.weights_of_epoch != stopped.epoch || self.compile.optimizer.ema().is_some() {
                self.set_weights(weights)?;
            }
        }
        Ok(())
    }
}
