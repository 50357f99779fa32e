use super::kit::*;
use crate::optimizers::Adadelta;

/// Adadelta over the parameter arena; the formula stands with [`Adadelta`].
///
/// What the tripwire forbids stays as it is.
///
/// gradient and parameter `[len]`; loss `[_]`, tripwire `[1]`; state `[2, len]`: `a`, then `d`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the sizes are named in the formula")]
pub struct AdadeltaUpdate {
    pub len: usize,
    pub adadelta: Adadelta,
}

impl OpKind for AdadeltaUpdate {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("update/adadelta_update.wgsl"),
        elements: &[Element::Real, Element::F32, Element::AtomicU32, Element::Real, Element::Real],
        reads_batch: true,
        ..Row::ELEMENTWISE
    }];

    fn kind(&self) -> &'static str {
        "adadelta_update"
    }

    fn args(&self) -> Vec<ArgSpec> {
        update_args(self.len, Adadelta::SLOTS)
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        self.len * (16 + decay_flops(self.adadelta.weight_decay))
    }

    fn longest_loop(&self) -> usize {
        0
    }

    fn constants(&self) -> Constants {
        let Adadelta { rho, epsilon, weight_decay, .. } = self.adadelta;
        let own = constants! {
            "LEN" => self.len,
            "RHO" => rho as f32,
            "ONE_MINUS_RHO" => (1.0 - rho) as f32,
            "EPSILON" => epsilon as f32,
        };
        [own, decay_constants(weight_decay)].concat()
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, batch: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let adadelta = &self.adadelta;
        let learning_rate = T::of(f64::from(batch.learning_rate));
        let [rho, one_minus_rho] = [adadelta.rho, 1.0 - adadelta.rho].map(T::of);
        let epsilon = T::of(adadelta.epsilon);
        update_each(batch, args, |g, [mut a, mut d], w| {
            a = rho * a + one_minus_rho * (g * g);
            let u = (d + epsilon).sqrt() * g / (a + epsilon).sqrt();
            d = rho * d + one_minus_rho * (u * u);
            ([a, d], decayed(adadelta.weight_decay, batch, w) - learning_rate * u)
        })
    }

    fn title(&self) -> String {
        let Adadelta { epsilon, weight_decay, .. } = self.adadelta;
        format!("{} parameters, epsilon {epsilon:e}{}", self.len, decay_title(weight_decay))
    }

    fn cases() -> Vec<Case<Self>> {
        let plain = Adadelta::default();
        let decaying = Adadelta { rho: 0.7, epsilon: 1e-3, weight_decay: Some(0.004), ..plain };
        let update = |len, adadelta| Case::of(AdadeltaUpdate { len, adadelta });
        let mut table = Vec::new();
        for len in [1, 4, 67, 1028, 347_152] {
            for adadelta in [plain, decaying] {
                table.push(update(len, adadelta));
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
        table
    }

    fn input(draw: &mut Draw<'_, Self>) -> Values {
        update_input(draw, |len, stream| {
            let squares = squares_and_means(len / 2, false, false, stream);
            let of_steps = squares.iter().map(|v| v * 1e-3).collect();
            [squares, of_steps].concat()
        })
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        Ok(bounds(trial))
    }
}

/// The formula of [`Adadelta`].
fn bounds(trial: &Trial<'_, AdadeltaUpdate>) -> Vec<Bound> {
    let Case { op: AdadeltaUpdate { adadelta, .. }, batch, .. } = trial.case;
    let learning_rate = Rough::exact(batch.learning_rate);
    let (rho, rest) = (Rough::constant(adadelta.rho), Rough::constant(1.0 - adadelta.rho));
    let epsilon = Rough::constant(adadelta.epsilon);
    update_bounds(trial, Adadelta::SLOTS, |Before { g, state, w }| {
        let [a, d] = state.map(Rough::exact);
        let a = rho * a + rest * (g * g);
        let u = ((d + epsilon).sqrt() * g).over((a + epsilon).sqrt());
        let d = rho * d + rest * (u * u);
        ([a, d], decayed_weight(adadelta.weight_decay, batch, w) - learning_rate * u)
    })
}
