//! Augmentation: random changes to the training images, drawn anew in each epoch, so that a model never sees the same
//! image twice.

use serde::{Deserialize, Serialize};

use crate::numbers::shown;
use crate::random::{Purpose, philox4x32, words};

/// By how much training images are rotated, shifted, sheared, zoomed and made noisy. Each image gets random draws of
/// its own in each epoch.
///
/// Angles, shifts and zooms are uniform in `[-range, range)`, with the names of Keras's `ImageDataGenerator`
/// (`keras/src/legacy/preprocessing/image.py`). An output pixel `(i, j)`, counted from the centre of the image, takes
/// its value from the place
///
/// ```text
/// (y, x) = R(rotation) S(shear) Z(zoom) (i, j) + shift
/// R(a) = [cos a, -sin a; sin a, cos a]    S(a) = [1, -sin a; 0, cos a]    Z = diag(zoom_y, zoom_x)
/// ```
///
/// of the original, interpolated bilinearly between its four neighbours; what lies outside is 0. Noise is added last
/// and is not clipped, as with `keras.layers.GaussianNoise`. It is a scaled sum of 8 uniform 16-bit integers:
/// computed exactly, so that every device adds the same noise. Unlike a Gaussian it ends at 4.9 standard deviations.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Augmentation {
    /// Largest rotation in degrees, up to 180; default 0.
    pub rotation_range: f64,
    /// Largest shift along the height, as a share of the height, up to 1; default 0.
    pub height_shift_range: f64,
    /// Largest shift along the width, as a share of the width, up to 1; default 0.
    pub width_shift_range: f64,
    /// Largest shear angle in degrees, up to 60; default 0.
    pub shear_range: f64,
    /// Largest zoom, along each axis on its own: the factors are in `[1 - zoom_range, 1 + zoom_range)`; up to 0.99,
    /// default 0.
    pub zoom_range: f64,
    /// Standard deviation of the noise, as a share of the range of pixels: 0.1 is 0.1 where the model gets them from 0 to 1,
    /// and 25.5 where it begins with a Rescaling or a Normalization and gets them from 0 to 255. Up to 1, default 0.
    pub noise_stddev: f64,
}

/// Where an output pixel `(i, j)` comes from: `y = t[0] i + t[1] j + t[2]`, `x = t[3] i + t[4] j + t[5]`; the last
/// two are unused.
pub type Transform = [f32; TRANSFORM];
/// Floats of a transform: two vectors of four.
pub const TRANSFORM: usize = 8;

/// Random draws for one image.
const DRAWS: usize = 6;
/// Words in one block of the random generator.
const BLOCK: usize = 4;

impl Augmentation {
    /// The first setting that is out of its range, and what it may be.
    pub fn problem(&self) -> Option<String> {
        let settings = [
            ("rotation_range", self.rotation_range, 180.0, "from 0 to 180 degrees"),
            ("height_shift_range", self.height_shift_range, 1.0, "from 0 to 1, a share of the height"),
            ("width_shift_range", self.width_shift_range, 1.0, "from 0 to 1, a share of the width"),
            ("shear_range", self.shear_range, 60.0, "from 0 to 60 degrees"),
            ("zoom_range", self.zoom_range, 0.99, "from 0 to 0.99"),
            ("noise_stddev", self.noise_stddev, 1.0, "from 0 to 1"),
        ];
        settings.into_iter().find(|(_, value, most, _)| !(0.0..=*most).contains(value)).map(
            |(name, value, _, expected)| {
                format!("augmentation: `{name}` is {}, but must be {expected}", shown(value))
            },
        )
    }

    /// The transform of each image of an epoch, in the order in which they are taken. It depends on the seed, the
    /// epoch and the image's number in the data set, not on its place in the order.
    pub fn transforms(
        &self,
        seed: u64,
        epoch: usize,
        order: &[u32],
        [height, width]: [usize; 2],
    ) -> Vec<Transform> {
        order.iter().map(|&sample| self.transform(draws(seed, epoch, sample), [height, width])).collect()
    }

    /// The transform for these draws from `[-1, 1)`.
    fn transform(&self, draws: [f64; DRAWS], [height, width]: [usize; 2]) -> Transform {
        let [turn, shift_y, shift_x, shear, zoom_y, zoom_x] = draws;
        let (sin, cos) = (self.rotation_range * turn).to_radians().sin_cos();
        let (shear_sin, shear_cos) = (self.shear_range * shear).to_radians().sin_cos();
        let zoom = [zoom_y, zoom_x].map(|draw| 1.0 + self.zoom_range * draw);
        // R S Z, row by row.
        let rows = [
            [cos * zoom[0], (-cos * shear_sin - sin * shear_cos) * zoom[1]],
            [sin * zoom[0], (-sin * shear_sin + cos * shear_cos) * zoom[1]],
        ];
        let centre = [height, width].map(|size| (size as f64 - 1.0) / 2.0);
        let shift = [
            self.height_shift_range * shift_y * height as f64,
            self.width_shift_range * shift_x * width as f64,
        ];
        let origin = [0, 1].map(|axis: usize| {
            let [of_i, of_j] = rows[axis];
            centre[axis] + shift[axis] - of_i * centre[0] - of_j * centre[1]
        });
        let line = |axis: usize| [rows[axis][0], rows[axis][1], origin[axis]].map(|value| value as f32);
        let ([a, b, c], [d, e, f]) = (line(0), line(1));
        [a, b, c, d, e, f, 0.0, 0.0]
    }
}

