//! Data sets: what `Dataset::new` and `load_dir` refuse, and parts of a set.

use std::fs;
use std::path::Path;

use shadegrad::data::{DataError, Dataset, Samples, TargetKind, Targets, load_dir};

use crate::builder::{U8, gzip, idx, two_images, two_labels};

struct Row {
    what: &'static str,
    outcome: Result<(), DataError>,
    is: fn(&DataError) -> bool,
    says: &'static [&'static str],
}

macro_rules! row {
    ($what:literal, $outcome:expr, $variant:pat, $says:expr) => {
        Row {
            what: $what,
            outcome: $outcome.map(|_| ()),
            is: |error| {
                use DataError::*;
                matches!(error, $variant)
            },
            says: &$says,
        }
    };
}

fn check(rows: Vec<Row>) {
    for Row { what, outcome, is, says } in rows {
        let error = outcome.expect_err(what);
        let message = error.to_string();
        assert!(is(&error), "{what}: the wrong variant, {error:?}");
        for part in says {
            assert!(message.contains(part), "{what}: no {part:?} in: {message}");
        }
    }
}

/// Four images of 2 x 1 x 3, pixels counting up, labels 0 to 3.
fn four() -> Dataset {
    Dataset::new((0..24).collect(), vec![0, 1, 2, 3], [2, 1, 3], 4).unwrap()
}

#[rustfmt::skip] // one row, one line
#[test]
fn data_that_do_not_fit_together_are_refused() {
    let new = Dataset::new;
    let huge = usize::MAX / 2;
    check(vec![
        row!("no images", new(vec![], vec![], [1, 1, 1], 2), Empty, ["expected at least 1 sample", "found 0"]),
        row!("zero height", new(vec![], vec![0], [0, 1, 1], 2), Shape { .. }, ["expected", "positive", "found [0, 1, 1]"]),
        row!("zero channels", new(vec![], vec![0], [1, 1, 0], 2), Shape { .. }, ["found [1, 1, 0]"]),
        row!("shape overflow", new(vec![0], vec![0], [huge, huge, 1], 2), Shape { .. }, ["found ["]),
        row!("length overflow", new(vec![0], vec![0; 4], [huge, 1, 1], 2), SampleLength { .. }, ["expected 4 samples", "found 1 numbers"]),
        row!("no classes", new(vec![0], vec![0], [1, 1, 1], 0), Classes { found: 0, .. }, ["expected from 1 to", "found 0"]),
        row!("byte short", new(vec![0; 11], vec![0, 1], [2, 3, 1], 2), SampleLength { found: 11, .. }, ["expected 2 samples", "[2, 3, 1]", "found 11 numbers"]),
        row!("byte more", new(vec![0; 13], vec![0, 1], [2, 3, 1], 2), SampleLength { found: 13, .. }, ["found 13 numbers"]),
        row!("label too large", new(vec![0; 4], vec![0, 1, 2, 3], [1, 1, 1], 2), LabelOutOfRange { index: 2, label: 2, classes: 2 }, ["label 2:", "below 2", "found 2"]),
        row!("one-hot, no whole rows", Dataset::from_one_hot(vec![0; 2], &[1.0, 0.0, 0.0], [1, 1, 1], 2), TargetLength { columns: 2, found: 3 }, ["rows of 2", "found 3"]),
        row!("one-hot, no 1", Dataset::from_one_hot(vec![0; 2], &[1.0, 0.0, 0.0, 0.0], [1, 1, 1], 2), OneHot { index: 1 }, ["one-hot row 1:"]),
        row!("one-hot, two 1", Dataset::from_one_hot(vec![0], &[1.0, 1.0], [1, 1, 1], 2), OneHot { index: 0 }, ["one-hot row 0:"]),
        row!("one-hot, a share", Dataset::from_one_hot(vec![0], &[0.5, 0.0], [1, 1, 1], 2), OneHot { index: 0 }, ["expected one 1"]),
        row!("one-hot, not a number", Dataset::from_one_hot(vec![0], &[1.0, f32::NAN], [1, 1, 1], 2), OneHot { index: 0 }, ["expected one 1"]),
        row!("one-hot, no classes", Dataset::from_one_hot(vec![0], &[1.0], [1, 1, 1], 0), Classes { .. }, ["found 0"]),
        row!("one-hot, no rows", Dataset::from_one_hot(vec![], &[], [1, 1, 1], 2), Empty, ["found 0"]),
        row!("one-hot, bytes short", Dataset::from_one_hot(vec![0], &[1.0, 0.0, 0.0, 1.0], [1, 1, 1], 2), SampleLength { .. }, ["expected 2 samples"]),
        row!("empty slice", four().slice(2..2), Range { start: 2, end: 2, len: 4 }, ["within 0..4", "found 2..2"]),
        row!("slice beyond", four().slice(3..5), Range { .. }, ["within 0..4", "found 3..5"]),
        row!("slice of a slice beyond", four().slice(1..3).unwrap().slice(0..3), Range { len: 2, .. }, ["within 0..2", "found 0..3"]),
        row!("take none", four().take(0), Range { .. }, ["found 0..0"]),
        row!("take beyond", four().take(5), Range { .. }, ["within 0..4", "found 0..5"]),
    ]);
    #[expect(clippy::reversed_empty_ranges)]
    let reversed = four().slice(3..1);
    assert!(matches!(reversed, Err(DataError::Range { start: 3, end: 1, len: 4 })));
}

