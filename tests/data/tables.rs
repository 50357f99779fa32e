//! Data sets in tables: CSV files.

use shadegrad::data::{DataKind, LoadOptions, Loaded, TargetKind, load, load_one, load_test, three_ways};

use crate::forms::{Files, folder, none, refused};

fn targets(columns: &[&str]) -> LoadOptions {
    LoadOptions { target: columns.iter().map(|&column| column.to_owned()).collect(), ..none() }
}

/// Reads a file of this text.
fn table(text: &str, options: &LoadOptions) -> Result<Loaded, String> {
    let dir = folder(&[("some.csv", text.as_bytes())]);
    load(&dir.path().join("some.csv"), options).map_err(|error| error.to_string())
}

const FLOWERS: &str = "\
sepal,petal,species
5.1,0.2,setosa
4.9,0.3,setosa
6.3,1.8,virginica
5.8, 1.9 ,virginica
7.0,1.4,versicolor
6.4,1.5,versicolor
";

#[test]
fn a_table_is_split_and_its_target_told() {
    let read = table(FLOWERS, &none()).unwrap();
    let [train, validation, test] = three_ways(Some(&[0, 0, 2, 2, 1, 1]), 6, 0).unwrap();
    let whole = [0, 0, 2, 2, 1, 1];
    let labels = |part: &[u32]| part.iter().map(|&at| whole[at as usize]).collect::<Vec<u32>>();
    let validated = read.validation.unwrap();
    for (set, part) in [(&read.train, &train), (&validated, &validation), (&read.test, &test)] {
        assert_eq!(set.labels(), labels(part));
        assert_eq!(set.class_names(), ["setosa", "versicolor", "virginica"]);
        assert_eq!(set.shape(), [2].into());
    }
    let first = train[0] as usize;
    let rows = [[5.1, 0.2], [4.9, 0.3], [6.3, 1.8], [5.8, 1.9], [7.0, 1.4], [6.4, 1.5]];
    assert_eq!(read.train.values()[..2], rows[first]);
    let said = read.said.unwrap();
    for part in [
        "2 features, target `species`: 3 classes (setosa, versicolor, virginica)",
        "4 to train on, 1 to validate with and 1 to test on, by seed 0",
    ] {
        assert!(said.contains(part), "{said}");
    }
    let other = table(FLOWERS, &LoadOptions { split_seed: 7, ..none() }).unwrap();
    assert_ne!((other.train, other.test), (read.train, read.test));
}

/// What the numbers of a target are: of which kind, and how many classes or numbers.
#[test]
fn targets_are_classes_only_where_all_are_there() {
    let first_is_1 = LoadOptions { first_label: Some(1), ..none() };
    let rows: [(&str, LoadOptions, TargetKind, usize, &str); 13] = [
        ("a,b\n1,0\n2,1\n3,2\n4,1", none(), TargetKind::Classes, 3, "3 classes, 0 to 2"),
        ("1,0\n2,1\n3,2\n4,1", none(), TargetKind::Classes, 3, "1 feature, target column 2"),
        ("1,0.0\n2,1.0\n3,0", none(), TargetKind::Classes, 2, "2 classes"),
        ("1,0\n2,1\n3,3", none(), TargetKind::Values, 1, "a number"),
        ("1,1\n2,2\n3,3", none(), TargetKind::Values, 1, "a number"),
        ("1,1\n2,2\n3,3", first_is_1.clone(), TargetKind::Classes, 3, "3 classes, 1 to 3"),
        ("1,1\n2,2\n3,4", first_is_1, TargetKind::Classes, 4, "4 classes"),
        ("1,-1\n2,0\n3,1", none(), TargetKind::Values, 1, "a number"),
        ("1,0.5\n2,1e3\n3,1", none(), TargetKind::Values, 1, "a number"),
        ("1,0\n2,0\n3,0", none(), TargetKind::Values, 1, "a number"),
        ("1,no\n2,yes\n3,no", none(), TargetKind::Classes, 2, "2 classes (no, yes)"),
        (
            "a,b,c\n1,0,2\n2,1,3\n3,2,4",
            targets(&["b", "c"]),
            TargetKind::Values,
            2,
            "target `b`, `c`: 2 numbers",
        ),
        ("a,b,c\n1,0,2\n0,1,3\n3,2,4", targets(&["2"]), TargetKind::Classes, 3, "2 features, target `b`"),
    ];
    for (text, options, kind, classes, said) in rows {
        let read = table(text, &options).unwrap();
        assert_eq!((read.test.target(), read.test.classes()), (kind, classes), "{text:?}");
        assert!(read.said.as_ref().unwrap().contains(said), "{text:?}: {:?}", read.said);
    }
    // Outputs are called as their columns are.
    let read = table("a,b,c\n1,0,2\n2,1,3\n3,2,4", &targets(&["c", "a"])).unwrap();
    assert_eq!(read.train.class_names(), ["c", "a"]);
    assert_eq!(read.train.values().len(), read.train.len());
}