/// The draws of an image in an epoch, uniform in `[-1, 1)`.
fn draws(seed: u64, epoch: usize, sample: u32) -> [f64; DRAWS] {
    let block = |number: u32| {
        let place = 2 * u64::from(sample) + u64::from(number);
        let counter = [place as u32, (place >> 32) as u32, epoch as u32, Purpose::Augmentation as u32];
        philox4x32(counter, words(seed))
    };
    let drawn = [block(0), block(1)];
    std::array::from_fn(|at| {
        let word = drawn[at / BLOCK][at % BLOCK];
        f64::from(word) / f64::from(1u32 << 31) - 1.0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Augmentation = Augmentation {
        rotation_range: 15.0,
        height_shift_range: 0.1,
        width_shift_range: 0.2,
        shear_range: 10.0,
        zoom_range: 0.1,
        noise_stddev: 0.05,
    };

    fn place(t: &Transform, i: f32, j: f32) -> [f32; 2] {
        [t[0] * i + t[1] * j + t[2], t[3] * i + t[4] * j + t[5]]
    }

    #[test]
    fn one_setting_does_one_thing() {
        let none = Augmentation::default();
        // (settings, draws, output pixel, where it comes from) in an image of 5 by 9.
        let rows = [
            (none, [0.9; DRAWS], [1.0, 7.0], [1.0, 7.0]),
            (Augmentation { rotation_range: 90.0, ..none }, [1.0; DRAWS], [2.0, 5.0], [1.0, 4.0]),
            (Augmentation { height_shift_range: 0.4, ..none }, [-1.0; DRAWS], [2.0, 5.0], [0.0, 5.0]),
            (Augmentation { width_shift_range: 1.0, ..none }, [0.5; DRAWS], [2.0, 0.0], [2.0, 4.5]),
            (Augmentation { zoom_range: 0.5, ..none }, [0.5; DRAWS], [4.0, 0.0], [4.5, -1.0]),
            (Augmentation { shear_range: 30.0, ..none }, [1.0; DRAWS], [2.0, 6.0], [1.0, 4.0 + 3f32.sqrt()]),
            (Augmentation { noise_stddev: 0.5, ..none }, [0.9; DRAWS], [1.0, 7.0], [1.0, 7.0]),
        ];
        for (settings, draws, [i, j], expected) in rows {
            let [y, x] = place(&settings.transform(draws, [5, 9]), i, j);
            assert!(
                (y - expected[0]).abs() < 1e-5 && (x - expected[1]).abs() < 1e-5,
                "{settings:?}: {y}, {x}"
            );
        }
    }

    #[test]
    fn an_image_fares_alike_wherever_it_stands_in_the_order() {
        let at = |epoch, order: &[u32]| ALL.transforms(7, epoch, order, [28, 28]);
        let (first, second) = (at(3, &[5, 9, 60_000]), at(3, &[60_000, 5]));
        assert_eq!((first[0], first[2]), (second[1], second[0]));
        assert!(first[0] != first[1] && first[0] != at(4, &[5])[0]);
        assert_ne!(first[0], ALL.transforms(8, 3, &[5], [28, 28])[0]);
    }

    /// Means and extremes of 20,000 draws: a mean is within 5 deviations of a uniform variable's, an extreme near the end.
    #[test]
    fn draws_are_uniform_over_their_range() {
        const COUNT: u32 = 20_000;
        let all: Vec<_> = (0..COUNT).map(|sample| draws(1, 0, sample)).collect();
        for at in 0..DRAWS {
            let values = || all.iter().map(|draws| draws[at]);
            let mean = values().sum::<f64>() / f64::from(COUNT);
            let square = values().map(|value| value * value).sum::<f64>() / f64::from(COUNT);
            let least = values().fold(f64::MAX, f64::min);
            let most = values().fold(f64::MIN, f64::max);
            assert!(mean.abs() < 5.0 * (1.0 / 3.0 / f64::from(COUNT)).sqrt(), "draw {at}: mean {mean}");
            assert!(
                (square - 1.0 / 3.0).abs() < 5.0 * (4.0 / 45.0 / f64::from(COUNT)).sqrt(),
                "{at}: {square}"
            );
            assert!((-1.0..-0.999).contains(&least) && (0.999..1.0).contains(&most), "{at}: {least}, {most}");
            for other in 0..at {
                let product =
                    all.iter().map(|draws| draws[at] * draws[other]).sum::<f64>() / f64::from(COUNT);
                assert!(product.abs() < 5.0 / 3.0 / f64::from(COUNT).sqrt(), "{at} and {other}: {product}");
            }
        }
    }

    #[test]
    fn settings_out_of_range_are_named() {
        assert_eq!(ALL.problem(), None);
        let rows = [
            (Augmentation { rotation_range: 181.0, ..ALL }, "`rotation_range` is 181"),
            (Augmentation { height_shift_range: -0.1, ..ALL }, "`height_shift_range`"),
            (Augmentation { width_shift_range: f64::NAN, ..ALL }, "`width_shift_range`"),
            (Augmentation { shear_range: 90.0, ..ALL }, "`shear_range`"),
            (Augmentation { zoom_range: 1.0, ..ALL }, "`zoom_range`"),
            (Augmentation { noise_stddev: f64::INFINITY, ..ALL }, "`noise_stddev`"),
        ];
        for (settings, expected) in rows {
            let problem = settings.problem().unwrap_or_default();
            assert!(problem.contains(expected), "{problem:?} lacks {expected:?}");
        }
    }
}
