//! Making checkpoints.

use super::callback::Callback;
use super::checkpoint::{Checkpoint, Checkpoints};
use super::collective::from_first;
use super::model::Model;
use super::run::Run;
use crate::error::{CollectiveError, Error};
use crate::wait::Instant;

impl Model {
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
