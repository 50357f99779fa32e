//! The one-cycle schedule of the learning rate.

use serde::{Deserialize, Serialize};

use super::check::require;
use crate::error::SettingError;

/// One cycle: half a cosine wave up to the greatest rate, and half of one down to nearly 0.
///
/// ```text
/// up      from max_learning_rate / div_factor at step 0 to max_learning_rate at step u = pct_start * total_steps - 1
/// down    from there to max_learning_rate / div_factor / final_div_factor at step total_steps - 1, where it stays
/// rate    end + (start - end) / 2 * (1 + cos(pi * p))
/// ```
///
/// with `p` the share of the way up or down that is done. `u` need not be a whole number. Where it is below 0 there is
/// no way up, and where it is 0 the rate of step 0 is the greatest. All is computed in 64 bits, and rounded to 32 at the
/// end. The optimizer's momentum stays as it is. Source: Smith and Topin, "Super-Convergence", 2018, as in `OneCycleLR` of PyTorch
/// (`torch/optim/lr_scheduler.py`) with `anneal_strategy="cos"`, `three_phase=False` and `cycle_momentum=False`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OneCycle {
    /// The greatest rate; by default the optimizer's.
    #[serde(default)]
    pub max_learning_rate: Option<f64>,
    /// Steps of the cycle; it should be the number of steps of the whole training.
    pub total_steps: usize,
    /// The share of the steps in which the rate rises, from 0 to 1; default 0.3.
    #[serde(default = "OneCycle::default_pct_start")]
    pub pct_start: f64,
    /// The greatest rate divided by that of step 0, at least 1; default 25.
    #[serde(default = "OneCycle::default_div_factor")]
    pub div_factor: f64,
    /// The rate of step 0 divided by that of the end, at least 1; default 1e4.
    #[serde(default = "OneCycle::default_final_div_factor")]
    pub final_div_factor: f64,
}

impl OneCycle {
    /// A cycle of this many steps up to the optimizer's rate, with the defaults of PyTorch.
    pub fn new(total_steps: usize) -> Self {
        OneCycle {
            max_learning_rate: None,
            total_steps,
            pct_start: Self::default_pct_start(),
            div_factor: Self::default_div_factor(),
            final_div_factor: Self::default_final_div_factor(),
        }
    }

    fn default_pct_start() -> f64 {
        0.3
    }

    fn default_div_factor() -> f64 {
        25.0
    }

    fn default_final_div_factor() -> f64 {
        1e4
    }

    pub(super) fn rate(&self, step: usize, base: f64) -> f32 {
        let most = self.max_learning_rate.unwrap_or(base);
        let first = most / self.div_factor;
        let (top, end) = (self.pct_start * self.total_steps as f64 - 1.0, self.total_steps as f64 - 1.0);
        let at = (step as f64).min(end);
        let [from, to, done] = if at <= top {
            // A way up of no length is at its end.
            [first, most, if top > 0.0 { at / top } else { 1.0 }]
        } else {
            [most, first / self.final_div_factor, (at - top) / (end - top)]
        };
        let wave = 1.0 + (std::f64::consts::PI * done).cos();
        (to + (from - to) / 2.0 * wave) as f32
    }

    pub(super) fn check(&self) -> Result<(), SettingError> {
        if let Some(most) = self.max_learning_rate {
            let valid = most as f32 > 0.0 && (most as f32).is_finite();
            let expected = "a number above 0 that a 32-bit float can hold";
            require(valid, "schedule.max_learning_rate", most, || expected)?;
        }
        require(self.total_steps > 0, "schedule.total_steps", self.total_steps, || "at least 1")?;
        let share = self.pct_start;
        require((0.0..=1.0).contains(&share), "schedule.pct_start", share, || "from 0 to 1")?;
        let first = self.div_factor;
        require(
            first >= 1.0 && first.is_finite(),
            "schedule.div_factor",
            first,
            || "a finite number, at least 1",
        )?;
        let last = self.final_div_factor;
        require(
            last >= 1.0 && last.is_finite(),
            "schedule.final_div_factor",
            last,
            || "a finite number, at least 1",
        )
    }
}
