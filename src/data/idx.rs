//! The IDX format of the MNIST files: a big-endian header, then the elements in row-major order.
//!
//! | offset | bytes  | content                                                        |
//! |-------:|-------:|----------------------------------------------------------------|
//! |      0 |      2 | zero                                                           |
//! |      2 |      1 | element type; only 0x08, unsigned bytes, is read               |
//! |      3 |      1 | number of dimensions `d`: 3 for images, 1 for labels           |
//! |      4 |  4 `d` | the dimensions as u32: count, then rows and columns of images  |
//! | 4+4`d` |        | the elements, exactly as many as the product of the dimensions |
//!
//! Source: "The IDX file format" on the MNIST page of LeCun, Cortes and Burges. A file may be gzip-compressed, in one
//! member or several; this is recognised by its first bytes, not by its name.

use std::io::BufRead;
use std::path::Path;

pub use super::error::{IdxError, Place};
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

/// What the dimensions count, in the order of the header.
const IMAGE_AXES: [&str; 3] = ["images", "rows", "columns"];
const LABEL_AXES: [&str; 1] = ["labels"];

/// Grey images: `pixels` is `[count, rows, cols]`, row-major, 0 to 255; no dimension is zero.
#[derive(Clone, PartialEq, Eq)]
pub struct IdxImages {
    /// Number of images.
    pub count: usize,
    /// Height of an image.
    pub rows: usize,
    /// Width of an image.
    pub cols: usize,
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

fn images(source: Source<impl BufRead>) -> Result<IdxImages, IdxError> {
    let ([count, rows, cols], pixels) = read(source, IMAGE_AXES)?;
    Ok(IdxImages { count, rows, cols, pixels })
}

fn labels(source: Source<impl BufRead>) -> Result<Vec<u8>, IdxError> {
    let (_, labels) = read(source, LABEL_AXES)?;
    Ok(labels)
}

/// Header and elements of an IDX file with `N` dimensions.
fn read<const N: usize>(
    mut source: Source<impl BufRead>,
    axes: [&'static str; N],
) -> Result<([usize; N], Vec<u8>), IdxError> {
    let announced = read_header::<N>(&mut source)?;
    let refused = |error| swapped(&source, announced).unwrap_or(error);
    let (dimensions, elements) = check_dimensions(&source, axes, announced).map_err(refused)?;
    let header = header_len::<N>();
    source.check_announced(header, elements, DIMENSIONS_AT as u64).map_err(refused)?;
    Ok((dimensions, source.payload(header, elements)?))
}

/// The error for refused dimensions that would be valid in the other byte order.
fn swapped<const N: usize>(source: &Source<impl BufRead>, announced: [u32; N]) -> Option<IdxError> {
    let found = announced.map(u32::swap_bytes);
    let elements = found.iter().try_fold(1u64, |product, &size| product.checked_mul(size.into()))?;
    let whole = elements.checked_add(header_len::<N>() as u64)?;
    (found != announced && elements > 0 && source.can_hold(whole)).then(|| IdxError::ByteOrder {
        at: source.at(DIMENSIONS_AT as u64),
        says: format!("dimensions that fit the file only as little-endian numbers, {found:?}"),
    })
}

const fn header_len<const N: usize>() -> usize {
    DIMENSIONS_AT + N * DIMENSION_BYTES
}

/// The `N` dimensions as announced, after the bytes in front of them are checked.
///
/// A file that ends within its header is reported by the bytes it has, so that three bytes of a web page are still
/// recognised as such and not called an incomplete data file.
fn read_header<const N: usize>(source: &mut Source<impl BufRead>) -> Result<[u32; N], IdxError> {
    let mut header = Vec::with_capacity(header_len::<N>());
    source.append(&mut header, header_len::<N>())?;

    if header.iter().take(TYPE_AT).any(|&byte| byte != 0) {
        header.truncate(DIMENSIONS_AT);
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
    if let Some(&found) = header.get(DIMENSION_COUNT_AT).filter(|&&count| usize::from(count) != N) {
        return Err(IdxError::Dimensions {
            at: source.at(DIMENSION_COUNT_AT as u64),
            expected: N as u8,
            found,
        });
    }
    let mut dimensions = [0; N];
    let (words, _) = header.get(DIMENSIONS_AT..).unwrap_or_default().as_chunks::<DIMENSION_BYTES>();
    if words.len() < N {
        return Err(source.truncated(header_len::<N>() as u64, header.len() as u64));
    }
    for (dimension, word) in dimensions.iter_mut().zip(words) {
        *dimension = u32::from_be_bytes(*word);
    }
    Ok(dimensions)
}

/// The dimensions as sizes, and their product: the number of elements that follow.
fn check_dimensions<const N: usize>(
    source: &Source<impl BufRead>,
    axes: [&'static str; N],
    announced: [u32; N],
) -> Result<([usize; N], usize), IdxError> {
    if let Some(index) = announced.iter().position(|&dimension| dimension == 0) {
        return Err(IdxError::ZeroDimension {
            at: source.at((DIMENSIONS_AT + index * DIMENSION_BYTES) as u64),
            axis: axes[index],
        });
    }
    // Leaves room for the header, so that lengths of files can be added up without a second check.
    let most = isize::MAX as usize - header_len::<N>();
    let sizes = announced.map(|dimension| dimension as usize);
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
