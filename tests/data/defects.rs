//! One row for each way in which a file can be wrong: which error it is, and whether its message says enough.

use std::fs;
use std::path::Path;

use shadegrad::data::IdxError;
use shadegrad::data::idx::{images_from_bytes, labels_from_bytes, read_images, read_labels};

use crate::builder::{U8, gzip, idx, two_images, two_labels, with};

/// Read as images or as labels.
#[derive(Clone, Copy)]
enum As {
    Images,
    Labels,
}

struct Row {
    what: &'static str,
    read_as: As,
    bytes: Vec<u8>,
    is: fn(&IdxError) -> bool,
    /// What the message says after the name of the file: place, expected, found, advice.
    says: &'static [&'static str],
}

macro_rules! row {
    ($what:literal, $read_as:ident, $bytes:expr, $variant:ident, $says:expr) => {
        Row {
            what: $what,
            read_as: As::$read_as,
            bytes: $bytes,
            is: |error| matches!(error, IdxError::$variant { .. }),
            says: &$says,
        }
    };
}

/// A file whose dimensions have their bytes in the wrong order, with this many elements.
fn little_endian(dimensions: &[u32], elements: usize) -> Vec<u8> {
    let swapped: Vec<u32> = dimensions.iter().map(|dimension| dimension.swap_bytes()).collect();
    idx(U8, &swapped, &vec![1; elements])
}

#[rustfmt::skip] // one row, one line
fn format_rows() -> Vec<Row> {
    vec![
        row!("nothing", Images, vec![], Truncated, ["byte 0:", "expected at least 16 bytes", "end after 0", "fetch"]),
        row!("half a header", Labels, two_labels()[..6].to_vec(), Truncated, ["byte 6:", "expected at least 8 bytes", "end after 6"]),
        row!("web page", Images, b"<!DOCTYPE html>".to_vec(), NotIdx, ["byte 0:", "expected 00 00", "1f 8b", "found 3c 21 44 4f", "web page"]),
        row!("short web page", Images, b"<p".to_vec(), NotIdx, ["byte 0:", "found 3c 70", "web page"]),
        row!("PNG", Images, b"\x89PNG\r\n\x1a\n".to_vec(), NotIdx, ["byte 0:", "found 89 50 4e 47", "PNG"]),
        row!("LFS pointer", Labels, b"version https://git-lfs".to_vec(), NotIdx, ["byte 0:", "git lfs pull"]),
        row!("swapped bytes", Images, vec![3, 8, 0, 0, 2, 0, 0, 0], ByteOrder, ["byte 0:", "expected big-endian", "03 08 00 00", "most significant byte first"]),
        row!("swapped bytes of labels", Labels, vec![1, 8, 0, 0, 2, 0, 0, 0, 1, 0], ByteOrder, ["byte 0:", "01 08 00 00", "'>I'"]),
        row!("swapped bytes of floats", Images, vec![3, 0x0d, 0, 0, 2, 0, 0, 0], ByteOrder, ["byte 0:", "03 0d 00 00"]),
        row!("little-endian images", Images, little_endian(&[2, 2, 3], 12), ByteOrder, ["byte 4:", "little-endian numbers, [2, 2, 3]", "most significant byte first"]),
        row!("little-endian labels", Labels, little_endian(&[2], 2), ByteOrder, ["byte 4:", "little-endian numbers, [2]"]),
        row!("little-endian, many", Labels, little_endian(&[70_000], 70_000), ByteOrder, ["byte 4:", "little-endian numbers, [70000]"]),
        row!("little-endian, one short", Images, little_endian(&[2, 2, 3], 11), SizeOverflow, ["byte 4:", "found [33554432, 33554432, 50331648]"]),
        row!("the same in either order", Labels, little_endian(&[0x0100_0001], 2), Truncated, ["byte 10:", "expected at least 16777225 bytes"]),
        row!("unknown bytes", Images, vec![0, 7, 7, 7], NotIdx, ["byte 0:", "found 00 07 07 07"]),
        row!("floats", Images, idx(0x0d, &[1, 1, 1], &[0; 4]), ElementType, ["byte 2:", "expected element type 0x08", "found 0x0d (f32)", "convert"]),
        row!("unknown type", Labels, idx(0x42, &[1], &[0]), ElementType, ["byte 2:", "found 0x42"]),
        row!("labels as images", Images, two_labels(), Dimensions, ["byte 3:", "expected 3", "found 1", "label file"]),
        row!("images as labels", Labels, two_images(), Dimensions, ["byte 3:", "expected 1", "found 3", "image file"]),
        row!("five dimensions", Images, idx(U8, &[1, 1, 1, 1, 3], &[0; 3]), Dimensions, ["byte 3:", "expected 3", "found 5", "four with channels"]),
        row!("no channels", Images, idx(U8, &[1, 1, 1, 0], &[]), ZeroDimension, ["byte 16:", "channels", "found 0"]),
        row!("a channel short", Images, idx(U8, &[1, 1, 1, 3], &[0; 2]), Truncated, ["byte 22:", "expected at least 23"]),
        row!("no images", Images, idx(U8, &[0, 28, 28], &[]), ZeroDimension, ["byte 4:", "expected at least 1", "images", "found 0"]),
        row!("no rows", Images, idx(U8, &[1, 0, 28], &[]), ZeroDimension, ["byte 8:", "rows", "found 0"]),
        row!("no columns", Images, idx(U8, &[1, 28, 0], &[]), ZeroDimension, ["byte 12:", "columns", "found 0"]),
        row!("no labels", Labels, idx(U8, &[0], &[]), ZeroDimension, ["byte 4:", "labels", "found 0"]),
        row!("size overflow", Images, idx(U8, &[u32::MAX; 3], &[]), SizeOverflow, ["byte 4:", "expected dimensions", "found [4294967295, 4294967295, 4294967295]"]),
        row!("one pixel short", Images, two_images()[..27].to_vec(), Truncated, ["byte 27:", "expected at least 28 bytes", "end after 27"]),
        row!("4 GB announced", Labels, idx(U8, &[u32::MAX], &[0]), Truncated, ["byte 9:", "expected at least 4294967303", "end after 9"]),
        row!("one pixel more", Images, with(two_images(), |b| b.push(0)), TrailingBytes, ["byte 28:", "expected the end after the 28 bytes", "found 29"]),
    ]
}

