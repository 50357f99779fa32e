//! From a file, or any bytes, to pixels.
//!
//! The header of a picture bounds time and memory. Its values are checked before anything is reserved: at most 4 bytes a
//! pixel and some megabytes beside the 4 that are kept, the file included.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Cursor, Read};
use std::path::Path;

use super::decoded::{Decoded, Header};
use super::error::PictureError;
use super::format::{self, Format};
use super::{jpeg, others, png};
use crate::panics::quietly;

const MOST_BYTES: u64 = 256 << 20;
/// The buffer for reading a file, in bytes.
const BUFFER: usize = 64 << 10;

/// The picture in a file.
pub(crate) fn decode_file(path: &Path) -> Result<Decoded, PictureError> {
    decode(open(path)?)
}

/// A picture, recognised by content, not by name, and turned upright by its orientation tag.
pub(crate) fn decode(source: impl BufRead) -> Result<Decoded, PictureError> {
    let (format, source) = recognised(source)?;
    guarded(|| match format {
        Format::Png => png::decode(source),
        Format::Jpeg => jpeg::decode(source),
        Format::WebP => others::decode_webp(source),
        Format::Bmp => others::decode_bmp(source),
    })
}

/// What the header of a picture says, read without its pixels.
pub(super) fn header_of(path: &Path) -> Result<(Format, Header), PictureError> {
    let (format, mut source) = recognised(open(path)?)?;
    let header = guarded(|| match format {
        Format::Png => png::header(source),
        Format::Jpeg => jpeg::header(source),
        Format::WebP => others::webp_header(source.fill_buf()?),
        Format::Bmp => others::bmp_header(source.fill_buf()?),
    })?;
    Ok((format, header))
}

fn open(path: &Path) -> Result<BufReader<File>, PictureError> {
    // Checked before opening, since opening a pipe would wait for its writer.
    let io = |cause| PictureError::Io { cause };
    let kind = fs::metadata(path).map_err(io)?.file_type();
    if !kind.is_file() {
        let found = if kind.is_dir() { "a folder" } else { "a pipe or a device" };
        return Err(PictureError::NotAFile { found });
    }
    Ok(BufReader::with_capacity(BUFFER, File::open(path).map_err(io)?))
}

/// The format of a picture, and all its bytes, at most [`MOST_BYTES`].
fn recognised(source: impl BufRead) -> Result<(Format, impl BufRead), PictureError> {
    let mut source = source.take(MOST_BYTES);
    let mut start = Vec::new();
    let read = source.by_ref().take(format::LOOKED_AT as u64).read_to_end(&mut start);
    read.map_err(|cause| PictureError::Io { cause })?;
    let format = format::of(&start)?;
    Ok((format, Cursor::new(start).chain(source)))
}

/// Runs a decoder; if it panics, that is an error of this picture only.
fn guarded<T>(decode: impl FnOnce() -> Result<T, PictureError>) -> Result<T, PictureError> {
    quietly(decode)
        .unwrap_or_else(|panic| Err(PictureError::damaged(format_args!("its decoder gave up: {panic}"))))
}
