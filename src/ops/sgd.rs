//! Gradient descent, with momentum and without.

use super::kit::*;
use crate::optimizers::Sgd;

/// Gradient descent without momentum over the parameter arena; the formula stands with [`Sgd`].
///
/// What the tripwire forbids stays as it is.
///
/// gradient and parameter `[len]`; loss `[_]`, tripwire `[1]`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the sizes are named in the formula")]
pub struct SgdUpdate {
    pub len: usize,
    pub sgd: Sgd,
}

impl OpKind for SgdUpdate {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("update/sgd_update.wgsl"),
        elements: &[Element::Real, Element::F32, Element::AtomicU32, Element::Real],
        reads_batch: true,
        ..Row::ELEMENTWISE
    }];

    fn kind(&self) -> &'static str {
        "sgd_update"
    }

    fn args(&self) -> Vec<ArgSpec> {
        update_args(self.len, 0)
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        self.len * (2 + decay_flops(self.sgd.weight_decay))
    }

    fn longest_loop(&self) -> usize {
        0
    }

    fn constants(&self) -> Constants {
        decay_constants(self.sgd.weight_decay)
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, batch: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let learning_rate = T::of(f64::from(batch.learning_rate));
        update_each(batch, args, |g, [], w| {
            ([], decayed(self.sgd.weight_decay, batch, w) - learning_rate * g)
        })
    }

    fn title(&self) -> String {
        format!("{} parameters{}", self.len, decay_title(self.sgd.weight_decay))
    }

    fn cases() -> Vec<Case<Self>> {
        let [plain, decaying] =
            [None, Some(0.004)].map(|weight_decay| Sgd { weight_decay, ..Sgd::default() });
        let update = |len, sgd| Case::of(SgdUpdate { len, sgd });
        let mut table = Vec::new();
        for len in [1, 4, 67, 1028, 347_152] {
            for sgd in [plain, decaying] {
                table.push(update(len, sgd));
            }
        }
        for len in [3000, 3001] {
            table.push(update(len, plain).folded());
        }
        for len in [67, 1028] {
            for wire in Wire::NOT_CLEAR {
                table.push(update(len, decaying).finds(wire));
            }
        }
        table
    }

    fn input(draw: &mut Draw<'_, Self>) -> Values {
        update_input(draw, |_, _| Vec::new())
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        Ok(bounds(trial, &trial.case.op.sgd, 0))
    }
}

/// Gradient descent with momentum over the parameter arena; the formula stands with [`Sgd`].
///
/// What the tripwire forbids stays as it is.
///
/// gradient and parameter `[len]`; loss `[_]`, tripwire `[1]`; state `[1, len]`: `m`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the sizes are named in the formula")]
pub struct SgdMomentumUpdate {
    pub len: usize,
    pub sgd: Sgd,
}

impl OpKind for SgdMomentumUpdate {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("update/sgd_momentum_update.wgsl"),
        elements: &[Element::Real, Element::F32, Element::AtomicU32, Element::Real, Element::Real],
        reads_batch: true,
        ..Row::ELEMENTWISE
    }];

    fn kind(&self) -> &'static str {
        "sgd_momentum_update"
    }

    fn args(&self) -> Vec<ArgSpec> {
        update_args(self.len, 1)
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        let nesterov = if self.sgd.nesterov { 2 } else { 0 };
        self.len * (4 + nesterov + decay_flops(self.sgd.weight_decay))
    }

    fn longest_loop(&self) -> usize {
        0
    }

    fn constants(&self) -> Constants {
        let own = constants! { "MOMENTUM" => self.sgd.momentum as f32, "NESTEROV" => self.sgd.nesterov };
        [own, decay_constants(self.sgd.weight_decay)].concat()
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, batch: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let sgd = &self.sgd;
        let learning_rate = T::of(f64::from(batch.learning_rate));
        let momentum = T::of(sgd.momentum);
        update_each(batch, args, |g, [mut m], w| {
            let u = learning_rate * g;
            m = momentum * m - u;
            let w = decayed(sgd.weight_decay, batch, w);
            ([m], if sgd.nesterov { w + (momentum * m - u) } else { w + m })
        })
    }

    fn title(&self) -> String {
        let Sgd { momentum, nesterov, weight_decay, .. } = self.sgd;
        let nesterov = if nesterov { ", nesterov" } else { "" };
        format!("{} parameters, momentum {momentum}{nesterov}{}", self.len, decay_title(weight_decay))
    }

    fn cases() -> Vec<Case<Self>> {
        let momentum = Sgd { momentum: 0.9, ..Sgd::default() };
        let nesterov = Sgd { nesterov: true, ..momentum };
        let decaying = Sgd { weight_decay: Some(0.2), ..nesterov };
        let update = |len, sgd| Case::of(SgdMomentumUpdate { len, sgd });
        let mut table = Vec::new();
        for len in [1, 4, 67, 1028, 347_152] {
            for sgd in [momentum, nesterov, decaying] {
                table.push(update(len, sgd));
            }
        }
        for len in [3000, 3001] {
            table.push(update(len, nesterov).folded());
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
        Ok(bounds(trial, &trial.case.op.sgd, 1))
    }
}

/// The formulas of [`Sgd`], with momentum or without.
fn bounds<O>(trial: &Trial<'_, O>, sgd: &Sgd, slots: usize) -> Vec<Bound> {
    let batch = &trial.case.batch;
    let learning_rate = Rough::exact(batch.learning_rate);
    let momentum = Rough::constant(sgd.momentum);
    let none = Rough::exact(0.0);
    update_bounds(trial, slots, |Before { g, state: [m, _], w }| {
        let w = decayed_weight(sgd.weight_decay, batch, w);
        let u = learning_rate * g;
        if slots == 0 {
            return ([none; 2], w - u);
        }
        let m = momentum * Rough::exact(m) - u;
        ([m, none], if sgd.nesterov { w + (momentum * m - u) } else { w + m })
    })
}
