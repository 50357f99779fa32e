//! Products of matrices for fast rows.

use std::ops::Range;

use gemm_common::Parallelism;
use gemm_f32::gemm::f32::get_gemm_fn;

use super::by_column::{LINE, line};
use super::wide::{Loops, wide};

/// A matrix in a slice of floats: element `(i, j)` is `values[i * row + j * column]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Matrix<'a> {
    /// The floats, from element `(0, 0)` on.
    pub(crate) values: &'a [f32],
    /// From row to row.
    pub(crate) row: usize,
    /// From column to column.
    pub(crate) column: usize,
}

/// Where a product goes: rows of neighbours, so many floats apart.
#[derive(Debug)]
pub(crate) struct Target<'a> {
    /// The floats, from element `(0, 0)` on.
    pub(crate) values: &'a mut [f32],
    /// From row to row.
    pub(crate) row: usize,
    /// Whether the product is added to what is there.
    pub(crate) add: bool,
}

/// Most terms of a sum that are added up at once. The library cuts sums by the size of the processor's caches, but none of so
/// many terms; longer ones are cut here, so that they are cut alike everywhere.
pub(crate) const TERMS: usize = 512;

/// For products of so many outputs, or fewer, the library has ways of its own, whose order depends on the width of vectors.
const FEW: usize = 256;

/// Whether this processor rounds a product and its sum once, which is what all bits of [`product`] rest on.
pub(crate) fn fused() -> bool {
    !matches!(pulp::Arch::new(), pulp::Arch::Scalar)
}

/// Cuts so many terms into ranges of at most [`TERMS`], all of nearly the same length.
pub(crate) fn cut(terms: usize) -> impl Iterator<Item = Range<usize>> + Clone {
    let length = terms.div_ceil(terms.div_ceil(TERMS).max(1)).max(1);
    (0..terms).step_by(length).map(move |first| first..(first + length).min(terms))
}

/// `c = a b`, where a is `[m, k]`, b `[k, n]` and c `[m, n]`, on this thread.
///
/// Every element is one chain of fused multiply-adds over each range of [`cut`], the sums of the ranges added up in order, whatever
/// the other sizes: a sample's outputs do not depend on its batch.
pub(crate) fn product([m, n, k]: [usize; 3], a: Matrix<'_>, b: Matrix<'_>, c: Target<'_>) {
    if m == 0 || n == 0 {
        return;
    }
    let Target { values: c, row, add } = c;
    if !add && k == 0 {
        c.chunks_mut(row).take(m).for_each(|c| c[..n].fill(0.0));
    }
    for terms in cut(k) {
        let add = add || terms.start > 0;
        let (a, b) = (a.from([0, terms.start]), b.from([terms.start, 0]));
        let sizes = [m, n, terms.len()];
        if m == 1 || n == 1 || terms.len() <= 2 || m * n <= FEW {
            wide(Small { sizes, a, b, c: Target { values: &mut *c, row, add } });
        } else {
            large(sizes, a, b, Target { values: &mut *c, row, add });
        }
    }
}

impl<'a> Matrix<'a> {
    /// The part from this element on.
    pub(crate) fn from(self, [i, j]: [usize; 2]) -> Self {
        Matrix { values: &self.values[i * self.row + j * self.column..], ..self }
    }

    /// The floats of so many rows and columns, and no more.
    fn checked(&self, [rows, columns]: [usize; 2]) -> &'a [f32] {
        &self.values[..=(rows - 1) * self.row + (columns - 1) * self.column]
    }
}

/// The chains of the library, for products that it would compute otherwise.
struct Small<'a> {
    sizes: [usize; 3],
    a: Matrix<'a>,
    b: Matrix<'a>,
    c: Target<'a>,
}

impl Loops for Small<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Small { sizes: [m, n, k], a, b, c } = self;
        for i in 0..m {
            let to = &mut c.values[i * c.row..][..n];
            for (block, to) in to.chunks_mut(LINE).enumerate() {
                let j = block * LINE;
                let mut sums = [0.0; LINE];
                for t in 0..k {
                    let factor = a.values[i * a.row + t * a.column];
                    if to.len() == LINE && b.column == 1 {
                        let b = line(b.values, t * b.row + j);
                        sums = std::array::from_fn(|at| f32::mul_add(factor, b[at], sums[at]));
                        continue;
                    }
                    for (j, sum) in (j..j + to.len()).zip(&mut sums) {
                        *sum = factor.mul_add(b.values[t * b.row + j * b.column], *sum);
                    }
                }
                for (to, sum) in to.iter_mut().zip(sums) {
                    *to = if c.add { *to + sum } else { sum };
                }
            }
        }
    }
}

