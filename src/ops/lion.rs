use super::kit::*;
use crate::optimizers::Lion;

/// Lion over the parameter arena; the formula stands with [`Lion`].
///
/// What the tripwire forbids stays as it is.
///
/// gradient and parameter `[len]`; loss `[_]`, tripwire `[1]`; state `[1, len]`: `m`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the sizes are named in the formula")]
pub struct LionUpdate {
    pub len: usize,
    pub lion: Lion,
}

impl OpKind for LionUpdate {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("update/lion_update.wgsl"),
        elements: &[Element::Real, Element::F32, Element::AtomicU32, Element::Real, Element::Real],
        reads_batch: true,
        ..Row::ELEMENTWISE
    }];

    fn kind(&self) -> &'static str {
        "lion_update"
    }

    fn args(&self) -> Vec<ArgSpec> {
        update_args(self.len, Lion::SLOTS)
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        self.len * (9 + decay_flops(self.lion.weight_decay))
    }

    fn longest_loop(&self) -> usize {
        0
    }

    fn constants(&self) -> Constants {
        let Lion { beta_1, beta_2, weight_decay, .. } = self.lion;
        let own = constants! {
            "BETA_1" => beta_1 as f32,
            "ONE_MINUS_BETA_1" => (1.0 - beta_1) as f32,
            "BETA_2" => beta_2 as f32,
            "ONE_MINUS_BETA_2" => (1.0 - beta_2) as f32,
        };
        [own, decay_constants(weight_decay)].concat()
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, batch: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let lion = &self.lion;
        let learning_rate = T::of(f64::from(batch.learning_rate));
        let [beta_1, one_minus_beta_1] = [lion.beta_1, 1.0 - lion.beta_1].map(T::of);
        let [beta_2, one_minus_beta_2] = [lion.beta_2, 1.0 - lion.beta_2].map(T::of);
        update_each(batch, args, |g, [m], w| {
            let direction = sign(beta_1 * m + one_minus_beta_1 * g);
            let w = decayed(lion.weight_decay, batch, w) - learning_rate * direction;
            ([beta_2 * m + one_minus_beta_2 * g], w)
        })
    }

    fn title(&self) -> String {
        let Lion { beta_1, beta_2, weight_decay, .. } = self.lion;
        format!("{} parameters, betas {beta_1} and {beta_2}{}", self.len, decay_title(weight_decay))
    }

    fn cases() -> Vec<Case<Self>> {
        let plain = Lion::default();
        let decaying = Lion { weight_decay: Some(0.2), ..plain };
        let other = Lion { beta_1: 0.5, beta_2: 0.7, ..plain };
        let update = |len, lion| Case::of(LionUpdate { len, lion });
        let mut table = Vec::new();
        for len in [1, 4, 67, 1028, 347_152] {
            for lion in [plain, decaying, other] {
                table.push(update(len, lion));
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
        update_input(draw, first_mean)
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        Ok(bounds(trial))
    }
}

/// 1, -1, or x where it is neither above nor below 0, so that a NaN stays one.
fn sign<T: Real>(x: T) -> T {
    if x > T::zero() {
        T::one()
    } else if x < T::zero() {
        -T::one()
    } else {
        x
    }
}

/// The formula of [`Lion`].
fn bounds(trial: &Trial<'_, LionUpdate>) -> Vec<Bound> {
    let Case { op: LionUpdate { lion, .. }, batch, .. } = trial.case;
    let learning_rate = Rough::exact(batch.learning_rate);
    let [beta_1, rest_1] = [lion.beta_1, 1.0 - lion.beta_1].map(Rough::constant);
    let [beta_2, rest_2] = [lion.beta_2, 1.0 - lion.beta_2].map(Rough::constant);
    update_bounds(trial, Lion::SLOTS, |Before { g, state: [m, _], w }| {
        let m = Rough::exact(m);
        let nothing = g.value == 0.0 && m.value == 0.0;
        let direction = if nothing { Rough::exact(0.0) } else { direction(beta_1 * m + rest_1 * g) };
        let w = decayed_weight(lion.weight_decay, batch, w) - learning_rate * direction;
        ([beta_2 * m + rest_2 * g, Rough::exact(0.0)], w)
    })
}

/// The sign of a number. Where its error reaches 0 the shader may find any sign: the weight may then be off by two steps.
fn direction(x: Rough) -> Rough {
    let value = sign(x.value);
    Rough { value, error: if x.value.abs() > x.error { 0.0 } else { 1.0 + value.abs() } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_direction_is_certain_away_from_zero_only() {
        // A number, its error, its sign, and how far from that the shader's may be.
        let rows =
            [(0.5, 0.1, 1.0, 0.0), (-2.0, 0.0, -1.0, 0.0), (1e-9, 1e-8, 1.0, 2.0), (0.0, 1e-38, 0.0, 1.0)];
        for (value, error, sign, off) in rows {
            assert_eq!(direction(Rough { value, error }), Rough { value: sign, error: off }, "{value}");
        }
    }
}
