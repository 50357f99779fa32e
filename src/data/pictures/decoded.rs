//! What a decoder makes of a file.

use image::DynamicImage;
use image::metadata::Orientation;

use super::error::PictureError;
use crate::data::fit::Pixels;

/// A picture, and what was done to it that the user may want to know.
#[derive(Debug)]
pub(crate) struct Decoded {
    /// Upright.
    pub pixels: Pixels,
    pub remarks: Vec<String>,
}

impl Decoded {
    /// An image of a library, turned upright, with as many channels as it has.
    pub(super) fn upright(mut image: DynamicImage, turned: Orientation) -> Result<Self, PictureError> {
        image.apply_orientation(turned);
        let (height, width) = (image.height() as usize, image.width() as usize);
        let (channels, bytes) = match image {
            DynamicImage::ImageLuma8(image) => (1, image.into_raw()),
            DynamicImage::ImageLumaA8(image) => (2, image.into_raw()),
            DynamicImage::ImageRgb8(image) => (3, image.into_raw()),
            other => (4, other.into_rgba8().into_raw()),
        };
        let pixels = Pixels::new([height, width], channels, bytes)
            .ok_or_else(|| PictureError::damaged("it has no pixels, or too few bytes for them"))?;
        Ok(Decoded { pixels, remarks: Vec::new() })
    }

    /// The same with these remarks.
    pub(super) fn remarking(mut self, remarks: impl IntoIterator<Item = String>) -> Self {
        self.remarks.extend(remarks);
        self
    }
}

/// What the header of a file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    /// Of the upright picture.
    pub height: u64,
    pub width: u64,
    /// Whether it can hold nothing but grey. Others may be grey all the same.
    pub grey: bool,
}

impl Header {
    /// The header of a picture that is stored like this.
    pub(super) fn turned(height: u64, width: u64, grey: bool, turned: Orientation) -> Self {
        let lies = matches!(
            turned,
            Orientation::Rotate90
                | Orientation::Rotate270
                | Orientation::Rotate90FlipH
                | Orientation::Rotate270FlipH
        );
        let [height, width] = if lies { [width, height] } else { [height, width] };
        Header { height, width, grey }
    }
}