#[rustfmt::skip] // one row, one line
fn gzip_rows() -> Vec<Row> {
    let packed = gzip(&two_images());
    let len = packed.len();
    let (first, second) = (gzip(&two_images()[..20]), gzip(&two_images()[20..]));
    vec![
        row!("magic alone", Images, packed[..2].to_vec(), TruncatedGzip, ["byte 2:", "expected the rest of the gzip stream", "found the end of the file"]),
        row!("no checksum", Images, packed[..len - 8].to_vec(), TruncatedGzip, ["expected the rest", "found the end", "fetch"]),
        row!("last byte missing", Images, packed[..len - 1].to_vec(), TruncatedGzip, ["expected the rest", "found the end"]),
        row!("wrong checksum", Images, with(packed.clone(), |b| b[len - 8] ^= 1), CorruptGzip, ["expected an intact gzip stream", "found: ", "checksum"]),
        row!("wrong length", Images, with(packed.clone(), |b| b[len - 4] ^= 1), CorruptGzip, ["expected an intact gzip stream", "found: "]),
        row!("unknown method", Images, with(packed.clone(), |b| b[2] = 9), CorruptGzip, ["expected an intact gzip stream", "found: "]),
        row!("reserved block type", Images, with(packed.clone(), |b| b[10] |= 0b110), CorruptGzip, ["expected an intact gzip stream", "found: "]),
        row!("the whole file twice", Images, [packed.clone(), packed.clone()].concat(), TrailingBytes, ["byte 28 of the uncompressed data:", "expected the end after the 28 bytes"]),
        row!("half of the data, one member", Images, first.clone(), Truncated, ["byte 20 of the uncompressed data:", "expected at least 28"]),
        row!("second member without its end", Images, [&first[..], &second[..second.len() - 9]].concat(), TruncatedGzip, ["expected the rest", "found the end of the file"]),
        row!("second member without its last byte", Images, [&first[..], &second[..second.len() - 1]].concat(), TruncatedGzip, ["expected the rest"]),
        row!("second member cut within its header", Images, [&first[..], &second[..5]].concat(), TruncatedGzip, ["expected the rest"]),
        row!("second member cut within its magic", Images, [&packed[..], &second[..1]].concat(), TruncatedGzip, ["expected the rest"]),
        row!("wrong checksum in the first of two", Images, with([&first[..], &second[..]].concat(), |b| b[first.len() - 8] ^= 1), CorruptGzip, ["expected an intact gzip stream", "checksum"]),
        row!("wrong checksum in the second", Images, with([&first[..], &second[..]].concat(), |b| { let at = b.len() - 8; b[at] ^= 1 }), CorruptGzip, ["expected an intact gzip stream", "checksum"]),
        row!("unknown method in the second", Images, with([&first[..], &second[..]].concat(), |b| b[first.len() + 2] = 9), CorruptGzip, ["expected an intact gzip stream"]),
        row!("garbage after", Images, [&packed[..], b"xyz"].concat(), GzipTrailingBytes, ["expected the end of the file", "found 3 more byte(s)", "fetch the file again"]),
        row!("garbage after two", Images, [&first[..], &second[..], b"xyz"].concat(), GzipTrailingBytes, ["expected the end of the file", "found 3 more byte(s)"]),
        row!("garbage that begins like a member", Images, [&packed[..], &[0x1f, 0xa1]].concat(), GzipTrailingBytes, ["found 2 more byte(s)"]),
        row!("garbage after zeros", Images, [&packed[..], &[0, 0, 7]].concat(), GzipTrailingBytes, ["found 3 more byte(s)"]),
        row!("a member after zeros", Images, [&packed[..], &[0, 0], &second[..]].concat(), GzipTrailingBytes, ["expected the end of the file"]),
        row!("half of the data, zeros, a member", Images, [&first[..], &[0, 0], &second[..]].concat(), Truncated, ["byte 20 of the uncompressed data:"]),
        row!("little-endian images inside", Images, gzip(&little_endian(&[2, 2, 3], 12)), ByteOrder, ["byte 4 of the uncompressed data:", "little-endian numbers, [2, 2, 3]"]),
        row!("little-endian labels inside", Labels, gzip(&little_endian(&[2], 2)), ByteOrder, ["byte 4 of the uncompressed data:", "little-endian numbers, [2]"]),
        row!("tar inside", Images, gzip(b"train/images"), NotIdx, ["byte 0 of the uncompressed data:", "found 74 72 61 69"]),
        row!("gzip inside", Images, gzip(&packed), NotIdx, ["byte 0 of the uncompressed data:", "gzip inside gzip"]),
        row!("nothing inside", Labels, gzip(&[]), Truncated, ["byte 0 of the uncompressed data:", "expected at least 8", "end after 0"]),
        row!("one pixel short inside", Images, gzip(&two_images()[..27]), Truncated, ["byte 27 of the uncompressed data:", "expected at least 28", "end after 27"]),
        row!("one pixel more inside", Images, gzip(&with(two_images(), |b| b.push(0))), TrailingBytes, ["byte 28 of the uncompressed data:", "expected the end after the 28 bytes", "found at least 29 bytes"]),
        row!("4 GB announced inside", Labels, gzip(&idx(U8, &[u32::MAX], &[0])), Implausible, ["byte 4 of the uncompressed data:", "expected dimensions", "found 4294967303 bytes"]),
        row!("size overflow inside", Images, gzip(&idx(U8, &[u32::MAX; 3], &[])), SizeOverflow, ["byte 4 of the uncompressed data:", "found [4294967295"]),
    ]
}