fn large([m, n, k]: [usize; 3], a: Matrix<'_>, b: Matrix<'_>, c: Target<'_>) {
    let (left, right) = (b.checked([k, n]), a.checked([m, k]));
    let to = &mut c.values[..=(m - 1) * c.row + n - 1];
    // The library prefers columns of neighbours, so it is given all three transposed: `c^T = b^T a^T`.
    // SAFETY: the three slices reach from the first to the last element that these sizes and distances lead to, as their ends
    // above were found; `to` is borrowed alone, and no other thread works here.
    unsafe {
        get_gemm_fn()(
            n,
            m,
            k,
            to.as_mut_ptr(),
            c.row as isize,
            1,
            c.add,
            left.as_ptr(),
            b.row as isize,
            b.column as isize,
            right.as_ptr(),
            a.row as isize,
            a.column as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Stream};

    fn numbers(len: usize) -> Vec<f32> {
        let mut stream = Stream::new(len as u64, Purpose::Benchmark, 0);
        (0..len).map(|_| stream.next_u32() as f32 / 2.0_f32.powi(31) - 1.0).collect()
    }

    /// What [`product`] says of itself: no word of blocks, vectors or caches.
    fn by_definition([m, n, k]: [usize; 3], a: Matrix<'_>, b: Matrix<'_>, add: Option<&[f32]>) -> Vec<f32> {
        let element = |i: usize, j: usize| {
            let mut sum = add.map(|c| c[i * n + j]);
            for terms in cut(k) {
                let factors = terms
                    .clone()
                    .map(|t| [a.values[i * a.row + t * a.column], b.values[t * b.row + j * b.column]]);
                let chain = factors.fold(0.0, |sum: f32, [a, b]: [f32; 2]| a.mul_add(b, sum));
                sum = Some(sum.map_or(chain, |before| before + chain));
            }
            sum.unwrap_or(0.0)
        };
        (0..m).flat_map(|i| (0..n).map(move |j| (i, j))).map(|(i, j)| element(i, j)).collect()
    }

    /// Sizes for whole and partial tiles of every kernel, few and many terms, either factor lying either way.
    #[test]
    fn every_element_is_one_chain_of_its_own() {
        if !fused() {
            return;
        }
        for m in [1, 2, 3, 17, 64, 65, 131, 600] {
            for n in [1, 2, 8, 10, 16, 17, 33, 64, 100, 144] {
                for k in [1, 2, 3, 27, 64, 144, 512, 513, 1100] {
                    if m * n * k > 400_000 {
                        continue;
                    }
                    let (a, b, before) = (numbers(m * k), numbers(k * n), numbers(m * n));
                    for [down_a, down_b] in [[false, false], [false, true], [true, false], [true, true]] {
                        let matrix = |values, rows, columns, down| match down {
                            true => Matrix { values, row: 1, column: rows },
                            false => Matrix { values, row: columns, column: 1 },
                        };
                        let (a, b) = (matrix(&a, m, k, down_a), matrix(&b, k, n, down_b));
                        // Rows of c next to one another, and apart as those of a group are.
                        for (add, row) in [(false, n), (true, n), (false, n + 5), (true, n + 5)] {
                            let mut c = vec![7.0; (m - 1) * row + n];
                            c.chunks_mut(row)
                                .zip(before.chunks(n))
                                .for_each(|(c, b)| c[..n].copy_from_slice(b));
                            product([m, n, k], a, b, Target { values: &mut c, row, add });
                            let c: Vec<f32> = c.chunks(row).flat_map(|c| &c[..n]).copied().collect();
                            let expected = by_definition([m, n, k], a, b, add.then_some(&before[..]));
                            let bits = |c: &[f32]| c.iter().map(|c| c.to_bits()).collect::<Vec<_>>();
                            assert!(
                                bits(&c) == bits(&expected),
                                "{m}x{n}, {k} terms, transposed {down_a} {down_b}, added {add}, {row} apart"
                            );
                        }
                    }
                }
            }
        }
    }
}
