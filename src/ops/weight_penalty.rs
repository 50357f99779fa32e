//! Penalties of weights, and their gradients.

use super::kit::*;
use crate::optimizers::Regularizer;

/// The penalty of a kernel: `sum_i l1*|w[i]| + l2*w[i]^2`, in parts: `partial[s]` is the sum over the `s`-th range ([`Split`]).
///
/// kernel `[len]`, partial `[parts]`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the sizes are named in the formula")]
pub struct WeightPenalty {
    pub len: usize,
    pub regularizer: Regularizer,
}

impl OpKind for WeightPenalty {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("regularization/weight_penalty.wgsl"),
        elements: &[Element::Real, Element::F32],
        by_four: Some(|op| op.len.is_multiple_of(4)),
        ..Row::SCALAR
    }];

    fn kind(&self) -> &'static str {
        "weight_penalty"
    }

    fn args(&self) -> Vec<ArgSpec> {
        vec![read("kernel", &[self.len]), written("partial", &[Split::of(self.len).parts])]
    }

    fn split(&self) -> Option<Split> {
        Some(Split::of(self.len))
    }

    fn flops(&self) -> usize {
        4 * self.len
    }

    fn longest_loop(&self) -> usize {
        Split::of(self.len).terms_per_part
    }

    fn constants(&self) -> Constants {
        [constants! { "LEN" => self.len }, factors(&self.regularizer)].concat()
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, _: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(kernel), Arg::Out(partial)] = args else { return Err(OtherArguments) };
        weight_penalty(&self.regularizer, kernel, partial);
        Ok(())
    }

    fn title(&self) -> String {
        let WeightPenalty { len, regularizer: Regularizer { l1, l2 } } = self;
        format!("{len} weights, l1 {l1}, l2 {l2}")
    }

    fn cases() -> Vec<Case<Self>> {
        let penalty = |len, regularizer| Case::of(WeightPenalty { len, regularizer });
        let mut table = Vec::new();
        // The tutorial's arena and its largest kernel, and sums of over 65,535 terms, among them.
        for len in [1, 3, 4, 5, 64, 261, 1024, 1025, 2052, 70_001, 346_112, 347_152] {
            for regularizer in regularizers() {
                table.push(penalty(len, regularizer));
            }
        }
        for len in [1 << 18, (1 << 18) + 1] {
            table.push(penalty(len, regularizers()[2]).folded());
        }
        table
    }

    fn input(draw: &mut Draw<'_, Self>) -> Values {
        match draw.spec.name {
            // Both zeros, where the sign is 0.
            "kernel" => draw.with_zeros(),
            _ => draw.plain(),
        }
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        Ok(trial.last(penalty_bounds(&trial.case.op.regularizer, trial.floats(0))))
    }
}

/// The gradient of [`WeightPenalty`], added to the kernel's in place: `g += l1*sign(w) + 2*l2*w`, with the sign of 0 being 0.
///
/// kernel and gradient `[len]`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the sizes are named in the formula")]
pub struct WeightPenaltyGradient {
    pub len: usize,
    pub regularizer: Regularizer,
}

impl OpKind for WeightPenaltyGradient {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("regularization/weight_penalty_gradient.wgsl"),
        elements: &[Element::Real, Element::Real],
        ..Row::ELEMENTWISE
    }];

    fn kind(&self) -> &'static str {
        "weight_penalty_gradient"
    }

    fn args(&self) -> Vec<ArgSpec> {
        vec![read("kernel", &[self.len]), changed("gradient", &[self.len])]
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        4 * self.len
    }

    fn longest_loop(&self) -> usize {
        0
    }

    fn constants(&self) -> Constants {
        factors(&self.regularizer)
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, _: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(kernel), Arg::Out(gradient)] = args else { return Err(OtherArguments) };
        weight_penalty_gradient(&self.regularizer, kernel, gradient);
        Ok(())
    }

    fn title(&self) -> String {
        let WeightPenaltyGradient { len, regularizer: Regularizer { l1, l2 } } = self;
        format!("{len} weights, l1 {l1}, l2 {l2}")
    }

    fn cases() -> Vec<Case<Self>> {
        let gradient = |len, regularizer| Case::of(WeightPenaltyGradient { len, regularizer });
        let mut table = Vec::new();
        for len in [1, 4, 67, 1028, 346_112] {
            for regularizer in regularizers() {
                table.push(gradient(len, regularizer));
            }
        }
        for len in [3000, 3001] {
            table.push(gradient(len, regularizers()[2]).folded());
        }
        table
    }

    fn input(draw: &mut Draw<'_, Self>) -> Values {
        match draw.spec.name {
            // Both zeros, where the sign is 0.
            "kernel" => draw.with_zeros(),
            _ => draw.plain(),
        }
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        let bound = penalty_gradient_bounds(&trial.case.op.regularizer, trial.floats(0), trial.floats(1));
        Ok(trial.last(bound))
    }
}

