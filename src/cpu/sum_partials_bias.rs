use super::Real;
use super::bias_add::bias_add;
use super::relu_forward::relu_forward;
use super::sum_partials::sum_partials;

/// [`sum_partials`], [`bias_add`], and [`relu_forward`] where asked for.
///
/// partial `[parts, rows, columns]`, bias `[columns]`, y `[rows, columns]`.
pub fn sum_partials_bias<T: Real>(relu: bool, partial: &[T], bias: &[T], y: &mut [T]) {
    sum_partials(partial, y);
    bias_add(bias, y);
    if relu {
        relu_forward(y);
    }
}
