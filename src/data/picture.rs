//! Pictures of any size, made to look like the images that a model was trained on.

use super::DataError;
use super::resample::{Plane, resample};

/// Red, green, blue, alpha.
const CHANNELS: usize = 4;
/// What luma is made of: ITU-R BT.709, on values as they are stored.
const LUMA: [f32; 3] = [0.2126, 0.7152, 0.0722];
/// Shares of the image that a digit may fill: MNIST's are 20 of 28 pixels.
const BOX: [usize; 2] = [20, 28];
/// A picture in which nothing is further than this from its background is blank.
const LEAST_CONTRAST: f32 = 16.0;
/// Ink below this share of the strongest does not count when the drawing's edges are looked for.
const FAINT: f32 = 0.1;
/// Large drawings are made at most this many times the box first, so that what follows is cheap.
const WORKING_SCALE: usize = 8;
/// Strokes thinner than the first, in pixels of the result, are made as wide as the second: of MNIST's own images about
/// 1 in 100 are as thin, and most have strokes of 1.8 to 2.5 pixels.
const LEAST_STROKE: f32 = 1.25;
const STROKE: f32 = 1.8;
/// A place is rounded up from this far below the next pixel: what is symmetrical lies between two, and goes to the lower
/// one, whichever way its sums are rounded.
const ROUND_UP: f32 = 0.45;
/// A stroke has two edges, and a slanted edge has up to 4/pi times its length in sides of pixels: taken in the middle.
const AREA_BY_SIDES: f32 = 2.27;

/// A picture as a decoder gives it.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    height: usize,
    width: usize,
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
    /// [`DataError::Picture`] when there is no pixel or the number of bytes is another.
    pub fn new(height: usize, width: usize, rgba: Vec<u8>) -> Result<Self, DataError> {
        let bytes = height.checked_mul(width).and_then(|pixels| pixels.checked_mul(CHANNELS));
        if rgba.is_empty() || bytes != Some(rgba.len()) {
            return Err(DataError::Picture { height, width, found: rgba.len() });
        }
        Ok(Picture { height, width, rgba })
    }

    /// A drawing on paper or on a blackboard as one image of `[h, w, 1]` bytes like those of MNIST: bright on black.
    ///
    /// Grey is luma, transparent parts are white; a background that is light (the median of the outermost pixels is
    /// over 127) is taken as paper. The background becomes 0 and the strongest stroke 255; what varies as little as
    /// the border does is background. The drawing is cropped, scaled so that it fits into 20/28 of the image with its
    /// proportions kept, strokes that would be thinner than 1.25 pixels are made 1.8 wide, and its centre of mass comes to
    /// the middle, `(h/2, w/2)`, as far as it stays inside.
    ///
    /// Source: the description of the data set, <http://yann.lecun.com/exdb/mnist/>.
    ///
    /// # Errors
    /// [`DataError::BlankPicture`] when nothing stands out from the background; [`DataError::PictureChannels`] when the
    /// shape has more than one channel.
    pub fn drawn(&self, shape: [usize; 3]) -> Result<Vec<u8>, DataError> {
        let [h, w, channels] = shape;
        if channels != 1 {
            return Err(DataError::PictureChannels { shape });
        }
        let ink = self.ink()?;
        let ink = crop(&ink);
        let room = [h, w].map(|side| (side * BOX[0] / BOX[1]).max(1));
        let digit = scale_into(&ink, room);
        Ok(place(&digit, [h, w]))
    }

    /// The whole picture, stretched to `[h, w, c]`: grey (luma) for one channel, red, green and blue for three;
    /// transparent parts are white.
    ///
    /// # Errors
    /// [`DataError::PictureChannels`] for any other number of channels.
    pub fn resized(&self, shape: [usize; 3]) -> Result<Vec<u8>, DataError> {
        let [h, w, channels] = shape;
        let planes: Vec<Plane> = match channels {
            1 => vec![self.grey()],
            3 => (0..3).map(|channel| self.plane(|[r, g, b]| [r, g, b][channel])).collect(),
            _ => return Err(DataError::PictureChannels { shape }),
        };
        let planes: Vec<Plane> = planes.iter().map(|plane| resample(plane, [h, w])).collect();
        let pixel =
            |at: usize| planes.iter().map(move |plane| plane.values[at].round().clamp(0.0, 255.0) as u8);
        Ok((0..h * w).flat_map(pixel).collect())
    }

    fn grey(&self) -> Plane {
        self.plane(|rgb| rgb.iter().zip(LUMA).map(|(value, share)| value * share).sum())
    }

    /// One value per pixel, white behind what is transparent.
    fn plane(&self, value: impl Fn([f32; 3]) -> f32) -> Plane {
        let values = self.rgba.chunks_exact(CHANNELS).map(|pixel| {
            let alpha = f32::from(pixel[3]) / 255.0;
            let [r, g, b] = [pixel[0], pixel[1], pixel[2]].map(f32::from);
            alpha * value([r, g, b]) + (1.0 - alpha) * 255.0
        });
        Plane { height: self.height, width: self.width, values: values.collect() }
    }

    /// How far each pixel is from the background, 0 to 1.
    fn ink(&self) -> Result<Plane, DataError> {
        let mut plane = self.grey();
        let mut border = border(&plane);
        let background = median(&mut border);
        let sign = if background > 127.5 { -1.0 } else { 1.0 };
        // Grain and shadows of a photograph: what the border has, the rest has too.
        let mut spread: Vec<f32> = border.iter().map(|value| (value - background).abs()).collect();
        let grain = 2.0 * median(&mut spread);
        for value in &mut plane.values {
            *value = sign * (*value - background) - grain;
        }
        let peak = plane.values.iter().copied().fold(0.0, f32::max);
        if peak < LEAST_CONTRAST {
            return Err(DataError::BlankPicture);
        }
        for value in &mut plane.values {
            *value = (*value / peak).clamp(0.0, 1.0);
        }
        Ok(plane)
    }
}

