use rayon::prelude::*;

use super::Real;
use crate::plan::{AugmentShape, StepParams};
use crate::random::{Purpose, philox4x32};

/// `x[n, i, j, c] = sum_{u, v in {0, 1}} w_u(y) w_v(x) source[n, floor(y) + u, floor(x) + v, c] + noise * draw[n, i, j, c]`,
/// where `(y, x)` is the place that the image's transform ([`crate::data::Transform`]) gives for `(i, j)`,
/// `w_1(y) = y - floor(y)`, `w_0 = 1 - w_1`, and source is 0 outside. Rows past the batch's size are zero; outside
/// training x is source.
///
/// transforms `[samples of the pass, 8]`, source and x `[batch, height, width, channels]`.
pub fn augment_images<T: Real>(
    s: &AugmentShape,
    step: &StepParams,
    transforms: &[T],
    source: &[T],
    x: &mut [T],
) {
    if step.training == 0 {
        x.copy_from_slice(source);
        return;
    }
    let [height, width] = [s.height, s.width];
    let image = height * width * s.channels;
    x.par_chunks_mut(image).zip(source.par_chunks(image)).enumerate().for_each(|(n, (x, source))| {
        if n >= step.batch_size as usize {
            x.fill(T::zero());
            return;
        }
        let t =
            &transforms[(step.position as usize + n) * AugmentShape::TRANSFORM..][..AugmentShape::TRANSFORM];
        let pixel = |h: i64, w: i64, c: usize| {
            let inside = (0..height as i64).contains(&h) && (0..width as i64).contains(&w);
            if inside { source[(h as usize * width + w as usize) * s.channels + c] } else { T::zero() }
        };
        for (at, x) in x.iter_mut().enumerate() {
            let (c, j, i) = (at % s.channels, at / s.channels % width, at / (s.channels * width));
            let [i, j] = [i, j].map(|place| T::of(place as f64));
            let (h, down) = parts(t[0] * i + t[1] * j + t[2], height);
            let (w, right) = parts(t[3] * i + t[4] * j + t[5], width);
            let (up, left) = (T::of(1.0) - down, T::of(1.0) - right);
            *x = up * (left * pixel(h, w, c) + right * pixel(h, w + 1, c))
                + down * (left * pixel(h + 1, w, c) + right * pixel(h + 1, w + 1, c));
            if s.noise > 0.0 {
                *x += T::of(f64::from(s.noise)) * draw(step, n * image + at);
            }
        }
    });
}

/// A place as the pixel before it and the share of the one after; places far outside are as good as some just outside.
fn parts<T: Real>(place: T, size: usize) -> (i64, T) {
    let place = place.max(T::of(-2.0)).min(T::of(size as f64 + 1.0));
    let before = place.floor();
    (before.f64() as i64, place - before)
}

/// The sum of the 8 halves of a block of the generator, less its mean: exact.
fn draw<T: Real>(step: &StepParams, element: usize) -> T {
    let counter = [element as u32, 0, step.step, Purpose::Noise as u32];
    let words = philox4x32(counter, [step.seed_low, step.seed_high]);
    let sum: u32 = words.iter().map(|word| (word & 0xFFFF) + (word >> 16)).sum();
    T::of(f64::from(sum) - 8.0 * 32_767.5)
}
