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

#[cfg(test)]
mod tests {
    use super::*;

    const STDDEV: f64 = 0.25;
    const SHAPE: [usize; 4] = [8, 20, 20, 2];

    /// What is added to black images that are not moved, by the training step with this number.
    fn noise(step: u32, seed: u32) -> Vec<f64> {
        let s = AugmentShape::new(SHAPE, STDDEV);
        let params = StepParams { batch_size: 8, training: 1, step, seed_low: seed, ..StepParams::default() };
        let still = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0].repeat(SHAPE[0]);
        let mut x = vec![0.0; SHAPE.iter().product()];
        augment_images(&s, &params, &still, &vec![0.0; x.len()], &mut x);
        x
    }

    fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
        let count = values.len() as f64;
        values.sum::<f64>() / count
    }

    /// The sum of 8 uniform variables has variance 1, when it is scaled so, the fourth moment 3 - 1.2 / 8, and ends at
    /// sqrt(24). Each moment is within 5 of its deviations.
    #[test]
    fn noise_has_the_moments_of_a_sum_of_eight() {
        let all: Vec<f64> = (0..10).flat_map(|step| noise(step, 3)).map(|x| x / STDDEV).collect();
        let off = |deviation: f64| 5.0 * deviation / (all.len() as f64).sqrt();
        let moment = |power: i32| mean(all.iter().map(|x| x.powi(power)));
        let fourth = 3.0 - 1.2 / 8.0;
        assert!(moment(1).abs() < off(1.0), "mean {}", moment(1));
        assert!((moment(2) - 1.0).abs() < off((fourth - 1.0f64).sqrt()), "variance {}", moment(2));
        // The third has variance E x^6, which for a normal variable is 15 and here less; the fourth E x^8, less than 105.
        assert!(moment(3).abs() < off(15f64.sqrt()), "skewness {}", moment(3));
        assert!((moment(4) - fourth).abs() < off(105f64.sqrt()), "fourth moment {}", moment(4));
        let most = all.iter().fold(0.0f64, |most, x| most.max(x.abs()));
        assert!((3.5..24f64.sqrt()).contains(&most), "{most}");
    }

    /// Neighbours, channels, images, steps (and so epochs) and seeds have nothing to do with each other.
    #[test]
    fn noise_is_independent() {
        let first = noise(4, 3);
        let image = first.len() / SHAPE[0];
        let [next_step, far_step, other_seed] = [noise(5, 3), noise(9_999, 3), noise(4, 4)];
        let rows = [
            ("the next element", &first[1..]),
            ("the next pixel", &first[SHAPE[3]..]),
            ("the next row", &first[SHAPE[2] * SHAPE[3]..]),
            ("the next image", &first[image..]),
            ("the next step", &next_step),
            ("a step of another epoch", &far_step),
            ("another seed", &other_seed),
        ];
        for (what, other) in rows {
            let products = first.iter().zip(other).map(|(x, y)| x * y / STDDEV.powi(2));
            let correlation = mean(products.collect::<Vec<_>>().into_iter());
            assert!(correlation.abs() < 5.0 / (other.len() as f64).sqrt(), "{what}: {correlation}");
            assert!(first.iter().zip(other).filter(|(x, y)| x == y).count() < 5, "{what}: equal elements");
        }
    }
}
