//! MNIST itself, compared with what the crate `mnist` reads.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use mnist::{Mnist, MnistBuilder};
use shadegrad::data::{Dataset, TrainTest, load_dir};
use tempfile::TempDir;

const NAMES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

fn assets() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/mnist")
}

/// The four files, decompressed, under the names that `rename` makes of the usual ones.
fn plain_files(rename: impl Fn(&str) -> String) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for name in NAMES {
        let packed = File::open(
            assets()
                .join(if name.starts_with("train") { "train" } else { "test" })
                .join(format!("{name}.gz")),
        )
        .unwrap();
        let mut plain = File::create(dir.path().join(rename(name))).unwrap();
        io::copy(&mut GzDecoder::new(packed), &mut plain).unwrap();
    }
    dir
}

/// Compares without printing millions of numbers: the first difference is enough.
fn assert_same_bytes(what: &str, ours: &[u8], theirs: &[u8]) {
    assert_eq!(ours.len(), theirs.len(), "{what}: length");
    let difference = ours.iter().zip(theirs).position(|(a, b)| a != b);
    assert_eq!(difference, None, "{what}: index of the first difference");
}

fn assert_same_set(what: &str, ours: &Dataset, theirs: &Dataset) {
    assert_eq!(ours.shape(), theirs.shape(), "{what}: shape");
    assert_eq!(ours.classes(), theirs.classes(), "{what}: classes");
    assert_same_bytes(what, ours.images(), theirs.images());
    assert_same_bytes(what, &labels(ours), &labels(theirs));
}

/// As bytes.
fn labels(data: &Dataset) -> Vec<u8> {
    data.labels().iter().map(|&label| label as u8).collect()
}

fn assert_same(what: &str, ours: &TrainTest, theirs: &TrainTest) {
    assert_same_set(&format!("{what}, train"), &ours.train, &theirs.train);
    assert_same_set(&format!("{what}, test"), &ours.test, &theirs.test);
}

#[test]
fn every_pixel_and_label_is_that_of_the_mnist_crate() {
    let dir = plain_files(str::to_owned);
    let ours = load_dir(dir.path()).unwrap();
    let Mnist { trn_img, trn_lbl, tst_img, tst_lbl, .. } =
        MnistBuilder::new().base_path(dir.path().to_str().unwrap()).label_format_digit().finalize();

    for (what, set, len) in [("train", &ours.train, 60_000), ("test", &ours.test, 10_000)] {
        assert_eq!(set.len(), len, "{what}");
        assert_eq!(set.shape().dims(), [28, 28, 1], "{what}");
        assert_eq!(set.classes(), 10, "{what}");
    }
    assert_same_bytes("train images", ours.train.images(), &trn_img);
    assert_same_bytes("train labels", &labels(&ours.train), &trn_lbl);
    assert_same_bytes("test images", ours.test.images(), &tst_img);
    assert_same_bytes("test labels", &labels(&ours.test), &tst_lbl);
}

#[test]
fn plain_dotted_and_embedded_files_are_those_of_the_gzip_folder() {
    let gzip = load_dir(&assets()).unwrap();
    let plain = plain_files(str::to_owned);
    assert_same("plain", &load_dir(plain.path()).unwrap(), &gzip);
    let dotted = plain_files(|name| name.replace("-idx", ".idx"));
    assert_same("dotted", &load_dir(dotted.path()).unwrap(), &gzip);
    #[cfg(feature = "mnist-data")]
    assert_same("embedded", &shadegrad::data::mnist().unwrap(), &gzip);
}

/// A folder may hold both forms, and folders named like the files, as in a widespread archive.
#[test]
fn plain_files_are_preferred_and_folders_of_the_same_name_passed_over() {
    use crate::builder::{U8, gzip, idx};

    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(dir.path().join(name), bytes).unwrap();
    write("train-images-idx3-ubyte", &idx(U8, &[1, 1, 1], &[7]));
    write("train-images-idx3-ubyte.gz", &gzip(&idx(U8, &[1, 1, 1], &[9])));
    fs::create_dir(dir.path().join("train-labels-idx1-ubyte")).unwrap();
    write("train-labels.idx1-ubyte", &idx(U8, &[1], &[0]));
    write("t10k-images.idx3-ubyte.gz", &gzip(&idx(U8, &[1, 1, 1], &[8])));
    // Plain, although its name says otherwise.
    write("t10k-labels-idx1-ubyte.gz", &idx(U8, &[1], &[0]));

    let read = load_dir(dir.path()).unwrap();
    assert_eq!(read.train.images(), [7]);
    assert_eq!(read.test.images(), [8]);
    assert_eq!(read.train.classes(), 2, "two classes at least, though all labels are 0");
}

/// Where a file is there plain and compressed, the first intact one is read.
#[test]
fn a_damaged_file_gives_way_to_a_whole_one_beside_it() {
    use crate::builder::{U8, gzip, idx};

    let pixel = |value: u8| idx(U8, &[1, 1, 1], &[value]);
    let cut = |bytes: Vec<u8>| bytes[..bytes.len() - 1].to_vec();
    let (plain, dotted, packed) = (pixel(1), pixel(2), gzip(&pixel(3)));
    let names = ["train-images-idx3-ubyte", "train-images.idx3-ubyte", "train-images-idx3-ubyte.gz"];
    // The contents of the files with these names, and the pixel that is read, or the file whose error is reported.
    type Row = ([Option<Vec<u8>>; 3], Result<u8, usize>);
    let rows: [Row; 9] = [
        ([Some(plain.clone()), Some(dotted.clone()), Some(packed.clone())], Ok(1)),
        ([Some(plain.clone()), None, Some(cut(packed.clone()))], Ok(1)),
        ([Some(cut(plain.clone())), None, Some(packed.clone())], Ok(3)),
        ([Some(Vec::new()), None, Some(packed.clone())], Ok(3)),
        ([Some(cut(plain.clone())), Some(dotted.clone()), Some(packed.clone())], Ok(2)),
        ([Some(cut(plain.clone())), Some(cut(dotted.clone())), Some(packed.clone())], Ok(3)),
        ([Some(cut(plain.clone())), None, Some(cut(packed.clone()))], Err(0)),
        ([None, Some(cut(dotted)), Some(cut(packed.clone()))], Err(1)),
        ([None, None, Some(cut(packed))], Err(2)),
    ];
    for (row, (contents, expected)) in rows.into_iter().enumerate() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| fs::write(dir.path().join(name), bytes).unwrap();
        for (name, bytes) in names.iter().zip(contents) {
            bytes.iter().for_each(|bytes| write(name, bytes));
        }
        write("t10k-images-idx3-ubyte", &pixel(9));
        for labels in ["train-labels-idx1-ubyte", "t10k-labels-idx1-ubyte"] {
            write(labels, &idx(U8, &[1], &[0]));
        }
        match (load_dir(dir.path()), expected) {
            (Ok(read), Ok(pixel)) => assert_eq!(read.train.images(), [pixel], "row {row}"),
            (Err(error), Err(file)) => {
                let start = format!("{}: byte ", dir.path().join(names[file]).display());
                assert!(error.to_string().starts_with(&start), "row {row}: {error}");
            }
            (read, _) => panic!("row {row}: {:?}", read.map(|read| read.train.images().to_vec())),
        }
    }
}
