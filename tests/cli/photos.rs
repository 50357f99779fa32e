//! Folders of pictures as data, from training to prediction.

use std::fs;
use std::path::Path;

use image::{GrayImage, Luma, Rgb, RgbImage};
use serde_json::Value;

use crate::sandbox::{Sandbox, idx};

const CLASSES: [&str; 3] = ["blue", "green", "red"];

/// With a folder of pictures of three colours, of different sizes.
pub fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    for number in 0..60u32 {
        let class = number as usize % 3;
        let dir = sandbox.path("photos").join(CLASSES[class]);
        fs::create_dir_all(&dir).unwrap();
        let mut colour = [(number * 7 % 60) as u8; 3];
        colour[2 - class] = 180 + (number % 50) as u8;
        let picture = RgbImage::from_pixel(40 + number % 9, 36, Rgb(colour));
        picture
            .save(dir.join(format!("{number:02}.{}", ["png", "jpg", "bmp"][number as usize / 3 % 3])))
            .unwrap();
    }
    sandbox
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_folder_of_pictures_is_trained_evaluated_and_predicted() {
    let sandbox = sandbox();
    let outcome = sandbox.succeed("train --data photos --epochs 12 --device cpu --out run");
    let said = "Pictures: 60 of 3 classes as coloured images of 32x32; 80 % train, 10 % validate and 10 % test, by classes, with \
                the split seed 0";
    assert!(outcome.stderr.contains(said), "{}", outcome.stderr);
    let result = sandbox.json("run/result.json");
    let counts =
        ["train_samples", "validation_samples", "test_samples"].map(|key| result[key].as_u64().unwrap());
    assert_eq!(counts, [48, 6, 6]);
    assert_eq!((&result["size"], &result["channels"]), (&[32, 32].into(), &3.into()));
    assert!(sandbox.text("run/model.toml").contains("class_names = [\"blue\", \"green\", \"red\"]"));
    assert!(sandbox.text("run/model.toml").contains("total_steps = 24"), "12 epochs of 2 batches");
    let accuracy = result["test_accuracy"].as_f64().unwrap();
    assert!(accuracy > 0.9, "{accuracy}");

    let figures: Value =
        serde_json::from_str(&sandbox.succeed("evaluate run --device cpu --json").stdout).unwrap();
    assert_eq!((&figures["test_loss"], &figures["other_test_set"]), (&result["test_loss"], &false.into()));
    sandbox.succeed("report run --device cpu");
    // Pictures are made as they were for training: this one is red in the middle, which is all that is looked at.
    let wide = RgbImage::from_fn(300, 40, |x, _| {
        Rgb(if (130..170).contains(&x) { [220, 9, 9] } else { [9, 9, 220] })
    });
    wide.save(sandbox.path("wide.webp")).unwrap();
    let predicted = sandbox.succeed("predict run wide.webp --device cpu").stdout;
    assert!(predicted.starts_with("wide.webp: red ("), "{predicted}");
    let plain = sandbox.succeed("predict run wide.webp --plain --device cpu").stdout;
    assert!(plain.starts_with("wide.webp: blue ("), "{plain}");

    let outcome = sandbox.succeed("predict run photos --recursive --device cpu");
    assert!(
        outcome.last_line().starts_with("Accuracy: ") && outcome.last_line().contains(" of 60 pictures"),
        "{outcome:?}"
    );
    let json = lines(&sandbox.succeed("predict run photos/red --recursive --json --device cpu").stdout);
    assert_eq!((json.len(), &json[20]["pictures"], &json[0]["folder_label"]), (21, &20.into(), &2.into()));
}

/// An interrupted run goes on to the same bits, with the same pictures in each set.
#[test]
fn a_run_on_pictures_is_resumed() {
    let sandbox = sandbox();
    let train = |flags: &str| sandbox.succeed(&format!("train --data photos --device cpu {flags}"));
    train("--epochs 3 --split-seed 5 --schedule type=constant --out whole");
    train("--epochs 1 --split-seed 5 --schedule type=constant --out parts");
    sandbox.succeed("train --resume --out parts --epochs 3 --device cpu");
    let weights = |run: &str| fs::read(sandbox.path(run).join("weights.safetensors")).unwrap();
    assert!(weights("whole") == weights("parts"));
    let digests = |run: &str| sandbox.json(&format!("{run}/result.json"))["data_digests"].clone();
    assert_eq!(digests("whole"), digests("parts"));
    train("--epochs 1 --split-seed 6 --out other");
    assert_ne!(digests("whole")["test"], digests("other")["test"]);
    // A picture that was not there before is noticed.
    fs::copy(sandbox.path("photos/red/02.png"), sandbox.path("photos/red/99.png")).unwrap();
    sandbox.fail(
        "train --resume --out parts --epochs 4 --device cpu",
        1,
        &["is not the one that this run was trained on"],
    );
}

