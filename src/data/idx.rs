//! The IDX format of the MNIST files: a big-endian header, then the elements in row-major order.
//!
//! | offset | bytes  | content                                                        |
//! |-------:|-------:|----------------------------------------------------------------|
//! |      0 |      2 | zero                                                           |
//! |      2 |      1 | element type; only 0x08, unsigned bytes, is read               |
//! |      3 |      1 | number of dimensions `d`: 3 or 4 for images, 1 for labels      |
//! |      4 |  4 `d` | the dimensions as u32: count, then rows, columns and, of 4, channels of images |
//! | 4+4`d` |        | the elements, exactly as many as the product of the dimensions |
//!
//! Source: "The IDX file format" on the MNIST page of LeCun, Cortes and Burges. A file may be gzip-compressed, in one
//! member or several; this is recognised by its first bytes, not by its name.

use std::fs::File;
use std::io::BufRead;
use std::ops::RangeInclusive;
use std::path::Path;

pub use super::error::{IdxError, Place};
use super::numbers::{MAPPED_FROM, Numbers};
use super::source::Source;

const TYPE_U8: u8 = 0x08;
/// The last element type of the format.
const LAST_TYPE: u8 = 0x0e;
/// The most dimensions at which a file in the wrong byte order is still recognised: colour images have 4.
const MOST_DIMENSIONS: u8 = 4;
const TYPE_AT: usize = 2;
const DIMENSION_COUNT_AT: usize = 3;
const DIMENSIONS_AT: usize = 4;
const DIMENSION_BYTES: usize = size_of::<u32>();

/// What a file holds.
struct Form {
    /// What the dimensions count, in the order of the header.
    axes: &'static [&'static str],
    /// How many dimensions there may be.
    dimensions: RangeInclusive<usize>,
}

const IMAGES: Form = Form { axes: &["images", "rows", "columns", "channels"], dimensions: 3..=4 };
const LABELS: Form = Form { axes: &["labels"], dimensions: 1..=1 };

/// Images: `pixels` is `[count, rows, cols, channels]`, row-major, 0 to 255; no dimension is zero. Files of three dimensions
/// have one channel.
#[derive(Clone, PartialEq, Eq)]
pub struct IdxImages {
    /// Number of images.
    pub count: usize,
    /// Height of an image.
    pub rows: usize,
    /// Width of an image.
    pub cols: usize,
    /// Numbers of a pixel: 1 of grey images.
    pub channels: usize,
    /// All images, one after another.
    pub pixels: Vec<u8>,
}

impl std::fmt::Debug for IdxImages {
    /// Leaves out the pixels, which run to millions.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IdxImages")
            .field("count", &self.count)
            .field("rows", &self.rows)
            .field("cols", &self.cols)
            .field("channels", &self.channels)
            .finish_non_exhaustive()
    }
}

/// Reads an image file, plain or gzip. Every defect is its own variant of [`IdxError`].
///
/// Memory: for a plain file, that of the data. For gzip, while the result grows, at most twice the announced size and
/// at most three times the size of what has been read, plus about 1 MiB. A header alone reserves nothing.
pub fn read_images(path: impl AsRef<Path>) -> Result<IdxImages, IdxError> {
    images(Source::open(path.as_ref())?)
}

/// Reads a label file, plain or gzip: one byte for each image. Errors and memory as for [`read_images`].
pub fn read_labels(path: impl AsRef<Path>) -> Result<Vec<u8>, IdxError> {
    labels(Source::open(path.as_ref())?)
}

/// [`read_images`] on the content of a file; `name` stands for its path in messages.
pub fn images_from_bytes(name: impl AsRef<Path>, bytes: &[u8]) -> Result<IdxImages, IdxError> {
    images(Source::new(name.as_ref(), bytes.len() as u64, bytes)?)
}

/// [`read_labels`] on the content of a file; `name` stands for its path in messages.
pub fn labels_from_bytes(name: impl AsRef<Path>, bytes: &[u8]) -> Result<Vec<u8>, IdxError> {
    labels(Source::new(name.as_ref(), bytes.len() as u64, bytes)?)
}

fn images(mut source: Source<impl BufRead>) -> Result<IdxImages, IdxError> {
    let header = read_header(&mut source, &IMAGES)?;
    let pixels = source.payload(header.len, header.elements)?;
    let [count, rows, cols, channels] = header.image_sizes();
    Ok(IdxImages { count, rows, cols, channels, pixels })
}

fn labels(mut source: Source<impl BufRead>) -> Result<Vec<u8>, IdxError> {
    let header = read_header(&mut source, &LABELS)?;
    source.payload(header.len, header.elements)
}

/// The sizes `[count, rows, columns, channels]` and the pixels of an image file; those of a large plain file are mapped.
pub(super) fn mapped_images(path: &Path) -> Result<([usize; 4], Numbers<u8>), IdxError> {
    let mut source = Source::open(path)?;
    let header = read_header(&mut source, &IMAGES)?;
    let sizes = header.image_sizes();
    if !source.is_gzip() && header.elements >= MAPPED_FROM {
        let place = header.len..header.len + header.elements;
        // Where the system cannot map it, it is read.
        if let Ok(pixels) = File::open(path).and_then(|file| Numbers::mapped(&file, place)) {
            return Ok((sizes, pixels));
        }
    }
    Ok((sizes, source.payload(header.len, header.elements)?.into()))
}

