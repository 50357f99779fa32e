//! Data sets of other forms than IDX: tables, arrays of NumPy, CIFAR.

use std::fs;

use flate2::Compression;
use shadegrad::data::{LoadOptions, kind_of, load, load_one, load_test};

use super::data::gzip;
use super::{Player, Taken, told};
use crate::damage;
use crate::dice::Dice;
use crate::place::{Place, put_something_odd};

/// Options that a user may give to any files.
fn options(dice: &mut Dice) -> LoadOptions {
    let column = |dice: &mut Dice| dice.pick(&["a", "species", "1", "3", "0", "", "99"]).to_string();
    let mut options = LoadOptions {
        coarse_labels: dice.once_in(4),
        first_label: dice.once_in(4).then(|| dice.number() as u8),
        split_seed: dice.number() as u32,
        ..LoadOptions::default()
    };
    for _ in 0..dice.below(6).saturating_sub(3) {
        options.target.push(column(dice));
    }
    options
}

fn read(path: &std::path::Path, dice: &mut Dice) -> Taken {
    let options = options(dice);
    let whole = told(load(path, &options));
    let one = told(load_one(path, &options));
    let _ = told(load_test(path, &options));
    told(kind_of(path)) && (whole || one)
}

const TABLE: &str = "a,b,species\n1,2.5,x\n3,-4e-2,y\n\"5\",6,x\n7,8,z\n9,1,y\n2,3,z\n";
const CELLS: [&str; 16] = [
    "1e39",
    "-1e400",
    "inf",
    "nan",
    "NaN",
    "",
    "?",
    "\"",
    "\"a\"\"b\"",
    "0x10",
    "4294967295",
    "-1",
    "\u{feff}",
    "\0",
    "\u{202e}",
    "1_0",
];

pub struct Tables;

impl Player for Tables {
    fn play(&self, place: &Place, dice: &mut Dice) -> Taken {
        let case = place.clear();
        let table = |dice: &mut Dice| match dice.below(4) {
            0 => damage::bytes(TABLE.as_bytes(), dice),
            1 => {
                let old = dice.pick(&["1", "y", "2.5", ",", "\n", "a"]);
                let new = dice.pick(&CELLS);
                TABLE.replace(*old, new).into_bytes()
            }
            2 => {
                let rows = dice.below(9);
                let cells = 1 + dice.below(4);
                let line = |dice: &mut Dice| {
                    let cell = |dice: &mut Dice| {
                        if dice.once_in(8) {
                            dice.pick(&CELLS).to_string()
                        } else {
                            dice.below(4).to_string()
                        }
                    };
                    (0..cells).map(|_| cell(dice)).collect::<Vec<_>>().join(",")
                };
                (0..rows).map(|_| line(dice) + "\n").collect::<String>().into_bytes()
            }
            _ => TABLE.as_bytes().to_vec(),
        };
        for name in ["train.csv", "test.csv", "validation.csv"] {
            if !dice.once_in(3) {
                fs::write(case.join(name), table(dice)).unwrap();
            }
        }
        if dice.once_in(8) {
            let path = case.join("train.csv");
            put_something_odd(&path, place, dice);
        }
        let path = if dice.once_in(2) { case.join("train.csv") } else { case };
        // Another run may know its columns by these names.
        if let Ok(set) = load_one(&path, &LoadOptions::default()) {
            told(set.arranged(&["b".to_owned(), "a".to_owned()]));
            assert!(set.arranged(set.feature_names()).is_ok_and(|again| again == set));
        }
        read(&path, dice)
    }
}

/// An array; its shape need not be true.
fn array(descr: &str, shape: &[u64], elements: &[u8]) -> Vec<u8> {
    let sizes: String = shape.iter().map(|size| format!("{size}, ")).collect();
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({sizes}), }}\n");
    [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), elements].concat()
}

const TYPES: [&str; 12] = ["|u1", "<f4", "<f8", "<i8", "|b1", ">f4", "|O", "<i2", "<u4", "", "<", "<U9"];

pub struct Arrays;

impl Player for Arrays {
    fn play(&self, place: &Place, dice: &mut Dice) -> Taken {
        let case = place.clear();
        let hostile = |whole: Vec<u8>, dice: &mut Dice| match dice.below(4) {
            0 => damage::bytes(&whole, dice),
            1 => {
                let axes = dice.below(6);
                let shape: Vec<u64> = (0..axes).map(|_| dice.number()).collect();
                let count = dice.below(80);
                let elements = dice.bytes(count);
                let descr = dice.pick(&TYPES);
                array(descr, &shape, &elements)
            }
            _ => whole,
        };
        for part in ["train", "test", "val"] {
            if dice.once_in(3) {
                continue;
            }
            let (descr, size) = *dice.pick(&[("|u1", 1), ("<f4", 4), ("<f8", 8)]);
            let x = array(descr, &[5, 2, 3], &dice.bytes(30 * size));
            let x = hostile(x, dice);
            fs::write(case.join(format!("x_{part}.npy")), x).unwrap();
            let (descr, size) = *dice.pick(&[("|u1", 1), ("<i8", 8), ("<f4", 4), ("<i4", 4)]);
            let y = array(descr, &[5], &vec![0; 5 * size]);
            let y = hostile(y, dice);
            fs::write(case.join(format!("y_{part}.npy")), y).unwrap();
        }
        if dice.once_in(8) {
            put_something_odd(&case.join("x_train.npy"), place, dice);
        }
        read(&case, dice)
    }
}

pub struct Cifar {
    /// Records of CIFAR-10 and of CIFAR-100, plain and compressed.
    whole: [Vec<u8>; 2],
    bomb: Vec<u8>,
}

impl Cifar {
    pub fn new() -> Self {
        let bomb = gzip(&vec![0; 3074 << 9], Compression::best());
        Cifar { whole: [vec![1; 2 * 3073], vec![1; 2 * 3074]], bomb }
    }
}

impl Player for Cifar {
    fn play(&self, place: &Place, dice: &mut Dice) -> Taken {
        let case = place.clear();
        let is_100 = dice.once_in(2);
        let names: &[&str] = match is_100 {
            true => &["train.bin", "test.bin"],
            false => &[
                "data_batch_1.bin",
                "data_batch_2.bin",
                "data_batch_3.bin",
                "data_batch_4.bin",
                "data_batch_5.bin",
                "test_batch.bin",
            ],
        };
        let whole = &self.whole[usize::from(is_100)];
        for name in names {
            match dice.below(8) {
                0 => fs::write(case.join(name), damage::bytes(whole, dice)).unwrap(),
                1 => fs::write(case.join(format!("{name}.gz")), gzip(whole, Compression::fast())).unwrap(),
                2 => fs::write(case.join(name), damage::bytes(&gzip(whole, Compression::fast()), dice))
                    .unwrap(),
                3 if dice.once_in(9) => fs::write(case.join(name), damage::bytes(&self.bomb, dice)).unwrap(),
                4 if dice.once_in(4) => put_something_odd(&case.join(name), place, dice),
                _ => fs::write(case.join(name), whole).unwrap(),
            }
        }
        let lines = if is_100 { 100 } else { 10 };
        let text: String = (0..lines).map(|line| format!("class {line}\n")).collect();
        let meta = if is_100 { "fine_label_names.txt" } else { "batches.meta.txt" };
        if dice.once_in(2) {
            let text = if dice.once_in(2) { damage::bytes(text.as_bytes(), dice) } else { text.into_bytes() };
            fs::write(case.join(meta), text).unwrap();
        }
        read(&case, dice)
    }
}
