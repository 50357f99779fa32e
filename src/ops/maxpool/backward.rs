use super::shape::{BYTES, PoolShape, folds, shapes, ties, unpacked, winner};
use crate::ops::kit::*;

/// Gradient sent back to the elements that won:
/// `dx[n, h, w, c] = sum of dy[n, i, j, c]` over the windows `(i, j)` whose winner is the element `(h, w)`; a winner
/// past the window's elements stands for none.
///
/// dy and winner `[batch, out_h, out_w, channels]`, dx `[batch, in_h, in_w, channels]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MaxpoolBackward(pub PoolShape);

impl OpKind for MaxpoolBackward {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("pooling/maxpool_backward.wgsl"),
        elements: &[Element::Real, Element::U32, Element::Real],
        fits: |op| !op.0.packs_winners(),
        by_four: Some(|op| op.0.packs_winners()),
        ..Row::ELEMENTWISE
    }];

    const FAST: &'static [FastRow<Self>] = &[FastRow::new("blocks", fast)];

    fn kind(&self) -> &'static str {
        "maxpool_backward"
    }

    fn args(&self) -> Vec<ArgSpec> {
        vec![read("dy", &self.0.y()), winner(Access::In, &self.0), written("dx", &self.0.x())]
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        self.0.y().iter().product()
    }

    fn longest_loop(&self) -> usize {
        self.windows_of_element()
    }

    fn constants(&self) -> Constants {
        self.0.constants()
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, _: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(dy), Arg::InU32(winner), Arg::Out(dx)] = args else { return Err(OtherArguments) };
        maxpool_backward(&self.0, dy, &unpacked(&self.0, winner), dx);
        Ok(())
    }

    fn title(&self) -> String {
        self.0.title()
    }

    fn cases() -> Vec<Case<Self>> {
        let backward = |s| Case::of(MaxpoolBackward(s));
        let mut table: Vec<_> = shapes().into_iter().map(backward).collect();
        table.push(backward(ties()).with(Numbers::Eighths));
        for s in folds() {
            table.push(backward(s).folded());
        }
        table
    }

    fn input(draw: &mut Draw<'_, Self>) -> Values {
        match draw.spec.name {
            "winner" => draw.case.op.0.winners(draw),
            _ => draw.plain(),
        }
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        trial.sum(trial.case.op.windows_of_element())
    }
}

impl MaxpoolBackward {
    /// Most windows that an element of the input is in.
    fn windows_of_element(&self) -> usize {
        let PoolShape { pool_h, pool_w, stride_h, stride_w, .. } = self.0;
        pool_h.div_ceil(stride_h) * pool_w.div_ceil(stride_w)
    }
}

/// The same for one image after another, without unpacking all winners first.
fn fast(
    op: &MaxpoolBackward,
    _: &BatchParams,
    args: &mut [Arg<'_, f32>],
    _: &mut Scratch,
) -> Result<(), OtherArguments> {
    let [Arg::In(dy), Arg::InU32(winner), Arg::Out(dx)] = args else { return Err(OtherArguments) };
    let s = &op.0;
    let winner = |at: usize| match s.packs_winners() {
        true => (winner[at / BYTES] >> (8 * (at % BYTES))) as usize & usize::from(u8::MAX),
        false => winner[at] as usize,
    };
    // Where each element of a window lies, from its first.
    let place = |element: usize| (element / s.pool_w * s.in_w + element % s.pool_w) * s.channels;
    let places: Vec<usize> = (0..s.pool_h * s.pool_w).map(place).collect();
    each_piece(dx, s.in_h * s.in_w * s.channels, &|n, dx| {
        dx.fill(0.0);
        for (i, j) in (0..s.out_h).flat_map(|i| (0..s.out_w).map(move |j| (i, j))) {
            let from = ((n * s.out_h + i) * s.out_w + j) * s.channels;
            let corner = (i * s.stride_h * s.in_w + j * s.stride_w) * s.channels;
            for c in 0..s.channels {
                if let Some(place) = places.get(winner(from + c)) {
                    dx[corner + place + c] += dy[from + c];
                }
            }
        }
    });
    Ok(())
}

fn maxpool_backward<T: Real>(s: &PoolShape, dy: &[T], winner: &[u32], dx: &mut [T]) {
    let dx_image = s.in_h * s.in_w * s.channels;
    each_piece(dx, dx_image, &|n, dx| {
        dx.fill(T::zero());
        for i in 0..s.out_h {
            for j in 0..s.out_w {
                for c in 0..s.channels {
                    let from = ((n * s.out_h + i) * s.out_w + j) * s.channels + c;
                    if winner[from] as usize >= s.pool_h * s.pool_w {
                        continue;
                    }
                    let (p, q) = (winner[from] as usize / s.pool_w, winner[from] as usize % s.pool_w);
                    let pixel = (i * s.stride_h + p) * s.in_w + j * s.stride_w + q;
                    dx[pixel * s.channels + c] += dy[from];
                }
            }
        }
    });
}
