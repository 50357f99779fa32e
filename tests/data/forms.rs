//! Data sets in other forms than IDX files of grey images: colour images, CIFAR, large files; what is none.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use shadegrad::data::{DataKind, LoadOptions, Loaded, kind_of, load, load_one, load_test};
use tempfile::TempDir;

use crate::arrays::npy;
use crate::builder::{U8, gzip, idx};

/// The names of files and their contents.
pub type Files<'a> = &'a [(&'a str, &'a [u8])];

/// A folder with these files.
pub fn folder(files: Files) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    dir
}

pub fn none() -> LoadOptions {
    LoadOptions::default()
}

pub fn refused(outcome: Result<Loaded, impl ToString>) -> String {
    outcome.err().map(|error| error.to_string()).unwrap_or_else(|| "accepted".to_owned())
}

#[test]
fn colour_images_are_read_from_four_dimensions() {
    let pixels: Vec<u8> = (0..24).collect();
    let images = idx(U8, &[2, 2, 2, 3], &pixels);
    let labels = idx(U8, &[2], &[1, 0]);
    for images_name in ["images-idx3-ubyte", "images-idx4-ubyte", "images.idx4-ubyte.gz"] {
        let dir = tempfile::tempdir().unwrap();
        for set in ["train", "t10k"] {
            let bytes = if images_name.ends_with("gz") { gzip(&images) } else { images.clone() };
            fs::write(dir.path().join(format!("{set}-{images_name}")), bytes).unwrap();
            fs::write(dir.path().join(format!("{set}-labels-idx1-ubyte")), &labels).unwrap();
        }
        let read = load(dir.path(), &none()).unwrap();
        assert_eq!((read.kind, read.train.shape()), (DataKind::Idx, [2, 2, 3].into()), "{images_name}");
        assert_eq!(read.test.images(), pixels, "{images_name}");
        let swapped = LoadOptions { transpose: Some(true), ..none() };
        let first = load_test(dir.path(), &swapped).unwrap();
        assert_eq!(first.image(0).unwrap(), [0, 1, 2, 6, 7, 8, 3, 4, 5, 9, 10, 11], "{images_name}");
    }
}

/// A file over the limit from which on files are mapped; most of it is a hole.
#[test]
fn large_files_read_as_small_ones_do() {
    const SIDE: u32 = 1024;
    let dir = tempfile::tempdir().unwrap();
    let pixels = |count: u32| u64::from(count) * u64::from(SIDE) * u64::from(SIDE);
    for (set, count) in [("train", 70), ("t10k", 1)] {
        let mut file = File::create(dir.path().join(format!("{set}-images-idx3-ubyte"))).unwrap();
        file.write_all(&idx(U8, &[count, SIDE, SIDE], &[7, 8, 9])).unwrap();
        file.set_len(16 + pixels(count)).unwrap();
        let labels = idx(U8, &[count], &vec![0; count as usize]);
        fs::write(dir.path().join(format!("{set}-labels-idx1-ubyte")), labels).unwrap();
    }
    let mut file = File::create(dir.path().join("x_train.npy")).unwrap();
    file.write_all(&npy("<f4", &[70, SIDE.into(), SIDE.into()], bytemuck::cast_slice(&[0.5f32, 2.0])))
        .unwrap();
    let header = file.metadata().unwrap().len() - 8;
    file.set_len(header + 4 * pixels(70)).unwrap();
    fs::write(dir.path().join("y_train.npy"), npy("|u1", &[70], &[1; 70])).unwrap();

    let images = load(dir.path(), &none()).unwrap().train;
    assert_eq!((images.len(), &images.images()[..4]), (70, &[7, 8, 9, 0][..]));
    for name in fs::read_dir(dir.path()).unwrap() {
        let path = name.unwrap().path();
        if !path.to_string_lossy().ends_with(".npy") {
            fs::remove_file(path).unwrap();
        }
    }
    let values = load_one(dir.path(), &none()).unwrap();
    assert_eq!((values.len(), &values.values()[..3]), (70, &[0.5, 2.0, 0.0][..]));
}

/// Records of CIFAR, whose planes are 1, 2 and 3 more than the label.
fn records(labels: &[&[u8]]) -> Vec<u8> {
    let record = |label: &&[u8]| {
        let own = label[label.len() - 1];
        let planes = (1..=3).flat_map(move |plane| vec![own + plane; 1024]);
        label.iter().copied().chain(planes).collect::<Vec<_>>()
    };
    labels.iter().flat_map(record).collect()
}

