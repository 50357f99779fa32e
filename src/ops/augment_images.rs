use super::kit::*;
use crate::data::{Augmentation, TRANSFORM};
use crate::random::{Purpose, philox4x32};

/// Sizes of a batch of images that are augmented, `[batch, height, width, channels]`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the sizes are named above")]
pub struct AugmentShape {
    pub batch: usize,
    pub height: usize,
    pub width: usize,
    pub channels: usize,
    /// What the sum of a block's halves, less its mean, is multiplied with; 0 for no noise.
    pub noise: f32,
}

impl AugmentShape {
    /// Floats of the transform of an image.
    pub const TRANSFORM: usize = crate::data::TRANSFORM;

    /// With noise of this standard deviation: that of the sum of 8 uniform integers of 16 bits is 53,509.5.
    pub fn new([batch, height, width, channels]: [usize; 4], noise_stddev: f64) -> Self {
        let variance = 8.0 * (65_536f64.powi(2) - 1.0) / 12.0;
        AugmentShape { batch, height, width, channels, noise: (noise_stddev / variance.sqrt()) as f32 }
    }

    /// Dimensions of the images.
    pub fn x(&self) -> Vec<usize> {
        vec![self.batch, self.height, self.width, self.channels]
    }
}

/// Each image seen through a transform of its own, and noise, in training:
/// `x[n, i, j, c] = sum_{u, v in {0, 1}} w_u(y) w_v(x) source[n, floor(y) + u, floor(x) + v, c] + noise * draw[n, i, j, c]`,
/// where `(y, x)` is the place that the image's transform ([`crate::data::Transform`]) gives for `(i, j)`,
/// `w_1(y) = y - floor(y)`, `w_0 = 1 - w_1`, and source is 0 outside. Rows past the batch's size are zero; outside
/// training x is source.
///
/// transforms `[samples of the pass, 8]`, source and x `[batch, height, width, channels]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AugmentImages(pub AugmentShape);

impl OpKind for AugmentImages {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("data/augment_images.wgsl"),
        elements: &[Element::Vec4F32, Element::F32, Element::F32],
        reads_batch: true,
        ..Row::SCALAR
    }];

    fn kind(&self) -> &'static str {
        "augment_images"
    }

    fn args(&self) -> Vec<ArgSpec> {
        let x = self.0.x();
        let transforms = read("transforms", &[DATA, AugmentShape::TRANSFORM]).by(Extent::Transforms);
        vec![transforms, read("source", &x), written("x", &x)]
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        self.0.x().iter().product::<usize>() * (21 + if self.0.noise > 0.0 { 2 } else { 0 })
    }

    fn longest_loop(&self) -> usize {
        0
    }

    fn constants(&self) -> Constants {
        let AugmentImages(s) = self;
        constants! {
            "HEIGHT" => s.height,
            "WIDTH_PIXELS" => s.width,
            "CHANNELS" => s.channels,
            "NOISY" => s.noise > 0.0,
            "NOISE" => s.noise,
            "PURPOSE_NOISE" => Purpose::Noise as usize,
        }
    }

    fn samples(&self) -> Option<usize> {
        Some(self.0.batch)
    }

    fn twin<T: Real>(&self, batch: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(transforms), Arg::In(source), Arg::Out(x)] = args else { return Err(OtherArguments) };
        augment_images(&self.0, batch, transforms, source, x);
        Ok(())
    }

    fn title(&self) -> String {
        let noise = if self.0.noise > 0.0 { ", noise" } else { "" };
        format!("x {:?}{noise}", self.0.x())
    }

    fn cases() -> Vec<Case<Self>> {
        let plain = |x, noise| Case::of(AugmentImages(AugmentShape::new(x, noise)));
        let augment = |x, noise| plain(x, noise).training(9);
        vec![
            augment([64, 28, 28, 1], 0.0),
            augment([64, 28, 28, 1], 0.1).batch(23, 640, 3),
            augment([1, 1, 1, 1], 0.5),
            augment([7, 3, 9, 3], 0.1).batch(4, 9, 0),
            augment([6, 32, 32, 3], 0.0).folded(),
            augment([5, 13, 11, 2], 0.3).folded(),
            plain([5, 13, 11, 2], 0.1),
        ]
    }

    fn input(draw: &mut Draw<'_, Self>) -> Values {
        match draw.spec.name {
            "transforms" => Values::Floats(transforms(draw)),
            _ => draw.plain(),
        }
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        let Case { op, batch, .. } = trial.case;
        let bounds = augment_bounds(&op.0, batch, trial.floats(0), trial.floats(1));
        Ok(trial.last(Bound::Each(bounds)))
    }
}

