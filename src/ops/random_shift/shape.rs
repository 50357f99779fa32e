//! How far images are moved, and from where their pixels then come.

use serde::{Deserialize, Serialize};

use crate::ops::kit::*;
use crate::random::{Purpose, philox4x32};

/// What lies outside an image, with a b c d inside. Keras's `wrap` is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(try_from = "String", rename_all = "lowercase")]
pub enum FillMode {
    /// One value: k k k k | a b c d | k k k k.
    Constant,
    /// The nearest pixel: a a a a | a b c d | d d d d.
    Nearest,
    /// The image mirrored at its edge: d c b a | a b c d | d c b a.
    #[default]
    Reflect,
}

impl TryFrom<String> for FillMode {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        match name.as_str() {
            "constant" => Ok(FillMode::Constant),
            "nearest" => Ok(FillMode::Nearest),
            "reflect" => Ok(FillMode::Reflect),
            "wrap" => {
                Err("fill_mode `wrap` is in Keras, but not here; take `constant`, `nearest` or `reflect`"
                    .to_owned())
            }
            _ => Err(format!("unknown variant `{name}`, expected one of `constant`, `nearest`, `reflect`")),
        }
    }
}

/// Images `[batch, before, len, after]`, moved along the axis of `len` pixels by 4096ths of a pixel.
///
/// In training image n is moved by `low + floor(draw * (high - low + 1))` of them, where `draw` is a word of the generator's block
/// `(n, step, layer, Purpose::Translation)` under the run's seed as a fraction in `[0, 1)`; else by none. All of that, and from where
/// a pixel comes, is computed with integers: it is the same on every device.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the sizes are named in the formula")]
pub struct ShiftShape {
    pub batch: usize,
    pub before: usize,
    pub len: usize,
    pub after: usize,
    /// The layer's place in the network: layers draw apart from one another.
    pub layer: usize,
    /// Which word of a block is the draw: axes draw apart from one another.
    pub word: usize,
    /// Least shift, in 4096ths of a pixel.
    pub low: i32,
    /// Largest shift.
    pub high: i32,
    pub fill_mode: FillMode,
    pub fill_value: f32,
    /// Whether the nearest pixel is taken; else two are blended.
    pub nearest: bool,
}

/// From where an output pixel comes.
pub(super) struct Taps {
    /// The first of two neighbours; it may lie outside.
    pub(super) first: i32,
    /// How much of the second is taken, in 4096ths.
    pub(super) share: i32,
}

impl ShiftShape {
    /// Parts of a pixel.
    pub const PIXEL: i32 = 4096;
    /// Longest axis, so that no place overflows.
    pub const LONGEST: usize = 1 << 15;
    /// Iterations of the generator of draws.
    pub(super) const ROUNDS: usize = 10;

    /// Dimensions of images before and after.
    pub(super) fn x(&self) -> [usize; 4] {
        [self.batch, self.before, self.len, self.after]
    }

    pub(super) fn constants(&self) -> Constants {
        constants! {
            "BEFORE" => self.before,
            "LEN" => self.len,
            "AFTER" => self.after,
            "LAYER" => self.layer,
            "WORD" => self.word,
            "PURPOSE" => Purpose::Translation as usize,
            "LOW" => self.low as u32 as usize,
            "SPAN" => self.span() as usize,
            "INSIDE" => self.fill_mode != FillMode::Constant,
            "REFLECTED" => self.fill_mode == FillMode::Reflect,
            "FILL_VALUE" => self.fill_value,
            "NEAREST" => self.nearest,
        }
    }

    /// Number of shifts.
    fn span(&self) -> u32 {
        (self.high - self.low) as u32 + 1
    }

    /// How far image n is moved.
    pub(super) fn shift(&self, batch: &BatchParams, n: usize) -> i32 {
        if batch.training == 0 {
            return 0;
        }
        let counter = [n as u32, batch.number, self.layer as u32, Purpose::Translation as u32];
        let draw = philox4x32(counter, [batch.seed_low, batch.seed_high])[self.word];
        self.low + ((u64::from(draw) * u64::from(self.span())) >> 32) as i32
    }

    /// Where the output pixel with this number comes from, when the image is moved so far.
    pub(super) fn taps(&self, at: usize, shift: i32) -> Taps {
        let last = (self.len as i32 - 1) * Self::PIXEL;
        let mut place = at as i32 * Self::PIXEL - shift;
        if self.fill_mode == FillMode::Reflect {
            if place < 0 {
                place = -place - Self::PIXEL;
            } else if place > last {
                place = 2 * last + Self::PIXEL - place;
            }
        }
        if self.fill_mode != FillMode::Constant {
            place = place.clamp(0, last);
        }
        if self.nearest {
            // Halves go away from zero, as in Keras.
            let first = (place + Self::PIXEL / 2 - i32::from(place < 0)).div_euclid(Self::PIXEL);
            return Taps { first, share: 0 };
        }
        Taps { first: place.div_euclid(Self::PIXEL), share: place.rem_euclid(Self::PIXEL) }
    }

    /// Number of an axis's pixel, or none outside.
    pub(super) fn inside(&self, at: i32) -> Option<usize> {
        usize::try_from(at).ok().filter(|&at| at < self.len)
    }