fn error_of<T>(row: &Row, outcome: Result<T, IdxError>) -> IdxError {
    match outcome {
        Err(error) => error,
        Ok(_) => panic!("{}: was accepted", row.what),
    }
}

fn check(row: &Row, name: &Path, error: &IdxError) {
    let message = error.to_string();
    assert!((row.is)(error), "{}: the wrong variant, {error:?}", row.what);
    let start = format!("{}: byte ", name.display());
    assert!(message.starts_with(&start), "{}: no file and byte: {message}", row.what);
    for part in row.says {
        assert!(message.contains(part), "{}: no {part:?} in: {message}", row.what);
    }
}

/// The same rows give the same errors from memory and from disk.
#[test]
fn each_defect_has_its_own_error_that_says_enough() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("some.idx");
    for row in format_rows().iter().chain(&gzip_rows()) {
        let memory = Path::new("embedded some.idx");
        fs::write(&path, &row.bytes).unwrap();
        let (from_memory, from_disk) = match row.read_as {
            As::Images => {
                (error_of(row, images_from_bytes(memory, &row.bytes)), error_of(row, read_images(&path)))
            }
            As::Labels => {
                (error_of(row, labels_from_bytes(memory, &row.bytes)), error_of(row, read_labels(&path)))
            }
        };
        check(row, memory, &from_memory);
        check(row, &path, &from_disk);
    }
}

/// Offsets in the compressed file, which depend on the compressor, are compared with its length.
#[test]
fn gzip_errors_point_at_the_byte_where_the_stream_ends() {
    let packed = gzip(&two_images());
    let len = packed.len() as u64;
    let garbage = [packed.clone(), vec![1, 2, 3]].concat();
    match images_from_bytes("a.gz", &garbage) {
        Err(IdxError::GzipTrailingBytes { at, found: 3 }) => assert_eq!(at.offset, len),
        other => panic!("garbage after the stream: {other:?}"),
    }
    for cut in 2..packed.len() {
        match images_from_bytes("a.gz", &packed[..cut]) {
            Err(IdxError::TruncatedGzip { at }) => {
                assert_eq!(at.offset, cut as u64, "cut at {cut}")
            }
            other => panic!("cut at {cut}: {other:?}"),
        }
    }
}

#[test]
fn what_is_not_a_readable_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("missing.idx");
    let message = read_images(&missing).unwrap_err().to_string();
    assert!(message.starts_with(&missing.display().to_string()), "{message}");
    assert!(message.contains("expected a readable file, found: "), "{message}");

    let error = read_labels(dir.path()).unwrap_err();
    assert!(matches!(error, IdxError::NotAFile { .. }), "{error:?}");
    let message = error.to_string();
    assert!(message.starts_with(&dir.path().display().to_string()), "{message}");
    assert!(message.ends_with("expected a file, found a folder"), "{message}");

    let below_a_file = dir.path().join("file");
    fs::write(&below_a_file, b"x").unwrap();
    let error = read_images(below_a_file.join("images")).unwrap_err();
    assert!(matches!(error, IdxError::Io { .. }), "{error:?}");
}

#[cfg(unix)]
#[test]
fn devices_are_refused_and_not_read_forever() {
    let error = read_images("/dev/zero").unwrap_err();
    assert!(matches!(error, IdxError::NotAFile { .. }), "{error:?}");
}
