use super::kit::*;
use crate::optimizers::Adam;

/// Adam over the parameter arena; the formula stands with [`Adam`].
///
/// What the tripwire forbids stays as it is.
///
/// gradient and parameter `[len]`; loss `[_]`, tripwire `[1]`; state `[2, len]`: `m`, then `v`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the sizes are named in the formula")]
pub struct AdamUpdate {
    pub len: usize,
    pub adam: Adam,
}

impl OpKind for AdamUpdate {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("update/adam_update.wgsl"),
        elements: &[Element::Real, Element::F32, Element::AtomicU32, Element::Real, Element::Real],
        reads_batch: true,
        ..Row::ELEMENTWISE
    }];

    fn kind(&self) -> &'static str {
        "adam_update"
    }

    fn args(&self) -> Vec<ArgSpec> {
        update_args(self.len, Adam::SLOTS)
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        self.len * (12 + decay_flops(self.adam.weight_decay))
    }

    fn longest_loop(&self) -> usize {
        0
    }

    fn constants(&self) -> Constants {
        let Adam { beta_1, beta_2, epsilon, weight_decay, .. } = self.adam;
        let own = constants! {
            "LEN" => self.len,
            "ONE_MINUS_BETA_1" => (1.0 - beta_1) as f32,
            "ONE_MINUS_BETA_2" => (1.0 - beta_2) as f32,
            "EPSILON" => epsilon as f32,
        };
        [own, decay_constants(weight_decay)].concat()
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, batch: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let adam = &self.adam;
        let alpha = T::of(f64::from(batch.learning_rate)) * T::of(f64::from(batch.correction));
        let one_minus_beta_1 = T::of(1.0 - adam.beta_1);
        let one_minus_beta_2 = T::of(1.0 - adam.beta_2);
        let epsilon = T::of(adam.epsilon);
        update_each(batch, args, |g, [mut m, mut v], w| {
            m += (g - m) * one_minus_beta_1;
            v += (g * g - v) * one_minus_beta_2;
            let w = decayed(adam.weight_decay, batch, w);
            ([m, v], w - m * alpha / (v.sqrt() + epsilon))
        })
    }

    fn title(&self) -> String {
        let Adam { epsilon, weight_decay, .. } = self.adam;
        format!("{} parameters, epsilon {epsilon:e}{}", self.len, decay_title(weight_decay))
    }

    fn cases() -> Vec<Case<Self>> {
        let plain = Adam::default();
        let decaying = Adam { weight_decay: Some(0.004), ..plain };
        let other = Adam { beta_1: 0.5, beta_2: 0.7, epsilon: 1e-3, ..plain };
        let update = |len, adam| Case::of(AdamUpdate { len, adam });
        let mut table = Vec::new();
        for len in [1, 4, 67, 1028, 347_152] {
            for adam in [plain, decaying, other] {
                table.push(update(len, adam));
            }
        }
        for len in [3000, 3001] {
            table.push(update(len, decaying).folded());
        }
        for len in [67, 1028] {
            for wire in Wire::NOT_CLEAR {
                table.push(update(len, decaying).finds(wire));
            }
        }
        // As at the first step, and at the second: sqrt(1 - 0.999^t) / (1 - 0.9^t).
        for correction in [0.316_227_77, 0.235_3] {
            table.push(update(260, plain).corrected(correction));
        }
        table
    }

    fn input(draw: &mut Draw<'_, Self>) -> Values {
        update_input(draw, |len, stream| {
            let squares = squares_and_means(len / 2, false, false, stream);
            [first_mean(len / 2, stream), squares].concat()
        })
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        Ok(bounds(trial))
    }
}

/// The formula of [`Adam`].
fn bounds(trial: &Trial<'_, AdamUpdate>) -> Vec<Bound> {
    let Case { op: AdamUpdate { adam, .. }, batch, .. } = trial.case;
    let alpha = Rough::exact(batch.learning_rate) * Rough::exact(batch.correction);
    let rest_1 = Rough::constant(1.0 - adam.beta_1);
    let rest_2 = Rough::constant(1.0 - adam.beta_2);
    let epsilon = Rough::constant(adam.epsilon);
    update_bounds(trial, Adam::SLOTS, |Before { g, state, w }| {
        let [m, v] = state.map(Rough::exact);
        let m = m + (g - m) * rest_1;
        let v = v + (g * g - v) * rest_2;
        ([m, v], decayed_weight(adam.weight_decay, batch, w) - (m * alpha).over(v.sqrt() + epsilon))
    })
}
