//! Properties of any file, intact, damaged or arbitrary.

use proptest::collection::vec;
use proptest::prelude::*;
use shadegrad::data::IdxError;
use shadegrad::data::idx::{IdxImages, images_from_bytes, labels_from_bytes};

use crate::builder::{U8, gzip, idx};

const NAME: &str = "any.idx";

/// Images of 1 to 6 in each dimension, of up to 3 channels, with any pixels.
fn any_images() -> impl Strategy<Value = IdxImages> {
    (1..=6usize, 1..=6usize, 1..=6usize, 1..=3usize).prop_flat_map(|(count, rows, cols, channels)| {
        let pixels = vec(any::<u8>(), count * rows * cols * channels);
        pixels.prop_map(move |pixels| IdxImages { count, rows, cols, channels, pixels })
    })
}

/// Grey images are of three dimensions.
fn file_of(images: &IdxImages) -> Vec<u8> {
    let dimensions = [images.count, images.rows, images.cols, images.channels].map(|size| size as u32);
    idx(U8, &dimensions[..if images.channels == 1 { 3 } else { 4 }], &images.pixels)
}

fn packed_if(gz: bool, bytes: Vec<u8>) -> Vec<u8> {
    if gz { gzip(&bytes) } else { bytes }
}

proptest! {
    // A fixed seed: a failure is reproducible, and a passing run keeps passing.
    #![proptest_config(ProptestConfig {
        cases: 512,
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(0x1d),
        ..ProptestConfig::default()
    })]

    #[test]
    fn images_come_back(images in any_images(), gz: bool) {
        let bytes = packed_if(gz, file_of(&images));
        prop_assert_eq!(images_from_bytes(NAME, &bytes).unwrap(), images);
    }

    #[test]
    fn labels_come_back(labels in vec(any::<u8>(), 1..300), gz: bool) {
        let bytes = packed_if(gz, idx(U8, &[labels.len() as u32], &labels));
        prop_assert_eq!(labels_from_bytes(NAME, &bytes).unwrap(), labels);
    }

    /// Any bytes, some of them after a valid beginning so that they pass the first check.
    #[test]
    fn arbitrary_bytes_never_panic(
        start in prop::sample::select(vec![
            vec![], vec![0, 0, 8, 3], vec![0, 0, 8, 4], vec![0, 0, 8, 1], vec![0x1f, 0x8b], vec![0x1f, 0x8b, 8, 0],
        ]),
        rest in vec(any::<u8>(), 0..200),
        gz: bool,
    ) {
        let bytes = packed_if(gz, [start, rest].concat());
        if let Ok(images) = images_from_bytes(NAME, &bytes) {
            prop_assert_eq!(images.pixels.len(), images.count * images.rows * images.cols * images.channels);
        }
        let _ = labels_from_bytes(NAME, &bytes);
    }

    #[test]
    fn any_cut_is_an_error(images in any_images(), gz: bool, cut: prop::sample::Index) {
        let bytes = packed_if(gz, file_of(&images));
        let end = cut.index(bytes.len());
        let error = images_from_bytes(NAME, &bytes[..end]).unwrap_err();
        let incomplete = matches!(error, IdxError::Truncated { .. } | IdxError::TruncatedGzip { .. })
            // A single byte of gzip is not recognised.
            || (gz && end == 1 && matches!(error, IdxError::NotIdx { .. }));
        prop_assert!(incomplete, "cut at {}: {:?}", end, error);
    }

    #[test]
    fn anything_after_the_end_is_an_error(images in any_images(), gz: bool, rest in vec(any::<u8>(), 1..40)) {
        let bytes = [packed_if(gz, file_of(&images)), rest.clone()].concat();
        let fits = match images_from_bytes(NAME, &bytes) {
            // Unless it is padding of a gzip file, or begins like a further member.
            Ok(read) => gz && rest.iter().all(|&byte| byte == 0) && read == images,
            Err(IdxError::GzipTrailingBytes { .. }) => gz,
            Err(IdxError::TruncatedGzip { .. } | IdxError::CorruptGzip { .. }) => gz && rest[0] == 0x1f,
            Err(IdxError::TrailingBytes { .. }) => !gz,
            Err(_) => false,
        };
        prop_assert!(fits, "{:?} after {:?}", rest, images);
    }

    /// A gzip file that is cut anywhere into members, some of them empty, and padded with zeros, reads as if it were
    /// one piece; truncated anywhere before the padding it is an error.
    #[test]
    fn members_are_one_stream(
        images in any_images(),
        cuts in vec(any::<prop::sample::Index>(), 0..5),
        zeros in 0..5usize,
        end: prop::sample::Index,
    ) {
        let bytes = file_of(&images);
        let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        ends.push(bytes.len());
        ends.sort_unstable();
        let mut packed = Vec::new();
        let mut starts = vec![0];
        let mut start = 0;
        for end in ends {
            packed.extend(gzip(&bytes[start..end]));
            starts.push(packed.len());
            start = end;
        }
        let end = end.index(packed.len());
        if !starts.contains(&end) {
            prop_assert!(images_from_bytes(NAME, &packed[..end]).is_err(), "cut at {}", end);
        }
        packed.resize(packed.len() + zeros, 0);
        prop_assert_eq!(images_from_bytes(NAME, &packed).unwrap(), images);
    }

    /// No byte of an IDX header can change without making the file invalid: the product of the dimensions changes
    /// too.
    #[test]
    fn any_flip_in_a_plain_header_is_an_error(images in any_images(), at in 0..16usize, bit in 0..8u8) {
        let mut bytes = file_of(&images);
        bytes[at] ^= 1 << bit;
        let outcome = images_from_bytes(NAME, &bytes);
        prop_assert!(outcome.is_err(), "byte {}, bit {}: {:?}", at, bit, outcome);
    }

    /// A flipped bit anywhere in a gzip file is noticed, or is in a field that does not matter and leaves the images
    /// unchanged.
    #[test]
    fn a_flip_in_gzip_never_changes_the_images(images in any_images(), at: prop::sample::Index, bit in 0..8u8) {
        let mut bytes = gzip(&file_of(&images));
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if let Ok(read) = images_from_bytes(NAME, &bytes) {
            prop_assert_eq!(read, images, "byte {}, bit {}", at, bit);
        }
    }
}
