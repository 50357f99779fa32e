//! Pixels as PNG files.

use std::io::Cursor;

use image::error::ImageResult;
use image::{ColorType, ImageFormat};

/// The bytes of a PNG file of grey pixels, `[height, width]`, or of red, green and blue ones, `[height, width, 3]`.
///
/// # Errors
/// When the number of pixels is neither.
pub(crate) fn png(height: usize, width: usize, pixels: &[u8]) -> ImageResult<Vec<u8>> {
    let color = if pixels.len() == height * width { ColorType::L8 } else { ColorType::Rgb8 };
    let mut bytes = Cursor::new(Vec::new());
    let (width, height) = (width as u32, height as u32);
    image::write_buffer_with_format(&mut bytes, pixels, width, height, color, ImageFormat::Png)?;
    Ok(bytes.into_inner())
}
