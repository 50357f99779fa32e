//! The callback that tells a view of training.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use super::mistakes::Judged;
use super::shared::{Asked, Shared};
use crate::profile::ProfileSoFar;
use crate::train::{Callback, CallbackError, Checkpoint, EpochRecord, Requests, Schedule, StepRecord};

/// Tells a view what happens. Nothing of it can end training.
pub struct Watcher {
    shared: Arc<Shared>,
    /// Where mistakes are looked for, if anywhere.
    judge: Option<SyncSender<Judged>>,
    /// Whether a key has asked for a checkpoint that was not made yet.
    saving: bool,
}

impl Watcher {
    pub(super) fn new(shared: Arc<Shared>, judge: Option<SyncSender<Judged>>) -> Self {
        Watcher { shared, judge, saving: false }
    }
}

impl Callback for Watcher {
    fn on_train_begin(&mut self, schedule: &Schedule) -> Result<(), CallbackError> {
        self.shared.state().begin(schedule);
        Ok(())
    }

    fn on_profile(&mut self, times: ProfileSoFar) -> Result<(), CallbackError> {
        self.shared.state().profile = Some(times);
        Ok(())
    }

    fn on_epoch_begin(&mut self, epoch: usize) -> Result<(), CallbackError> {
        self.shared.state().begin_epoch(epoch);
        Ok(())
    }

    fn on_step(&mut self, record: &StepRecord) -> Result<(), CallbackError> {
        self.shared.state().end_step(record);
        Ok(())
    }

    fn on_epoch_end(&mut self, record: &EpochRecord) -> Result<(), CallbackError> {
        self.shared.state().end_epoch(record);
        Ok(())
    }

    fn requests(&mut self) -> Requests {
        let Asked { checkpoint, halvings } = self.shared.take_asked();
        self.saving |= checkpoint;
        let rate_factor = (halvings > 0).then(|| 0.5f32.powi(halvings as i32));
        Requests { checkpoint, rate_factor, ..Requests::default() }
    }

    fn on_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), CallbackError> {
        if std::mem::take(&mut self.saving) {
            self.shared.state().tell(&format!("the checkpoint of step {} is saved", checkpoint.steps()));
        }
        let epoch = checkpoint.epochs.len();
        if let Some(judge) = self.judge.as_ref().filter(|_| checkpoint.is_after_epoch() && epoch > 0) {
            // Where it is busy with an earlier epoch, this one is left out.
            let _ = judge.try_send((checkpoint.weights.clone(), epoch));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::example::{facts, state};
    use super::*;

    #[test]
    fn what_keys_ask_for_is_passed_on_once() {
        let shared = Arc::new(Shared::new(state(facts())));
        let mut watcher = Watcher::new(Arc::clone(&shared), None);
        assert_eq!(watcher.requests(), Requests::default());
        shared.ask_for_checkpoint();
        assert!(shared.ask_to_halve(1e9) && shared.ask_to_halve(1e9));
        let expected = Requests { checkpoint: true, rate_factor: Some(0.25), stop: None };
        assert_eq!([watcher.requests(), watcher.requests()], [expected, Requests::default()]);
    }

    #[test]
    fn a_rate_is_not_halved_to_nothing() {
        let shared = Shared::new(state(facts()));
        assert_eq!([4.0; 4].map(|most| shared.ask_to_halve(most)), [true, true, false, false]);
        assert_eq!(shared.take_asked().halvings, 2);
        assert!(!shared.ask_to_halve(f64::NAN) && !shared.ask_to_halve(0.0));
    }
}
