use rayon::prelude::*;

use super::Real;

/// `y = y where y > 0, else slope * y`, in place. y `[len]`.
pub fn leaky_relu_forward<T: Real>(slope: f32, y: &mut [T]) {
    let slope = T::of(f64::from(slope));
    y.par_iter_mut().with_min_len(4096).for_each(|y| {
        if *y <= T::zero() {
            *y *= slope;
        }
    });
}
