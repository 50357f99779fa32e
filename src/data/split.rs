//! The split of a set that comes without a test set: into training, validation and test samples.

use super::dataset::Dataset;
use super::error::DataError;
use super::folds::stratified_split;
use super::targets::TargetKind;
use crate::random::{Purpose, Stream};

/// One sample in so many is for validation, and one in so many for the test.
const SHARE: usize = 10;
/// One for each part.
const FEWEST: usize = 3;

/// The sets, and what their folders may be called, in small letters.
pub(crate) const SETS: [(&str, &[&str]); 3] = [
    ("training", &["train", "training"]),
    ("validation", &["val", "valid", "validation"]),
    ("test", &["test", "testing"]),
];

/// What systems and programs leave in folders of pictures, in small letters.
const LITTER: [&str; 6] = ["thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "@eadir", "$recycle.bin"];

/// Whether a file or a folder of this name is nobody's picture: hidden, or left by a system or a program.
pub fn is_litter(name: &str) -> bool {
    name.starts_with('.') || LITTER.contains(&name.to_lowercase().as_str())
}

/// The set that a folder of this name is for: 0 the training, 1 the validation, 2 the test set.
pub fn set_called(folder: &str) -> Option<usize> {
    let name = folder.to_lowercase();
    SETS.iter().position(|(_, names)| names.contains(&name.as_str()))
}

/// The numbers of the samples to train on, to validate with and to test on, each ascending: 80, 10 and 10 in a hundred. Every
/// sample is in exactly one part, and none is empty.
///
/// The samples are shuffled by the seed, and of the shuffled ones a tenth, rounded to the nearest number and at least one, is
/// set aside for the test, then as many for validation. Where there are labels, one for each of the `len` samples, each class
/// gives its share, as [`stratified_split`] counts it: a class of three samples or more is in every part if the parts are large
/// enough, and one sample of a class is trained on as long as the other classes can make up for it. The result depends on
/// nothing but the labels, their order and the seed.
///
/// # Errors
/// [`DataError::TooFewToSplit`] below three samples; [`DataError::SplitLabels`] where there is not one label for each sample.
pub fn three_ways(labels: Option<&[u32]>, len: usize, seed: u64) -> Result<[Vec<u32>; 3], DataError> {
    let mut order: Vec<u32> = (0..len as u32).collect();
    Stream::new(seed, Purpose::Split, 0).shuffle(&mut order);
    three_ways_of(labels, &order)
}

/// [`three_ways`] of the samples of which `order` has the numbers, in this order instead of a shuffled one: what is last is tested on.
///
/// # Errors
/// As [`three_ways`].
pub(super) fn three_ways_of(labels: Option<&[u32]>, order: &[u32]) -> Result<[Vec<u32>; 3], DataError> {
    let len = order.len();
    if len < FEWEST {
        return Err(DataError::TooFewToSplit { found: len, expected: FEWEST });
    }
    if let Some(labels) = labels.filter(|labels| labels.len() != len) {
        return Err(DataError::SplitLabels { samples: len, found: labels.len() });
    }
    let held = ((len + SHARE / 2) / SHARE).max(1);
    let [rest, test] = set_aside(labels, order, held);
    let [train, validation] = set_aside(labels, &rest, held);
    let mut parts = [train, validation, test];
    parts.iter_mut().for_each(|part| part.sort_unstable());
    Ok(parts)
}

/// [`three_ways`] of a data set: training, validation and test set, each in the order of the whole. By classes where targets are
/// classes. What they are made of is copied.
///
/// # Errors
/// As [`three_ways`].
pub fn three_sets(data: &Dataset, seed: u64) -> Result<[Dataset; 3], DataError> {
    let labels = (data.target() == TargetKind::Classes).then(|| data.labels());
    let [train, validation, test] = three_ways(labels, data.len(), seed)?;
    Ok([data.select(&train)?, data.select(&validation)?, data.select(&test)?])
}

/// The samples of `order` that stay, and the `held` last ones, of each class its share; in the order given.
fn set_aside(labels: Option<&[u32]>, order: &[u32], held: usize) -> [Vec<u32>; 2] {
    let label = |&sample: &u32| labels.map_or(0, |labels| labels[sample as usize]);
    let ordered: Vec<u32> = order.iter().map(label).collect();
    stratified_split(&ordered, held).map(|part| part.iter().map(|&at| order[at as usize]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_disjoint_complete_and_of_the_right_sizes() {
        // How many samples there are, and how many each part gets.
        let rows = [
            (3, [1, 1, 1]),
            (4, [2, 1, 1]),
            (14, [12, 1, 1]),
            (15, [11, 2, 2]),
            (150, [120, 15, 15]),
            (1004, [804, 100, 100]),
        ];
        let labels: Vec<u32> = (0..1004).map(|n| n % 7).collect();
        for (len, expected) in rows {
            for labels in [None, Some(&labels[..len])] {
                let parts = three_ways(labels, len, 5).unwrap();
                assert_eq!(parts.each_ref().map(Vec::len), expected, "{len} samples");
                assert!(parts.iter().all(|part| part.is_sorted()), "{len} samples: {parts:?}");
                let mut all = parts.concat();
                all.sort_unstable();
                assert_eq!(all, (0..len as u32).collect::<Vec<_>>(), "{len} samples");
            }
        }
    }

    #[test]
    fn each_class_gives_its_share() {
        // Samples of each class, and what of them each part gets.
        let rows: [(&[usize], [&[usize]; 3]); 4] = [
            (&[50, 50, 50], [&[40, 40, 40], &[5, 5, 5], &[5, 5, 5]]),
            (&[70, 26, 4], [&[56, 22, 2], &[7, 2, 1], &[7, 2, 1]]),
            // The only sample of a class is trained on.
            (&[97, 1, 1, 1], [&[77, 1, 1, 1], &[10, 0, 0, 0], &[10, 0, 0, 0]]),
            (&[5, 0, 5], [&[4, 0, 4], &[0, 0, 1], &[1, 0, 0]]),
        ];
        for (counts, expected) in rows {
            let labels: Vec<u32> = (0..).zip(counts).flat_map(|(class, &count)| vec![class; count]).collect();
            for seed in [0, 1] {
                let parts = three_ways(Some(&labels), labels.len(), seed).unwrap();
                for (part, expected) in parts.iter().zip(expected) {
                    let of = |class: usize| {
                        part.iter().filter(|&&at| labels[at as usize] as usize == class).count()
                    };
                    let found: Vec<_> = (0..counts.len()).map(of).collect();
                    assert_eq!(found, expected, "{counts:?}, seed {seed}");
                }
            }
        }
    }

    /// A split must not change: runs find their test set again by it.
    #[test]
    fn the_seed_alone_decides() {
        let parts = |seed| three_ways(None, 20, seed).unwrap();
        assert_eq!(parts(0), parts(0));
        assert_ne!(parts(0)[2], parts(1)[2]);
        assert_eq!(parts(0)[1..], [[4, 16], [14, 19]]);
    }

    #[test]
    fn sets_are_split_with_their_targets() {
        let data = Dataset::new((0..40).collect(), (0..20).map(|n| n % 2).collect(), [1, 2, 1], 2).unwrap();
        let sets = three_sets(&data, 0).unwrap();
        let numbers = three_ways(Some(data.labels()), 20, 0).unwrap();
        for (set, numbers) in sets.iter().zip(&numbers) {
            assert_eq!(*set, data.select(numbers).unwrap());
        }
    }

    #[test]
    fn what_cannot_be_split_is_refused() {
        let rows = [
            (three_ways(None, 2, 0), "expected at least 3 samples"),
            (three_ways(Some(&[0, 1]), 5, 0), "expected 5 labels"),
        ];
        for (outcome, expected) in rows {
            let message = outcome.unwrap_err().to_string();
            assert!(message.contains(expected), "{message:?} lacks {expected:?}");
        }
    }
}
