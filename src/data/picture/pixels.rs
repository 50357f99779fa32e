//! A picture as a decoder gives it, and its values.

use crate::data::DataError;
use crate::data::fit::{LUMA, View};

/// Red, green, blue, alpha.
const CHANNELS: usize = 4;
/// A picture in which nothing is further than this from its background is blank.
pub(super) const LEAST_CONTRAST: f32 = 16.0;
/// Ink below this share of the strongest does not count in finding the drawing's edges.
pub(super) const FAINT: f32 = 0.1;

/// A picture as a decoder gives it.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    pub(super) height: usize,
    pub(super) width: usize,
    /// `[height, width, 4]`.
    rgba: Vec<u8>,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Picture")
            .field("height", &self.height)
            .field("width", &self.width)
            .finish_non_exhaustive()
    }
}

impl Picture {
    /// From `[height, width, 4]` bytes: red, green, blue, alpha (255: opaque), row-major, sRGB.
    ///
    /// # Errors
    /// [`DataError::Picture`] when there is no pixel or the number of bytes does not match.
    pub fn new(height: usize, width: usize, rgba: Vec<u8>) -> Result<Self, DataError> {
        let bytes = height.checked_mul(width).and_then(|pixels| pixels.checked_mul(CHANNELS));
        if rgba.is_empty() || bytes != Some(rgba.len()) {
            return Err(DataError::Picture { height, width, found: rgba.len() });
        }
        Ok(Picture { height, width, rgba })
    }

    /// The picture for [`View::fitted`].
    pub(super) fn view(&self) -> View<'_> {
        View { height: self.height, width: self.width, channels: CHANNELS, bytes: &self.rgba }
    }

    /// The pixels of a row, each red, green, blue, alpha.
    pub(super) fn row(&self, y: usize) -> std::slice::ChunksExact<'_, u8> {
        let bytes = self.width * CHANNELS;
        self.rgba[y * bytes..][..bytes].chunks_exact(CHANNELS)
    }
}

pub(super) fn luma(rgb: [f32; 3]) -> f32 {
    rgb.iter().zip(LUMA).map(|(value, share)| value * share).sum()
}

/// One value of a pixel over what shines through it.
pub(super) fn over(pixel: &[u8], behind: f32, value: impl Fn([f32; 3]) -> f32) -> f32 {
    let alpha = f32::from(pixel[3]) / 255.0;
    let [r, g, b] = [pixel[0], pixel[1], pixel[2]].map(f32::from);
    alpha * value([r, g, b]) + (1.0 - alpha) * behind
}

/// The median of at least one value; the upper one of two in the middle.
pub(super) fn median(values: &mut [f32]) -> f32 {
    quantile(values, 0.5)
}

/// The value that this share of the others is below; needs at least one value.
pub(super) fn quantile(values: &mut [f32], share: f32) -> f32 {
    let at = ((values.len() as f32 * share) as usize).min(values.len().saturating_sub(1));
    *values.select_nth_unstable_by(at, f32::total_cmp).1
}