fn augment_images<T: Real>(
    s: &AugmentShape,
    batch: &BatchParams,
    transforms: &[T],
    source: &[T],
    x: &mut [T],
) {
    if batch.training == 0 {
        x.copy_from_slice(source);
        return;
    }
    let [height, width] = [s.height, s.width];
    let image = height * width * s.channels;
    each_piece_by(x, image, source, image, &|n, x, source| {
        if n >= batch.batch_size as usize {
            x.fill(T::zero());
            return;
        }
        let t =
            &transforms[(batch.position as usize + n) * AugmentShape::TRANSFORM..][..AugmentShape::TRANSFORM];
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
                *x += T::of(f64::from(s.noise)) * draw(batch, n * image + at);
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
fn draw<T: Real>(batch: &BatchParams, element: usize) -> T {
    let counter = [element as u32, 0, batch.number, Purpose::Noise as u32];
    let words = philox4x32(counter, [batch.seed_low, batch.seed_high]);
    let sum: u32 = words.iter().map(|word| (word & 0xFFFF) + (word >> 16)).sum();
    T::of(f64::from(sum) - 8.0 * 32_767.5)
}

/// Transforms as training draws them, and by turns one that changes nothing, one that lies at halves of pixels, and one
/// from far outside; what is not read is hostile.
fn transforms(draw: &mut Draw<'_, AugmentImages>) -> Vec<f32> {
    let AugmentImages(s) = draw.case.op;
    let batch = &draw.case.batch;
    let settings = Augmentation {
        rotation_range: 180.0,
        height_shift_range: 0.5,
        width_shift_range: 0.5,
        shear_range: 30.0,
        zoom_range: 0.5,
        noise_stddev: 0.0,
    };
    let order: Vec<u32> = (0..(draw.len / TRANSFORM) as u32).collect();
    let mut drawn = settings.transforms(1, draw.stream.below(100) as usize, &order, [s.height, s.width]);
    let read = batch.position as usize..(batch.position + batch.batch_size) as usize;
    for (at, t) in drawn.iter_mut().enumerate() {
        if !read.contains(&at) {
            t.fill(HOSTILE_F32);
            continue;
        }
        match at % 5 {
            1 => *t = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, HOSTILE_F32, HOSTILE_F32],
            2 => *t = [1.0, 0.0, 0.5, 0.0, 1.0, -1.5, HOSTILE_F32, HOSTILE_F32],
            3 => *t = [0.0, 0.0, -1e9, 1e-3, -1.0, 1e9, HOSTILE_F32, HOSTILE_F32],
            _ => t[6..].fill(HOSTILE_F32),
        }
    }
    drawn.as_flattened().to_vec()
}

/// Roundings of a place: two products, two sums, and the clamp that moves it by none.
const PLACE: f64 = 4.0 * ULP;
/// Roundings of a value between four pixels: two shares, their products with pixels and with each other, two sums.
const BLEND: f64 = 8.0 * ULP;

/// Of an element that is blended from four pixels at a place that is itself rounded. The blend is continuous in the place,
/// also at the edge, where what is outside counts as 0; its slope is no more than the difference of two pixels.
fn augment_bounds(s: &AugmentShape, batch: &BatchParams, transforms: &[f32], source: &[f32]) -> Vec<f64> {
    let image = s.height * s.width * s.channels;
    if batch.training == 0 {
        return vec![0.0; source.len()];
    }
    let mut bounds = vec![0.0; source.len()];
    for (n, (bounds, source)) in bounds.chunks_mut(image).zip(source.chunks(image)).enumerate() {
        if n >= batch.batch_size as usize {
            break;
        }
        let largest = source.iter().fold(0.0, |largest: f64, &value| largest.max(f64::from(value).abs()));
        let t: Vec<f64> = transforms[(batch.position as usize + n) * AugmentShape::TRANSFORM..]
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

#[cfg(test)]
mod tests {
    use super::*;

    const STDDEV: f64 = 0.25;
    const SHAPE: [usize; 4] = [8, 20, 20, 2];

    /// What is added to black images that are not moved, by the training step with this number.
    fn noise(step: u32, seed: u32) -> Vec<f64> {
        let s = AugmentShape::new(SHAPE, STDDEV);
        let params = BatchParams {
            batch_size: 8,
            training: 1,
            number: step,
            seed_low: seed,
            ..BatchParams::default()
        };
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
