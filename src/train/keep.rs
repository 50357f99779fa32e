//! Making checkpoints.

use super::callback::Callback;
use super::checkpoint::{Checkpoint, Checkpoints};
use super::collective::from_first;
use super::model::Model;
use super::options::FitOptions;
use super::run::Run;
use crate::error::{CollectiveError, Error};
#[cfg(doc)]
use crate::model::ModelError;
use crate::wait::Instant;

impl Model {
    /// Everything that a loop over [`train_on_batch`](Self::train_on_batch) needs to go on as if it had never stopped, for
    /// [`restore`](Self::restore) in this program or, once it is saved ([`Backup`](crate::io::Backup)), in a later one. Its
    /// [`steps`](Checkpoint::steps) are those of the loop since the last [`fit`](Self::fit).
    ///
    /// # Errors
    /// When the device does not answer.
    pub fn checkpoint(&mut self) -> Result<Checkpoint, Error> {
        let mut training = self.training;
        if training.loop_batch == 0 {
            // What belongs to the last call of `fit` ended with it.
            training.begin();
        }
        let mut optimizer_state = self.optimizer_state()?;
        if optimizer_state.is_empty() {
            optimizer_state.resize(self.optimizer_state_len()?, 0.0);
        }
        Ok(Checkpoint {
            training,
            weights: self.weights()?,
            optimizer_state,
            best_weights: None,
            epochs: Vec::new(),
            stopped: None,
            asked_for: false,
        })
    }

    /// Goes back, or on, to where a checkpoint was made: its weights, the optimizer's state, the learning rate, how many steps were taken,
    /// and the largest batch. The model must have been compiled with the same settings. From a checkpoint of [`fit`](Self::fit) a loop
    /// begins at its first step.
    ///
    /// # Errors
    /// [`ModelError::Weights`] when the checkpoint is of another model, which then stays as it is, and when the device does not answer.
    pub fn restore(&mut self, checkpoint: Checkpoint) -> Result<(), Error> {
        let Checkpoint { training, weights, optimizer_state, best_weights, .. } = checkpoint;
        for weights in [&weights].into_iter().chain(&best_weights) {
            weights.check_fits(&self.network)?;
        }
        self.check_optimizer_state(&optimizer_state)?;
        self.set_weights(weights)?;
        self.set_optimizer_state(optimizer_state)?;
        (self.training, self.best_weights) = (training, best_weights);
        if training.loop_batch > 0 {
            // As many samples at once as before: sums over a batch are cut by that, and so is what is evaluated.
            self.micro_batches = FitOptions::default().micro_batches_on(self.collective.size())?;
            self.executor(Some(training.loop_batch.div_ceil(self.micro_batches)))?;
        }
        Ok(())
    }

    /// Makes a checkpoint, unless none are wanted and none was asked for.
    pub(super) fn checkpoint_for(
        &mut self,
        run: &mut Run<'_>,
        callback: &mut dyn Callback,
    ) -> Result<(), Error> {
        let is_asked = std::mem::take(&mut run.asked.checkpoint);
        if run.checkpoints == Checkpoints::Never && !is_asked {
            return Ok(());
        }
        let begun = Instant::now();
        self.check_same_weights()?;
        if self.collective.rank() > 0 {
            return Ok(());
        }
        let checkpoint = Checkpoint {
            training: self.training,
            weights: self.weights()?,
            optimizer_state: self.optimizer_state()?,
            best_weights: self.best_weights.clone(),
            epochs: run.history.epochs.clone(),
            stopped: run.history.stopped.clone(),
            asked_for: is_asked,
        };
        callback.on_checkpoint(&checkpoint)?;
        run.history.checkpoints += 1;
        run.history.checkpoint_seconds += begun.elapsed().as_secs_f64();
        Ok(())
    }

    /// When rank 0 wants checkpoints.
    pub(super) fn agreed(&mut self, own: Checkpoints) -> Result<Checkpoints, Error> {
        let said = match own {
            Checkpoints::Never => [0, 0],
            Checkpoints::Epochs => [1, 0],
            Checkpoints::Steps(every) => [2, every as u64],
        };
        let said = from_first(self.collective.as_mut(), bytemuck::cast_slice(&said))?;
        Ok(match bytemuck::pod_collect_to_vec::<u8, u64>(&said)[..] {
            [1, _] => Checkpoints::Epochs,
            [2, every] => Checkpoints::Steps(every as usize),
            _ => Checkpoints::Never,
        })
    }

    /// Refuses to go on where copies of the model are no copies any more: a device that does not compute what the others do.
    fn check_same_weights(&mut self) -> Result<(), Error> {
        if self.collective.size() == 1 {
            return Ok(());
        }
        let digest = self.digest()?;
        let all = self.collective.gather(&digest)?;
        match all.iter().position(|other| *other != all[0]) {
            Some(rank) => Err(CollectiveError::OtherWeights {
                rank,
                step: self.training.run.step + self.training.run.within.rows,
            }
            .into()),
            None => Ok(()),
        }
    }
}
