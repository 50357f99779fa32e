//! Every mistake that a user can make with flags and files: the message says what is wrong, where, and what to do.

use std::fs;

use crate::sandbox::{MODEL, Sandbox, idx};

#[test]
fn wrong_usage_is_exit_code_2_and_names_the_flag() {
    let sandbox = Sandbox::new();
    let rows: &[(&str, &[&str])] = &[
        ("", &["Usage: shadegrad [OPTIONS] <COMMAND>", "train", "devices"]),
        ("trian", &["unrecognized subcommand 'trian'", "'train'"]),
        ("train --epoch 3", &["unexpected argument '--epoch'", "'--epochs'"]),
        ("train more", &["unexpected argument 'more'"]),
        ("train --epochs", &["a value is required for '--epochs <N>'"]),
        ("train --epochs 0", &["'--epochs <N>'", "a whole number, at least 1"]),
        ("train --epochs -1", &["'--epochs <N>'", "a whole number, at least 1"]),
        ("train --epochs 1.5", &["'--epochs <N>'", "a whole number, at least 1"]),
        ("train --batch-size 0", &["'--batch-size <N>'", "from 1 to 65536"]),
        ("train --batch-size 65537", &["'--batch-size <N>'", "from 1 to 65536"]),
        ("train --batch-size lots", &["'--batch-size <N>'", "from 1 to 65536"]),
        ("train --max-steps 0", &["'--max-steps <N>'", "a whole number, at least 1"]),
        ("train --seed -1", &["'--seed <N>'", "from 0 to 18446744073709551615"]),
        ("train --seed 18446744073709551616", &["'--seed <N>'", "from 0 to 18446744073709551615"]),
        (
            "train --optimizer rmsporp",
            &["'--optimizer <NAME>'", "possible values: sgd, adadelta, rmsprop, adam, adamw", "similar"],
        ),
        ("train --optimizer ftrl", &["'--optimizer <NAME>'", "possible values: sgd"]),
        ("train --learning-rate 0", &["'--learning-rate <X>'", "a positive number, such as 0.001"]),
        ("train --learning-rate -0.1", &["'--learning-rate <X>'", "a positive number"]),
        ("train --learning-rate NaN", &["'--learning-rate <X>'", "a positive number"]),
        ("train --learning-rate inf", &["'--learning-rate <X>'", "a positive number"]),
        ("train --learning-rate 1e-50", &["'--learning-rate <X>'", "a positive number"]),
        ("train --learning-rate fast", &["'--learning-rate <X>'", "a positive number"]),
        ("train --device=", &["--device", "auto, cpu, reference, software"]),
        ("train --force", &["--out <DIR>"]),
        ("train --out=", &["--out <DIR>"]),
        ("evaluate a b", &["unexpected argument 'b'"]),
        ("devices --tune", &["unexpected argument '--tune'"]),
        ("verify --jsn", &["unexpected argument '--jsn'", "'--json'"]),
        ("explain --epochs 3", &["unexpected argument '--epochs'"]),
    ];
    for (args, expected) in rows {
        sandbox.fail(args, 2, expected);
    }
    assert!(!sandbox.path("runs").exists());
}

#[test]
fn a_device_that_is_not_there_is_answered_with_those_that_are() {
    let sandbox = Sandbox::new();
    for device in ["nonesuch", "99"] {
        let asked = format!("no device matches `{device}`");
        let args = format!("train --model model.toml --data data --device {device}");
        sandbox.fail(&args, 1, &[&asked, "there is 0: ", "`auto`, `cpu`, `reference` and `software`"]);
    }
}

#[test]
fn model_files_are_judged_before_anything_else() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("folder.toml")).unwrap();
    // What is replaced in the model file, by what, and what the message says.
    let rows: &[(&str, &str, &[&str])] = &[
        (MODEL, "", &["missing field"]),
        (MODEL, "layers = [", &["TOML parse error at line 1"]),
        ("name = \"small\"", "name = \"a/b\"", &["name \"a/b\"", "letters, digits"]),
        ("name = \"small\"", "name = \"small\"\ncolour = 1", &["unknown field `colour`", "expected one of"]),
        ("filters = 4", "filters = 4\nfilter = 3", &["layer 0", "unknown field `filter`"]),
        ("\"MaxPooling2D\"", "\"Pooling\"", &["layer 1", "unknown type `Pooling`", "there are Conv2D"]),
        ("kernel_size = 3", "kernel_size = 9", &["layer 0 `conv2d`", "9x9 is larger than its 8x8 input"]),
        ("units = 3", "units = 0", &["layer 3 `dense`", "units must be at least 1"]),
        ("\"softmax\"", "\"softplus6\"", &["layer 3", "unknown variant `softplus6`", "expected one of"]),
        ("units = 3", "units = 1000000000000", &["layer 3 `dense`", "make the layer smaller"]),
        (
            "[[layers]]",
            "[training]\nbatch_size = 0\n\n[[layers]]",
            &["`batch_size` is 0, but must be at least 1"],
        ),
        (
            "[[layers]]",
            "[training]\nclass_weight = [0, 0, 0]\n\n[[layers]]",
            &["`class_weight` is 0 for every class"],
        ),
        (
            "[[layers]]",
            "[optimizer]\nname = \"sgd\"\nlearning_rate = 1e-50\n\n[[layers]]",
            &["`learning_rate` is 1e-50, but must be", "32-bit"],
        ),
        ("\"Flatten\"", "\"LSTM\"", &["layer 2", "recurrent layers are left out on purpose"]),
        ("units = 3", "units = 3\ntrainble = false", &["layer 3", "did you mean `trainable`?"]),
    ];
    for (from, to, expected) in rows {
        fs::write(sandbox.path("bad.toml"), MODEL.replacen(from, to, 1)).unwrap();
        for command in ["train --data data", "explain"] {
            sandbox.fail(&format!("{command} --model bad.toml"), 1, expected);
        }
    }
    for command in ["train", "explain"] {
        let args = format!("{command} --model folder.toml");
        sandbox.fail(&args, 1, &["`folder.toml`", "cannot be read"]);
        let args = format!("{command} --model nonesuch.toml");
        sandbox.fail(&args, 1, &["no model file `nonesuch.toml`", "--model takes `tutorial` or a file"]);
    }
}

