//! Learning-rate schedules: the rate as a function of the optimizer step.

use serde::{Deserialize, Serialize};

use super::check::{rate_in_range, require};
use super::one_cycle::OneCycle;
use crate::error::SettingError;

/// How the learning rate changes from step to step, with the formulas of Keras 3; that of [`OneCycle`] is PyTorch's.
///
/// Steps are optimizer steps, counted from 0 since the model was compiled, over all calls of `fit`. Rates are 32-bit, as
/// is every quotient on the way to Keras's. Source: `keras/src/optimizers/schedules/learning_rate_schedule.py`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum LearningRateSchedule {
    /// The optimizer's learning rate at every step; the default.
    #[default]
    Constant,
    /// See [`StepDecay`].
    Step(StepDecay),
    /// See [`ExponentialDecay`].
    Exponential(ExponentialDecay),
    /// See [`CosineDecay`].
    Cosine(CosineDecay),
    /// See [`OneCycle`].
    OneCycle(OneCycle),
}

/// One rate up to each boundary, then the next: `values[i]` where `boundaries[i-1] < step <= boundaries[i]`; Keras calls
/// it `PiecewiseConstantDecay`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepDecay {
    /// Strictly increasing; each is the last step of its rate.
    pub boundaries: Vec<usize>,
    /// The rates: one more than there are boundaries.
    pub values: Vec<f64>,
}

/// `initial_learning_rate * decay_rate^(step / decay_steps)`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExponentialDecay {
    /// The rate of step 0; by default the optimizer's.
    #[serde(default)]
    pub initial_learning_rate: Option<f64>,
    /// After this many steps the rate has been multiplied by `decay_rate`.
    pub decay_steps: usize,
    /// The base, above 0.
    pub decay_rate: f64,
    /// Whether the exponent is rounded down, so that the rate changes every `decay_steps` steps only; default false.
    #[serde(default)]
    pub staircase: bool,
}

/// Half a cosine wave from the initial rate down to `alpha` times it, after a linear warm-up if there is a target.
///
/// ```text
/// step < warmup_steps   initial + (warmup_target - initial) * step / warmup_steps
/// then                  peak * ((1 - alpha) * (1 + cos(pi * min(t, decay_steps) / decay_steps)) / 2 + alpha)
/// ```
///
/// with `t = step - warmup_steps` and `peak = warmup_target`; without a target `t = step` and `peak = initial`.
/// Source: Loshchilov and Hutter, "SGDR", ICLR 2017, and the Keras file above.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CosineDecay {
    /// The rate of step 0, which may be 0 before a warm-up; by default the optimizer's.
    #[serde(default)]
    pub initial_learning_rate: Option<f64>,
    /// Steps from the peak to the end.
    pub decay_steps: usize,
    /// The rate at the end, as a share of the peak; default 0.
    #[serde(default)]
    pub alpha: f64,
    /// The rate at the end of the warm-up. Without it there is no warm-up. Default none.
    #[serde(default)]
    pub warmup_target: Option<f64>,
    /// Steps of the warm-up; default 0.
    #[serde(default)]
    pub warmup_steps: usize,
}

impl From<StepDecay> for LearningRateSchedule {
    fn from(decay: StepDecay) -> Self {
        LearningRateSchedule::Step(decay)
    }
}

impl From<ExponentialDecay> for LearningRateSchedule {
    fn from(decay: ExponentialDecay) -> Self {
        LearningRateSchedule::Exponential(decay)
    }
}

impl From<CosineDecay> for LearningRateSchedule {
    fn from(decay: CosineDecay) -> Self {
        LearningRateSchedule::Cosine(decay)
    }
}

impl From<OneCycle> for LearningRateSchedule {
    fn from(cycle: OneCycle) -> Self {
        LearningRateSchedule::OneCycle(cycle)
    }
}

