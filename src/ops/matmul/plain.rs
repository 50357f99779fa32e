use super::fast::in_parts;
use super::shape::{MatmulShape, cases, product_rows, tile};
use crate::ops::kit::*;

/// `a b`, in parts.
///
/// `c[i, j] = sum_t a[i, t] * b[t, j]`, in parts: `partial[s]` is the sum over the `s`-th range of `t` ([`MatmulShape::split`]).
///
/// a `[m, k]`, b `[k, n]`, partial `[parts, m, n]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Matmul(pub MatmulShape);

/// Rows, and vec4s of columns, of one invocation.
const TILE: [usize; 2] = [8, 2];

impl OpKind for Matmul {
    const ROWS: &'static [Row<Self>] = &[
        Row {
            source: shader!("dense/matmul_workgroup.wgsl"),
            fits: |Matmul(s)| s.n.is_multiple_of(4) && s.k.is_multiple_of(4),
            product: Some(|Matmul(s)| s.by_teams(0)),
            ..Row::WORKGROUP
        },
        Row {
            source: shader!("lanes/matmul_block.wgsl"),
            elements: &[Element::EightF32; 3],
            lanes: Some(ByLanes {
                tile: |Matmul(s), lanes| along_tile(product_rows(s.m), s.n, BLOCK_EIGHTS, lanes),
                fits: |Matmul(s), _| {
                    s.n.is_multiple_of(EIGHTS) && s.k.is_multiple_of(EIGHTS) && s.whole_blocks()
                },
                invocations: |Matmul(s), lanes| blocks([s.m, s.n], product_rows(s.m), s.split().parts, lanes),
            }),
            ..Row::BLOCK
        },
        Row {
            source: shader!("dense/matmul_tile.wgsl"),
            elements: &[Element::Vec4F32; 3],
            tile: |_| tile(TILE),
            fits: |Matmul(s)| s.n.is_multiple_of(4) && s.k.is_multiple_of(4),
            invocations: |Matmul(s), _| tiles([s.m, s.n / 4], TILE) * s.split().parts,
            ..Row::TILE
        },
        Row {
            source: shader!("dense/matmul.wgsl"),
            elements: &[Element::F32, Element::Real, Element::Real],
            by_four: Some(|Matmul(s)| s.n.is_multiple_of(4)),
            ..Row::ELEMENTWISE
        },
    ];

    const FAST: &'static [FastRow<Self>] = &[FastRow { fits: |_| fused(), ..FastRow::new("gemm", fast) }];

    fn kind(&self) -> &'static str {
        "matmul"
    }

    fn args(&self) -> Vec<ArgSpec> {
        let Matmul(s) = self;
        vec![read("a", &[s.m, s.k]), read("b", &[s.k, s.n]), s.partial(0)]
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
        matmul(&self.0, a, b, partial);
        Ok(())
    }

    fn title(&self) -> String {
        self.0.title()
    }

    fn cases() -> Vec<Case<Self>> {
        cases(Matmul, [[64, 64, 5408], [64, 10, 64]], [31, 28, 60])
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        trial.sum_of_products(trial.case.op.0.split().range(0).len())
    }
}

fn fast(
    Matmul(s): &Matmul,
    _: &BatchParams,
    args: &mut [Arg<'_, f32>],
    _: &mut Scratch,
) -> Result<(), OtherArguments> {
    let [Arg::In(a), Arg::In(b), Arg::Out(partial)] = args else { return Err(OtherArguments) };
    let a = Matrix { values: a, row: s.k, column: 1 };
    let b = Matrix { values: b, row: s.n, column: 1 };
    in_parts(s, a, b, partial);
    Ok(())
}

pub(in crate::ops) fn matmul<T: Real>(s: &MatmulShape, a: &[T], b: &[T], partial: &mut [T]) {
    let split = s.split();
    each_piece(partial, s.n, &|row, c| {
        let (part, i) = (row / s.m, row % s.m);
        c.fill(T::zero());
        for t in split.range(part) {
            let a = a[i * s.k + t];
            for (c, &b) in c.iter_mut().zip(&b[t * s.n..][..s.n]) {
                *c += a * b;
            }
        }
    });
}
