//! PNG, row by row: only one row is held beside the picture.

use std::io::{self, BufRead, Read, Seek, SeekFrom};

use image::metadata::Orientation;
use image::{DynamicImage, GrayAlphaImage, GrayImage, RgbImage, RgbaImage};
use png::{ColorType, Decoder, DecodingError, Limits, Reader, Transformations};

use super::decoded::{Decoded, Header};
use super::error::PictureError;
use super::limits::{check_size, zeros};

/// The most bytes of all chunks beside the pixels.
const MOST_CHUNKS: usize = 8 << 20;
/// If the 16-bit samples of a picture all fit into one of these widths, they are narrower samples in a wide file:
/// microscopes, scanners and depth cameras write 8, 10 or 12 bits like this.
const NARROW: [u32; 3] = [8, 10, 12];
const WIDE: u32 = 16;

/// The picture, with as many channels as are stored.
pub(super) fn decode(source: impl BufRead) -> Result<Decoded, PictureError> {
    let (mut reader, _) = open(source)?;
    let (height, width) = (reader.info().height, reader.info().width);
    let (colour, depth) = reader.output_color_type();
    let bytes = if depth == png::BitDepth::Sixteen { 2 } else { 1 };
    let pixel = colour.samples() * bytes;
    let (rows, columns) = (height as usize, width as usize);
    let mut pixels = zeros(u64::from(height) * u64::from(width) * pixel as u64)?;
    for places in places(rows, columns, reader.info().interlaced) {
        let Some(row) = reader.next_row().map_err(refused)? else {
            return Err(PictureError::damaged("rows are missing"));
        };
        let line = &mut pixels[places.row * columns * pixel..][..columns * pixel];
        let targets = line.chunks_exact_mut(pixel).skip(places.first).step_by(places.step);
        for (to, from) in targets.zip(row.data().chunks_exact(pixel)) {
            to.copy_from_slice(from);
        }
    }
    let turned = turned(&reader);
    let remark = if bytes == 2 { narrowed(&mut pixels, colour) } else { None };
    let image = match colour {
        ColorType::Grayscale => GrayImage::from_raw(width, height, pixels).map(DynamicImage::from),
        ColorType::GrayscaleAlpha => GrayAlphaImage::from_raw(width, height, pixels).map(DynamicImage::from),
        ColorType::Rgba => RgbaImage::from_raw(width, height, pixels).map(DynamicImage::from),
        _ => RgbImage::from_raw(width, height, pixels).map(DynamicImage::from),
    };
    let image = image.ok_or_else(|| PictureError::damaged("its rows are too short"))?;
    Ok(Decoded::upright(image, turned)?.remarking(remark))
}

/// What stands before the pixels.
pub(super) fn header(source: impl BufRead) -> Result<Header, PictureError> {
    let (reader, grey) = open(source)?;
    let (height, width) = (u64::from(reader.info().height), u64::from(reader.info().width));
    Ok(Header::turned(height, width, grey, turned(&reader)))
}

/// A decoder at the first row, and whether it gives grey.
fn open<R: BufRead>(source: R) -> Result<(Reader<Forward<R>>, bool), PictureError> {
    let limits = Limits { bytes: MOST_CHUNKS };
    let mut decoder = Decoder::new_with_limits(Forward(source), limits);
    decoder.set_transformations(Transformations::EXPAND);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let header = decoder.read_header_info().map_err(refused)?;
    check_size(u64::from(header.height), u64::from(header.width))?;
    let reader = decoder.read_info().map_err(refused)?;
    if !reader.info().palette.as_deref().is_none_or(is_palette) {
        return Err(PictureError::damaged("its palette is not made of whole colours"));
    }
    let (colour, _) = reader.output_color_type();
    Ok((reader, matches!(colour, ColorType::Grayscale | ColorType::GrayscaleAlpha)))
}

/// How the picture is turned.
fn turned<R: BufRead + Seek>(reader: &Reader<R>) -> Orientation {
    let found = reader.info().exif_metadata.as_deref().and_then(Orientation::from_exif_chunk);
    found.unwrap_or(Orientation::NoTransforms)
}

/// Whether a palette holds whole colours, and not too many: the decoder panics on any other.
fn is_palette(colours: &[u8]) -> bool {
    const COLOUR: usize = 3;
    !colours.is_empty() && colours.len() <= 256 * COLOUR && colours.len().is_multiple_of(COLOUR)
}

/// Where the pixels of a row belong.
struct Places {
    row: usize,
    first: usize,
    step: usize,
}

/// For each pass of an interlaced picture (Adam7; PNG specification, section 8.2): the first row and the step between
/// rows, the first column and the step between columns.
const PASSES: [[usize; 4]; 7] =
    [[0, 8, 0, 8], [0, 8, 4, 8], [4, 8, 0, 4], [0, 4, 2, 4], [2, 4, 0, 2], [0, 2, 1, 2], [1, 2, 0, 1]];
const WHOLE: [usize; 4] = [0, 1, 0, 1];

/// The places of all rows as they are stored; a pass without pixels has none.
fn places(height: usize, width: usize, interlaced: bool) -> impl Iterator<Item = Places> {
    let passes = if interlaced { &PASSES[..] } else { &[WHOLE][..] };
    passes.iter().filter(move |[_, _, first, _]| *first < width).flat_map(move |&[top, down, first, step]| {
        (top..height).step_by(down).map(move |row| Places { row, first, step })
    })
}

/// Samples of 16 bits to 8, in place; where they use only a narrow part of the range, that part is stretched.
fn narrowed(pixels: &mut Vec<u8>, colours: ColorType) -> Option<String> {
    let sample = |pair: &[u8]| u32::from(u16::from_be_bytes([pair[0], pair[1]]));
    let channels = colours.samples();
    let clear = matches!(colours, ColorType::GrayscaleAlpha | ColorType::Rgba);
    let is_alpha = |at: usize| clear && at % channels == channels - 1;
    let (mut colour, mut alpha) = (0, 0);
    for (at, pair) in pixels.chunks_exact(2).enumerate() {
        let greatest = if is_alpha(at) { &mut alpha } else { &mut colour };
        *greatest = sample(pair).max(*greatest);
    }
    let bits = |greatest: u32| NARROW.into_iter().find(|bits| greatest < 1 << bits).unwrap_or(WIDE);
    let widths = [bits(colour), bits(alpha)].map(|bits| (1u32 << bits) - 1);
    for at in 0..pixels.len() / 2 {
        let most = widths[usize::from(is_alpha(at))];
        pixels[at] = ((sample(&pixels[2 * at..]) * 255 + most / 2) / most) as u8;
    }
    pixels.truncate(pixels.len() / 2);
    pixels.shrink_to_fit();
    let used = bits(colour);
    (used < WIDE && colour > 0).then(|| {
        format!("its samples have 16 bits, but none is over {colour}: they were taken as {used} bits and stretched")
    })
}

fn refused(error: DecodingError) -> PictureError {
    match error {
        DecodingError::LimitsExceeded => PictureError::Chunks { mebibytes: MOST_CHUNKS >> 20 },
        DecodingError::IoError(error) => error.into(),
        error => PictureError::damaged(error),
    }
}

/// The decoder requires a reader that can seek, but never seeks.
struct Forward<R>(R);

impl<R: Read> Read for Forward<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl<R: BufRead> BufRead for Forward<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.0.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.0.consume(count);
    }
}

impl<R> Seek for Forward<R> {
    fn seek(&mut self, _: SeekFrom) -> io::Result<u64> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
