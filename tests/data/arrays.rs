//! Data sets in arrays of NumPy.

use shadegrad::data::{DataKind, TargetKind, load, load_one};

use crate::forms::{folder, none, refused};

/// An array as NumPy saves it; its elements need not be as many as its shape says.
pub fn npy(descr: &str, shape: &[u64], elements: &[u8]) -> Vec<u8> {
    array(descr, false, shape, elements)
}

fn array(descr: &str, fortran: bool, shape: &[u64], elements: &[u8]) -> Vec<u8> {
    let sizes: String = shape.iter().map(|size| format!("{size}, ")).collect();
    let order = if fortran { "True" } else { "False" };
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': ({sizes}), }}");
    let room = (10 + header.len() + 1).next_multiple_of(64) - 10 - header.len() - 1;
    header += &" ".repeat(room);
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(elements);
    bytes
}

fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

#[test]
fn arrays_are_read_by_their_types_and_shapes() {
    let wide: Vec<u8> = [0.5f64, -1.0, 2.0, 4.0].iter().flat_map(|value| value.to_le_bytes()).collect();
    let labels: Vec<u8> = [1i64, 0].iter().flat_map(|value| value.to_le_bytes()).collect();
    let below: Vec<u8> = [-1i32, 3].iter().flat_map(|value| value.to_le_bytes()).collect();
    let y = || npy("<i8", &[2], &labels);
    // Inputs, targets, the shape of a sample, its bytes or values, and the classes or rows.
    type Row = (Vec<u8>, Vec<u8>, &'static [usize], bool, TargetKind, usize, &'static [f32]);
    let rows: [Row; 10] = [
        (npy("|u1", &[2, 2, 1], &[1, 2, 3, 4]), y(), &[2, 1, 1], false, TargetKind::Classes, 2, &[1.0, 0.0]),
        (
            npy("|u1", &[2, 1, 1, 2], &[1, 2, 3, 4]),
            y(),
            &[1, 1, 2],
            false,
            TargetKind::Classes,
            2,
            &[1.0, 0.0],
        ),
        (npy("<f8", &[2, 2], &wide), y(), &[2], true, TargetKind::Classes, 2, &[1.0, 0.0]),
        (npy("<f4", &[2], &floats(&[0.5, 3.0])), y(), &[1], true, TargetKind::Classes, 2, &[1.0, 0.0]),
        (
            npy("<f4", &[2, 1], &floats(&[0.5, 3.0])),
            npy("|b1", &[2], &[1, 0]),
            &[1],
            true,
            TargetKind::Classes,
            2,
            &[1.0, 0.0],
        ),
        (
            npy("<f4", &[2, 1], &floats(&[0.5, 3.0])),
            npy("|u1", &[2, 1], &[9, 3]),
            &[1],
            true,
            TargetKind::Classes,
            10,
            &[9.0, 3.0],
        ),
        (
            npy("<f4", &[2, 1], &floats(&[0.5, 3.0])),
            npy("<i4", &[2], &below),
            &[1],
            true,
            TargetKind::Values,
            1,
            &[-1.0, 3.0],
        ),
        (
            npy("<f4", &[2, 1], &floats(&[0.5, 3.0])),
            npy("<f4", &[2], &floats(&[0.0, 1.0])),
            &[1],
            true,
            TargetKind::Values,
            1,
            &[0.0, 1.0],
        ),
        (
            npy("<f4", &[2, 1], &floats(&[0.5, 3.0])),
            npy("<f8", &[2, 2], &wide),
            &[1],
            true,
            TargetKind::Values,
            2,
            &[0.5, -1.0, 2.0, 4.0],
        ),
        (
            npy("<f4", &[2, 1], &floats(&[0.5, 3.0])),
            npy("|u1", &[2, 2], &[1, 0, 0, 1]),
            &[1],
            true,
            TargetKind::Values,
            2,
            &[1.0, 0.0, 0.0, 1.0],
        ),
    ];
    for (number, (x, y, shape, values, kind, classes, expected)) in rows.iter().enumerate() {
        let dir = folder(&[("X_train.npy", x), ("y_train.npy", y), ("x_test.npy", x), ("y_test.npy", y)]);
        let read = load(dir.path(), &none()).unwrap_or_else(|error| panic!("row {number}: {error}"));
        let set = &read.test;
        assert_eq!((read.kind, set.shape().dims()), (DataKind::NumPy, shape.to_vec()), "row {number}");
        assert_eq!(
            (set.form().values, set.target(), set.classes()),
            (*values, *kind, *classes),
            "row {number}"
        );
        let found: Vec<f32> =
            set.labels().iter().map(|&label| label as f32).chain(set.target_rows().iter().copied()).collect();
        assert_eq!(found, *expected, "row {number}");
        assert_eq!(&read.train, set, "row {number}");
    }
}

