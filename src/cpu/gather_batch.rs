use super::Real;
use super::gather_images::gather_images;
use super::one_hot::one_hot;
use crate::executor::byte_scale;
use crate::plan::StepParams;

/// [`gather_images`] with a scale of `b / 255`, and [`one_hot`].
pub fn gather_batch<T: Real>(
    [pixels, classes]: [usize; 2],
    step: &StepParams,
    [images, labels]: [&[u8]; 2],
    order: &[u32],
    x: &mut [T],
    target: &mut [T],
) {
    let scale = byte_scale().map(|quotient| T::of(f64::from(quotient)));
    gather_images(pixels, step, images, order, &scale, x);
    one_hot(classes, step, labels, order, target);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `gather_batch.wgsl` computes in place of a division, its sum fused with a product or not.
    #[test]
    fn the_shaders_sum_is_the_quotient_of_every_byte() {
        for (byte, expected) in (0u32..).zip(byte_scale()) {
            let whole = (byte * 65_793) as f32 * (-24f32).exp2();
            let (b, small) = (byte as f32, (-24f32).exp2() / 255.0);
            let sums = [whole + b * small, b.mul_add(small, whole)];
            assert_eq!(sums.map(f32::to_bits), [expected.to_bits(); 2], "{byte}");
        }
    }
}