/// A penalty added to the loss of the batch: `loss[slot] = loss[slot] + penalty`.
///
/// penalty `[1]`; of loss `[_]` only element `slot` changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AddPenalty;

impl OpKind for AddPenalty {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("regularization/add_penalty.wgsl"),
        elements: &[Element::F32, Element::F32],
        reads_batch: true,
        invocations: |_, _| 1,
        ..Row::SCALAR
    }];

    fn kind(&self) -> &'static str {
        "add_penalty"
    }

    fn args(&self) -> Vec<ArgSpec> {
        vec![read("penalty", &[1]), changed("loss", &[DATA]).by(Extent::Batches)]
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        1
    }

    fn longest_loop(&self) -> usize {
        0
    }

    fn constants(&self) -> Constants {
        Vec::new()
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, batch: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(penalty), Arg::Out(loss)] = args else { return Err(OtherArguments) };
        loss[batch.slot as usize] += penalty[0];
        Ok(())
    }

    fn title(&self) -> String {
        "one penalty".to_owned()
    }

    fn cases() -> Vec<Case<Self>> {
        let add = Case::of(AddPenalty);
        vec![add, add.batch(0, 0, 7), add.batch(0, 0, 2).with(Numbers::Large)]
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        Ok(trial.last(add_penalty_bounds(&trial.case.batch, trial.floats(0)[0], trial.floats(1))))
    }
}

/// The factors, by the names that the shaders use.
fn factors(regularizer: &Regularizer) -> Constants {
    constants! { "L1" => regularizer.l1 as f32, "L2" => regularizer.l2 as f32 }
}

fn regularizers() -> [Regularizer; 3] {
    [Regularizer::l1(0.01), Regularizer::l2(0.01), Regularizer::l1_l2(1e-5, 0.3)]
}

fn weight_penalty<T: Real>(regularizer: &Regularizer, kernel: &[T], partial: &mut [T]) {
    let split = Split::of(kernel.len());
    let (l1, l2) = (T::of(regularizer.l1), T::of(regularizer.l2));
    for (part, partial) in partial.iter_mut().enumerate() {
        *partial = kernel[split.range(part)].iter().map(|&w| l1 * w.abs() + l2 * (w * w)).sum();
    }
}

fn weight_penalty_gradient<T: Real>(regularizer: &Regularizer, kernel: &[T], gradient: &mut [T]) {
    let (l1, two_l2) = (T::of(regularizer.l1), T::of(2.0 * regularizer.l2));
    for (g, &w) in gradient.iter_mut().zip(kernel) {
        let sign = if w > T::zero() {
            T::one()
        } else if w < T::zero() {
            -T::one()
        } else {
            T::zero()
        };
        *g += l1 * sign + two_l2 * w;
    }
}

/// The sum of a part: each term with its own error, and the rounding of the sum. No term is negative.
fn penalty_bounds(regularizer: &Regularizer, kernel: &[f32]) -> Bound {
    let split = Split::of(kernel.len());
    let (l1, l2) = (Rough::constant(regularizer.l1), Rough::constant(regularizer.l2));
    let bound = |part| {
        let terms = kernel[split.range(part)].iter().map(|&w| {
            let w = Rough::exact(w);
            l1 * w.abs() + l2 * (w * w)
        });
        let sum = terms.fold(Rough::exact(0.0), |sum, term| Rough {
            value: sum.value + term.value,
            error: sum.error + term.error,
        });
        sum.error + sum.value * sum_of_products(split.range(part).len())
    };
    Bound::Each((0..split.parts).map(bound).collect())
}

/// `g + l1*sign(w) + 2*l2*w`.
fn penalty_gradient_bounds(regularizer: &Regularizer, kernel: &[f32], gradient: &[f32]) -> Bound {
    let (l1, two_l2) = (Rough::constant(regularizer.l1), Rough::constant(2.0 * regularizer.l2));
    let bound = |(&w, &g): (&f32, &f32)| {
        let sign = if w == 0.0 { 0.0 } else { w.signum() };
        (Rough::exact(g) + (l1 * Rough::exact(sign) + two_l2 * Rough::exact(w))).error
    };
    Bound::Each(kernel.iter().zip(gradient).map(bound).collect())
}

/// `loss[slot] + penalty`; the other slots are left alone.
fn add_penalty_bounds(batch: &BatchParams, penalty: f32, loss: &[f32]) -> Bound {
    let mut bounds = vec![0.0; loss.len()];
    let slot = batch.slot as usize;
    bounds[slot] = (Rough::exact(loss[slot]) + Rough::exact(penalty)).error;
    Bound::Each(bounds)
}