#[test]
fn arrays_without_a_test_set_are_split() {
    let labels: Vec<u8> = (0..20).map(|n| n % 2).collect();
    let x = npy("|u1", &[20, 2], &[labels.clone(), labels.clone()].concat());
    let y = npy("|u1", &[20], &labels);
    let dir = folder(&[("x_train.npy", &x), ("y_train.npy", &y)]);
    let read = load(dir.path(), &none()).unwrap();
    assert_eq!((read.train.len(), read.validation.unwrap().len(), read.test.len()), (16, 2, 2));
    assert_eq!(
        read.said.unwrap(),
        "20 samples without a test set, split into 16 to train on, 2 to validate with and 2 to test on, by seed 0"
    );
    assert_eq!(load_one(dir.path(), &none()).unwrap().len(), 20);
    let with_validation = folder(&[
        ("x_train.npy", &x),
        ("y_train.npy", &y),
        ("x_val.npy", &x),
        ("y_val.npy", &y),
        ("x_test.npy", &x),
        ("y_test.npy", &y),
    ]);
    assert_eq!(load(with_validation.path(), &none()).unwrap().validation.unwrap().len(), 20);
}

/// Where labels of one set are no classes, those of no set are.
#[test]
fn whole_numbers_are_of_one_kind_in_all_sets() {
    let x = npy("<f4", &[2, 1], &floats(&[0.5, 3.0]));
    let whole = |numbers: [i32; 2]| {
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        npy("<i4", &[2], &bytes)
    };
    for (train, test) in [([0, 3], [-1, 2]), ([-1, 2], [0, 3])] {
        let dir = folder(&[
            ("x_train.npy", &x),
            ("y_train.npy", &whole(train)),
            ("x_test.npy", &x),
            ("y_test.npy", &whole(test)),
        ]);
        let read = load(dir.path(), &none()).unwrap();
        for (set, numbers) in [(&read.train, train), (&read.test, test)] {
            assert_eq!((set.target(), set.classes()), (TargetKind::Values, 1));
            assert_eq!(set.target_rows(), numbers.map(|number| number as f32));
        }
    }
}

#[test]
fn what_is_wrong_with_an_array_is_named() {
    let good = npy("<f4", &[2, 1], &floats(&[0.5, 3.0]));
    let y = npy("|u1", &[2], &[1, 0]);
    let rows: [(Vec<u8>, Vec<u8>, &str); 17] = [
        (
            b"PK\x03\x04".to_vec(),
            y.clone(),
            "x_train.npy: expected a NumPy array (93 4e 55 4d 50 59), found 50 4b 03 04",
        ),
        (Vec::new(), y.clone(), "found nothing"),
        (good[..40].to_vec(), y.clone(), "expected the header of a NumPy array, found the end of the file"),
        (good[..good.len() - 1].to_vec(), y.clone(), "expected 136 bytes, as its header says, found 135"),
        ([good.clone(), vec![0]].concat(), y.clone(), "found 137"),
        (npy("<f4", &[u64::MAX, 2], &[]), y.clone(), "as its header says, found 128"),
        (npy("<f4", &[1 << 40], &[]), y.clone(), "expected 4398046511232 bytes, as its header says"),
        (
            array("<f4", true, &[2, 2], &[0; 16]),
            y.clone(),
            "found Fortran order; save it with numpy.save(FILE, numpy.ascontiguousarray(array))",
        ),
        (npy(">f4", &[2, 1], &[0; 8]), y.clone(), "found \">f4\"; save it in the other order"),
        (npy("|O", &[2, 1], &[0; 8]), y.clone(), "objects of Python are not read"),
        (
            npy("<i4", &[2, 1], &[0; 8]),
            y.clone(),
            "expected elements of uint8, float32 or float64, found \"int32\"; for inputs",
        ),
        (npy("<f4", &[2, 1], &floats(&[0.5, f32::NAN])), y.clone(), "sample 1: expected finite numbers"),
        (
            npy("<f8", &[1], &1e300f64.to_le_bytes()),
            npy("|u1", &[1], &[0]),
            "element 0: expected a finite number",
        ),
        (npy("<f4", &[1, 1, 1, 1, 1], &floats(&[0.5])), y.clone(), "expected the shape [n], [n, features]"),
        (npy("<f4", &[0, 3], &[]), y.clone(), "each number at least 1, found [0, 3]"),
        (good.clone(), npy("|u1", &[3], &[1, 0, 1]), "expected 2 labels, one for each image of"),
        (
            good.clone(),
            npy("<f4", &[], &floats(&[0.5])),
            "expected the shape [n] or [n, numbers of a target]",
        ),
    ];
    for (x, y, expected) in rows {
        let dir = folder(&[("x_train.npy", &x), ("y_train.npy", &y)]);
        let message = refused(load(dir.path(), &none()));
        assert!(message.contains(expected), "{expected:?} is missing from {message}");
    }
    let other = npy("|u1", &[2, 1], &[1, 2]);
    let wide = npy("<f4", &[2, 2], &floats(&[0.5; 4]));
    let rows: [(&[u8], &[u8], &str); 4] = [
        (&other, &y, "x_test.npy: expected elements of float32"),
        (&wide, &y, "x_test.npy: expected samples of the shape [1]"),
        (&good, &good, "y_test.npy: expected elements of uint8"),
        (&good, &other, "accepted"),
    ];
    for (x_test, y_test, expected) in rows {
        let dir = folder(&[
            ("x_train.npy", &good),
            ("y_train.npy", &y),
            ("x_test.npy", x_test),
            ("y_test.npy", y_test),
        ]);
        let message = refused(load(dir.path(), &none()));
        assert!(message.contains(expected), "{expected:?} is missing from {message}");
    }
    let missing = folder(&[("x_train.npy", &good)]);
    let message = refused(load(missing.path(), &none()));
    assert!(message.contains("expected one of the files y_train.npy, Y_train.npy"), "{message}");
}