impl LearningRateSchedule {
    /// The rate of a step, counted from 0; `base` is the optimizer's.
    pub fn rate(&self, step: usize, base: f64) -> f32 {
        match self {
            LearningRateSchedule::Constant => base as f32,
            LearningRateSchedule::Step(decay) => decay.rate(step),
            LearningRateSchedule::Exponential(decay) => decay.rate(step, base),
            LearningRateSchedule::Cosine(decay) => decay.rate(step, base),
            LearningRateSchedule::OneCycle(cycle) => cycle.rate(step, base),
        }
    }

    /// How many steps a schedule takes that comes down to a rate and stays there: those of [`OneCycle`], and of [`CosineDecay`] those
    /// of its warm-up and of its decay. `None` of others, and of one that does not come down.
    pub fn steps(&self) -> Option<usize> {
        match self {
            LearningRateSchedule::Cosine(decay) => {
                let warmup = decay.warmup_target.map_or(0, |_| decay.warmup_steps);
                (decay.alpha < 1.0).then(|| warmup.saturating_add(decay.decay_steps))
            }
            LearningRateSchedule::OneCycle(cycle) => {
                (cycle.div_factor * cycle.final_div_factor > 1.0).then_some(cycle.total_steps)
            }
            LearningRateSchedule::Constant
            | LearningRateSchedule::Step(_)
            | LearningRateSchedule::Exponential(_) => None,
        }
    }

    /// The same schedule over so many steps; others than those with [`steps`](Self::steps) stay as they are. Of [`CosineDecay`] the
    /// warm-up keeps its length, and the decay has at least one step.
    pub fn over(&self, steps: usize) -> Self {
        if self.steps().is_none() {
            return self.clone();
        }
        match self {
            LearningRateSchedule::Cosine(decay) => {
                let warmup = decay.warmup_target.map_or(0, |_| decay.warmup_steps);
                let decay_steps = steps.saturating_sub(warmup).max(1);
                CosineDecay { decay_steps, ..decay.clone() }.into()
            }
            LearningRateSchedule::OneCycle(cycle) => OneCycle { total_steps: steps, ..cycle.clone() }.into(),
            other => other.clone(),
        }
    }

    /// Its `type` in a model file.
    pub fn name(&self) -> &'static str {
        match self {
            LearningRateSchedule::Constant => "constant",
            LearningRateSchedule::Step(_) => "step",
            LearningRateSchedule::Exponential(_) => "exponential",
            LearningRateSchedule::Cosine(_) => "cosine",
            LearningRateSchedule::OneCycle(_) => "one_cycle",
        }
    }

    /// Starts at this rate instead of the schedule's own; of [`OneCycle`](Self::OneCycle) it is the greatest.
    ///
    /// # Errors
    /// When it is [`Step`](Self::Step), which names all its rates.
    pub fn set_initial_learning_rate(&mut self, rate: f64) -> Result<(), SettingError> {
        match self {
            LearningRateSchedule::Constant => {}
            LearningRateSchedule::Step(_) => {
                return Err(SettingError::new(
                    "learning_rate",
                    rate,
                    "left out where the schedule is `step`: it has its own `values`",
                ));
            }
            LearningRateSchedule::Exponential(decay) => decay.initial_learning_rate = Some(rate),
            LearningRateSchedule::Cosine(decay) => decay.initial_learning_rate = Some(rate),
            LearningRateSchedule::OneCycle(cycle) => cycle.max_learning_rate = Some(rate),
        }
        Ok(())
    }

    /// Refuses settings for which the formula is not defined.
    pub fn check(&self) -> Result<(), SettingError> {
        match self {
            LearningRateSchedule::Constant => Ok(()),
            LearningRateSchedule::Step(decay) => decay.check(),
            LearningRateSchedule::Exponential(decay) => decay.check(),
            LearningRateSchedule::Cosine(decay) => decay.check(),
            LearningRateSchedule::OneCycle(cycle) => cycle.check(),
        }
    }
}

impl StepDecay {
    fn rate(&self, step: usize) -> f32 {
        let place = self.boundaries.iter().take_while(|&&boundary| step > boundary).count();
        self.values[place] as f32
    }

