//! Names of samples.

use shadegrad::data::{DataError, Dataset, TargetKind, three_sets};

/// Eight samples of one byte, the number that is in their names.
fn named() -> Dataset {
    Dataset::new((0..8).collect(), (0..8).map(|n| n % 2).collect(), [1, 1, 1], 2)
        .and_then(|data| data.with_class_names(["a", "b"].map(str::to_owned).to_vec()))
        .and_then(|data| data.with_sample_names((0..8).map(|n| format!("{n}.png"))))
        .unwrap()
}

#[test]
fn names_stay_with_their_samples() {
    let data = named();
    let other = ["b", "a"].map(str::to_owned);
    let [train, validation, test] = three_sets(&data, 3).unwrap();
    let part = data.slice(2..6).unwrap();
    let again = part.clone().with_sample_names(["2.png", "3.png", "4.png", "5.png"]).unwrap();
    let rows = [
        ("slice", part.clone()),
        ("take", part.take(2).unwrap()),
        ("slice of a slice", part.slice(1..3).unwrap()),
        ("select", data.select(&[7, 0, 3]).unwrap()),
        ("select of a slice", part.select(&[3, 1]).unwrap()),
        ("other targets", part.classes_as(TargetKind::MultiLabel, 2)),
        ("slice of other targets", part.classes_as(TargetKind::Values, 1).slice(1..4).unwrap()),
        ("other numbers of classes", part.renumbered(&other).unwrap()),
        ("weights", part.clone().with_sample_weights(vec![1.0; 4]).unwrap()),
        ("training set", train),
        ("validation set", validation),
        ("test set", test),
        ("named as a part", again.clone()),
    ];
    for (what, set) in &rows {
        let expected: Vec<String> = set.images().iter().map(|number| format!("{number}.png")).collect();
        assert_eq!(set.sample_names().unwrap().collect::<Vec<_>>(), expected, "{what}");
        assert_eq!(set.sample_name(set.len() - 1), expected.last().map(String::as_str), "{what}");
        assert_eq!(set.sample_name(set.len()), None, "{what}");
    }
    assert_eq!(part, again);
}

#[test]
fn names_are_no_part_of_what_is_trained_on() {
    let data = named();
    let renamed = data.clone().with_sample_names(["x"; 8]).unwrap();
    assert_eq!(data.digest(), renamed.digest());
    assert_ne!(data, renamed);
    let plain = Dataset::new(vec![0, 1], vec![0, 1], [1, 1, 1], 2).unwrap();
    assert!(plain.sample_names().is_none() && plain.sample_name(0).is_none());
    let error = plain.with_sample_names(["one"]).unwrap_err();
    assert!(matches!(error, DataError::SampleNames { samples: 2, found: 1 }), "{error}");
}
