//! Clipping by the norm, and the sum of squares that it takes.

use super::kit::*;

/// The sum of squares: `sum_i x[i]^2`, in parts: `partial[s]` is the sum over the `s`-th range ([`Split`]).
///
/// x `[len]`, partial `[parts]`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the sizes are named in the formula")]
pub struct SumOfSquares {
    pub len: usize,
}

impl OpKind for SumOfSquares {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("update/sum_of_squares.wgsl"),
        elements: &[Element::Real, Element::F32],
        by_four: Some(|op| op.len.is_multiple_of(4)),
        ..Row::SCALAR
    }];

    fn kind(&self) -> &'static str {
        "sum_of_squares"
    }

    fn args(&self) -> Vec<ArgSpec> {
        vec![read("x", &[self.len]), written("partial", &[Split::of(self.len).parts])]
    }

    fn split(&self) -> Option<Split> {
        Some(Split::of(self.len))
    }

    fn flops(&self) -> usize {
        2 * self.len
    }

    fn longest_loop(&self) -> usize {
        Split::of(self.len).terms_per_part
    }

    fn constants(&self) -> Constants {
        constants! { "LEN" => self.len }
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, _: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(x), Arg::Out(partial)] = args else { return Err(OtherArguments) };
        sum_of_squares(x, partial);
        Ok(())
    }

    fn title(&self) -> String {
        format!("{} elements", self.len)
    }

    fn cases() -> Vec<Case<Self>> {
        let squares = |len| Case::of(SumOfSquares { len });
        // The tutorial's arena and its largest kernel, and sums of over 65,535 terms, among them.
        let mut table =
            [1, 3, 4, 5, 64, 261, 1024, 1025, 2052, 70_001, 346_112, 347_152].map(squares).to_vec();
        for len in [1 << 18, (1 << 18) + 1] {
            table.push(squares(len).folded());
        }
        for len in [9, 64] {
            table.push(squares(len).with(Numbers::Eighths));
        }
        table
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        trial.sum_of_products(Split::of(trial.case.op.len).range(0).len())
    }
}

/// Gradients scaled in place so that their norm is at most `limit`: `g = g * limit / max(norm, limit)`, with
/// `norm = sqrt(square_sum)`; within the limit g stays as it is.
///
/// square_sum `[1]`, of these gradients or of these and more; gradient `[len]`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the sizes are named in the formula")]
pub struct ClipByNorm {
    pub len: usize,
    pub limit: f64,
}

impl OpKind for ClipByNorm {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("update/clip_by_norm.wgsl"),
        elements: &[Element::F32, Element::Real],
        ..Row::ELEMENTWISE
    }];

    fn kind(&self) -> &'static str {
        "clip_by_norm"
    }

    fn args(&self) -> Vec<ArgSpec> {
        vec![read("square_sum", &[1]), changed("gradient", &[self.len])]
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        self.len
    }

    fn longest_loop(&self) -> usize {
        0
    }

    fn constants(&self) -> Constants {
        constants! { "LIMIT" => self.limit as f32 }
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, _: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(square_sum), Arg::Out(gradient)] = args else { return Err(OtherArguments) };
        clip_by_norm(self.limit, square_sum, gradient);
        Ok(())
    }

    fn title(&self) -> String {
        format!("{} gradients, limit {}", self.len, self.limit)
    }

    fn cases() -> Vec<Case<Self>> {
        let by_norm = |len, limit| Case::of(ClipByNorm { len, limit });
        let mut table = Vec::new();
        for len in [1, 4, 67, 1028, 346_112] {
            // The norm is between 0.5 and 2.1.
            for limit in [0.1, 0.3, 5.0] {
                table.push(by_norm(len, limit));
            }
        }
        for len in [3000, 3001] {
            table.push(by_norm(len, 0.25).folded());
        }
        table
    }

    fn input(draw: &mut Draw<'_, Self>) -> Values {
        let mut values = draw.floats();
        if draw.spec.name == "square_sum" {
            values.iter_mut().for_each(|value| *value = 4.0 * value.abs() + 0.25);
        }
        Values::Floats(values)
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        let bound = clip_by_norm_bounds(trial.case.op.limit, trial.floats(0)[0], trial.floats(1));
        Ok(trial.last(bound))
    }
}

fn sum_of_squares<T: Real>(x: &[T], partial: &mut [T]) {
    let split = Split::of(x.len());
    for (part, partial) in partial.iter_mut().enumerate() {
        *partial = x[split.range(part)].iter().map(|&x| x * x).sum();
    }
}

fn clip_by_norm<T: Real>(limit: f64, square_sum: &[T], gradient: &mut [T]) {
    let limit = T::of(limit);
    let norm = square_sum[0].sqrt();
    if norm > limit {
        for g in gradient {
            *g *= limit / norm;
        }
    }
}

/// Scaling by the quotient of limit and norm, wherever the norm may be above the limit.
fn clip_by_norm_bounds(limit: f64, square_sum: f32, gradient: &[f32]) -> Bound {
    let (norm, limit) = (Rough::exact(square_sum).sqrt(), Rough::constant(limit));
    if norm.value + norm.error < limit.value - limit.error {
        return Bound::Exact;
    }
    let scale = limit.over(norm);
    Bound::Each(gradient.iter().map(|&g| (Rough::exact(g) * scale).error).collect())
}