/// The last of 257 classes.
#[rustfmt::skip] // one row, one line
#[test]
fn numbers_in_memory_that_do_not_fit_together_are_refused() {
    let values = |rows: Vec<f32>| Targets::Rows { kind: TargetKind::Values, values: rows, columns: 2 };
    let labels = |rows: Vec<f32>| Targets::Rows { kind: TargetKind::MultiLabel, values: rows, columns: 2 };
    let with = |samples: Vec<f32>, targets| Dataset::from_parts(samples, targets, [3]);
    let good = || with(vec![0.0; 6], values(vec![0.0; 4])).unwrap();
    check(vec![
        row!("no targets", with(vec![], values(vec![])), Empty, ["at least 1 sample"]),
        row!("no columns", with(vec![], Targets::values([[0f32; 0]; 2], 0).unwrap()), Classes { found: 0, .. }, ["from 1 to", "found 0"]),
        row!("very many columns", with(vec![], Targets::classes([0u32], usize::MAX).unwrap()), Classes { .. }, ["from 1 to 16777216"]),
        row!("targets no whole rows", with(vec![0.0; 6], values(vec![0.0; 3])), TargetLength { columns: 2, found: 3 }, ["rows of 2", "found 3"]),
        row!("a target that is none", with(vec![0.0; 6], values(vec![0.0, 0.0, f32::NAN, 1.0])), Target { index: 1, column: 0, .. }, ["target 1:", "finite", "NaN", "column 0"]),
        row!("a target without end", with(vec![0.0; 6], values(vec![0.0, 0.0, 1.0, f32::INFINITY])), Target { index: 1, column: 1, .. }, ["found inf in column 1"]),
        row!("half a label is one, two are not", with(vec![0.0; 6], labels(vec![0.5, 0.0, 2.0, 1.0])), Target { index: 1, column: 0, .. }, ["1 where the label holds, else 0", "found 2"]),
        row!("a value short", with(vec![0.0; 5], values(vec![0.0; 4])), SampleLength { targets: 2, found: 5, .. }, ["2 samples of shape [3]", "found 5 numbers"]),
        row!("a value that is none", with(vec![0.0, 0.0, 0.0, 0.0, f32::NAN, 0.0], values(vec![0.0; 4])), Sample { index: 1, place: 1, .. }, ["sample 1:", "NaN as number 1"]),
        row!("no features", Dataset::from_parts(Vec::<u8>::new(), values(vec![0.0; 2]), [0]), Shape { .. }, ["found [0]"]),
        row!("a weight short", good().with_sample_weights(vec![1.0]), WeightCount { samples: 2, found: 1 }, ["2 sample weights", "found 1"]),
        row!("a negative weight", good().with_sample_weights(vec![1.0, -1.0]), Weight { index: 1, .. }, ["sample weight 1:", "found -1"]),
        row!("a weight that is none", good().with_sample_weights(vec![f32::NAN, 1.0]), Weight { index: 0, .. }, ["sample weight 0:", "NaN"]),
        row!("rows of two lengths", Samples::from_rows([vec![0f32], vec![1.0, 2.0]]), Row { index: 1, expected: 1, found: 2 }, ["row 1: expected 1 numbers, found 2"]),
        row!("a target too long", Targets::values([[1f32, 2.0]], 1), Row { index: 0, expected: 1, found: 2 }, ["row 0:"]),
        row!("a label below 0", Targets::classes([1i32, -1], 2), Label { index: 1 }, ["label 1:", "from 0 to 4294967295"]),
        row!("a name twice", good().with_class_names(vec!["a".to_owned(); 2]), Name { .. }, ["\"a\" is there twice"]),
        row!("a name short", good().with_class_names(vec!["a".to_owned()]), Names { expected: 2, found: 1 }, ["expected 2 names", "found 1"]),
    ]);
}

