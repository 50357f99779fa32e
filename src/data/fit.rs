//! Whole pictures at the size of a model's images.

use super::resample::{Tap, taps};

/// What shines through transparent parts.
pub(super) const WHITE: f32 = 255.0;
/// What luma is made of: ITU-R BT.709, on values as they are stored.
pub(super) const LUMA: [f32; 3] = [0.2126, 0.7152, 0.0722];

/// A picture as it is stored: grey, grey and alpha, colours, or colours and alpha.
#[cfg(any(feature = "pictures", test))]
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Pixels {
    height: usize,
    width: usize,
    channels: usize,
    /// `[height, width, channels]`.
    bytes: Vec<u8>,
}

#[cfg(any(feature = "pictures", test))]
impl std::fmt::Debug for Pixels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} x {} pixels of {} channels", self.width, self.height, self.channels)
    }
}

#[cfg(any(feature = "pictures", test))]
impl Pixels {
    /// `None` where there is no pixel, or the bytes are not as many as the sizes say.
    pub(crate) fn new([height, width]: [usize; 2], channels: usize, bytes: Vec<u8>) -> Option<Self> {
        let len = height.checked_mul(width).and_then(|pixels| pixels.checked_mul(channels));
        let whole = !bytes.is_empty() && len == Some(bytes.len()) && (1..=4).contains(&channels);
        whole.then_some(Pixels { height, width, channels, bytes })
    }

    pub(crate) fn view(&self) -> View<'_> {
        let Pixels { height, width, channels, bytes } = self;
        View { height: *height, width: *width, channels: *channels, bytes }
    }

    /// Red, green, blue and alpha of each pixel.
    pub(crate) fn into_rgba(self) -> ([usize; 2], Vec<u8>) {
        let rgba = match self.channels {
            4 => self.bytes,
            3 => self.bytes.as_chunks::<3>().0.iter().flat_map(|&[r, g, b]| [r, g, b, u8::MAX]).collect(),
            2 => self.bytes.as_chunks::<2>().0.iter().flat_map(|&[v, alpha]| [v, v, v, alpha]).collect(),
            _ => self.bytes.iter().flat_map(|&v| [v, v, v, u8::MAX]).collect(),
        };
        ([self.height, self.width], rgba)
    }

    /// Whether no pixel has a colour.
    pub(crate) fn are_grey(&self) -> bool {
        self.channels < 3
            || self
                .bytes
                .chunks_exact(self.channels)
                .all(|pixel| pixel[0] == pixel[1] && pixel[1] == pixel[2])
    }
}

/// [`Pixels`] that somebody else holds.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub height: usize,
    pub width: usize,
    pub channels: usize,
    pub bytes: &'a [u8],
}

impl View<'_> {
    /// The picture as `[h, w, c]` bytes, of 1 channel or of 3: scaled so that it covers them with its proportions kept, what is
    /// then too long cut off at both ends alike. Outputs are weighted means of the inputs around their place
    /// ([`resample`](super::resample::resample)); transparent parts are white, colours of one channel luma. A picture that has
    /// the size already stays as it is, to the bit.
    pub(crate) fn fitted(&self, [h, w, c]: [usize; 3]) -> Vec<u8> {
        if [self.height, self.width, self.channels] == [h, w, c] {
            return self.bytes.to_vec();
        }
        let scale = (self.height as f64 / h as f64).min(self.width as f64 / w as f64);
        let down = cut(self.height, h, scale);
        let across = cut(self.width, w, scale);
        let first = across.first().map_or(0, |tap| tap.first);
        let end = across.last().map_or(0, Tap::end);
        // Grey is copied into three channels at the end.
        let channels = if self.channels < 3 { 1 } else { c };
        let (mut row, mut mean) = (Vec::new(), vec![0f32; (end - first) * channels]);
        let mut fitted = Vec::with_capacity(h * w * c);
        for tap in &down {
            mean.fill(0.0);
            for (&weight, y) in tap.weights.iter().zip(tap.first..) {
                let stored = &self.bytes[y * self.width * self.channels..][..self.width * self.channels];
                let stored = &stored[first * self.channels..end * self.channels];
                if self.channels == channels {
                    mean.iter_mut().zip(stored).for_each(|(sum, &value)| *sum += weight * f32::from(value));
                } else {
                    self.shown(stored, channels, &mut row);
                    mean.iter_mut().zip(&row).for_each(|(sum, value)| *sum += weight * value);
                }
            }
            for tap in &across {
                let pixels = &mean[(tap.first - first) * channels..];
                let pixel: [u8; 3] = std::array::from_fn(|channel| {
                    let values = pixels.iter().skip(channel.min(channels - 1)).step_by(channels);
                    let sum: f32 = tap.weights.iter().zip(values).map(|(weight, value)| weight * value).sum();
                    sum.round().clamp(0.0, 255.0) as u8
                });
                fitted.extend_from_slice(&pixel[..c]);
            }
        }
        fitted
    }

    /// The pixels of a row over white, of so many channels.
    fn shown(&self, stored: &[u8], channels: usize, row: &mut Vec<f32>) {
        row.clear();
        let alpha = self.channels.is_multiple_of(2);
        for pixel in stored.chunks_exact(self.channels) {
            let share = if alpha { f32::from(pixel[self.channels - 1]) / 255.0 } else { 1.0 };
            let over = |value: f32| share * value + (1.0 - share) * WHITE;
            match (self.channels < 3, channels) {
                (true, _) => row.push(over(f32::from(pixel[0]))),
                (false, 1) => row.push(over(luma(pixel))),
                (false, _) => row.extend(pixel[..3].iter().map(|&value| over(f32::from(value)))),
            }
        }
    }
}

