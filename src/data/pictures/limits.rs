//! What bounds the time and the memory that a picture may take.

use super::error::PictureError;

/// The limits of a picture.
const MOST_PIXELS: u64 = 64 << 20;
const LONGEST_SIDE: u64 = 65_535;
/// What decoding a picture may take beside 8 bytes a pixel.
const SLACK: u64 = 60 << 20;
const BYTES_PER_PIXEL: u64 = 8;

/// Refuses a picture by the size in its header.
pub(super) fn check_size(height: u64, width: u64) -> Result<(), PictureError> {
    if height.max(width) > LONGEST_SIDE {
        return Err(PictureError::Side { height, width, most: LONGEST_SIDE });
    }
    if height * width > MOST_PIXELS {
        return Err(PictureError::Pixels { height, width, most: MOST_PIXELS });
    }
    if height * width == 0 {
        return Err(PictureError::damaged("it has no pixels"));
    }
    Ok(())
}

/// Pictures of more pixels are decoded one at a time: a picture takes up to 8 bytes a pixel.
pub(super) const LARGE: u64 = 8 << 20;

/// Refuses a picture that would take more memory to decode than its size allows.
pub(super) fn check_cost(bytes: u64, pixels: u64, several_scans: bool) -> Result<(), PictureError> {
    let most = SLACK + BYTES_PER_PIXEL * pixels;
    match bytes > most {
        true => Err(PictureError::Costly { bytes, pixels, most, several_scans }),
        false => Ok(()),
    }
}

/// Zeros, or an error if there is no memory for them.
pub(super) fn zeros(bytes: u64) -> Result<Vec<u8>, PictureError> {
    let none = || PictureError::Memory { bytes };
    let count = usize::try_from(bytes).map_err(|_| none())?;
    // Memory asked for as zeros costs none before it is written to: a header may claim what the file does not hold.
    bytemuck::allocation::try_zeroed_slice_box(count).map(<[u8]>::into_vec).map_err(|()| none())
}