/// Four samples of three values with two targets each, weights 1 to 4, and names.
fn weighted() -> Dataset {
    let samples = Samples::from_rows((0..4).map(|n| [n as f32, 0.5, -1.0])).unwrap();
    let targets = Targets::values((0..4).map(|n| vec![n as f32, -(n as f32)]), 2).unwrap();
    let names = ["up", "down"].map(str::to_owned).to_vec();
    let data = Dataset::from_parts(samples, targets, [3]).unwrap();
    data.with_sample_weights(vec![1.0, 2.0, 3.0, 4.0]).unwrap().with_class_names(names).unwrap()
}

#[test]
fn parts_take_all_that_belongs_to_their_samples_along() {
    let rows: [(Dataset, &[usize]); 4] = [
        (weighted(), &[0, 1, 2, 3]),
        (weighted().slice(1..3).unwrap(), &[1, 2]),
        (weighted().select(&[3, 0, 3]).unwrap(), &[3, 0, 3]),
        (weighted().slice(1..4).unwrap().select(&[2, 0]).unwrap().take(1).unwrap(), &[3]),
    ];
    for (part, samples) in rows {
        let of =
            |row: &dyn Fn(f32) -> Vec<f32>| samples.iter().flat_map(|&n| row(n as f32)).collect::<Vec<f32>>();
        assert_eq!(part.values(), of(&|n| vec![n, 0.5, -1.0]), "{samples:?}");
        assert_eq!(part.target_rows(), of(&|n| vec![n, -n]), "{samples:?}");
        assert_eq!(part.sample_weights().unwrap(), of(&|n| vec![n + 1.0]), "{samples:?}");
        assert_eq!((part.class_names().len(), part.classes(), part.len()), (2, 2, samples.len()));
        assert!(part.images().is_empty() && part.labels().is_empty() && part.label(0).is_none());
    }
    // A part can be weighted, too.
    let part = weighted().slice(2..4).unwrap().with_sample_weights(vec![7.0, 8.0]).unwrap();
    assert_eq!(part.sample_weights(), Some(&[7.0, 8.0][..]));
    assert_eq!(part.slice(1..2).unwrap().sample_weights(), Some(&[8.0][..]));
}

