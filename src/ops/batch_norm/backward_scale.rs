use super::shape::{NormShape, cases, input};
use crate::ops::kit::*;

/// The gradient of gamma: `d_gamma[c] = sum_r dy[r, c] * ((x[r, c] - mean[c]) * inverse_deviation[c])`, in parts: `partial[s]` is the sum
/// over the `s`-th range of rows ([`Split`]). The gradient is zero in rows past the batch's samples.
///
/// dy and x `[rows, columns]`, mean and inverse_deviation `[columns]`, partial `[parts, columns]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchNormBackwardScale {
    /// The sizes.
    pub shape: NormShape,
}

impl OpKind for BatchNormBackwardScale {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("normalization/batch_norm_backward_scale.wgsl"),
        elements: &[Element::Real; 5],
        by_four: Some(|op| op.shape.by_four()),
        sums: Some(Sums { terms: OpKind::longest_loop, along: false }),
        ..Row::ELEMENTWISE
    }];

    const FAST: &'static [FastRow<Self>] = &[FastRow::new("blocks", fast)];

    fn kind(&self) -> &'static str {
        "batch_norm_backward_scale"
    }

    fn args(&self) -> Vec<ArgSpec> {
        let columns = [self.shape.columns];
        vec![
            read("dy", &self.shape.x()),
            read("x", &self.shape.x()),
            read("mean", &columns),
            read("inverse_deviation", &columns),
            written("partial", &self.shape.partial()),
        ]
    }

    fn split(&self) -> Option<Split> {
        Some(self.shape.split())
    }

    fn flops(&self) -> usize {
        self.shape.rows() * self.shape.columns * 4
    }

    fn longest_loop(&self) -> usize {
        self.shape.split().terms_per_part
    }

    fn constants(&self) -> Constants {
        self.shape.constants()
    }

    fn samples(&self) -> Option<usize> {
        Some(self.shape.samples)
    }

    fn twin<T: Real>(&self, _: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(dy), Arg::In(x), Arg::In(mean), Arg::In(inverse), Arg::Out(partial)] = args else {
            return Err(OtherArguments);
        };
        let columns = self.shape.columns;
        each_piece(partial, columns, &|part, partial| {
            partial.fill(T::zero());
            for r in self.shape.split().range(part) {
                for (c, sum) in partial.iter_mut().enumerate() {
                    *sum += dy[r * columns + c] * ((x[r * columns + c] - mean[c]) * inverse[c]);
                }
            }
        });
        Ok(())
    }

    fn title(&self) -> String {
        self.shape.title()
    }

    fn cases() -> Vec<Case<Self>> {
        cases(|shape| BatchNormBackwardScale { shape })
    }

    fn input(draw: &mut Draw<'_, Self>) -> Values {
        input(draw)
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        let shape = trial.case.op.shape;
        let terms = shape.split().range(0).len();
        let at = |place: usize, i: usize| Rough::exact(trial.floats(place)[i]);
        let mut bounds = vec![0.0; shape.split().parts * shape.columns];
        for (part, bounds) in bounds.chunks_mut(shape.columns).enumerate() {
            for r in shape.split().range(part) {
                for (c, bound) in bounds.iter_mut().enumerate() {
                    let i = r * shape.columns + c;
                    let term = at(0, i) * ((at(1, i) - at(2, c)) * at(3, c));
                    *bound += term.error + term.value.abs() * sum_of_alike(terms);
                }
            }
        }
        Ok(trial.last(Bound::Each(bounds)))
    }
}

fn fast(
    op: &BatchNormBackwardScale,
    _: &BatchParams,
    args: &mut [Arg<'_, f32>],
    _: &mut Scratch,
) -> Result<(), OtherArguments> {
    let [Arg::In(dy), Arg::In(x), Arg::In(mean), Arg::In(inverse), Arg::Out(partial)] = args else {
        return Err(OtherArguments);
    };
    let split = op.shape.split();
    each_piece(partial, op.shape.columns, &|part, partial| {
        let term = |[dy, x]: [Lanes; 2], [mean, inverse]: [Lanes; 2]| dy * ((x - mean) * inverse);
        sum_columns(split.range(part), [dy, x], partial, |c| [mean[c], inverse[c]], term);
    });
    Ok(())
}