    pub(super) fn title(&self) -> String {
        let ShiftShape { layer, word, low, high, fill_mode, fill_value, nearest, .. } = self;
        let how = if *nearest { "nearest" } else { "blended" };
        let fill = match fill_mode {
            FillMode::Constant => format!("{fill_value:e} outside"),
            FillMode::Nearest => "the nearest outside".to_owned(),
            FillMode::Reflect => "reflected".to_owned(),
        };
        format!("x {:?}, layer {layer}, word {word}, {low} to {high}, {how}, {fill}", self.x())
    }

    pub(super) fn by_four(&self) -> bool {
        self.after.is_multiple_of(4)
    }
}

/// Cases of one step: rows and columns, each way to fill and to blend, shifts by a whole image, by none and by halves, one pixel,
/// groups that fold, and images that are not moved.
pub(super) fn cases<O: OpKind>(op: impl Fn(ShiftShape) -> O) -> Vec<Case<O>> {
    let fills = [FillMode::Constant, FillMode::Nearest, FillMode::Reflect];
    let shape = |[batch, before, len, after]: [usize; 4], [low, high]: [i32; 2], fill_mode, nearest| {
        let [layer, word, fill_value] = [before % 300, before % 2, before % 3];
        let fill_value = fill_value as f32 / 4.0;
        ShiftShape { batch, before, len, after, layer, word, low, high, fill_mode, fill_value, nearest }
    };
    let mut table = Vec::new();
    for fill in fills {
        for nearest in [false, true] {
            let case = |x, shifts| Case::of(op(shape(x, shifts, fill, nearest)));
            table.extend([
                case([64, 28, 28, 1], [-11_469, 11_469]).training(3),
                case([64, 1, 28, 28], [-11_469, 11_469]).training(u32::MAX),
                case([9, 1, 7, 12], [-7 * 4096, 7 * 4096]).training(1),
                case([8, 5, 6, 3], [-6 * 4096, 6 * 4096]).training(70_000),
                case([3, 2, 5, 1], [-2048, -2048]).training(2),
                case([3, 2, 5, 4], [6144, 6144]).training(2),
                case([5, 1, 1, 1], [-4096, 4096]).training(0),
                case([5, 301, 4, 5], [-5000, 9000]).training(9).folded(),
                case([5, 302, 4, 12], [0, 0]).training(9).folded(),
                case([7, 5, 3, 3], [-5000, 5000]),
                case([7, 5, 3, 4], [-5000, 5000]),
            ]);
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLES: usize = 4000;
    const ENDS: [i32; 2] = [-9000, 15_000];

    /// Shifts of the images of a step, less their mean, in deviations of a uniform draw.
    fn drawn(layer: usize, word: usize, number: u32, seed_low: u32) -> Vec<f64> {
        let [low, high] = ENDS;
        let (fill_mode, fill_value, nearest) = (FillMode::Constant, 0.0, false);
        let [batch, before, len, after] = [SAMPLES, 1, 4, 1];
        let s =
            ShiftShape { batch, before, len, after, layer, word, low, high, fill_mode, fill_value, nearest };
        let step = BatchParams { training: 1, number, seed_low, ..BatchParams::default() };
        let shifts: Vec<i32> = (0..SAMPLES).map(|n| s.shift(&step, n)).collect();
        assert!(shifts.iter().all(|shift| (low..=high).contains(shift)), "{shifts:?}");
        let deviation = (f64::from(s.span()).powi(2) - 1.0).sqrt() / 12f64.sqrt();
        shifts.iter().map(|&shift| (f64::from(shift) - f64::from(low + high) / 2.0) / deviation).collect()
    }

    fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
        let count = values.len() as f64;
        values.sum::<f64>() / count
    }

    /// Mean 0, variance 1 and fourth moment 9/5, each within five of its deviations; and nothing to do with neighbours, the other
    /// axis, other steps, seeds and layers.
    #[test]
    fn shifts_are_uniform_and_independent() {
        let first = drawn(1, 0, 5, 9);
        let off = |deviation: f64| 5.0 * deviation / (SAMPLES as f64).sqrt();
        let moment = |power: i32| mean(first.iter().map(|x| x.powi(power)));
        assert!(moment(1).abs() < off(1.0), "mean {}", moment(1));
        assert!((moment(2) - 1.0).abs() < off(0.8f64.sqrt()), "variance {}", moment(2));
        // The eighth moment is 9.
        assert!((moment(4) - 1.8).abs() < off((9.0f64 - 1.8 * 1.8).sqrt()), "fourth moment {}", moment(4));
        let neighbour = first[1..].to_vec();
        let rows = [
            ("the next image", neighbour),
            ("the other axis", drawn(1, 1, 5, 9)),
            ("the next step", drawn(1, 0, 6, 9)),
            ("another seed", drawn(1, 0, 5, 8)),
            ("another layer", drawn(2, 0, 5, 9)),
        ];
        for (what, other) in rows {
            let products: Vec<f64> = first.iter().zip(&other).map(|(x, y)| x * y).collect();
            let correlation = mean(products.into_iter());
            assert!(correlation.abs() < off(1.0), "{what}: {correlation}");
        }
    }
}
