//! A copy of a picture small enough to be looked at several times.

use super::pixels::{Picture, luma, over};
use crate::data::resample::Plane;

/// Pixels of the copy.
const MOST_PIXELS: usize = 1 << 19;

/// Grey values, and how many pixels of the picture, along each side, make one of them.
pub(super) struct Survey {
    pub plane: Plane,
    pub factor: usize,
}

impl Survey {
    /// Means of squares of the picture over the colour behind it; squares at the right and lower edge may be smaller.
    pub fn of(picture: &Picture, behind: f32) -> Self {
        let factor = factor(picture.height, picture.width);
        let (height, width) = (picture.height.div_ceil(factor), picture.width.div_ceil(factor));
        let mut values = vec![0.0; height * width];
        for y in 0..picture.height {
            let line = &mut values[y / factor * width..][..width];
            for (x, pixel) in picture.row(y).enumerate() {
                line[x / factor] += over(pixel, behind, luma);
            }
        }
        let length = |at: usize, whole: usize| factor.min(whole - at * factor);
        for (at, value) in values.iter_mut().enumerate().filter(|_| factor > 1) {
            *value /= (length(at / width, picture.height) * length(at % width, picture.width)) as f32;
        }
        Survey { plane: Plane { height, width, values }, factor }
    }
}

/// The smallest factor with which the copy is small enough; a single line of pixels is reduced along its length only.
fn factor(height: usize, width: usize) -> usize {
    let fits = |factor: &usize| height.div_ceil(*factor) * width.div_ceil(*factor) <= MOST_PIXELS;
    (1..).find(fits).unwrap_or(1)
}