#[test]
fn what_is_wrong_with_a_table_is_named_with_its_place() {
    let rows: [(&str, &[&str], &str); 19] = [
        ("", &[], "some.csv: expected lines of numbers, one for each sample, found none"),
        ("a,b\n", &[], "found one with names, and none after it"),
        ("a;b\n1;2\n", &[], "expected cells between commas, found one cell in line 1, \"a;b\""),
        ("a,b\n1,2\n3\n", &[], "line 3: expected 2 cells, as in the first line, found 1"),
        ("a,b\n1,2\n3,4,5\n", &[], "line 3: expected 2 cells, as in the first line, found 3"),
        (
            "a,b\n1,2\nx,4\n",
            &[],
            "line 3, column 1 (a): expected a number, found \"x\"; a model takes nothing but numbers",
        ),
        ("1,2\nx,4\n", &[], "line 2, column 1: expected a number, found \"x\""),
        ("a,b\n1,2\n,4\n", &[], "line 3, column 1 (a): expected a number, found \"\", a missing one"),
        ("a,b\n1,2\nNA,4\n", &[], "found \"NA\", a missing one"),
        ("a,b\n1,2\nn/a,4\n", &[], "found \"n/a\", a missing one"),
        ("a,b\n1,2\n3,?\n", &[], "line 3, column 2 (b): expected a target, found \"?\", a missing one"),
        ("a,b\n1,2\n1e39,4\n", &[], "column 1 (a): expected a finite number"),
        (
            "a,b\n1,2\n3,1e39\n4,5\n",
            &[],
            "expected finite numbers, at most 3.4028235e38, in the column of the target, found \"1e39\"",
        ),
        ("a,b,c\n1,2,3\n4,x,5\n", &["2", "3"], "line 3, column 2 (b): expected a number, found \"x\""),
        ("a,b\n1,x\n2,x\n3,x\n", &[], "expected at least two classes, found nothing but \"x\""),
        ("a,b\n1,2\n", &["c"], "expected a column `c`, found a, b"),
        ("a,b\n1,2\n", &["a", "b"], "and at least one more"),
        ("a,b\n1,0\n2,1\n", &[], "expected at least 3 samples"),
        ("a,\"b\n1,0\n2,1\n", &[], "found one with names, and none after it"),
    ];
    for (text, columns, expected) in rows {
        let message = table(text, &targets(columns)).map(|read| read.said).unwrap_err();
        assert!(message.contains(expected), "{text:?}: {expected:?} is missing from {message}");
    }
    let of_one = LoadOptions { first_label: Some(1), ..none() };
    let message = refused(table("1,0\n2,1\n3,2", &of_one));
    assert!(
        message.contains("expected whole numbers from 1") && message.contains("found \"0\""),
        "{message}"
    );
}

#[test]
fn tables_of_a_folder_belong_together() {
    let flowers = FLOWERS.as_bytes();
    let test = b"sepal,petal,species\n6,2,virginica\n5,0,setosa\n";
    let dir = folder(&[("train.csv", flowers), ("test.csv", test), ("validation.csv", &test[..34])]);
    let read = load(dir.path(), &none()).unwrap();
    assert_eq!((read.kind, read.train.len(), read.test.labels()), (DataKind::Csv, 6, &[2, 0][..]));
    assert_eq!(read.validation.unwrap().labels(), [2]);
    assert_eq!(load_test(dir.path(), &none()).unwrap(), read.test);
    // By itself the test set has two classes.
    assert_eq!(load_one(dir.path(), &none()).unwrap().class_names(), ["setosa", "virginica"]);

    let alone = folder(&[("train.csv", flowers)]);
    assert_eq!(load(alone.path(), &none()).unwrap().train.len(), 4);
    let rows: [(Files, &str); 5] = [
        (
            &[("train.csv", flowers), ("test.csv", b"sepal,petal\n1,2\n")],
            "test.csv: expected the columns of ",
        ),
        (
            &[("train.csv", flowers), ("test.csv", b"sepal,petal,kind\n1,2,a\n")],
            "column 3 named \"species\", found column 3 named \"kind\"",
        ),
        (&[("train.csv", flowers), ("validation.csv", test)], "expected one of the files test.csv"),
        (&[("test.csv", test)], "expected one of the files train.csv"),
        (
            &[("other.csv", test)],
            "tables (train.csv), or pictures in a sub-folder for each class (.png, .jpg, .webp, .bmp), found none of them",
        ),
    ];
    for (files, expected) in rows {
        let dir = folder(files);
        let message = refused(load(dir.path(), &none()));
        assert!(message.contains(expected), "{expected:?} is missing from {message}");
    }
}
