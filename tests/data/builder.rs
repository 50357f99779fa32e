//! Makes IDX files, intact or with a chosen defect. Shares no code with the reader.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

pub const U8: u8 = 0x08;

/// Header and elements; the dimensions need not be true.
pub fn idx(type_code: u8, dimensions: &[u32], elements: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, type_code, dimensions.len() as u8];
    for dimension in dimensions {
        bytes.extend(dimension.to_be_bytes());
    }
    bytes.extend(elements);
    bytes
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// `bytes` with what `change` makes of them.
pub fn with(mut bytes: Vec<u8>, change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    change(&mut bytes);
    bytes
}

/// Two images of 2 rows and 3 columns: a header of 16 bytes and 12 pixels.
pub fn two_images() -> Vec<u8> {
    idx(U8, &[2, 2, 3], &[0, 1, 2, 3, 4, 5, 250, 251, 252, 253, 254, 255])
}

/// The labels 1 and 0: a header of 8 bytes and 2 labels.
pub fn two_labels() -> Vec<u8> {
    idx(U8, &[2], &[1, 0])
}
