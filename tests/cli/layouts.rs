//! Data that differs from MNIST: EMNIST, transposed images, labels that count from 1, duplicate files.

use std::fs;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::sandbox::{MODEL, Sandbox, idx};

const SIDE: usize = 8;

/// Another folder with the files of `data`, rows and columns of their images swapped and this added to the labels,
/// under names that begin with these.
fn stored_otherwise(sandbox: &Sandbox, folder: &str, [train, test]: [&str; 2], swap: bool, first_label: u8) {
    fs::create_dir_all(sandbox.path(folder)).unwrap();
    for (from, to) in [("train", train), ("t10k", test)] {
        let read = |kind: &str| fs::read(sandbox.path(&format!("data/{from}-{kind}-ubyte"))).unwrap();
        let write = |kind: &str, bytes: Vec<u8>| {
            fs::write(sandbox.path(&format!("{folder}/{to}-{kind}-ubyte")), bytes).unwrap();
        };
        let (mut images, mut labels) = (read("images-idx3"), read("labels-idx1"));
        if swap {
            for image in images[16..].chunks_exact_mut(SIDE * SIDE) {
                let old = image.to_vec();
                (0..SIDE * SIDE).for_each(|at| image[at] = old[at % SIDE * SIDE + at / SIDE]);
            }
        }
        labels[8..].iter_mut().for_each(|label| *label += first_label);
        write("images-idx3", images);
        write("labels-idx1", labels);
    }
}

const MNIST: [&str; 2] = ["train", "t10k"];
const LETTERS: [&str; 2] = ["emnist-letters-train", "emnist-letters-test"];

fn with_model(sandbox: &Sandbox, units: usize) {
    let model = MODEL.replace("units = 3", &format!("units = {units}"));
    fs::write(sandbox.path(&format!("{units}.toml")), model).unwrap();
}

const TRAIN: &str = "train --device cpu --epochs 2 --batch-size 16";