#[test]
fn cifar_is_read_with_the_names_of_its_classes() {
    let ten: String = (0..10).map(|class| format!("name {class}\n")).collect::<String>() + "\n";
    let batches: Vec<_> = (0..5u8).map(|at| records(&[&[at], &[9 - at]])).collect();
    let names: Vec<_> =
        (1..=5).map(|number| format!("cifar-10-batches-bin/data_batch_{number}.bin")).collect();
    let mut files: Vec<(&str, &[u8])> =
        names.iter().map(String::as_str).zip(batches.iter().map(Vec::as_slice)).collect();
    let test = gzip(&records(&[&[7]]));
    files.push(("cifar-10-batches-bin/test_batch.bin.gz", &test));
    files.push(("cifar-10-batches-bin/batches.meta.txt", ten.as_bytes()));
    let dir = folder(&files);
    for place in [dir.path().to_owned(), dir.path().join("cifar-10-batches-bin")] {
        let read = load(&place, &none()).unwrap();
        assert_eq!((read.kind, read.train.shape()), (DataKind::Cifar10, [32, 32, 3].into()));
        assert_eq!(read.train.labels(), [0, 9, 1, 8, 2, 7, 3, 6, 4, 5]);
        assert_eq!(read.train.image(1).unwrap()[..6], [10, 11, 12, 10, 11, 12]);
        assert_eq!((read.test.labels(), read.test.classes()), (&[7][..], 10));
        assert_eq!(read.train.class_names()[9], "name 9");
        assert_eq!(load_test(&place, &none()).unwrap(), read.test);
    }

    let fine: String = (0..100).map(|class| format!("fine {class}\n")).collect();
    let coarse: String = (0..20).map(|class| format!("coarse {class}\n")).collect();
    let (train, test) = (records(&[&[3, 99], &[19, 0]]), records(&[&[0, 50]]));
    let dir = folder(&[
        ("train.bin", &train),
        ("test.bin", &test),
        ("fine_label_names.txt", fine.as_bytes()),
        ("coarse_label_names.txt", coarse.as_bytes()),
    ]);
    let read = load(dir.path(), &none()).unwrap();
    assert_eq!(
        (read.kind, read.train.labels(), read.train.classes()),
        (DataKind::Cifar100, &[99, 0][..], 100)
    );
    assert_eq!((read.test.class_names()[50].as_str(), read.train.images()[0]), ("fine 50", 100));
    let read = load(dir.path(), &LoadOptions { coarse_labels: true, ..none() }).unwrap();
    assert_eq!((read.train.labels(), read.train.classes()), (&[3, 19][..], 20));
    assert_eq!(read.test.class_names()[19], "coarse 19");
}

#[test]
fn what_is_wrong_with_cifar_is_named() {
    let good = records(&[&[1, 2]]);
    let rows: [(Files, &str); 6] = [
        (
            &[("train.bin", &good[1..]), ("test.bin", &good)],
            "expected records of 3074 bytes each, at least one, found 3073",
        ),
        (&[("train.bin", &[]), ("test.bin", &good)], "found 0 bytes"),
        (&[("train.bin", &good)], "expected one of the files test.bin, test.bin.gz"),
        (
            &[("train.bin", &good), ("test.bin", &records(&[&[1, 2], &[1, 100]]))],
            "test.bin: label 1: expected a whole number from 0 to 99, found 100",
        ),
        (
            &[("train.bin", &good), ("test.bin", &good), ("fine_label_names.txt", b"a\nb\n")],
            "expected 100 lines with a name each, found 2",
        ),
        (
            &[("cifar-10-batches-bin/test_batch.bin", &good), ("cifar-100-binary/test.bin", &good)],
            "found those of cifar-10-batches-bin, cifar-100-binary; name one",
        ),
    ];
    for (files, expected) in rows {
        let dir = folder(files);
        let message = refused(load(dir.path(), &none()));
        assert!(message.contains(expected), "{expected:?} is missing from {message}");
    }
}

#[test]
fn what_is_no_data_set_is_told_what_is_looked_for() {
    let dir = folder(&[("notes.txt", b"1,2"), ("x.npz", b"PK")]);
    let rows = [
        (dir.path().to_owned(), "IDX files (train-images-idx3-ubyte"),
        (
            dir.path().join("notes.txt"),
            "expected a folder, or a file with a name that ends with .csv, found another file",
        ),
        (dir.path().join("x.npz"), "found another file"),
        (dir.path().join("none"), "expected a folder with the files of a data set, found: "),
        (Path::new("/dev/null").to_owned(), "expected a folder"),
    ];
    for (path, expected) in rows {
        for message in [
            refused(load(&path, &none())),
            load_one(&path, &none()).unwrap_err().to_string(),
            load_test(&path, &none()).unwrap_err().to_string(),
            kind_of(&path).unwrap_err().to_string(),
        ] {
            assert!(message.contains(expected), "{expected:?} is missing from {message}");
        }
    }
}
