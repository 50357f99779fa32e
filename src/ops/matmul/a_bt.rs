use super::fast::in_parts;
use super::shape::{MatmulShape, cases, product_rows, tile};
use crate::ops::kit::*;

/// `a b^T`, in parts.
///
/// `c[i, j] = sum_t a[i, t] * b[j, t]`, in parts: `partial[s]` is the sum over the `s`-th range of `t` ([`MatmulShape::split`]).
///
/// a `[m, k]`, b `[n, k]`, partial `[parts, m, n]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MatmulABt(pub MatmulShape);

/// Rows, and vec4s of columns, of one invocation.
const TILE: [usize; 2] = [16, 2];

impl OpKind for MatmulABt {
    const ROWS: &'static [Row<Self>] = &[
        Row {
            source: shader!("dense/matmul_a_bt_workgroup.wgsl"),
            fits: |MatmulABt(s)| s.n.is_multiple_of(4) && s.k.is_multiple_of(4),
            product: Some(|MatmulABt(s)| s.by_teams(0)),
            ..Row::WORKGROUP
        },
        Row {
            source: shader!("lanes/matmul_a_bt_block.wgsl"),
            elements: &[Element::EightF32; 3],
            lanes: Some(ByLanes {
                tile: |MatmulABt(s), lanes| along_tile(product_rows(s.m), s.n, BLOCK_EIGHTS, lanes),
                fits: |MatmulABt(s), _| {
                    s.n.is_multiple_of(EIGHTS) && s.k.is_multiple_of(EIGHTS) && s.whole_blocks()
                },
                invocations: |MatmulABt(s), lanes| {
                    blocks([s.m, s.n], product_rows(s.m), s.split().parts, lanes)
                },
            }),
            ..Row::BLOCK
        },
        Row {
            source: shader!("dense/matmul_a_bt_tile.wgsl"),
            elements: &[Element::Vec4F32; 3],
            tile: |_| tile(TILE),
            fits: |MatmulABt(s)| s.n.is_multiple_of(4) && s.k.is_multiple_of(4),
            invocations: |MatmulABt(s), _| tiles([s.m, s.n / 4], TILE) * s.split().parts,
            ..Row::TILE
        },
        Row {
            source: shader!("dense/matmul_a_bt.wgsl"),
            elements: &[Element::Real, Element::Real, Element::F32],
            by_four: Some(|MatmulABt(s)| s.k.is_multiple_of(4)),
            ..Row::SCALAR
        },
    ];

    const FAST: &'static [FastRow<Self>] = &[FastRow { fits: |_| fused(), ..FastRow::new("gemm", fast) }];

    fn kind(&self) -> &'static str {
        "matmul_a_bt"
    }

    fn args(&self) -> Vec<ArgSpec> {
        let MatmulABt(s) = self;
        vec![read("a", &[s.m, s.k]), read("b", &[s.n, s.k]), s.partial(0)]
    }

    fn split(&self) -> Option<Split> {
        Some(self.0.split())
    }

    fn flops(&self) -> usize {
        2 * self.0.m * self.0.n * self.0.k
    }

    fn longest_loop(&self) -> usize {
        self.0.split().terms_per_part
    }

    fn constants(&self) -> Constants {
        self.0.constants()
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, _: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(a), Arg::In(b), Arg::Out(partial)] = args else { return Err(OtherArguments) };
        matmul_a_bt(&self.0, a, b, partial);
        Ok(())
    }

    fn title(&self) -> String {
        self.0.title()
    }

    fn cases() -> Vec<Case<Self>> {
        cases(MatmulABt, [[64, 5408, 64], [64, 64, 10]], [31, 28, 60])
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        trial.sum_of_products(trial.case.op.0.split().range(0).len())
    }
}

fn fast(
    MatmulABt(s): &MatmulABt,
    _: &BatchParams,
    args: &mut [Arg<'_, f32>],
    _: &mut Scratch,
) -> Result<(), OtherArguments> {
    let [Arg::In(a), Arg::In(b), Arg::Out(partial)] = args else { return Err(OtherArguments) };
    let a = Matrix { values: a, row: s.k, column: 1 };
    let b = Matrix { values: b, row: 1, column: s.k };
    in_parts(s, a, b, partial);
    Ok(())
}

pub(in crate::ops) fn matmul_a_bt<T: Real>(s: &MatmulShape, a: &[T], b: &[T], partial: &mut [T]) {
    let split = s.split();
    each_piece(partial, s.n, &|row, c| {
        let (part, i) = (row / s.m, row % s.m);
        let range = split.range(part);
        let a = &a[i * s.k..][range.clone()];
        for (j, c) in c.iter_mut().enumerate() {
            *c = dot(a, &b[j * s.k..][range.clone()]);
        }
    });
}

/// The dot product as eight interleaved sums: one sum alone would wait for each addition to finish.
fn dot<T: Real>(a: &[T], b: &[T]) -> T {
    let mut sums = [T::zero(); 8];
    for (a, b) in a.chunks(8).zip(b.chunks(8)) {
        for ((sum, &a), &b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.into_iter().sum()
}
