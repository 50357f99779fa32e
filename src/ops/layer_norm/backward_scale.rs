use super::shape::{LayerNormShape, cases, input};
use crate::ops::kit::*;

/// The gradient of gamma: `d_gamma[c] = sum_r dy[r, c] * ((x[r, c] - mean[r]) * inverse_deviation[r])`, in parts: `partial[s]` is the sum
/// over the `s`-th range of rows ([`Split`]).
///
/// dy and x `[rows, columns]`, mean and inverse_deviation `[rows]`, partial `[parts, columns]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LayerNormBackwardScale {
    /// The sizes.
    pub shape: LayerNormShape,
}

impl OpKind for LayerNormBackwardScale {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("normalization/layer_norm_backward_scale.wgsl"),
        elements: &[Element::Real, Element::Real, Element::F32, Element::F32, Element::Real],
        by_four: Some(|op| op.shape.by_four()),
        sums: Some(Sums { terms: OpKind::longest_loop, along: false }),
        ..Row::ELEMENTWISE
    }];

    fn kind(&self) -> &'static str {
        "layer_norm_backward_scale"
    }

    fn args(&self) -> Vec<ArgSpec> {
        let LayerNormShape { rows, columns } = self.shape;
        vec![
            read("dy", &self.shape.x()),
            read("x", &self.shape.x()),
            read("mean", &[rows]),
            read("inverse_deviation", &[rows]),
            written("partial", &[self.shape.split().parts, columns]),
        ]
    }

    fn split(&self) -> Option<Split> {
        Some(self.shape.split())
    }

    fn flops(&self) -> usize {
        self.shape.rows * self.shape.columns * 4
    }

    fn longest_loop(&self) -> usize {
        self.shape.split().terms_per_part
    }

    fn constants(&self) -> Constants {
        self.shape.constants()
    }

    fn samples(&self) -> Option<usize> {
        None
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
                    *sum += dy[r * columns + c] * ((x[r * columns + c] - mean[r]) * inverse[r]);
                }
            }
        });
        Ok(())
    }

    fn title(&self) -> String {
        self.shape.title()
    }

    fn cases() -> Vec<Case<Self>> {
        cases(|shape| LayerNormBackwardScale { shape })
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
                    let term = at(0, i) * ((at(1, i) - at(2, r)) * at(3, r));
                    *bound += term.error + term.value.abs() * sum_of_alike(terms);
                }
            }
        }
        Ok(trial.last(Bound::Each(bounds)))
    }
}