    fn check(&self) -> Result<(), SettingError> {
        let count = self.values.len();
        require(
            count == self.boundaries.len() + 1,
            "schedule.values",
            format!("{count} values long"),
            || "one longer than `boundaries`",
        )?;
        require(
            self.boundaries.is_sorted_by(|a, b| a < b),
            "schedule.boundaries",
            format!("{:?}", self.boundaries),
            || "strictly increasing",
        )?;
        self.values.iter().try_for_each(|&value| rate_in_range("schedule.values", value))
    }
}

impl ExponentialDecay {
    fn rate(&self, step: usize, base: f64) -> f32 {
        let exponent = step as f32 / self.decay_steps as f32;
        let exponent = if self.staircase { exponent.floor() } else { exponent };
        // In 64 bits, since the 32-bit power differs from one mathematical library to the next.
        let power = f64::from(self.decay_rate as f32).powf(f64::from(exponent)) as f32;
        self.initial_learning_rate.unwrap_or(base) as f32 * power
    }

    fn check(&self) -> Result<(), SettingError> {
        initial_in_range(self.initial_learning_rate)?;
        some_steps(self.decay_steps)?;
        let rate = self.decay_rate;
        require(
            (rate as f32) > 0.0 && (rate as f32).is_finite(),
            "schedule.decay_rate",
            rate,
            || "a number above 0 that a 32-bit float can hold",
        )
    }
}

impl CosineDecay {
    fn rate(&self, step: usize, base: f64) -> f32 {
        let initial = self.initial_learning_rate.unwrap_or(base) as f32;
        let Some(target) = self.warmup_target else { return self.decayed(step, initial) };
        let target = target as f32;
        match step.checked_sub(self.warmup_steps) {
            Some(since) => self.decayed(since, target),
            None => (target - initial) * (step as f32 / self.warmup_steps as f32) + initial,
        }
    }

    /// The decay from `peak`, this many steps after its start.
    fn decayed(&self, step: usize, peak: f32) -> f32 {
        let done = step.min(self.decay_steps) as f32 / self.decay_steps as f32;
        let angle = std::f32::consts::PI * done;
        let wave = 0.5 * (1.0 + f64::from(angle).cos() as f32);
        let alpha = self.alpha;
        peak * ((1.0 - alpha) as f32 * wave + alpha as f32)
    }

    fn check(&self) -> Result<(), SettingError> {
        initial_in_range(self.initial_learning_rate)?;
        some_steps(self.decay_steps)?;
        require((0.0..=1.0).contains(&self.alpha), "schedule.alpha", self.alpha, || "from 0 to 1")?;
        self.warmup_target.map_or(Ok(()), |target| rate_in_range("schedule.warmup_target", target))?;
        require(
            self.warmup_target.is_some() || self.warmup_steps == 0,
            "schedule.warmup_steps",
            self.warmup_steps,
            || "0 where there is no `warmup_target`",
        )
    }
}

fn initial_in_range(rate: Option<f64>) -> Result<(), SettingError> {
    rate.map_or(Ok(()), |rate| rate_in_range("schedule.initial_learning_rate", rate))
}