#[test]
fn evaluation_goes_by_the_names_of_classes() {
    let sandbox = sandbox();
    sandbox.succeed("train --data photos --epochs 12 --device cpu --out run");
    for (class, set) in [("red", "train"), ("green", "test"), ("red", "test")] {
        let to = sandbox.path(&format!("few/{set}/{class}"));
        fs::create_dir_all(&to).unwrap();
        for entry in fs::read_dir(sandbox.path("photos").join(class)).unwrap().flatten() {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
    let figures: Value =
        serde_json::from_str(&sandbox.succeed("evaluate run --data few --device cpu --json").stdout).unwrap();
    assert_eq!(figures["test_samples"], 40);
    assert!(figures["test_accuracy"].as_f64().unwrap() > 0.9, "{figures}");
    fs::rename(sandbox.path("few/test/red"), sandbox.path("few/test/purple")).unwrap();
    let expected = ["purple", "blue"];
    sandbox.fail("evaluate run --data few --device cpu", 1, &expected);
}

#[test]
fn a_data_set_is_described() {
    let sandbox = sandbox();
    fs::write(sandbox.path("photos/red/broken.jpg"), b"x").unwrap();
    let outcome = sandbox.succeed("data photos --sheet sheet.png");
    for text in [
        "class  training  validation  test  all",
        "all          48           6     6   60",
        "Samples: images of 32x32, coloured",
        "Files: 36x40 to 36x48, median 36x44",
        "Formats: 18 BMP, 21 JPEG, 21 PNG",
        "Left out: 1",
        "photos/red/broken.jpg is neither PNG nor JPEG",
    ] {
        assert!(outcome.stdout.contains(text), "{text:?} is missing from\n{}", outcome.stdout);
    }
    let sheet = image::open(sandbox.path("sheet.png")).unwrap().to_rgb8();
    // A row for each class in its colour, with a name of dark letters before it.
    for class in 0..3u32 {
        let pixel = sheet.get_pixel(sheet.width() - 8, 10 + class * 68).0;
        let strongest = (0..3).max_by_key(|&channel| pixel[channel]).unwrap();
        assert_eq!(strongest as u32, 2 - class, "{pixel:?}");
    }
    assert!(sheet.enumerate_pixels().any(|(x, _, pixel)| x < 60 && pixel.0 == [0; 3]), "no names");
    let json: Value = serde_json::from_str(&sandbox.succeed("data photos --json").stdout).unwrap();
    assert_eq!((&json["classes"][2]["name"], &json["classes"][2]["training"]), (&"red".into(), &16.into()));
    assert_eq!((&json["target"], &json["samples"]["training"]), (&"classes".into(), &48.into()));
    assert_eq!((&json["shape"], &json["broken"][0]["problem"].is_string()), (&[32, 32, 3].into(), &true));
    let json: Value =
        serde_json::from_str(&sandbox.succeed("data data --json --sheet idx.png").stdout).unwrap();
    assert_eq!((&json["shape"], &json["classes"][1]["test"]), (&[8, 8, 1].into(), &4.into()));
    assert!(image::open(sandbox.path("idx.png")).is_ok());
    // Large images are shown with fewer pixels: ten columns of 128 of the 384 of each image, and the names.
    sandbox.succeed("data photos --size 384 --sheet large.png");
    let large = image::open(sandbox.path("large.png")).unwrap();
    assert_eq!((large.height(), large.width()), (3 * (128 + 4) + 4, 5 * 16 + 10 * (128 + 4) + 8));
}

#[test]
fn crossval_and_lr_find_take_pictures() {
    let sandbox = sandbox();
    let outcome =
        sandbox.succeed("crossval --data photos --folds 2 --epochs 1 --device cpu --json --out cross");
    let json: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!((&json["samples"], &json["models"][0]["model"]), (&48.into(), &"pictures".into()));
    sandbox.succeed("lr-find --data photos --batches 5 --batch-size 8 --device cpu --json");
}

#[test]
fn what_does_not_fit_is_refused_with_the_lines_to_change() {
    let sandbox = sandbox();
    let rows: &[(&str, &[&str])] = &[
        (
            "train --data photos --model model.toml",
            &["`input_shape = [32, 32, 3]`", "--size 8x8 --channels 1"],
        ),
        (
            "train --data photos --model tutorial --size 28 --channels 1",
            &["`units = 3` in the last layer instead of `units = 10`"],
        ),
        ("train --data photos --validation-split 0.1", &["--split-seed"]),
        ("train --data photos --transpose", &["holds picture files"]),
        ("train --data data --size 28", &["--size is for pictures"]),
        ("train --size 28", &["--size=28x28 is for --data DIR"]),
        ("train --data cache", &["or pictures in a sub-folder for each class"]),
    ];
    for (args, expected) in rows {
        sandbox.fail(&format!("{args} --device cpu --out run"), 1, expected);
        assert!(!sandbox.path("run").exists(), "{args}: a run was begun");
    }
    sandbox.fail("train --data photos --size 0", 2, &["'--size <N|HxW>'", "64x96"]);
    sandbox.fail("train --data photos --channels 2", 2, &["1 (grey) or 3"]);
}

/// A folder in which nothing can be kept costs a warning.
#[test]
fn without_a_cache_pictures_are_decoded_each_time() {
    let sandbox = sandbox().with("SHADEGRAD_CACHE_DIR", "/proc/nowhere");
    let outcome = sandbox.succeed("data photos");
    assert!(
        outcome.stderr.contains("warning: ") && outcome.stderr.contains("held in memory"),
        "{}",
        outcome.stderr
    );
    let sandbox = sandbox.with("SHADEGRAD_CACHE_DIR", "");
    assert!(!sandbox.succeed("data photos").stderr.contains("warning"));
}

/// Pictures of MNIST train to the bits that their IDX files train to.
#[test]
fn pictures_are_the_data_that_they_were_made_of() {
    let sandbox = Sandbox::new();
    let mnist = shadegrad::data::mnist().unwrap();
    let parts = [("train", 2000, 0), ("val", 200, 2000), ("test", 200, 2200)];
    for (set, count, first) in parts {
        let mut chosen: Vec<usize> = (first..first + count).collect();
        chosen.sort_by_key(|&at| (mnist.train.label(at), at));
        for &at in &chosen {
            let label = mnist.train.label(at).unwrap();
            let dir = sandbox.path(&format!("png/{set}/{label}"));
            fs::create_dir_all(&dir).unwrap();
            let pixels = mnist.train.image(at).unwrap();
            let picture = GrayImage::from_fn(28, 28, |x, y| Luma([pixels[(y * 28 + x) as usize]]));
            picture.save(dir.join(format!("{at:05}.png"))).unwrap();
        }
        let write = |dir: &Path, stem: &str| {
            fs::create_dir_all(dir).unwrap();
            let pixels: Vec<u8> =
                chosen.iter().flat_map(|&at| mnist.train.image(at).unwrap().to_vec()).collect();
            let labels: Vec<u8> = chosen.iter().map(|&at| mnist.train.label(at).unwrap() as u8).collect();
            let count = count as u32;
            fs::write(dir.join(format!("{stem}-images-idx3-ubyte")), idx(&[count, 28, 28], &pixels)).unwrap();
            fs::write(dir.join(format!("{stem}-labels-idx1-ubyte")), idx(&[count], &labels)).unwrap();
        };
        match set {
            "train" => write(&sandbox.path("idx"), "train"),
            "val" => write(&sandbox.path("val"), "t10k"),
            _ => write(&sandbox.path("idx"), "t10k"),
        }
    }
    let train = |data: &str, out: &str| {
        sandbox.succeed(&format!("train --model tutorial --epochs 1 --device cpu --data {data} --out {out}"));
        (
            fs::read(sandbox.path(out).join("weights.safetensors")).unwrap(),
            sandbox.json(&format!("{out}/result.json")),
        )
    };
    let (weights, result) = train("png", "of-png");
    let (expected, files) = train("idx --validation-data val", "of-idx");
    assert!(weights == expected, "other weights");
    assert_eq!(
        (&result["data_digests"], &result["test_loss"]),
        (&files["data_digests"], &files["test_loss"])
    );
}
