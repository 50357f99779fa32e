use super::Real;
use super::matmul_a_bt::matmul_a_bt;
use super::matmul_at_b::matmul_at_b;
use super::relu_backward::relu_backward;
use super::sum_partials::sum_partials;
use crate::plan::MatmulShape;

/// Gradients of a dense layer whose forward product is `s`: `gradient = x^T dy`, with the sums of dy for the bias as its
/// last row, and `dx = dy kernel^T`, where x > 0 if x came out of ReLU. [`matmul_at_b`], [`matmul_a_bt`],
/// [`relu_backward`].
///
/// x and dx `[m, k]`, kernel `[k, n]`, dy `[m, n]`, gradient `[k + 1, n]`.
pub fn dense_backward<T: Real>(
    s: &MatmulShape,
    relu: bool,
    x: &[T],
    kernel: &[T],
    dy: &[T],
    gradient: &mut [T],
    dx: &mut [T],
) {
    let of_kernel = MatmulShape { m: s.k, n: s.n, k: s.m };
    let mut partial = vec![T::zero(); of_kernel.split().parts * gradient.len()];
    matmul_at_b(&of_kernel, true, x, dy, &mut partial);
    sum_partials(&partial, gradient);
    let of_input = MatmulShape { m: s.m, n: s.k, k: s.n };
    let mut partial = vec![T::zero(); of_input.split().parts * dx.len()];
    matmul_a_bt(&of_input, dy, kernel, &mut partial);
    sum_partials(&partial, dx);
    if relu {
        relu_backward(x, dx);
    }
}