/// Grey stays what it is.
fn luma(pixel: &[u8]) -> f32 {
    if pixel[0] == pixel[1] && pixel[1] == pixel[2] {
        return f32::from(pixel[0]);
    }
    pixel.iter().zip(LUMA).map(|(&value, share)| f32::from(value) * share).sum()
}

/// For each of `to` outputs of `scale` inputs each, the inputs from the middle of an axis.
fn cut(from: usize, to: usize, scale: f64) -> Vec<Tap> {
    let beyond = (from as f64 - scale * to as f64) / 2.0;
    // Pixels that keep their size keep their values.
    taps(from, if scale == 1.0 { beyond.floor() } else { beyond }, scale, to)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pixels(height: usize, width: usize, channels: usize, value: impl Fn(usize, usize) -> u8) -> Pixels {
        let value = &value;
        let bytes = (0..height * width).flat_map(|at| (0..channels).map(move |channel| value(at, channel)));
        Pixels::new([height, width], channels, bytes.collect()).unwrap()
    }

    #[test]
    fn what_fits_stays_to_the_bit() {
        let noise = |at: usize, channel: usize| (at * 37 + channel * 101 + at * at * 11) as u8;
        for channels in [1, 3] {
            let picture = pixels(5, 7, channels, noise);
            assert_eq!(picture.view().fitted([5, 7, channels]), picture.bytes);
        }
        // Grey of three or four channels is grey, and opaque.
        let grey = pixels(5, 7, 1, noise);
        let three = grey.view().fitted([5, 7, 3]);
        assert_eq!(Pixels::new([5, 7], 3, three.clone()).unwrap().view().fitted([5, 7, 1]), grey.bytes);
        let opaque = pixels(5, 7, 4, |at, channel| if channel == 3 { 255 } else { noise(at, 0) });
        assert_eq!(opaque.view().fitted([5, 7, 3]), three);
        assert_eq!(opaque.view().fitted([5, 7, 1]), grey.bytes);
        // A longer side is cut at both ends, and what remains stays.
        let long = pixels(2, 5, 1, |at, _| at as u8);
        assert_eq!(long.view().fitted([2, 2, 1]), [1, 2, 6, 7]);
        assert_eq!(long.view().fitted([2, 3, 1]), [1, 2, 3, 6, 7, 8]);
    }

    /// However many channels a file has, a picture gives the same image.
    #[test]
    fn stored_channels_do_not_matter() {
        let noise = |at: usize, channel: usize| (at * 29 + channel * 83 + at * at) as u8;
        let grey = pixels(31, 23, 1, noise);
        let colour = pixels(31, 23, 3, noise);
        for shape in [[8, 8, 1], [8, 8, 3], [40, 9, 1], [40, 40, 3]] {
            for picture in [&grey, &colour] {
                let (size, rgba) = picture.clone().into_rgba();
                let rgba = Pixels::new(size, 4, rgba).unwrap();
                assert_eq!(rgba.view().fitted(shape), picture.view().fitted(shape), "{picture:?} {shape:?}");
            }
        }
    }

    #[test]
    fn clear_parts_are_white_and_colours_luma() {
        let one = |bytes: &[u8], c: usize| {
            Pixels::new([1, 1], bytes.len(), bytes.to_vec()).unwrap().view().fitted([1, 1, c])
        };
        let rows: [(&[u8], &[u8]); 6] = [
            (&[10, 0], &[255]),
            (&[10, 255], &[10]),
            (&[200, 100, 50, 0], &[255, 255, 255]),
            (&[200, 100, 50, 51], &[244, 224, 214]),
            (&[255, 0, 0], &[54]),
            (&[0, 255, 0], &[182]),
        ];
        for (stored, expected) in rows {
            assert_eq!(one(stored, expected.len()), expected, "{stored:?}");
        }
    }

    /// The middle of each axis at a scale of three: a mean over three inputs and what lies around.
    #[test]
    fn a_picture_covers_the_image_and_keeps_its_proportions() {
        let stripes = pixels(6, 18, 1, |at, _| if at % 18 / 6 == 1 { 240 } else { 0 });
        assert_eq!(stripes.view().fitted([1, 1, 1])[0], 180);
        // The halves of the middle.
        let halves = pixels(6, 12, 1, |at, _| if at % 12 < 6 { 0 } else { 200 });
        let made = halves.view().fitted([2, 2, 1]);
        assert!(made[0] < 30 && made[1] > 170 && made[0] == made[2] && made[1] == made[3], "{made:?}");
        // Of no size is it larger than its neighbours.
        let made = pixels(3, 3, 1, |_, _| 77).view().fitted([50, 20, 3]);
        assert_eq!(made, vec![77; 50 * 20 * 3]);
    }
}
