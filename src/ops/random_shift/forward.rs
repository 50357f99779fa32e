use super::shape::{ShiftShape, cases};
use crate::ops::kit::*;

/// Images moved along an axis: `y[n, b, i, a] = (1 - s) x[n, b, k, a] + s x[n, b, k + 1, a]`, where pixel i comes from the place
/// `k + s = i - shift[n]`, brought inside as [`ShiftShape`] says; a pixel that is still outside counts as the fill value. With `nearest`
/// the place is rounded to a whole pixel.
///
/// x and y `[batch, before, len, after]`.
/// Source: `keras/src/layers/preprocessing/image_preprocessing/random_translation.py`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RandomShiftForward(pub ShiftShape);

impl OpKind for RandomShiftForward {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("data/random_shift_forward.wgsl"),
        elements: &[Element::Real, Element::Real],
        by_four: Some(|op| op.0.by_four()),
        reads_batch: true,
        ..Row::ELEMENTWISE
    }];

    fn kind(&self) -> &'static str {
        "random_shift_forward"
    }

    fn args(&self) -> Vec<ArgSpec> {
        vec![read("x", &self.0.x()), written("y", &self.0.x())]
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        if self.0.nearest { 0 } else { 3 * self.0.x().iter().product::<usize>() }
    }

    fn longest_loop(&self) -> usize {
        ShiftShape::ROUNDS
    }

    fn constants(&self) -> Constants {
        self.0.constants()
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, batch: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(x), Arg::Out(y)] = args else { return Err(OtherArguments) };
        let RandomShiftForward(s) = self;
        let line = s.len * s.after;
        each_piece_by(y, line, x, line, &|row, y, x| {
            let shift = s.shift(batch, row / s.before);
            for (at, y) in y.iter_mut().enumerate() {
                let taps = s.taps(at / s.after, shift);
                let pixel = |k| match s.inside(k) {
                    Some(k) => x[k * s.after + at % s.after],
                    None => T::of(f64::from(s.fill_value)),
                };
                let share = T::of(f64::from(taps.share) / f64::from(ShiftShape::PIXEL));
                *y = (T::one() - share) * pixel(taps.first) + share * pixel(taps.first + 1);
            }
        });
        Ok(())
    }

    fn title(&self) -> String {
        self.0.title()
    }

    fn cases() -> Vec<Case<Self>> {
        cases(RandomShiftForward)
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        let Case { op: RandomShiftForward(s), batch, .. } = trial.case;
        let x = trial.floats(0);
        let bound = |i: usize| {
            let (a, at, row) = (i % s.after, i / s.after % s.len, i / (s.after * s.len));
            let taps = s.taps(at, s.shift(batch, row / s.before));
            if taps.share == 0 {
                return 0.0;
            }
            let pixel = |k| match s.inside(k) {
                Some(k) => Rough::exact(x[(row * s.len + k) * s.after + a]),
                None => Rough::exact(s.fill_value),
            };
            let share = f64::from(taps.share) / f64::from(ShiftShape::PIXEL);
            let [before, behind] = [1.0 - share, share].map(Rough::exact);
            (before * pixel(taps.first) + behind * pixel(taps.first + 1)).error
        };
        Ok(trial.last(Bound::Each((0..x.len()).map(bound).collect())))
    }
}

#[cfg(test)]
mod tests {
    use super::super::shape::FillMode::{self, Constant, Nearest, Reflect};
    use super::*;

    /// The pixels 1 2 3 4, moved by fixed amounts.
    #[test]
    fn pixels_move_by_what_is_drawn() {
        // (4096ths of a pixel, fill mode, whether the nearest is taken, what becomes of them); k is 9
        let rows: [(i32, FillMode, bool, [f64; 4]); 12] = [
            (0, Reflect, false, [1.0, 2.0, 3.0, 4.0]),
            (4096, Constant, false, [9.0, 1.0, 2.0, 3.0]),
            (4096, Nearest, false, [1.0, 1.0, 2.0, 3.0]),
            (8192, Reflect, false, [2.0, 1.0, 1.0, 2.0]),
            (-8192, Reflect, false, [3.0, 4.0, 4.0, 3.0]),
            (-16_384, Reflect, false, [4.0, 3.0, 2.0, 1.0]),
            (2048, Constant, false, [5.0, 1.5, 2.5, 3.5]),
            (2048, Nearest, false, [1.0, 1.5, 2.5, 3.5]),
            (-1024, Constant, false, [1.25, 2.25, 3.25, 5.25]),
            (2048, Constant, true, [9.0, 2.0, 3.0, 4.0]),
            (-2048, Nearest, true, [2.0, 3.0, 4.0, 4.0]),
            (-2048, Constant, true, [2.0, 3.0, 4.0, 9.0]),
        ];
        for (shift, fill_mode, nearest, expected) in rows {
            let s = ShiftShape {
                batch: 1,
                before: 1,
                len: 4,
                after: 1,
                layer: 0,
                word: 0,
                low: shift,
                high: shift,
                fill_mode,
                fill_value: 9.0,
                nearest,
            };
            let mut y = [0.0; 4];
            let batch = BatchParams { training: 1, ..BatchParams::default() };
            let args = &mut [Arg::In(&[1.0, 2.0, 3.0, 4.0]), Arg::Out(&mut y)];
            RandomShiftForward(s).twin(&batch, args).unwrap();
            assert_eq!(y, expected, "{}", s.title());
        }
    }
}