/// The outermost pixels.
fn border(plane: &Plane) -> Vec<f32> {
    let Plane { height, width, values } = plane;
    let outermost = |at: &usize| {
        let (y, x) = (at / width, at % width);
        y == 0 || x == 0 || y + 1 == *height || x + 1 == *width
    };
    (0..values.len()).filter(outermost).map(|at| values[at]).collect()
}

/// Of at least one value; the upper one of two in the middle.
fn median(values: &mut [f32]) -> f32 {
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f32::total_cmp).1
}

/// The smallest part that holds all ink; there is some.
fn crop(ink: &Plane) -> Plane {
    let inked = |at: &usize| ink.values[*at] >= FAINT;
    let (mut top, mut bottom, mut left, mut right) = (ink.height, 0, ink.width, 0);
    for at in (0..ink.values.len()).filter(inked) {
        let (y, x) = (at / ink.width, at % ink.width);
        (top, bottom, left, right) = (top.min(y), bottom.max(y), left.min(x), right.max(x));
    }
    let rows = (top..=bottom).flat_map(|y| &ink.values[y * ink.width + left..=y * ink.width + right]);
    Plane { height: bottom - top + 1, width: right - left + 1, values: rows.copied().collect() }
}

/// The drawing at the size that fits into `room`, its strokes not too thin.
fn scale_into(ink: &Plane, room: [usize; 2]) -> Plane {
    let fit = |plane: &Plane, room: [usize; 2]| {
        let scale = (room[0] as f32 / plane.height as f32).min(room[1] as f32 / plane.width as f32);
        let size = |length: usize| ((length as f32 * scale).round() as usize).max(1);
        [size(plane.height), size(plane.width)]
    };
    let size = fit(ink, room);
    let working = fit(ink, room.map(|side| side * WORKING_SCALE));
    let mut plane = if working[0] < ink.height { brightened(resample(ink, working)) } else { ink.clone() };
    let scale = size[0].max(size[1]) as f32 / plane.height.max(plane.width) as f32;
    let stroke = stroke_width(&plane);
    if stroke * scale < LEAST_STROKE {
        plane = thickened(&plane, (STROKE / scale - stroke) / 2.0);
    }
    let size = fit(&plane, room);
    brightened(resample(&plane, size))
}

/// The strongest ink made 1.
fn brightened(mut plane: Plane) -> Plane {
    let peak = plane.values.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    plane.values.iter_mut().for_each(|value| *value = (*value / peak).clamp(0.0, 1.0));
    plane
}

/// Mean width of the strokes in pixels: their area by the length of their edges.
fn stroke_width(plane: &Plane) -> f32 {
    let Plane { height, width, values } = plane;
    let at = |y: usize, x: usize| {
        if y < *height && x < *width { values[y * width + x] } else { 0.0 }
    };
    let area: f32 = values.iter().sum();
    let mut sides = 0.0;
    for y in 0..=*height {
        for x in 0..=*width {
            // One above and left of the picture there is nothing: wrapping leaves it.
            let here = at(y, x);
            sides += (here - at(y.wrapping_sub(1), x)).abs() + (here - at(y, x.wrapping_sub(1))).abs();
        }
    }
    AREA_BY_SIDES * area / sides.max(f32::MIN_POSITIVE)
}

/// Every stroke wider by `radius` on each side: each pixel the strongest of a disc whose edge is soft.
fn thickened(plane: &Plane, radius: f32) -> Plane {
    let reach = radius.ceil() as isize;
    let mut disc = Vec::new();
    for dy in -reach..=reach {
        for dx in -reach..=reach {
            let weight = (radius + 0.5 - ((dy * dy + dx * dx) as f32).sqrt()).clamp(0.0, 1.0);
            if weight > 0.0 || (dy, dx) == (0, 0) {
                disc.push((dy, dx, if (dy, dx) == (0, 0) { 1.0 } else { weight }));
            }
        }
    }
    let margin = reach as usize;
    let (height, width) = (plane.height + 2 * margin, plane.width + 2 * margin);
    let mut values = vec![0f32; height * width];
    for (at, &ink) in plane.values.iter().enumerate().filter(|(_, ink)| **ink > 0.0) {
        let (y, x) = (at / plane.width + margin, at % plane.width + margin);
        for &(dy, dx, weight) in &disc {
            let place = y.wrapping_add_signed(dy) * width + x.wrapping_add_signed(dx);
            values[place] = values[place].max(ink * weight);
        }
    }
    Plane { height, width, values }
}

/// The digit on black, its centre of mass in the middle as far as it stays inside.
fn place(digit: &Plane, [h, w]: [usize; 2]) -> Vec<u8> {
    let mass: f32 = digit.values.iter().sum();
    let weighted = |position: &dyn Fn(usize) -> usize| {
        let moments = digit.values.iter().enumerate().map(|(at, value)| position(at) as f32 * value);
        moments.sum::<f32>() / mass
    };
    let first = |side: usize, centre: f32, room: usize| {
        ((side as f32 / 2.0 - centre + ROUND_UP).floor().max(0.0) as usize).min(room)
    };
    let top = first(h, weighted(&|at| at / digit.width), h - digit.height);
    let left = first(w, weighted(&|at| at % digit.width), w - digit.width);
    let mut image = vec![0; h * w];
    for (at, value) in digit.values.iter().enumerate() {
        let place = (top + at / digit.width) * w + left + at % digit.width;
        image[place] = (value * 255.0).round() as u8;
    }
    image
}
