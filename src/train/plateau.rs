//! Reducing the learning rate when training stops improving.

use serde::{Deserialize, Serialize};

use super::monitor::Monitor;
use super::records::EpochRecord;
use crate::error::SettingError;

/// Multiplies the learning rate by `factor` once the monitored metric has not improved for `patience` epochs.
///
/// A metric improves when it is better than the best so far by more than `min_delta`. After a reduction `cooldown`
/// epochs pass before epochs without improvement count again. The reduced rate stays for later calls of `fit` with a
/// constant schedule, which this one requires too. Source: `keras/src/callbacks/reduce_lr_on_plateau.py`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReduceOnPlateau {
    /// The metric to monitor; default `val_loss`.
    pub monitor: Monitor,
    /// What the rate is multiplied by, above 0 and below 1; default 0.1.
    pub factor: f64,
    /// Epochs without improvement before a reduction; default 10.
    pub patience: usize,
    /// The metric must improve by more than this to count as better; default 1e-4.
    pub min_delta: f64,
    /// Epochs after a reduction that do not count towards `patience`; default 0.
    pub cooldown: usize,
    /// The rate is not reduced below it; default 0.
    pub min_lr: f64,
}

impl Default for ReduceOnPlateau {
    fn default() -> Self {
        ReduceOnPlateau {
            monitor: Monitor::default(),
            factor: 0.1,
            patience: 10,
            min_delta: 1e-4,
            cooldown: 0,
            min_lr: 0.0,
        }
    }
}

/// Its state from epoch to epoch of one call of `fit`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct PlateauState {
    /// The best value so far.
    pub best: Option<f64>,
    /// Epochs without improvement since then.
    pub wait: usize,
    /// Epochs of the cooldown that are left.
    pub cooldown: usize,
}

impl ReduceOnPlateau {
    /// Refuses settings outside their ranges.
    pub fn check(&self) -> Result<(), SettingError> {
        let fail = |setting, value: f64, expected| Err(SettingError::new(setting, value, expected));
        if !(self.factor > 0.0 && self.factor < 1.0) {
            return fail("reduce_lr_on_plateau.factor", self.factor, "above 0 and below 1");
        }
        if !(self.min_delta >= 0.0 && self.min_delta.is_finite()) {
            return fail("reduce_lr_on_plateau.min_delta", self.min_delta, "a finite number, at least 0");
        }
        if !(self.min_lr >= 0.0 && (self.min_lr as f32).is_finite()) {
            return fail("reduce_lr_on_plateau.min_lr", self.min_lr, "a finite number, at least 0");
        }
        Ok(())
    }

    /// Records an epoch; returns the new learning rate when it is to be reduced from `rate`.
    pub(super) fn after_epoch(
        &self,
        state: &mut PlateauState,
        record: &EpochRecord,
        rate: f32,
    ) -> Option<f32> {
        let figure = self.monitor.figure(record)?;
        if state.cooldown > 0 {
            state.cooldown -= 1;
            state.wait = 0;
        }
        if self.monitor.improves(figure, state.best, self.min_delta) {
            state.best = Some(figure);
            state.wait = 0;
        } else if state.cooldown == 0 {
            state.wait += 1;
            if state.wait >= self.patience && rate > self.min_lr as f32 {
                state.cooldown = self.cooldown;
                state.wait = 0;
                return Some((f64::from(rate) * self.factor).max(self.min_lr) as f32);
            }
        }
        None
    }
}
