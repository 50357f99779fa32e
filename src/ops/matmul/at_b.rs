use super::fast::in_parts;
use super::shape::{MatmulShape, cases, product_rows, tile};
use crate::ops::kit::*;

/// `a^T b`, in parts; with `bias`, as if a had a column of ones after its last, so that the sums of b follow.
///
/// `c[i, j] = sum_t a[t, i] * b[t, j]`, in parts: `partial[s]` is the sum over the `s`-th range of `t` ([`MatmulShape::split`]).
///
/// With `bias`, a row follows that a column of ones after the last of a would give: `c[m, j] = sum_t b[t, j]`.
///
/// a `[k, m]`, b `[k, n]`, partial `[parts, m, n]`, or `[parts, m + 1, n]` with `bias`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MatmulAtB {
    /// The sizes.
    pub product: MatmulShape,
    /// Whether the sums of b follow.
    pub bias: bool,
}

/// Vec4s of rows, and of columns, of one invocation.
const TILE: [usize; 2] = [4, 4];

impl OpKind for MatmulAtB {
    const ROWS: &'static [Row<Self>] = &[
        Row {
            source: shader!("dense/matmul_at_b_workgroup.wgsl"),
            fits: |op| op.product.m.is_multiple_of(4) && op.product.n.is_multiple_of(4),
            product: Some(|op| op.product.by_teams(usize::from(op.bias))),
            ..Row::WORKGROUP
        },
        Row {
            source: shader!("lanes/matmul_at_b_block.wgsl"),
            elements: &[Element::EightF32; 3],
            lanes: Some(ByLanes {
                tile: |op, _| across_tile(product_rows(op.rows()), 1),
                fits: |op, _| {
                    let eights = op.product.m.is_multiple_of(EIGHTS) && op.product.n.is_multiple_of(EIGHTS);
                    eights && op.product.whole_blocks()
                },
                invocations: |op, lanes| {
                    let rows = product_rows(op.rows());
                    blocks([op.rows(), op.product.n], rows, op.product.split().parts, lanes)
                },
            }),
            ..Row::BLOCK
        },
        Row {
            source: shader!("dense/matmul_at_b_tile.wgsl"),
            elements: &[Element::Vec4F32; 3],
            tile: |_| tile(TILE),
            fits: |op| op.product.m.is_multiple_of(4) && op.product.n.is_multiple_of(4),
            invocations: |op, _| {
                tiles([op.rows().div_ceil(4), op.product.n / 4], TILE) * op.product.split().parts
            },
            ..Row::TILE
        },
        Row {
            source: shader!("dense/matmul_at_b.wgsl"),
            elements: &[Element::F32, Element::Real, Element::Real],
            by_four: Some(|op| op.product.n.is_multiple_of(4)),
            ..Row::ELEMENTWISE
        },
    ];

    const FAST: &'static [FastRow<Self>] =
        &[FastRow { fits: |op| fused() && !op.bias, ..FastRow::new("gemm", fast) }];

    fn kind(&self) -> &'static str {
        "matmul_at_b"
    }

    fn args(&self) -> Vec<ArgSpec> {
        let MatmulAtB { product: s, bias } = self;
        vec![read("a", &[s.k, s.m]), read("b", &[s.k, s.n]), s.partial(usize::from(*bias))]
    }

    fn split(&self) -> Option<Split> {
        Some(self.product.split())
    }

    fn flops(&self) -> usize {
        (2 * self.product.m + usize::from(self.bias)) * self.product.n * self.product.k
    }

    fn longest_loop(&self) -> usize {
        self.product.split().terms_per_part
    }

    fn constants(&self) -> Constants {
        [self.product.constants(), constants! { "OUT_M" => self.rows() }].concat()
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, _: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(a), Arg::In(b), Arg::Out(partial)] = args else { return Err(OtherArguments) };
        matmul_at_b(&self.product, self.bias, a, b, partial);
        Ok(())
    }

    fn title(&self) -> String {
        let bias = if self.bias { ", bias" } else { "" };
        format!("{}{bias}", self.product.title())
    }

    fn cases() -> Vec<Case<Self>> {
        let plain = |product| MatmulAtB { product, bias: false };
        let mut table = cases(plain, [[5408, 64, 64], [64, 10, 64]], [28, 60, 31]);
        // With a row of sums: the tutorial's layer, rows that fill the last tile and that need one more, several parts.
        let biased = |m, n, k| Case::of(MatmulAtB { product: MatmulShape { m, n, k }, bias: true });
        table.extend([
            biased(5408, 64, 64),
            biased(1, 1, 1),
            biased(3, 5, 7),
            biased(32, 36, 9),
            biased(130, 12, 2052),
            biased(96, 28, 1100),
            biased(9, 8, 70_004).with(Numbers::Eighths),
            biased(268, 136, 5).folded(),
            biased(264, 136, 5).folded(),
            // Rows in eights: one more for the bias in the last tile and in one of its own, several blocks to a part.
            biased(8, 8, 3),
            biased(128, 24, 200),
            biased(104, 40, 1100),
            biased(67, 33, 6).folded(),
        ]);
        table
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        trial.sum_of_products(trial.case.op.product.split().range(0).len())
    }
}

impl MatmulAtB {
    /// Rows of the result.
    fn rows(&self) -> usize {
        self.product.m + usize::from(self.bias)
    }
}

fn fast(
    op: &MatmulAtB,
    _: &BatchParams,
    args: &mut [Arg<'_, f32>],
    _: &mut Scratch,
) -> Result<(), OtherArguments> {
    let [Arg::In(a), Arg::In(b), Arg::Out(partial)] = args else { return Err(OtherArguments) };
    let a = Matrix { values: a, row: 1, column: op.product.m };
    let b = Matrix { values: b, row: op.product.n, column: 1 };
    in_parts(&op.product, a, b, partial);
    Ok(())
}

pub(in crate::ops) fn matmul_at_b<T: Real>(s: &MatmulShape, bias: bool, a: &[T], b: &[T], partial: &mut [T]) {
    let split = s.split();
    each_piece(partial, s.n, &|row, c| {
        let rows = s.m + usize::from(bias);
        let (part, i) = (row / rows, row % rows);
        c.fill(T::zero());
        for t in split.range(part) {
            let a = if i < s.m { a[t * s.m + i] } else { T::one() };
            for (c, &b) in c.iter_mut().zip(&b[t * s.n..][..s.n]) {
                *c += a * b;
            }
        }
    });
}
