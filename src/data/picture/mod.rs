//! Pictures of any size, made to look like the images that a model was trained on.
//!
//! Everything is located in a reduced copy, the [`survey`]: the paper ([`ground`]), [`lines`] and frames that are not
//! part of a drawing, and the [`marks`] that are. The ink is then taken from the picture itself ([`ink`]) and
//! [`place`]d.

mod alpha;
mod doubt;
mod ground;
mod ink;
mod lines;
mod marks;
mod pixels;
mod place;
mod survey;

use super::DataError;
use super::fit::WHITE;
use super::resample::{Plane, resample_rows};

pub use doubt::Doubt;
pub use pixels::Picture;
use pixels::{luma, over};

/// What [`Picture::drawing`] makes of a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawing {
    /// `[h, w, 1]` bytes, bright on black.
    pub image: Vec<u8>,
    /// Reasons to doubt that the image shows what was meant; usually none.
    pub doubts: Vec<Doubt>,
}

impl Picture {
    /// The image of [`drawing`](Self::drawing); its doubts are logged as warnings.
    ///
    /// # Errors
    /// Those of `drawing`.
    pub fn drawn(&self, shape: [usize; 3]) -> Result<Vec<u8>, DataError> {
        let drawing = self.drawing(shape)?;
        for doubt in &drawing.doubts {
            log::warn!("a picture of {} x {} pixels: {doubt}", self.width, self.height);
        }
        Ok(drawing.image)
    }

    /// A drawing on paper or on a blackboard as one image of `[h, w, 1]` bytes like those of MNIST: bright on black.
    ///
    /// Grey is luma. Transparent parts are white or black, whichever the ink stands out from. The background is one
    /// grey where the border has one, else a smooth surface (uneven light), else what lies between strokes (shadows);
    /// ink is the difference from it. Frames, lines from edge to edge, specks, and marks far from the largest are
    /// left out. The background becomes 0 and the strongest stroke 255; what varies as little as the border is
    /// background. The drawing is cropped and scaled to fit into 20/28 of the image with its proportions kept.
    /// Strokes that would be thinner than 1.25 pixels are made 1.8 wide. Its centre of mass is moved to the middle,
    /// `(h/2, w/2)`, as far as the drawing stays inside.
    ///
    /// Time and memory grow with the number of pixels, whatever the proportions: at most 4 bytes a pixel and some
    /// megabytes beside the picture itself.
    ///
    /// Source of the last steps: the description of the data set, <http://yann.lecun.com/exdb/mnist/>.
    ///
    /// # Errors
    /// [`DataError::BlankPicture`] when nothing stands out from the background; [`DataError::PictureChannels`] when the
    /// shape has more than one channel.
    pub fn drawing(&self, shape: [usize; 3]) -> Result<Drawing, DataError> {
        let [h, w, channels] = shape;
        if channels != 1 {
            return Err(DataError::PictureChannels { shape });
        }
        let (ink, doubts) = ink::ink(self)?;
        Ok(Drawing { image: place::placed(&ink, [h, w]), doubts })
    }

    /// The whole picture, stretched to `[h, w, c]`: grey (luma) for one channel, red, green and blue for three;
    /// transparent parts are white.
    ///
    /// # Errors
    /// [`DataError::PictureChannels`] for any other number of channels.
    pub fn resized(&self, shape: [usize; 3]) -> Result<Vec<u8>, DataError> {
        let [h, w, channels] = shape;
        let planes: Vec<Plane> = match channels {
            1 => vec![self.stretched([h, w], luma)],
            3 => (0..3).map(|channel| self.stretched([h, w], |rgb| rgb[channel])).collect(),
            _ => return Err(DataError::PictureChannels { shape }),
        };
        let pixel =
            |at: usize| planes.iter().map(move |plane| plane.values[at].round().clamp(0.0, 255.0) as u8);
        Ok((0..h * w).flat_map(pixel).collect())
    }

    /// The picture as `[h, w, c]`: scaled until its shorter side fits, what is then too long cut off at both ends alike. Grey
    /// (luma) for one channel, red, green and blue for three; transparent parts are white. Proportions are kept, outputs are
    /// weighted means of the pixels around their place, and a picture of this size stays as it is. This is how pictures in
    /// folders become a data set (`load_pictures`), and so how a model that was trained on them wants to see others.
    ///
    /// # Errors
    /// [`DataError::PictureChannels`] for any other number of channels, [`DataError::Shape`] for no pixels.
    pub fn fitted(&self, shape: [usize; 3]) -> Result<Vec<u8>, DataError> {
        match shape {
            [0, _, _] | [_, 0, _] => Err(DataError::Shape { found: shape.into() }),
            [_, _, 1 | 3] => Ok(self.view().fitted(shape)),
            _ => Err(DataError::PictureChannels { shape }),
        }
    }

    fn stretched(&self, size: [usize; 2], value: impl Fn([f32; 3]) -> f32) -> Plane {
        resample_rows([self.height, self.width], size, |y, row| {
            for (to, pixel) in row.iter_mut().zip(self.row(y)) {
                *to = over(pixel, WHITE, &value);
            }
        })
    }
}
