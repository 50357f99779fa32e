use rayon::prelude::*;

use super::Real;
use crate::plan::{StepParams, image_stride};

/// `x[i, p] = scale[images[order[first + i], p]]` for `i < batch_size`, else 0.
///
/// Images `[samples, image_stride(pixels)]` bytes, order `[_]`, scale `[256]`, x `[batch, pixels]`.
pub fn gather_images<T: Real>(
    pixels: usize,
    step: &StepParams,
    images: &[u8],
    order: &[u32],
    scale: &[T],
    x: &mut [T],
) {
    let stride = image_stride(pixels);
    x.par_chunks_mut(pixels).enumerate().for_each(|(i, row)| {
        if i >= step.batch_size as usize {
            row.fill(T::zero());
            return;
        }
        let sample = order[step.first as usize + i] as usize;
        let image = &images[sample * stride..][..pixels];
        for (value, &byte) in row.iter_mut().zip(image) {
            *value = scale[byte as usize];
        }
    });
}