/// What a header says, once it is checked.
struct Header {
    sizes: Vec<usize>,
    /// The bytes of the header.
    len: usize,
    /// The bytes that follow: the product of the sizes.
    elements: usize,
}

impl Header {
    /// `[count, rows, columns, channels]`; of an image file all but the last are there.
    fn image_sizes(&self) -> [usize; 4] {
        std::array::from_fn(|axis| self.sizes.get(axis).copied().unwrap_or(1))
    }
}

/// The header of a file, checked against the length of the file.
fn read_header(source: &mut Source<impl BufRead>, form: &Form) -> Result<Header, IdxError> {
    let announced = announced(source, form)?;
    let refused = |error| swapped(source, &announced).unwrap_or(error);
    let (sizes, elements) = check_dimensions(source, form, &announced).map_err(refused)?;
    let len = header_len(announced.len());
    source.check_announced(len, elements, DIMENSIONS_AT as u64).map_err(refused)?;
    Ok(Header { sizes, len, elements })
}

/// The error for refused dimensions that would be valid in the other byte order.
fn swapped(source: &Source<impl BufRead>, announced: &[u32]) -> Option<IdxError> {
    let found: Vec<u32> = announced.iter().map(|size| size.swap_bytes()).collect();
    let elements = found.iter().try_fold(1u64, |product, &size| product.checked_mul(size.into()))?;
    let whole = elements.checked_add(header_len(announced.len()) as u64)?;
    (found != announced && elements > 0 && source.can_hold(whole)).then(|| IdxError::ByteOrder {
        at: source.at(DIMENSIONS_AT as u64),
        says: format!("dimensions that fit the file only as little-endian numbers, {found:?}"),
    })
}

const fn header_len(dimensions: usize) -> usize {
    DIMENSIONS_AT + dimensions * DIMENSION_BYTES
}

/// The dimensions as announced, after the bytes in front of them are checked.
///
/// A file that ends within its header is reported by the bytes it has, so that three bytes of a web page are still
/// recognised as such and not called an incomplete data file.
fn announced(source: &mut Source<impl BufRead>, form: &Form) -> Result<Vec<u32>, IdxError> {
    let fewest = *form.dimensions.start();
    let mut header = Vec::with_capacity(header_len(*form.dimensions.end()));
    source.append(&mut header, DIMENSIONS_AT)?;

    if header.iter().take(TYPE_AT).any(|&byte| byte != 0) {
        if let [count @ 1..=MOST_DIMENSIONS, code @ TYPE_U8..=LAST_TYPE, 0, 0] = header[..] {
            let says =
                format!("the first four bytes, {count:02x} {code:02x} 00 00, from the last to the first");
            return Err(IdxError::ByteOrder { at: source.at(0), says });
        }
        return Err(IdxError::NotIdx { at: source.at(0), found: header });
    }
    if let Some(&found) = header.get(TYPE_AT).filter(|&&code| code != TYPE_U8) {
        return Err(IdxError::ElementType { at: source.at(TYPE_AT as u64), found });
    }
    let dimensions = match header.get(DIMENSION_COUNT_AT) {
        Some(&found) if !form.dimensions.contains(&usize::from(found)) => {
            let at = source.at(DIMENSION_COUNT_AT as u64);
            return Err(IdxError::Dimensions { at, expected: fewest as u8, found });
        }
        Some(&found) => usize::from(found),
        None => fewest,
    };
    source.append(&mut header, dimensions * DIMENSION_BYTES)?;
    if header.len() < header_len(dimensions) {
        return Err(source.truncated(header_len(dimensions) as u64, header.len() as u64));
    }
    let (words, _) = header[DIMENSIONS_AT..].as_chunks::<DIMENSION_BYTES>();
    Ok(words.iter().map(|word| u32::from_be_bytes(*word)).collect())
}

/// The dimensions as sizes, and their product: the number of elements that follow.
fn check_dimensions(
    source: &Source<impl BufRead>,
    form: &Form,
    announced: &[u32],
) -> Result<(Vec<usize>, usize), IdxError> {
    if let Some(index) = announced.iter().position(|&dimension| dimension == 0) {
        return Err(IdxError::ZeroDimension {
            at: source.at((DIMENSIONS_AT + index * DIMENSION_BYTES) as u64),
            axis: form.axes[index],
        });
    }
    // Leaves room for the header, so that lengths of files can be added up without a second check.
    let most = isize::MAX as usize - header_len(announced.len());
    let sizes: Vec<usize> = announced.iter().map(|&dimension| dimension as usize).collect();
    let elements = sizes
        .iter()
        .try_fold(1usize, |product, &size| product.checked_mul(size))
        .filter(|&elements| elements <= most);
    match elements {
        Some(elements) => Ok((sizes, elements)),
        None => {
            Err(IdxError::SizeOverflow { at: source.at(DIMENSIONS_AT as u64), found: announced.to_vec() })
        }
    }
}
