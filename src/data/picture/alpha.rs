//! The colour behind transparent parts.

use super::pixels::{Picture, luma, median};
use crate::data::fit::WHITE;

const BLACK: f32 = 0.0;
/// The most pixels along each side that are sampled, at even distances.
const LOOKS: usize = 700;
/// Pixels with less than this share of the largest alpha are ignored: ink may be half transparent throughout.
const VISIBLE: f32 = 0.5;
/// Where more than this share is visible, the picture is paper with transparent corners or margins, and not only ink.
const PAPER: f32 = 0.6;

/// The luma behind transparent parts: that of the paper where most is opaque, else white or black, whichever is
/// further from the mean of the ink. White for a picture without transparent parts.
pub(super) fn behind(picture: &Picture) -> f32 {
    let (down, across) = (picture.height.div_ceil(LOOKS), picture.width.div_ceil(LOOKS));
    let mut looked = Vec::new();
    for y in (0..picture.height).step_by(down) {
        for pixel in picture.row(y).step_by(across) {
            looked.push((luma([pixel[0], pixel[1], pixel[2]].map(f32::from)), pixel[3]));
        }
    }
    let (looks, most) = (looked.len(), looked.iter().map(|(_, alpha)| *alpha).max().unwrap_or_default());
    let least = f32::from(most) * VISIBLE;
    let is_visible = |alpha: u8| alpha > 0 && f32::from(alpha) >= least;
    let mut visible: Vec<f32> =
        looked.into_iter().filter(|(_, alpha)| is_visible(*alpha)).map(|(luma, _)| luma).collect();
    if visible.is_empty() || visible.len() == looks {
        return WHITE;
    }
    if visible.len() as f32 > PAPER * looks as f32 {
        return median(&mut visible);
    }
    let mean = visible.iter().sum::<f32>() / visible.len() as f32;
    if mean > WHITE / 2.0 { BLACK } else { WHITE }
}