fn some_steps(steps: usize) -> Result<(), SettingError> {
    require(steps > 0, "schedule.decay_steps", steps, || "at least 1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_that_comes_down_has_an_end() {
        let cosine = |alpha, warmup_target| CosineDecay {
            initial_learning_rate: None,
            decay_steps: 10,
            alpha,
            warmup_target,
            warmup_steps: 4,
        };
        let flat = OneCycle { div_factor: 1.0, final_div_factor: 1.0, ..OneCycle::new(7) };
        let step = StepDecay { boundaries: vec![3], values: vec![1.0, 0.0] };
        let rows: [(LearningRateSchedule, Option<usize>); 7] = [
            (LearningRateSchedule::Constant, None),
            (step.into(), None),
            (OneCycle::new(7).into(), Some(7)),
            (flat.into(), None),
            (cosine(0.1, None).into(), Some(10)),
            (cosine(0.1, Some(1.0)).into(), Some(14)),
            (cosine(1.0, None).into(), None),
        ];
        for (schedule, expected) in rows {
            assert_eq!(schedule.steps(), expected, "{schedule:?}");
            let Some(steps) = expected else {
                assert_eq!(schedule.over(40), schedule);
                continue;
            };
            // It comes down up to the end, and then stays.
            let rate = |step| schedule.rate(step, 0.1);
            assert!(rate(steps) < rate(steps - 2), "{schedule:?}");
            assert_eq!(rate(steps), rate(steps + 100), "{schedule:?}");
            assert_eq!(schedule.over(40).steps(), Some(40), "{schedule:?}");
        }
    }

    #[test]
    fn schedules_out_of_range_are_named() {
        let step = |boundaries: &[usize], values: &[f64]| -> LearningRateSchedule {
            StepDecay { boundaries: boundaries.to_vec(), values: values.to_vec() }.into()
        };
        let exponential = ExponentialDecay {
            initial_learning_rate: None,
            decay_steps: 10,
            decay_rate: 0.9,
            staircase: false,
        };
        let cosine = CosineDecay {
            initial_learning_rate: None,
            decay_steps: 10,
            alpha: 0.0,
            warmup_target: None,
            warmup_steps: 0,
        };
        let cycle = OneCycle::new(10);
        let goods: [LearningRateSchedule; 4] = [
            step(&[3, 4], &[1.0, 0.5, 0.0]),
            exponential.clone().into(),
            cosine.clone().into(),
            cycle.clone().into(),
        ];
        for good in goods {
            assert!(good.check().is_ok(), "{good:?}");
        }
        let rows: [(LearningRateSchedule, &str); 19] = [
            (step(&[3], &[1.0]), "values"),
            (step(&[], &[]), "values"),
            (step(&[3, 3], &[1.0, 0.5, 0.1]), "boundaries"),
            (step(&[3], &[1.0, f64::NAN]), "values"),
            (ExponentialDecay { decay_steps: 0, ..exponential.clone() }.into(), "decay_steps"),
            (ExponentialDecay { decay_rate: 0.0, ..exponential.clone() }.into(), "decay_rate"),
            (
                ExponentialDecay { initial_learning_rate: Some(-1.0), ..exponential }.into(),
                "initial_learning_rate",
            ),
            (CosineDecay { decay_steps: 0, ..cosine.clone() }.into(), "decay_steps"),
            (CosineDecay { alpha: 1.5, ..cosine.clone() }.into(), "alpha"),
            (CosineDecay { warmup_target: Some(f64::INFINITY), ..cosine.clone() }.into(), "warmup_target"),
            (CosineDecay { warmup_steps: 3, ..cosine }.into(), "warmup_steps"),
            (OneCycle::new(0).into(), "total_steps"),
            (OneCycle { max_learning_rate: Some(-1.0), ..cycle.clone() }.into(), "max_learning_rate"),
            (OneCycle { pct_start: 1.01, ..cycle.clone() }.into(), "pct_start"),
            (OneCycle { pct_start: f64::NAN, ..cycle.clone() }.into(), "pct_start"),
            (OneCycle { div_factor: 0.0, ..cycle.clone() }.into(), "div_factor"),
            (
                OneCycle { max_learning_rate: Some(0.0), ..cycle.clone() }.into(),
                "max_learning_rate` is 0, but must be a number above 0",
            ),
            (
                OneCycle { final_div_factor: 1e-30, ..cycle.clone() }.into(),
                "final_div_factor` is 1e-30, but must be a finite number, at least 1",
            ),
            (OneCycle { final_div_factor: f64::INFINITY, ..cycle }.into(), "final_div_factor"),
        ];
        for (schedule, setting) in rows {
            let message = schedule.check().unwrap_err().to_string();
            assert!(message.contains(setting), "{schedule:?}: {message}");
        }
    }
}
