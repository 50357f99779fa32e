//! Data sets that differ from MNIST: EMNIST by the names of its files, others by options.

use std::fs;
use std::path::{Path, PathBuf};

use shadegrad::data::{
    DataError, EmnistSplit, LoadOptions, load_dir, load_dir_with, load_set, load_set_with, split_of,
    transpose,
};

use crate::builder::{U8, gzip, idx};

/// Two images of 2 x 3, and the same with rows and columns swapped.
const STORED: [u8; 12] = [1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16];
const SWAPPED: [u8; 12] = [1, 4, 2, 5, 3, 6, 11, 14, 12, 15, 13, 16];

/// Four files of two images each; the names begin with these.
fn write(dir: &Path, [train, test]: [&str; 2], labels: [u8; 2]) {
    for (set, ending) in [(train, ""), (test, ".gz")] {
        let pack = |bytes: Vec<u8>| if ending.is_empty() { bytes } else { gzip(&bytes) };
        let path = |kind: &str| dir.join(format!("{set}-{kind}-ubyte{ending}"));
        fs::write(path("images-idx3"), pack(idx(U8, &[2, 2, 3], &STORED))).unwrap();
        fs::write(path("labels-idx1"), pack(idx(U8, &[2], &labels))).unwrap();
    }
}

const MNIST: [&str; 2] = ["train", "t10k"];

fn emnist(dir: &Path, split: &str, labels: [u8; 2]) {
    let names = ["train", "test"].map(|set| format!("emnist-{split}-{set}"));
    write(dir, names.each_ref().map(String::as_str), labels);
}

#[test]
fn emnist_comes_out_upright_with_labels_from_0() {
    let none = LoadOptions::default;
    // Split or MNIST's names, labels in the files, options, and the result: swapped, labels, classes.
    type Row = (Option<&'static str>, [u8; 2], LoadOptions, bool, [u8; 2], usize);
    let rows: [Row; 9] = [
        (Some("balanced"), [0, 46], none(), true, [0, 46], 47),
        (Some("byclass"), [0, 61], none(), true, [0, 61], 62),
        (Some("digits"), [9, 0], none(), true, [9, 0], 10),
        (Some("letters"), [1, 26], none(), true, [0, 25], 26),
        (Some("letters"), [1, 26], LoadOptions { first_label: Some(0), ..none() }, true, [1, 26], 27),
        (Some("letters"), [1, 26], LoadOptions { transpose: Some(false), ..none() }, false, [0, 25], 26),
        (None, [1, 26], none(), false, [1, 26], 27),
        (None, [1, 26], LoadOptions { first_label: Some(1), ..none() }, false, [0, 25], 26),
        (None, [0, 1], LoadOptions { transpose: Some(true), ..none() }, true, [0, 1], 2),
    ];
    for (split, stored, options, swapped, labels, classes) in rows {
        let what = format!("{split:?} {stored:?} {options:?}");
        let dir = tempfile::tempdir().unwrap();
        match split {
            Some(split) => emnist(dir.path(), split, stored),
            None => write(dir.path(), MNIST, stored),
        }
        let (shape, pixels) = if swapped { ([3, 2, 1], SWAPPED) } else { ([2, 3, 1], STORED) };
        let both = load_dir_with(dir.path(), &options).unwrap();
        let alone = load_set_with(dir.path(), &options).unwrap();
        for set in [both.train, both.test, alone] {
            assert_eq!(
                (set.shape(), set.images(), set.labels()),
                (shape.into(), &pixels[..], &labels.map(u32::from)[..]),
                "{what}"
            );
            assert_eq!(set.classes(), classes, "{what}");
        }
        assert_eq!(split_of(dir.path()).map(EmnistSplit::name), split, "{what}");
        if options == none() {
            let (both, alone) = (load_dir(dir.path()).unwrap(), load_set(dir.path()).unwrap());
            assert_eq!(
                (both.test.images(), alone.labels()),
                (&pixels[..], &labels.map(u32::from)[..]),
                "{what}"
            );
        }
    }
}

#[test]
fn one_split_of_several_is_named_as_if_it_were_a_folder() {
    let dir = tempfile::tempdir().unwrap();
    emnist(dir.path(), "letters", [1, 2]);
    emnist(dir.path(), "balanced", [0, 3]);
    let error = load_dir(dir.path()).unwrap_err();
    assert!(matches!(error, DataError::SeveralSets { .. }), "{error:?}");
    let message = error.to_string();
    let suggested = dir.path().join("emnist-balanced");
    for part in ["emnist-balanced, emnist-letters", &suggested.display().to_string()] {
        assert!(message.contains(part), "{part:?} is missing from {message}");
    }
    assert_eq!(load_dir(&suggested).unwrap().train.labels(), [0, 3]);
    assert_eq!(load_dir(&dir.path().join("emnist-letters")).unwrap().train.labels(), [0, 1]);
    assert_eq!(load_set(&dir.path().join("emnist-letters")).unwrap().labels(), [0, 1]);
    for missing in ["emnist-digits", "emnist-", "letters"] {
        let error = load_dir(&dir.path().join(missing)).unwrap_err();
        assert!(matches!(error, DataError::Folder { .. }), "{missing}: {error:?}");
    }
    // Files with MNIST's names come first.
    write(dir.path(), MNIST, [1, 0]);
    let read = load_dir(dir.path()).unwrap();
    assert_eq!((read.train.labels(), read.train.images()), (&[1, 0][..], &STORED[..]));
}

#[test]
fn what_is_missing_of_a_split_is_named() {
    let dir = tempfile::tempdir().unwrap();
    emnist(dir.path(), "letters", [1, 2]);
    fs::remove_file(dir.path().join("emnist-letters-test-labels-idx1-ubyte.gz")).unwrap();
    let message = load_dir(dir.path()).unwrap_err().to_string();
    assert!(
        message.contains("emnist-letters-test-labels-idx1-ubyte, emnist-letters-test-labels.idx1"),
        "{message}"
    );
}

#[test]
fn a_label_below_the_first_is_named() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), MNIST, [3, 1]);
    let options = LoadOptions { first_label: Some(2), ..LoadOptions::default() };
    let error = load_dir_with(dir.path(), &options).unwrap_err();
    let found = matches!(error, DataError::LabelBelowFirst { index: 1, label: 1, first_label: 2, .. });
    assert!(found, "{error:?}");
    let file = dir.path().join("train-labels-idx1-ubyte").display().to_string();
    assert!(error.to_string().starts_with(&format!("{file}: label 1: expected at least 2")), "{error}");
}