/// Of what runs have recorded so far, digests stay; whatever a model would learn otherwise from has another.
#[test]
fn digests_tell_all_that_is_learnt_from() {
    let images = Dataset::new(vec![1, 2, 3, 4], vec![0, 1], [1, 2, 1], 2).unwrap();
    let as_rows = images.classes_as(TargetKind::MultiLabel, 2);
    let flat = Dataset::from_parts(vec![1u8, 2, 3, 4], Targets::classes([0u8, 1], 2).unwrap(), [2]).unwrap();
    let floats =
        Dataset::from_parts(vec![1f32, 2.0, 3.0, 4.0], Targets::classes([0u8, 1], 2).unwrap(), [2]).unwrap();
    let many =
        Dataset::from_parts(vec![1u8, 2, 3, 4], Targets::classes([0u32, 300], 301).unwrap(), [1, 2, 1])
            .unwrap();
    let other =
        Dataset::from_parts(vec![1u8, 2, 3, 4], Targets::classes([300u32, 0], 301).unwrap(), [1, 2, 1])
            .unwrap();
    let sets = [
        images.clone(),
        images.clone().with_sample_weights(vec![1.0, 2.0]).unwrap(),
        images.with_sample_weights(vec![2.0, 1.0]).unwrap(),
        as_rows.clone(),
        as_rows.classes_as(TargetKind::Values, 2),
        Dataset::from_parts(
            vec![1u8, 2, 3, 4],
            Targets::values([[0f32, 1.0], [1.0, 0.0]], 2).unwrap(),
            [1, 2, 1],
        )
        .unwrap(),
        flat,
        floats,
        many,
        other,
        weighted(),
    ];
    let digests: Vec<_> = sets.iter().map(Dataset::digest).collect();
    for (at, digest) in digests.iter().enumerate() {
        let same: Vec<_> = (0..digests.len()).filter(|&other| digests[other] == *digest).collect();
        // What is no class any more stays what it is.
        assert_eq!(same, if at == 3 || at == 4 { vec![3, 4] } else { vec![at] });
    }
    // SHA-256 of the bytes that the documentation names.
    assert_eq!(digests[0], "e89eb1d415acc9df73374796696d830903dcc822c33131a6b64a38aded653cd0");
}

#[test]
fn one_hot_labels_may_be_of_any_number_of_classes() {
    let one_hot: Vec<f32> = (0..257).map(|class| if class == 256 { 1.0 } else { 0.0 }).collect();
    let data = Dataset::from_one_hot(vec![0], &one_hot, [1, 1, 1], 257).unwrap();
    assert_eq!((data.labels(), data.classes()), (&[256][..], 257));
}

#[test]
fn one_hot_and_sparse_labels_give_the_same_set() {
    let labels = vec![2, 0, 1, 2];
    let one_hot: Vec<f32> =
        labels.iter().flat_map(|&label| (0..3).map(move |c| if c == label { 1.0 } else { 0.0 })).collect();
    let images: Vec<u8> = (0..24).collect();
    let sparse = Dataset::new(images.clone(), labels, [2, 1, 3], 3).unwrap();
    let dense = Dataset::from_one_hot(images, &one_hot, [2, 1, 3], 3).unwrap();
    assert_eq!((dense.labels(), dense.images()), (sparse.labels(), sparse.images()));
    assert_eq!((dense.classes(), dense.shape()), (sparse.classes(), sparse.shape()));
}

/// A folder of the four files in the order train images, train labels, test images, test labels; `None` leaves one out.
fn folder(contents: [Option<Vec<u8>>; 4]) -> tempfile::TempDir {
    const NAMES: [&str; 4] = [
        "train-images-idx3-ubyte",
        "train-labels-idx1-ubyte",
        "t10k-images-idx3-ubyte",
        "t10k-labels-idx1-ubyte",
    ];
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in NAMES.iter().zip(contents) {
        if let Some(bytes) = bytes {
            fs::write(dir.path().join(name), bytes).unwrap();
        }
    }
    dir
}

