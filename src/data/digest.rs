//! A checksum that tells one data set from another.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::dataset::Dataset;
use super::form::DataForm;
use super::shape::Shape;
use super::targets::TargetKind;

/// The first bytes that are hashed; another way of hashing gets another number. The first is that of images with labels, both
/// bytes, which older runs have recorded; the second, that of all else.
const MARKS: [&[u8]; 2] = [b"shadegrad data set 1\n", b"shadegrad data set 2\n"];

impl Dataset {
    /// SHA-256, in hexadecimal. Of images with labels that fit into bytes, over a mark, the number of images, `[h, w, c]` as
    /// 64-bit little-endian numbers, all labels, and all pixels, in their order. Of all else, over another mark, the number of
    /// samples, the number of sizes of a sample, these sizes, a line with the kinds of inputs and targets, the numbers of a
    /// target, all targets, all inputs and all weights, as 32-bit little-endian numbers where they are not bytes.
    ///
    /// Two data sets have the same digest only if a model learns the same from them: it does not matter which files
    /// they were read from, nor how many classes they declare. It reads every byte: 47 MB of MNIST take some 25 to
    /// 150 ms.
    pub fn digest(&self) -> String {
        let labels: Option<Vec<u8>> = self.labels().iter().map(|&label| u8::try_from(label).ok()).collect();
        let sum = match (labels, self.shape(), self.form(), self.target()) {
            (Some(labels), Shape::Image(dims), form, TargetKind::Classes) if form == DataForm::default() => {
                let mut sum = Sha256::new_with_prefix(MARKS[0]);
                update_sizes(&mut sum, [self.len()].into_iter().chain(dims));
                sum.update(labels);
                sum.update(self.images());
                sum
            }
            (_, shape, form, target) => {
                let dims = shape.dims();
                let mut sum = Sha256::new_with_prefix(MARKS[1]);
                update_sizes(&mut sum, [self.len(), dims.len()].into_iter().chain(dims));
                let inputs = if form.values { "values" } else { "bytes" };
                sum.update(format!("{inputs} {target}\n"));
                update_sizes(&mut sum, [self.target_rows().len() / self.len()]);
                update_words(&mut sum, self.labels());
                update_floats(&mut sum, self.target_rows());
                sum.update(self.images());
                update_floats(&mut sum, self.values());
                update_floats(&mut sum, self.sample_weights().unwrap_or_default());
                sum
            }
        };
        hexadecimal(&sum.finalize())
    }
}

fn update_sizes(sum: &mut Sha256, sizes: impl IntoIterator<Item = usize>) {
    sizes.into_iter().for_each(|size| sum.update((size as u64).to_le_bytes()));
}

fn update_words(sum: &mut Sha256, words: &[u32]) {
    words.iter().for_each(|word| sum.update(word.to_le_bytes()));
}

/// By their bits.
fn update_floats(sum: &mut Sha256, values: &[f32]) {
    values.iter().for_each(|value| sum.update(value.to_bits().to_le_bytes()));
}

/// Two digits for each byte.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The [`Dataset::digest`]s of the data that a run uses, after limits and splits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataDigests {
    /// Of the samples that are trained on.
    pub train: String,
    /// The number of those samples.
    pub train_samples: usize,
    /// Of the validation set, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<String>,
    /// Of the test set.
    pub test: String,
}

impl DataDigests {
    /// Digests these sets in parallel.
    pub fn of(train: &Dataset, validation: Option<&Dataset>, test: &Dataset) -> Self {
        let samples = train.len();
        let others = || rayon::join(|| validation.map(Dataset::digest), || test.digest());
        let (train, (validation, test)) = rayon::join(|| train.digest(), others);
        DataDigests { train, train_samples: samples, validation, test }
    }
}

/// SHA-256, in hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(images: &[u8], labels: &[u8], shape: [usize; 3], classes: usize) -> Dataset {
        Dataset::new(images.to_vec(), labels.to_vec(), shape, classes).unwrap()
    }

    #[test]
    fn a_digest_tells_every_change_and_nothing_else() {
        let base = set(&[1, 2, 3, 4, 5, 6, 7, 8], &[0, 1], [2, 2, 1], 2);
        // Computed once with Python's hashlib. Runs have recorded such digests, so they must not change.
        let known = "f201398f4efb821f4c376c3f9eb7bc696d317709ef6ab1d7cf0e4b0afbf7fcfa";
        assert_eq!(base.digest(), known);
        let same = [
            set(&[1, 2, 3, 4, 5, 6, 7, 8], &[0, 1], [2, 2, 1], 9),
            set(&[9, 9, 9, 9, 1, 2, 3, 4, 5, 6, 7, 8], &[1, 0, 1], [2, 2, 1], 2).slice(1..3).unwrap(),
        ];
        for (row, other) in same.iter().enumerate() {
            assert_eq!(other.digest(), known, "row {row}");
        }
        let others = [
            set(&[1, 2, 3, 4, 5, 6, 7, 9], &[0, 1], [2, 2, 1], 2),
            set(&[1, 2, 3, 4, 5, 6, 7, 8], &[1, 1], [2, 2, 1], 2),
            set(&[5, 6, 7, 8, 1, 2, 3, 4], &[1, 0], [2, 2, 1], 2),
            set(&[1, 2, 3, 4, 5, 6, 7, 8], &[0, 1], [4, 1, 1], 2),
            set(&[1, 2, 3, 4, 5, 6, 7, 8], &[0, 1], [1, 4, 1], 2),
            set(&[1, 2, 3, 4, 5, 6, 7, 8], &[0, 1, 0, 1], [1, 2, 1], 2),
            base.take(1).unwrap(),
        ];
        for (row, other) in others.iter().enumerate() {
            assert_ne!(other.digest(), known, "row {row}");
        }
    }
}