#[test]
fn emnist_trains_as_if_it_were_stored_like_mnist() {
    let sandbox = Sandbox::new();
    stored_otherwise(&sandbox, "letters", LETTERS, true, 1);
    with_model(&sandbox, 26);
    sandbox.succeed(&format!("{TRAIN} --model 26.toml --data data --out plain"));
    let outcome = sandbox.succeed(&format!("{TRAIN} --model 26.toml --data letters --out run"));
    let said = "Data: EMNIST letters, by the names of its files: rows and columns of the images are swapped, label 1 is the \
                first class\n";
    assert_eq!(outcome.stderr.matches(said).count(), 1, "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("warning") && !outcome.stderr.contains("WARN"), "{}", outcome.stderr);
    let weights = |run: &str| sandbox.json(&format!("{run}/result.json"))["weights_sha256"].clone();
    assert_eq!(weights("plain"), weights("run"), "not the same images or labels");

    // Commands that read the run name the classes by their letters; for other data nothing is recorded.
    let names: Vec<String> = ('A'..='Z').map(|letter| format!("\"{letter}\"")).collect();
    let line = format!("class_names = [{}]", names.join(", "));
    assert!(sandbox.text("run/model.toml").contains(&line), "{}", sandbox.text("run/model.toml"));
    assert!(!sandbox.text("plain/model.toml").contains("class_names"));
    let result = sandbox.json("plain/result.json");
    assert!(result.get("transpose").is_none() && result.get("first_label").is_none(), "{result}");
    for command in ["evaluate run --device cpu", "evaluate run --device cpu --data data"] {
        assert_eq!(sandbox.succeed(command).last_line(), outcome.last_line(), "{command}");
    }
    // Names in the model file take precedence.
    let named = sandbox
        .text("26.toml")
        .replace("input_shape", &format!("class_names = [{}]\ninput_shape", names.join(", ").to_lowercase()));
    fs::write(sandbox.path("named.toml"), named).unwrap();
    sandbox.succeed("train --device cpu --max-steps 1 --model named.toml --data letters --out named");
    assert!(sandbox.text("named/model.toml").contains("class_names = [\"a\", \"b\""));
}

#[test]
fn one_of_several_splits_is_found_from_anywhere() {
    let sandbox = Sandbox::new();
    stored_otherwise(&sandbox, "all", LETTERS, true, 1);
    stored_otherwise(&sandbox, "all", ["emnist-digits-train", "emnist-digits-test"], true, 0);
    let train = format!("{TRAIN} --model model.toml --data all");
    let recorded = sandbox.path("all").canonicalize().unwrap().join("emnist-letters").display().to_string();
    sandbox.fail(&train, 1, &["emnist-letters, emnist-digits", &format!("such as {recorded}")]);
    sandbox.succeed(&format!("{train}/emnist-letters --out run"));
    assert_eq!(sandbox.json("run/result.json")["data"], recorded);
    sandbox.succeed("evaluate run --device cpu");
    sandbox.fail(&format!("{train}/emnist-mnist"), 1, &["there is no folder or file `all/emnist-mnist`"]);
}

#[test]
fn what_was_said_of_the_data_holds_for_the_run() {
    let sandbox = Sandbox::new();
    stored_otherwise(&sandbox, "stored", MNIST, true, 1);
    let flags = "--model model.toml --data stored --transpose --first-label 1";
    sandbox.succeed(&format!("{TRAIN} --model model.toml --data data --out plain"));
    let outcome = sandbox.succeed(&format!("{TRAIN} {flags} --out run"));
    assert!(outcome.stderr.contains("are swapped, label 1 is the first class"), "{}", outcome.stderr);
    let weights = |run: &str| fs::read(sandbox.path(&format!("{run}/weights.safetensors"))).unwrap();
    assert_eq!(weights("plain"), weights("run"));
    let result = sandbox.json("run/result.json");
    assert_eq!((&result["transpose"], &result["first_label"]), (&true.into(), &1.into()));

    for command in ["evaluate run --device cpu", "evaluate run --device cpu --data stored"] {
        assert_eq!(sandbox.succeed(command).last_line(), outcome.last_line(), "{command}");
    }
    let as_given = "evaluate run --device cpu --data data --transpose=false --first-label 0";
    assert_eq!(sandbox.succeed(as_given).last_line(), outcome.last_line());
    sandbox.succeed("report run --device cpu");
    sandbox.succeed("report plain --device cpu");
    let matrix = |run: &str| {
        let page = sandbox.text(&format!("{run}/report.html"));
        let at = page.find("onfusion").unwrap();
        page[at..].chars().take(2000).collect::<String>()
    };
    assert_eq!(matrix("run"), matrix("plain"));
    // A resumed run keeps its settings.
    sandbox.succeed("train --resume --out run --epochs 3");
    sandbox.succeed("train --resume --out plain --epochs 3");
    assert_eq!(weights("plain"), weights("run"));
    sandbox.fail("train --resume --out run --epochs 4 --transpose", 2, &["--transpose"]);
    sandbox.fail("train --resume --out run --epochs 4 --first-label 1", 2, &["--first-label"]);

    let crossval = |data: &str, out: &str| {
        let args =
            format!("crossval --device cpu --epochs 1 --folds 2 --model model.toml {data} --out {out}");
        sandbox.succeed(&args);
        sandbox.json(&format!("{out}/crossval.json"))["models"][0]["loss"].clone()
    };
    let sets = ["--data data", "--data stored --transpose --first-label 1"];
    assert_eq!(crossval(sets[0], "folds-a"), crossval(sets[1], "folds-b"));
    // A given validation set is read in the same way.
    let validated = |sets: &str, out: &str| {
        sandbox.succeed(&format!("{TRAIN} --model model.toml {sets} --out {out}"));
        sandbox.json_lines(&format!("{out}/history.jsonl"))[1]["val_loss"].clone()
    };
    let of_plain = validated("--data data --validation-data data", "validated-a");
    assert_eq!(validated(&format!("{} --validation-data stored", sets[1]), "validated-b"), of_plain);
}

#[test]
fn labels_that_count_from_1_are_explained() {
    let sandbox = Sandbox::new();
    stored_otherwise(&sandbox, "ones", MNIST, false, 1);
    with_model(&sandbox, 4);
    let train = "train --device cpu --max-steps 1 --data ones";
    let explained = ["labels", "run up to 3 and none is 0", "3 units", "`first_label` 1 (--first-label 1)"];
    sandbox.fail(&format!("{train} --model model.toml"), 1, &explained);
    let warned = sandbox.succeed(&format!("{train} --model 4.toml --out a")).stderr;
    for text in
        ["train-labels-idx1-ubyte", "run from 1 to 3", "no image is of a class below 1", "`first_label`"]
    {
        assert!(warned.contains(text), "{text:?} is missing from {warned}");
    }
    let quiet = sandbox.succeed(&format!("{train} --model model.toml --first-label 1 --out b")).stderr;
    assert!(!quiet.contains("no image is of a class"), "{quiet}");
    let asked = sandbox.succeed(&format!("{train} --model 4.toml --first-label 0 --out c")).stderr;
    assert!(!asked.contains("no image is of a class"), "{asked}");
    let too_large = ["train-labels-idx1-ubyte: label 0: expected at least 2", "found 1"];
    sandbox.fail(&format!("{train} --model model.toml --first-label 2"), 1, &too_large);
}

/// Renamed files are recognised by how many images they hold, which is only enough for a warning.
#[test]
fn a_set_with_as_many_images_as_emnist_is_pointed_out() {
    let sandbox = Sandbox::new();
    for (set, count) in [("train", 124_800u32), ("t10k", 20_800)] {
        let labels: Vec<u8> = (0..count).map(|n| (n % 26 + 1) as u8).collect();
        let write = |kind: &str, bytes: Vec<u8>| {
            fs::write(sandbox.path(&format!("data/{set}-{kind}-ubyte")), bytes).unwrap();
        };
        write("images-idx3", idx(&[count, 1, 1], &labels));
        write("labels-idx1", idx(&[count], &labels));
    }
    let said =
        ["as many images as EMNIST letters", "`transpose`", "`emnist-letters-...`", "labels", "from 1 to 26"];
    sandbox.fail("train --model model.toml --data data", 1, &said);
    let asked = sandbox.run("train --model model.toml --data data --transpose=false").stderr;
    assert!(!asked.contains("as many images"), "{asked}");
}

#[test]
fn wrong_words_about_data_are_refused() {
    let sandbox = Sandbox::new();
    sandbox.fail("train --transpose=perhaps", 2, &["--transpose", "true, false"]);
    sandbox.fail("train --first-label 256", 2, &["--first-label"]);
    sandbox.fail("train --first-label -1", 2, &["--first-label"]);
    for command in ["train", "crossval"] {
        for flag in ["--transpose", "--first-label 1"] {
            sandbox.fail(
                &format!("{command} {flag}"),
                1,
                &["--transpose and --first-label are for --data DIR"],
            );
        }
    }
}

#[test]
fn predict_shows_a_model_of_transposed_images_what_it_knows() {
    let sandbox = Sandbox::new();
    let model = MODEL.replace("[8, 8, 1]", "[8, 6, 1]").replace("kernel_size = 3", "kernel_size = 2");
    fs::write(sandbox.path("oblong.toml"), model).unwrap();
    let data = sandbox.path("data");
    for (set, count) in [("train", 3u32), ("t10k", 3)] {
        let pixels: Vec<u8> = (0..count * 48).map(|at| at as u8).collect();
        fs::write(data.join(format!("{set}-images-idx3-ubyte")), idx(&[count, 8, 6], &pixels)).unwrap();
        fs::write(data.join(format!("{set}-labels-idx1-ubyte")), idx(&[count], &[0, 1, 2])).unwrap();
    }
    sandbox.succeed("train --device cpu --model oblong.toml --data data --max-steps 1 --out run");
    let digit = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/digits/2-pencil.jpg");
    let drawing = |flags: &str| -> Vec<Vec<char>> {
        let stdout = sandbox.succeed(&format!("predict run {digit} --device cpu --show {flags}")).stdout;
        let lines = stdout.lines().filter(|line| line.starts_with('|'));
        // Each pixel is two characters wide.
        lines.map(|line| line.trim_matches('|').chars().step_by(2).collect()).collect()
    };
    let across = drawing("--transpose --plain");
    assert_eq!((across.len(), across[0].len()), (8, 6));
    // The same picture for a model that takes it upright.
    let upright =
        sandbox.text("run/model.toml").replace("input_shape = [8, 6, 1]", "input_shape = [6, 8, 1]");
    assert_ne!(upright, sandbox.text("run/model.toml"));
    fs::write(sandbox.path("run/model.toml"), upright).unwrap();
    let upright = drawing("--plain");
    assert_eq!((upright.len(), upright[0].len()), (6, 8));
    for (y, row) in upright.iter().enumerate() {
        for (x, shade) in row.iter().enumerate() {
            assert_eq!(across[x][y], *shade, "row {y}, column {x}");
        }
    }
}

#[test]
fn a_damaged_file_beside_a_whole_one_is_told() {
    let sandbox = Sandbox::new();
    let file = sandbox.path("data/train-images-idx3-ubyte");
    let bytes = fs::read(&file).unwrap();
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    std::io::Write::write_all(&mut packed, &bytes).unwrap();
    fs::write(sandbox.path("data/train-images-idx3-ubyte.gz"), packed.finish().unwrap()).unwrap();
    let train = format!("{TRAIN} --model model.toml --data data");
    let whole = sandbox.succeed(&format!("{train} --out whole"));
    assert!(!whole.stderr.contains(".gz"), "{}", whole.stderr);
    fs::write(&file, &bytes[..1000]).unwrap();
    let outcome = sandbox.succeed(&format!("{train} --out instead"));
    let told = [
        "train-images-idx3-ubyte: byte 1000: expected at least",
        "train-images-idx3-ubyte.gz is read in its place",
    ];
    for text in told {
        assert!(outcome.stderr.contains(text), "{text:?} is missing from {}", outcome.stderr);
    }
    assert_eq!(outcome.last_line(), whole.last_line());
}
