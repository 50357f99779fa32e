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
        let Asked { checkpoint, doublings } = self.shared.take_asked();
        self.saving |= checkpoint;
        let rate_factor = (doublings != 0).then(|| 2f32.powi(doublings));
        Requests { checkpoint, rate_factor, ..Requests::default() }
    }
}

impl Watcher {
    /// At each checkpoint; `is_saved` is whether the recorder has kept it, which leaves out weights that are not finite.
    pub fn after_checkpoint(&mut self, checkpoint: &Checkpoint, is_saved: bool) {
        if std::mem::take(&mut self.saving) {
            let step = checkpoint.steps();
            self.shared.state().tell(&if is_saved {
                format!("the checkpoint of step {step} is saved")
            } else {
                format!("no checkpoint of step {step} is made: weights are not finite")
            });
        }
        let epoch = checkpoint.epochs.len();
        if let Some(judge) = self.judge.as_ref().filter(|_| checkpoint.is_after_epoch() && epoch > 0) {
            // Where it is busy with an earlier epoch, this one is left out.
            let _ = judge.try_send((checkpoint.weights.clone(), epoch));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::example::{facts, state};
    use super::*;
    use crate::cli::listeners::Listeners;
    use crate::cli::recorder::{Recorder, Told};
    use crate::io::checkpoint::RunSettings;
    use crate::io::run::RunFolder;
    use crate::model::{Dense, Flatten, Sequential, Weights};
    use crate::train::{Checkpoints, TrainingState};

    #[test]
    fn what_keys_ask_for_is_passed_on_once() {
        let shared = Arc::new(Shared::new(state(facts())));
        let mut watcher = Watcher::new(Arc::clone(&shared), None);
        assert_eq!(watcher.requests(), Requests::default());
        shared.ask_for_checkpoint();
        assert!(shared.ask_to_halve(1.0) && shared.ask_to_halve(1.0));
        let expected = Requests { checkpoint: true, rate_factor: Some(0.25), stop: None };
        assert_eq!([watcher.requests(), watcher.requests()], [expected, Requests::default()]);
        assert!(shared.ask_to_double(0.25));
        assert_eq!(watcher.requests(), Requests { rate_factor: Some(2.0), ..Requests::default() });
        assert!(shared.ask_to_double(0.5) && shared.ask_to_halve(0.5));
        assert_eq!(watcher.requests(), Requests::default());
    }

    #[test]
    fn only_what_is_on_the_disk_is_said_to_be_saved() {
        let run = tempfile::tempdir().unwrap();
        let mut folder = RunFolder::at(&run.path().join("run"), false).unwrap();
        let told = Told { model_toml: String::new(), settings: RunSettings::default(), keep: 3 };
        let decides = Recorder::new(&mut folder, told, Checkpoints::Epochs).allow_nan(true);
        let shared = Arc::new(Shared::new(state(facts())));
        let view = Some(Watcher::new(Arc::clone(&shared), None));
        let mut listeners = Listeners { decides, listen: Vec::new(), view, first_step: None };
        let network = Sequential::new([1, 1, 1]).add(Flatten::new()).add(Dense::new(1)).network().unwrap();
        let weights = |value: f32| {
            let lengths = network
                .initial_weights(0)
                .tensors()
                .iter()
                .map(|tensor| tensor.values.len())
                .collect::<Vec<_>>();
            Weights::from_values(&network, lengths.into_iter().map(|len| vec![value; len]).collect())
        };
        // (the weights, whether they are saved)
        for (value, is_saved) in [(0.5, true), (f32::NAN, false), (0.25, true), (f32::INFINITY, false)] {
            let mut training = TrainingState::default();
            training.run.step = listeners.decides.saved() + 7;
            let checkpoint = Checkpoint {
                training,
                weights: weights(value),
                optimizer_state: Vec::new(),
                best_weights: None,
                epochs: Vec::new(),
                stopped: None,
                asked_for: true,
            };
            shared.ask_for_checkpoint();
            let before = listeners.decides.saved();
            assert!(listeners.requests().checkpoint);
            listeners.on_checkpoint(&checkpoint).unwrap();
            assert_eq!(listeners.decides.saved(), before + usize::from(is_saved), "{value}");
            let said = shared.state().last_note().unwrap().to_owned();
            assert_eq!(said.ends_with("is saved"), is_saved, "{value}: {said}");
            assert_eq!(said.contains("no checkpoint"), !is_saved, "{value}: {said}");
            let path = crate::io::checkpoint::path(&run.path().join("run"), checkpoint.steps());
            assert_eq!(path.exists(), is_saved, "{value}");
        }
    }
}
