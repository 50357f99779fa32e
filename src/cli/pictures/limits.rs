//! What decoders have in common: what they give, what bounds them, and their errors.

use std::io;

use anyhow::{anyhow, bail};

use crate::data::Picture;

/// The limits of a picture.
const MOST_PIXELS: u64 = 64 << 20;
const LONGEST_SIDE: u64 = 65_535;
/// What decoding a picture may take beside 8 bytes a pixel.
pub(super) const SLACK: u64 = 60 << 20;
pub(super) const BYTES_PER_PIXEL: u64 = 8;

/// A picture, and what was done to it that the user may want to know.
pub struct Found {
    pub picture: Picture,
    pub remarks: Vec<String>,
}

/// Refuses a picture by the size in its header.
pub(super) fn check_size(height: u64, width: u64) -> anyhow::Result<()> {
    if height.max(width) > LONGEST_SIDE {
        bail!(
            "{width} x {height} pixels: a side of more than {LONGEST_SIDE}; cut out the part that is meant, or make \
             the picture smaller"
        );
    }
    if height * width > MOST_PIXELS {
        bail!("{width} x {height} pixels are more than {MOST_PIXELS}; make the picture smaller");
    }
    Ok(())
}

/// Zeros, or an error if there is no memory for them.
pub(super) fn zeros(count: u64) -> anyhow::Result<Vec<u8>> {
    let count = usize::try_from(count)?;
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(count).map_err(|_| anyhow!("there is no memory for its {count} bytes"))?;
    bytes.resize(count, 0);
    Ok(bytes)
}

pub(super) fn damaged(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("is damaged or incomplete: {error}")
}

/// An error of reading, or of what was read.
pub(super) fn io_error(error: io::Error) -> anyhow::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData => damaged(error),
        _ => anyhow!("cannot be read: {error}"),
    }
}
