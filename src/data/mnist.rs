//! The MNIST data set, which crates beside this one carry. Provenance and licence: `assets/mnist/README.md`.

use std::path::PathBuf;

use super::error::DataError;
use super::files::{FileNames, TEST, TRAIN};
use super::folder::{Labelled, TrainTest, pair};

/// An embedded pair of gzip files.
struct Embedded {
    names: FileNames,
    images: &'static [u8],
    labels: &'static [u8],
}

const TRAIN_FILES: Embedded =
    Embedded { names: TRAIN, images: shadegrad_mnist_train::IMAGES, labels: shadegrad_mnist_train::LABELS };
const TEST_FILES: Embedded =
    Embedded { names: TEST, images: shadegrad_mnist_test::IMAGES, labels: shadegrad_mnist_test::LABELS };

/// MNIST: 60,000 training and 10,000 test images of handwritten digits, `[28, 28, 1]`, 10 classes.
///
/// The embedded files go through the reader that [`load_dir`](super::load_dir) uses; each call decompresses them anew
/// (55 MB). Fails only in a damaged build or for lack of memory: [`DataError::Idx`].
pub fn mnist() -> Result<TrainTest, DataError> {
    pair(read(&TRAIN_FILES)?, read(&TEST_FILES)?)
}

fn read(files: &Embedded) -> Result<Labelled, DataError> {
    let [images, labels] = [files.names.images, files.names.labels].map(display_name);
    Labelled::from_bytes([(&images, files.images), (&labels, files.labels)])
}

fn display_name(name: &str) -> PathBuf {
    PathBuf::from(format!("embedded {name}.gz"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines of `sha256sum`: 64 hexadecimal digits, two spaces, the name.
    const SUMS: &str = include_str!("../../assets/mnist/SHA256SUMS");

    #[test]
    fn embedded_files_have_the_recorded_checksums() {
        let files = [
            ("train", TRAIN.images, TRAIN_FILES.images),
            ("train", TRAIN.labels, TRAIN_FILES.labels),
            ("test", TEST.images, TEST_FILES.images),
            ("test", TEST.labels, TEST_FILES.labels),
        ];
        assert_eq!(SUMS.lines().count(), files.len(), "one line for each file");
        for (set, name, bytes) in files {
            let digest = crate::data::sha256(bytes);
            let line = format!("{digest}  {set}/{name}.gz");
            assert!(SUMS.lines().any(|recorded| recorded == line), "not recorded: {line}");
        }
    }

    #[test]
    fn errors_name_the_embedded_file() {
        let damaged = Embedded { labels: &TEST_FILES.labels[..100], ..TEST_FILES };
        let message = read(&damaged).map(|_| ()).unwrap_err().to_string();
        assert!(message.starts_with("embedded t10k-labels-idx1-ubyte.gz: byte 100:"), "{message}");
    }
}
