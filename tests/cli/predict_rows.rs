//! `predict` on tables and arrays.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};
use shadegrad::device::Device;
use shadegrad::train::Model;

use crate::sandbox::Sandbox;
use crate::tables::{TRAIN, flowers, npy, sandbox};

/// With `out`, a run on flowers, whose features are sepal and petal.
fn trained() -> Sandbox {
    let sandbox = sandbox(&flowers());
    sandbox.succeed(&format!("{TRAIN} --model data.toml --data data.csv --out out"));
    sandbox
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Of each sample, what the model gives for it in a program.
fn probabilities(sandbox: &Sandbox, values: &[f32]) -> Vec<Vec<f32>> {
    let mut model = Model::open(&sandbox.path("out"), &Device::cpu()).unwrap();
    model.predict_values(values).unwrap().chunks(3).map(<[f32]>::to_vec).collect()
}

/// What a line says of each class, to the bit: it has digits enough.
fn said(line: &Value) -> Vec<f32> {
    line["probabilities"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap() as f32).collect()
}

#[test]
fn rows_of_a_table_are_predicted_with_or_without_their_targets() {
    let sandbox = trained();
    let rows: [[f32; 2]; 4] = [[0.25, 5.0], [3.5, 4.25], [6.5, 3.0], [0.125, 4.5]];
    let expected = probabilities(&sandbox, rows.as_flattened());
    // The names, how a row is written, and the line of the first.
    type Table = (&'static str, fn(&[f32; 2]) -> String, u64);
    let tables: [Table; 6] = [
        ("sepal,petal\n", |[a, b]| format!("{a},{b}\n"), 2),
        ("sepal,petal,species\n", |[a, b]| format!("{a},{b},unknown\n"), 2),
        ("note,petal,id,sepal\n", |[a, b]| format!("\"long,\",{b},9,{a}\n"), 2),
        ("", |[a, b]| format!("{a},{b}\n"), 1),
        ("", |[a, b]| format!("{a},{b},setosa\n"), 1),
        ("\nsepal,petal\n\n", |[a, b]| format!("{a}, {b}\r\n"), 4),
    ];
    for (header, row, first) in tables {
        let text = header.to_owned() + &rows.iter().map(row).collect::<String>();
        fs::write(sandbox.path("new.csv"), &text).unwrap();
        let found = lines(&sandbox.succeed("predict out new.csv --json --device cpu").stdout);
        let place = |n: usize| (json!("new.csv"), json!(first + n as u64));
        for (n, (found, expected)) in found.iter().zip(&expected).enumerate() {
            assert_eq!(said(found), *expected, "{text}");
            assert_eq!((found["file"].clone(), found["line"].clone()), place(n), "{text}");
        }
        assert_eq!(found.len(), rows.len(), "{text}");
    }
    let outcome = sandbox.succeed("predict out new.csv data.csv --device cpu");
    assert!(outcome.stdout.starts_with("new.csv:4: virginica (0."), "{outcome:?}");
    assert_eq!(outcome.stdout.lines().count(), 64);

    // More than are predicted at once, from standard input.
    let many: String = rows.iter().cycle().take(9_001).map(|[a, b]| format!("{a},{b}\n")).collect();
    let mut command = sandbox.command("predict out - --json --device cpu");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || input.write_all(many.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let found = lines(&String::from_utf8(output.stdout).unwrap());
    assert_eq!((found.len(), &found[9_000]["line"]), (9_001, &json!(9_001)));
    assert!(found.iter().zip(expected.iter().cycle()).all(|(found, row)| said(found) == *row));
}

#[test]
fn arrays_are_predicted() {
    let sandbox = trained();
    let values = [0.25f32, 5.0, 3.5, 4.25];
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    fs::write(sandbox.path("x.npy"), npy("<f4", "(2, 2)", &bytes)).unwrap();
    let found = lines(&sandbox.succeed("predict out x.npy --json --device cpu").stdout);
    let expected = probabilities(&sandbox, &values);
    for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
        assert_eq!((said(found), &found["index"]), (expected.clone(), &json!(index)));
    }
    assert!(sandbox.succeed("predict out x.npy --device cpu").stdout.contains("\nx.npy[1]: "));

    let bytes: Vec<u8> = [0.25f32, f32::NAN].iter().flat_map(|value| value.to_le_bytes()).collect();
    fs::write(sandbox.path("nan.npy"), npy("<f4", "(1, 2)", &bytes)).unwrap();
    sandbox.fail("predict out nan.npy --device cpu", 1, &["nan.npy: sample 0: expected finite numbers"]);

    // Images, as bytes.
    sandbox.train("--max-steps 1 --out images");
    fs::write(sandbox.path("images.npy"), npy("|u1", "(2, 8, 8)", &[7; 128])).unwrap();
    let mut model = Model::open(&sandbox.path("images"), &Device::cpu()).unwrap();
    let expected = model.predict(&[7; 64]).unwrap();
    for found in lines(&sandbox.succeed("predict images images.npy --json --device cpu").stdout) {
        assert_eq!(said(&found), expected);
    }
    sandbox.fail(
        "predict images x.npy --device cpu",
        1,
        &["x.npy: expected samples of the shape [8, 8, 1], which the model takes, found [2]"],
    );
}

#[test]
fn what_is_no_table_of_the_model_is_refused() {
    let sandbox = trained();
    let rows = [
        (
            "sepal,petal,sepal\n1,2,3\n",
            "expected the features `sepal`, found `column 1`, `petal`, `column 3`",
        ),
        ("sepal,leaf\n1,2\n", "t.csv: expected the features `petal`, found `sepal`, `leaf`"),
        ("1,2,3,4\n", "expected 2 columns, the features of the model, or these and its targets, found 4"),
        ("1\n", "expected 2 columns"),
        ("sepal,petal\n", "found one with names, and none after it"),
        ("", "expected lines of numbers, one for each sample, found none"),
        ("sepal,petal\n1,2\n3\n", "line 3: expected 2 cells"),
        (
            "sepal,petal\n1,2\n3,NA\n",
            "line 3, column 2 (petal): expected a number, found \"NA\", a missing one",
        ),
        ("sepal,petal\n1,2\n1e99,1\n", "line 3, column 1 (sepal): expected a finite number"),
    ];
    for (text, expected) in rows {
        fs::write(sandbox.path("t.csv"), text).unwrap();
        sandbox.fail("predict out t.csv --device cpu", 1, &[expected]);
    }
    // What is before the line is predicted, and so are other files.
    fs::write(sandbox.path("t.csv"), "sepal,petal\n1,2\n3,4\nx,6\n7,8\n").unwrap();
    let outcome = sandbox.run("predict out t.csv data.csv --json --device cpu");
    let found = lines(&outcome.stdout);
    assert_eq!((outcome.code, found.len()), (1, 2 + 1 + 60));
    assert!(found[2]["error"].as_str().unwrap().contains("line 4, column 1 (sepal)"), "{outcome:?}");
    sandbox.fail("predict out nothing.csv --device cpu", 1, &["nothing.csv: expected a readable file"]);
    for flag in ["--show", "--plain", "--transpose", "--recursive"] {
        sandbox.fail(&format!("predict out data.csv {flag}"), 1, &[flag, "is for pictures"]);
    }
    for (names, expected) in [
        (r#"["a"]"#, "feature_names has 1 names, but the shape of a sample is [2]"),
        (r#"["a", "a"]"#, "\"a\" is there twice"),
        (r#"["a", " "]"#, "must be text on one line"),
    ] {
        let model = format!("feature_names = {names}\n{}", sandbox.text("data.toml"));
        fs::write(sandbox.path("named.toml"), model).unwrap();
        sandbox.fail("train --device cpu --model named.toml --data data.csv", 1, &[expected]);
    }
}

#[test]
fn columns_may_be_called_by_numbers() {
    let sandbox = trained();
    // As pandas writes a table to which only the target was given by name.
    let rows = flowers().lines().skip(1).collect::<Vec<_>>().join("\n");
    fs::write(sandbox.path("data.csv"), format!("0,1,species\n{rows}")).unwrap();
    sandbox.succeed(&format!("{TRAIN} --model data.toml --data data.csv --target species --out out --force"));
    let expected = probabilities(&sandbox, &[0.25, 5.0]);
    for (text, line) in [("0,1\n0.25,5\n", 2), ("1,0\n5,0.25\n", 2), ("0.25,5\n", 1)] {
        fs::write(sandbox.path("t.csv"), text).unwrap();
        let found = lines(&sandbox.succeed("predict out t.csv --json --device cpu").stdout);
        let found: Vec<_> = found.iter().map(|row| (said(row), row["line"].clone())).collect();
        assert_eq!(found, [(expected[0].clone(), json!(line))], "{text}");
    }
}

#[test]
fn a_table_whose_reader_leaves_is_no_failure() {
    let sandbox = trained();
    fs::write(sandbox.path("many.csv"), "1,2\n".repeat(100_000)).unwrap();
    let mut command = sandbox.command("predict out many.csv --device cpu");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}
