use super::shape::{ShiftShape, cases};
use crate::ops::kit::*;

/// The gradient of [`struct@super::RandomShiftForward`]: `dx[n, b, k, a] = sum_i weight(i, k) dy[n, b, i, a]` over all pixels i of y,
/// with the weight that pixel k of x has in pixel i. The draws are made again.
///
/// dy and dx `[batch, before, len, after]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RandomShiftBackward(pub ShiftShape);

impl RandomShiftBackward {
    /// The weight of pixel k of x in pixel i of y, in 4096ths.
    fn weight(&self, i: usize, k: usize, shift: i32) -> i32 {
        let taps = self.0.taps(i, shift);
        match k as i32 - taps.first {
            0 => ShiftShape::PIXEL - taps.share,
            1 => taps.share,
            _ => 0,
        }
    }
}

impl OpKind for RandomShiftBackward {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("data/random_shift_backward.wgsl"),
        elements: &[Element::Real, Element::Real],
        by_four: Some(|op| op.0.by_four()),
        reads_batch: true,
        ..Row::ELEMENTWISE
    }];

    fn kind(&self) -> &'static str {
        "random_shift_backward"
    }

    fn args(&self) -> Vec<ArgSpec> {
        vec![read("dy", &self.0.x()), written("dx", &self.0.x())]
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        4 * self.0.x().iter().product::<usize>()
    }

    fn longest_loop(&self) -> usize {
        ShiftShape::ROUNDS + self.0.len
    }

    fn constants(&self) -> Constants {
        self.0.constants()
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, batch: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(dy), Arg::Out(dx)] = args else { return Err(OtherArguments) };
        let RandomShiftBackward(s) = self;
        let line = s.len * s.after;
        each_piece_by(dx, line, dy, line, &|row, dx, dy| {
            let shift = s.shift(batch, row / s.before);
            for (at, dx) in dx.iter_mut().enumerate() {
                *dx = T::zero();
                for i in 0..s.len {
                    let weight = f64::from(self.weight(i, at / s.after, shift));
                    *dx += T::of(weight / f64::from(ShiftShape::PIXEL)) * dy[i * s.after + at % s.after];
                }
            }
        });
        Ok(())
    }

    fn title(&self) -> String {
        self.0.title()
    }

    fn cases() -> Vec<Case<Self>> {
        cases(RandomShiftBackward)
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        let Case { op, batch, .. } = trial.case;
        let (s, dy) = (op.0, trial.floats(0));
        let bound = |at: usize| {
            let (a, k, row) = (at % s.after, at / s.after % s.len, at / (s.after * s.len));
            let shift = s.shift(batch, row / s.before);
            let weights = (0..s.len).map(|i| (i, op.weight(i, k, shift))).filter(|&(_, weight)| weight != 0);
            let terms = weights.map(|(i, weight)| {
                let weight = f64::from(weight) / f64::from(ShiftShape::PIXEL);
                weight * f64::from(dy[(row * s.len + i) * s.after + a]).abs()
            });
            let (count, magnitude) = terms.fold((0, 0.0), |(count, sum), term| (count + 1, sum + term));
            magnitude * sum_of_products(count) + FLUSHED * f64::from(count as u32)
        };
        Ok(trial.last(Bound::Each((0..dy.len()).map(bound).collect())))
    }
}
