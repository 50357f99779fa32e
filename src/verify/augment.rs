//! Bounds of augmented images.

use super::Case;
use super::tolerance::{FLUSHED, ULP};
use crate::plan::AugmentShape;

/// Roundings of a place: two products, two sums, and the clamp that moves it by none.
const PLACE: f64 = 4.0 * ULP;
/// Roundings of a value between four pixels: two shares, their products with pixels and with each other, two sums.
const BLEND: f64 = 8.0 * ULP;

/// Of an element that is blended from four pixels at a place that is itself rounded. The blend is continuous in the place,
/// also at the edge, where what is outside counts as 0; its slope is no more than the difference of two pixels.
pub(super) fn augment_bounds(s: &AugmentShape, case: &Case, transforms: &[f32], source: &[f32]) -> Vec<f64> {
    let image = s.height * s.width * s.channels;
    if case.step.training == 0 {
        return vec![0.0; source.len()];
    }
    let mut bounds = vec![0.0; source.len()];
    for (n, (bounds, source)) in bounds.chunks_mut(image).zip(source.chunks(image)).enumerate() {
        if n >= case.step.batch_size as usize {
            break;
        }
        let largest = source.iter().fold(0.0, |largest: f64, &value| largest.max(f64::from(value).abs()));
        let t: Vec<f64> = transforms[(case.step.position as usize + n) * AugmentShape::TRANSFORM..]
            .iter()
            .take(AugmentShape::TRANSFORM)
            .map(|&value| f64::from(value))
            .collect();
        for (at, bound) in bounds.iter_mut().enumerate() {
            let (j, i) = ((at / s.channels % s.width) as f64, (at / (s.channels * s.width)) as f64);
            let off = |line: &[f64]| PLACE * ((line[0] * i).abs() + (line[1] * j).abs() + line[2].abs());
            let [off_y, off_x] = [off(&t[..3]), off(&t[3..6])];
            let outside = |line: &[f64], off: f64, size: usize| {
                let place = line[0] * i + line[1] * j + line[2];
                place + off < -1.0 || place - off > size as f64
            };
            let nothing = outside(&t[..3], off_y, s.height) || outside(&t[3..6], off_x, s.width);
            let blend = if nothing { 0.0 } else { (off_y + off_x) * 2.0 * largest + BLEND * largest };
            // The largest sum of 8 halves, less its mean.
            let noise = f64::from(s.noise) * 8.0 * 32_767.5;
            let added = if s.noise > 0.0 { 2.0 * ULP * (noise + largest) } else { 0.0 };
            *bound = blend + added + FLUSHED;
        }
    }
    bounds
}
