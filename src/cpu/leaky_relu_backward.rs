use rayon::prelude::*;

use super::Real;

/// `dy = dy where y > 0, else slope * dy`, in place; y is the layer's output, whose sign is its input's, since no slope is
/// negative. The derivative at 0 is the slope, as in TensorFlow.
///
/// y and dy `[len]`.
pub fn leaky_relu_backward<T: Real>(slope: f32, y: &[T], dy: &mut [T]) {
    let slope = T::of(f64::from(slope));
    dy.par_iter_mut().with_min_len(4096).zip(y).for_each(|(dy, &y)| {
        if y <= T::zero() {
            *dy *= slope;
        }
    });
}
