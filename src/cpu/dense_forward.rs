use super::Real;
use super::matmul::matmul;
use super::sum_partials_bias::sum_partials_bias;
use crate::plan::MatmulShape;

/// `y = x kernel + bias`, and `max(y, 0)` where ReLU is asked for: [`matmul`], [`sum_partials_bias`].
///
/// x `[m, k]`, kernel `[k, n]`, bias `[n]`, y `[m, n]`.
pub fn dense_forward<T: Real>(s: &MatmulShape, relu: bool, x: &[T], kernel: &[T], bias: &[T], y: &mut [T]) {
    let mut partial = vec![T::zero(); s.split().parts * s.m * s.n];
    matmul(s, x, kernel, &mut partial);
    sum_partials_bias(relu, &partial, bias, y);
}
