//! WebP and BMP, by the decoders of the crate `image`, after a look at what could make them costly.

use std::io::{Cursor, Read};

use image::codecs::bmp::BmpDecoder;
use image::codecs::webp::WebPDecoder;
use image::error::ImageError;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder};

use super::decoded::{Decoded, Header};
use super::error::PictureError;
use super::limits::{check_cost, check_size};

/// A chunk of WebP: four letters, four bytes of its length, and as many bytes, of which there are always an even number.
const CHUNK_HEADER: usize = 8;
/// `RIFF`, a length, `WEBP`.
const FIRST_CHUNK: usize = 12;
/// What the first chunk holds.
const PAYLOAD: usize = FIRST_CHUNK + CHUNK_HEADER;
/// Where the header of a BMP file says how long it is, and the length of the oldest one, which has sides of 16 bits.
const BMP_HEADER: usize = 14;
const BMP_CORE: u32 = 12;
/// What the decoders hold for a pixel.
const HELD: u64 = 6;

/// The picture, the first one of an animation.
pub(super) fn decode_webp(source: impl Read) -> Result<Decoded, PictureError> {
    let bytes = whole(source, webp_header)?;
    check_chunks(&bytes)?;
    let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(refused)?;
    let turned = decoder.orientation().map_err(refused)?;
    decoded(decoder, turned)
}

/// The picture.
pub(super) fn decode_bmp(source: impl Read) -> Result<Decoded, PictureError> {
    let bytes = whole(source, bmp_header)?;
    decoded(BmpDecoder::new(Cursor::new(bytes)).map_err(refused)?, Orientation::NoTransforms)
}

/// The sides of a WebP picture, from how its file begins; how it is turned is told by its end. Source: RFC 9649.
pub(super) fn webp_header(start: &[u8]) -> Result<Header, PictureError> {
    let bytes = |at: usize| start.get(at..).and_then(|rest| rest.first_chunk::<4>()).copied();
    let word = |at: usize| bytes(at).map(u32::from_le_bytes);
    let low = |word: u32, bits: u32| u64::from(word & ((1 << bits) - 1));
    let sides = match start.get(FIRST_CHUNK..FIRST_CHUNK + 4) {
        // Flags and three reserved bytes, then the sides less one.
        Some(b"VP8X") => word(PAYLOAD + 4)
            .zip(word(PAYLOAD + 6))
            .map(|(width, height)| [u64::from(height >> 8) + 1, low(width, 24) + 1]),
        // A mark, then the sides less one.
        Some(b"VP8L") => word(PAYLOAD + 1).map(|sides| [low(sides >> 14, 14) + 1, low(sides, 14) + 1]),
        // A tag of three bytes and a mark of three.
        Some(b"VP8 ") => word(PAYLOAD + 6).map(|sides| [low(sides >> 16, 14), low(sides, 14)]),
        _ => None,
    };
    let [height, width] = sides.ok_or_else(|| PictureError::damaged("its header is cut off"))?;
    check_size(height, width)?;
    Ok(Header { height, width, grey: false })
}

/// The sides of a BMP picture, from how its file begins.
pub(super) fn bmp_header(start: &[u8]) -> Result<Header, PictureError> {
    let bytes = |at: usize| start.get(at..).and_then(|rest| rest.first_chunk::<4>()).copied();
    let sides = match bytes(BMP_HEADER).map(u32::from_le_bytes) {
        Some(BMP_CORE) => bytes(BMP_HEADER + 4).map(|[a, b, c, d]| {
            [u64::from(u16::from_le_bytes([c, d])), u64::from(u16::from_le_bytes([a, b]))]
        }),
        // Rows from the top have a negative height.
        _ => bytes(BMP_HEADER + 4).zip(bytes(BMP_HEADER + 8)).map(|(width, height)| {
            [height, width].map(|side| u64::from(i32::from_le_bytes(side).unsigned_abs()))
        }),
    };
    let [height, width] = sides.ok_or_else(|| PictureError::damaged("its header is cut off"))?;
    check_size(height, width)?;
    Ok(Header { height, width, grey: false })
}

/// All bytes, once the size in the header is known to be allowed.
fn whole(
    mut source: impl Read,
    header: impl Fn(&[u8]) -> Result<Header, PictureError>,
) -> Result<Vec<u8>, PictureError> {
    let mut bytes = Vec::new();
    source.by_ref().take(super::format::LOOKED_AT as u64).read_to_end(&mut bytes)?;
    let Header { height, width, .. } = header(&bytes)?;
    source.read_to_end(&mut bytes)?;
    check_cost(bytes.len() as u64 + HELD * height * width, height * width, false)?;
    Ok(bytes)
}

/// Refuses chunks that end behind the file: a decoder would make room for them.
fn check_chunks(bytes: &[u8]) -> Result<(), PictureError> {
    let mut at = FIRST_CHUNK;
    while let Some(length) = bytes.get(at + 4..).and_then(|rest| rest.first_chunk()) {
        let end = at + CHUNK_HEADER + u32::from_le_bytes(*length) as usize;
        if end > bytes.len() {
            return Err(PictureError::damaged("a part of it ends behind the file"));
        }
        at = end.next_multiple_of(2);
    }
    Ok(())
}

fn decoded(decoder: impl ImageDecoder, turned: Orientation) -> Result<Decoded, PictureError> {
    let (width, height) = decoder.dimensions();
    check_size(u64::from(height), u64::from(width))?;
    Decoded::upright(DynamicImage::from_decoder(decoder).map_err(refused)?, turned)
}

fn refused(error: ImageError) -> PictureError {
    match error {
        ImageError::IoError(cause) => cause.into(),
        error => PictureError::damaged(error),
    }
}