#[rustfmt::skip] // one row, one line
#[test]
fn folders_whose_files_do_not_fit_together_are_refused() {
    let images = || Some(two_images());
    let labels = || Some(two_labels());
    let load = |contents| load_dir(folder(contents).path());
    let file = tempfile::NamedTempFile::new().unwrap();
    check(vec![
        row!("no folder", load_dir(Path::new("no/such/folder")), Folder { .. }, ["no/such/folder: expected a folder", "found: "]),
        row!("a file", load_dir(file.path()), Folder { .. }, ["expected a folder", "found: "]),
        row!("empty folder", load([None, None, None, None]), MissingFile { .. },
            ["train-images-idx3-ubyte, train-images.idx3-ubyte, train-images-idx3-ubyte.gz, train-images.idx3-ubyte.gz", "found none"]),
        row!("no test labels", load([images(), labels(), images(), None]), MissingFile { .. }, ["t10k-labels-idx1-ubyte", "found none"]),
        row!("damaged file", load([images(), labels(), Some(vec![0; 3]), labels()]), Idx(_), ["t10k-images-idx3-ubyte: byte 2:", "expected", "found"]),
        row!("swapped files", load([labels(), images(), images(), labels()]), Idx(_), ["train-labels-idx1-ubyte: byte 3:", "image file"]),
        row!("too few labels", load([images(), Some(idx(U8, &[1], &[0])), images(), labels()]), LabelCount { images: 2, labels: 1, .. },
            ["train-labels-idx1-ubyte: expected 2 labels", "train-images-idx3-ubyte", "found 1"]),
        row!("too many test labels", load([images(), labels(), images(), Some(gzip(&idx(U8, &[3], &[0; 3])))]), LabelCount { images: 2, labels: 3, .. },
            ["t10k-labels-idx1-ubyte: expected 2 labels", "t10k-images-idx3-ubyte", "found 3"]),
        row!("another test shape", load([images(), labels(), Some(idx(U8, &[2, 3, 2], &[0; 12])), labels()]), ShapeMismatch { .. },
            ["t10k-images-idx3-ubyte: expected", "[2, 3, 1]", "train-images-idx3-ubyte", "found [3, 2, 1]"]),
    ]);
}

#[test]
fn classes_are_counted_over_both_sets() {
    let labels = |a: u8, b: u8| Some(idx(U8, &[2], &[a, b]));
    let images = || Some(two_images());
    for (train, test, classes) in [
        ((0, 0), (0, 0), 2),
        ((0, 1), (1, 0), 2),
        ((0, 5), (1, 0), 6),
        ((0, 1), (9, 0), 10),
        ((255, 1), (0, 0), 256),
    ] {
        let dir = folder([images(), labels(train.0, train.1), images(), labels(test.0, test.1)]);
        let read = load_dir(dir.path()).unwrap();
        assert_eq!(read.train.classes(), classes, "train {train:?}, test {test:?}");
        assert_eq!(read.test.classes(), classes, "train {train:?}, test {test:?}");
    }
}

#[test]
fn parts_hold_their_own_images() {
    let all = four();
    assert_eq!((all.len(), all.shape(), all.classes(), all.is_empty()), (4, [2, 1, 3].into(), 4, false));
    // Part, its labels, its first and last pixel.
    let rows: [(&str, Dataset, &[u32], [u8; 2]); 5] = [
        ("all", all.clone(), &[0, 1, 2, 3], [0, 23]),
        ("slice", all.slice(1..3).unwrap(), &[1, 2], [6, 17]),
        ("slice of a slice", all.slice(1..4).unwrap().slice(1..2).unwrap(), &[2], [12, 17]),
        ("take", all.take(2).unwrap(), &[0, 1], [0, 11]),
        ("take of a slice", all.slice(2..4).unwrap().take(1).unwrap(), &[2], [12, 17]),
    ];
    for (what, part, labels, [first, last]) in rows {
        let pixels: Vec<u8> = (first..=last).collect();
        assert_eq!(part.labels(), labels, "{what}");
        assert_eq!(part.images(), pixels, "{what}");
        assert_eq!(part.len(), labels.len(), "{what}");
        assert_eq!(part.classes(), 4, "{what}");
        for (index, image) in pixels.chunks(6).enumerate() {
            assert_eq!(part.image(index), Some(image), "{what}, image {index}");
            assert_eq!(part.label(index), Some(labels[index]), "{what}, image {index}");
        }
        assert_eq!(part.image(labels.len()), None, "{what}");
        assert_eq!(part.label(labels.len()), None, "{what}");
        assert_eq!(part.image(usize::MAX), None, "{what}");
    }
}

/// Millions of pixels in a panic message or a log would help nobody.
#[test]
fn debug_output_is_short() {
    let text = format!("{:?}", four());
    let expected = "Dataset { len: 4, shape: Image([2, 1, 3]), target: Classes, classes: 4, form: ";
    assert!(text.starts_with(expected) && text.len() < 150, "{text}");
}