#[test]
fn data_and_model_that_do_not_fit_are_both_named() {
    let sandbox = Sandbox::new();
    sandbox.fail("train --data data", 1, &["[8, 8, 1]", "[28, 28, 1]", "input_shape"]);
    sandbox.fail("train --model model.toml", 1, &["[8, 8, 1]", "[28, 28, 1]", "input_shape"]);
    let two = MODEL.replace("units = 3", "units = 2");
    fs::write(sandbox.path("two.toml"), two).unwrap();
    sandbox.fail("train --model two.toml --data data", 1, &["3 classes", "2 units", "give it 3"]);
    let rows = "name = \"rows\"\ninput_shape = [12]\n\n[[layers]]\ntype = \"Dense\"\nunits = 3\nactivation = \"softmax\"\n";
    fs::write(sandbox.path("rows.toml"), rows).unwrap();
    let said = ["[8, 8, 1]", "[12]", "rows of numbers are read from tables and arrays"];
    sandbox.fail("train --model rows.toml --data data", 1, &said);
}

#[test]
fn defects_of_data_files_are_named_with_file_and_place() {
    let pixels = [0; 12 * 64];
    let images = "t10k-images-idx3-ubyte";
    let labels = "t10k-labels-idx1-ubyte";
    // The file, its content (empty: removed), and what the message says besides the file's name.
    let rows: [(&str, _, &[&str]); 10] = [
        (labels, None, &["expected one of the files"]),
        (images, Some(Vec::new()), &["expected at least"]),
        (images, Some(idx(&[12, 8, 8], &pixels[1..])), &["expected at least 784 bytes"]),
        (images, Some(idx(&[12, 8, 8], &[0; 12 * 64 + 1])), &["expected the end"]),
        (images, Some(idx(&[11, 8, 8], &pixels[64..])), &["expected 11 labels", "found 12"]),
        (images, Some(idx(&[12, 4, 4], &pixels[..12 * 16])), &["[8, 8, 1]", "[4, 4, 1]"]),
        (images, Some(b"<html>".to_vec()), &["byte 0", "a web page?"]),
        (images, Some(vec![0x1f, 0x8b, 8, 0]), &["gzip"]),
        (labels, Some(idx(&[12, 8, 8], &pixels)), &["byte 3", "an image file in place of a label file?"]),
        (labels, Some(idx(&[u32::MAX], &[])), &["expected at least"]),
    ];
    for (file, content, expected) in rows {
        let sandbox = Sandbox::new();
        let path = sandbox.path("data").join(file);
        match content {
            Some(bytes) => fs::write(path, bytes).unwrap(),
            None => fs::remove_file(path).unwrap(),
        }
        let name = if file == labels { "t10k-labels" } else { "t10k-" };
        let expected = [&[name][..], expected].concat();
        sandbox.fail("train --model model.toml --data data", 1, &expected);
        assert!(!sandbox.path("runs").exists(), "{file}: a folder was left");
    }
}

#[test]
fn initial_weights_must_be_those_of_the_model() {
    let sandbox = Sandbox::new();
    let other = MODEL.replace("filters = 4", "filters = 8");
    fs::write(sandbox.path("other.toml"), other).unwrap();
    sandbox.succeed("train --model other.toml --data data --device cpu --max-steps 1 --out other");
    let train = "train --model model.toml --data data --init";
    let rows: &[(&str, &[&str])] = &[
        ("nonesuch", &["weight file `nonesuch` cannot be read"]),
        ("data", &["weight file `data` cannot be read"]),
        ("model.toml", &["weight file `model.toml` is not a complete safetensors file"]),
        (
            "other/weights.safetensors",
            &["other/weights.safetensors", "conv2d.kernel", "[3, 3, 1, 8]", "[3, 3, 1, 4]"],
        ),
    ];
    for (init, expected) in rows {
        sandbox.fail(&format!("{train} {init}"), 1, expected);
    }
}

#[test]
fn a_place_that_cannot_be_written_is_found_before_training() {
    let sandbox = Sandbox::new();
    let train = "train --model model.toml --data data --device cpu --out";
    let rows: &[(&str, &[&str])] = &[
        ("model.toml", &["`model.toml` is not a folder", "--out"]),
        ("model.toml/inside", &["`model.toml/inside` is not a folder", "--out"]),
        #[cfg(target_os = "linux")]
        ("/proc/nonesuch", &["`/proc/nonesuch` cannot be written", "--out"]),
    ];
    for (out, expected) in rows {
        sandbox.fail(&format!("{train} {out}"), 1, expected);
    }
    fs::write(sandbox.path("runs"), "a file").unwrap();
    sandbox.fail("train --model model.toml --data data", 1, &["`runs` is not a folder", "--out"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_standard_output_that_takes_nothing_is_a_failure() {
    let sandbox = Sandbox::new();
    for args in ["explain", "devices"] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let ended = sandbox.command(args).stdout(full).output().unwrap();
        let stderr = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains("standard output cannot be written"), "{stderr}");
        assert!(!stderr.contains("panicked"), "{stderr}");
    }
}