/// The numbers in the distribution's own description.
#[test]
fn the_splits_have_the_classes_of_their_mappings() {
    // Split, classes, first label, and some classes with the character that its mapping gives for their label.
    type Row = (&'static str, usize, u8, &'static [(usize, char)]);
    let rows: [Row; 6] = [
        ("byclass", 62, 0, &[(0, '0'), (9, '9'), (10, 'A'), (35, 'Z'), (36, 'a'), (61, 'z')]),
        ("bymerge", 47, 0, &[(10, 'A'), (36, 'a'), (37, 'b'), (38, 'd'), (46, 't')]),
        (
            "balanced",
            47,
            0,
            &[(35, 'Z'), (39, 'e'), (40, 'f'), (41, 'g'), (42, 'h'), (43, 'n'), (44, 'q'), (45, 'r')],
        ),
        ("letters", 26, 1, &[(0, 'A'), (25, 'Z')]),
        ("digits", 10, 0, &[(7, '7')]),
        ("mnist", 10, 0, &[(0, '0')]),
    ];
    for (split, (name, classes, first_label, known)) in EmnistSplit::all().iter().zip(rows) {
        let names = split.class_names();
        assert_eq!((split.name(), names.len(), split.first_label()), (name, classes, first_label));
        for &(class, character) in known {
            assert_eq!(names[class], character.to_string(), "{name}: class {class}");
        }
    }
}

/// MNIST stored as EMNIST is reads as MNIST again.
#[test]
fn real_images_stored_sideways_stand_upright() {
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/mnist");
    let upright = load_set(&assets).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let mut pixels = upright.images().to_vec();
    transpose(&mut pixels, [28, 28, 1]);
    assert_ne!(pixels, upright.images());
    let labels: Vec<u8> = upright.labels().iter().map(|&label| label as u8).collect();
    for set in ["train", "test"] {
        let path = |kind: &str| -> PathBuf { dir.path().join(format!("emnist-mnist-{set}-{kind}-ubyte")) };
        fs::write(path("images-idx3"), idx(U8, &[upright.len() as u32, 28, 28], &pixels)).unwrap();
        fs::write(path("labels-idx1"), idx(U8, &[upright.len() as u32], &labels)).unwrap();
    }
    assert!(load_dir(dir.path()).unwrap().test == upright);
}

#[test]
fn transposing_moves_whole_pixels_and_undoes_itself() {
    let coloured: Vec<u8> = (0..2 * 3 * 2).collect();
    let mut swapped = coloured.clone();
    transpose(&mut swapped, [2, 3, 2]);
    assert_eq!(swapped, [0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11]);
    transpose(&mut swapped, [3, 2, 2]);
    assert_eq!(swapped, coloured);
    for shape in [[0, 3, 1], [2, 0, 1], [2, 3, 0], [usize::MAX, 2, 1], [5, 5, 1]] {
        transpose(&mut swapped, shape);
        assert_eq!(swapped, coloured, "{shape:?}");
    }
}
