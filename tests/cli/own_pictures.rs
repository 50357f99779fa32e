//! What somebody with a folder of own pictures is told: of schedules, mistakes, sets and folders that hold none.

use std::fs;

use image::{Rgb, RgbImage};
use serde_json::Value;

use crate::photos::sandbox;
use crate::sandbox::Sandbox;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_run_past_the_end_of_its_schedule_is_warned_of() {
    let sandbox = sandbox();
    let train = |flags: &str| sandbox.succeed(&format!("train --device cpu {flags}")).stderr;
    // Two steps to an epoch.
    let begun = train("--data photos --epochs 2 --out run");
    assert!(!begun.contains("the schedule"), "{begun}");
    let resumed = train("--resume --out run --epochs 3");
    let said = "warning: the schedule `one_cycle` is over since step 4, and the rate stays 8e-9: a resumed run keeps its schedule.";
    assert!(resumed.contains(said), "{resumed}");
    assert!(resumed.contains("train --init run/weights.safetensors"), "{resumed}");
    let again = train("--data photos --model run/model.toml --epochs 4 --out again");
    let said = "warning: the schedule `one_cycle` ends after step 4, epoch 2 of 4; from then on the rate stays 8e-9: give it more \
                steps with --schedule type=one_cycle,total_steps=8, or train for fewer epochs, --epochs 2";
    assert!(again.contains(said), "{again}");
    let longer = train(
        "--data photos --model run/model.toml --epochs 4 --schedule type=one_cycle,total_steps=8 --out longer",
    );
    assert!(!longer.contains("the schedule"), "{longer}");
    let cosine = train(
        "--data photos --model run/model.toml --epochs 4 --schedule type=cosine,decay_steps=3 --out cosine",
    );
    assert!(
        cosine.contains("`cosine` ends after step 3, epoch 2 of 4; from then on the rate stays 0:"),
        "{cosine}"
    );
    let step = train(
        "--data photos --model run/model.toml --epochs 4 --schedule type=step,boundaries=[3],values=[1e-3,1e-4] --out step",
    );
    assert!(!step.contains("the schedule"), "{step}");
    let crossval = sandbox.succeed(
        "crossval --data photos --model run/model.toml --folds 2 --epochs 9 --device cpu --out cross",
    );
    assert!(
        crossval.stderr.contains("warning: the schedule `one_cycle` ends after step 4, epoch 4 of 9"),
        "{crossval:?}"
    );
}

#[test]
fn what_a_schedule_gets_in_the_way_of_is_told() {
    let sandbox = sandbox();
    let plateau = "train --data photos --epochs 1 --reduce-lr-on-plateau patience=2 --device cpu --out run";
    let expected =
        ["the model that is made for pictures", "the schedule `one_cycle`", "--schedule type=constant"];
    sandbox.fail(plateau, 1, &expected);
    let stopping = sandbox
        .succeed("train --data photos --epochs 1 --early-stopping patience=2 --device cpu --out stopping");
    assert_eq!(
        stopping.stderr.matches("note: early stopping may end training before").count(),
        1,
        "{stopping:?}"
    );
    let both = "--early-stopping patience=2 --schedule type=constant";
    let both = sandbox.succeed(&format!("{plateau} {both}"));
    assert!(!both.stderr.contains("note: early stopping"), "{both:?}");
}

/// A run that knows the colours, and `mixed`, in which blue and red ones have changed places.
fn mixed() -> Sandbox {
    let sandbox = sandbox();
    sandbox.succeed("train --data photos --epochs 12 --device cpu --out run");
    for (from, to) in [("blue", "red"), ("red", "blue"), ("green", "green")] {
        let dir = sandbox.path("mixed").join(to);
        fs::create_dir_all(&dir).unwrap();
        for entry in fs::read_dir(sandbox.path("photos").join(from)).unwrap().flatten() {
            fs::copy(entry.path(), dir.join(entry.file_name())).unwrap();
        }
    }
    sandbox
}

#[test]
fn mistakes_have_the_names_of_their_files() {
    let sandbox = mixed();
    let figures = json(&sandbox.succeed("evaluate run --data mixed --device cpu --json").stdout);
    let mistakes = figures["mistakes"].as_array().unwrap();
    let wrong = 60.0 * (1.0 - figures["test_accuracy"].as_f64().unwrap());
    assert!(mistakes.len() >= 36 && (wrong - mistakes.len() as f64).abs() < 1e-6, "{figures}");
    for mistake in mistakes {
        let [file, name, predicted] =
            ["file", "name", "predicted_name"].map(|key| mistake[key].as_str().unwrap());
        assert!(sandbox.path("mixed").join(file).is_file(), "{mistake}");
        assert!(file.starts_with(name) && predicted != name, "{mistake}");
    }
    let text = sandbox.succeed("evaluate run --data mixed --device cpu --report").stdout;
    let first = mistakes[0]["file"].as_str().unwrap();
    assert!(
        text.contains("Mistakes, the 24 most certain ones of ") && text.contains(&format!("\n{first}: ")),
        "{text}"
    );
    assert!(!text.contains("Top-"), "of three classes one is right: {text}");
    sandbox.succeed("report run --data mixed --device cpu --out page.html");
    let page = sandbox.text("page.html");
    assert!(page.contains(&format!(", {first}</small>")), "{first} is not in the page");
    // The files of each set, of which those of the test set are what the run was evaluated on.
    let data = json(&sandbox.succeed("data photos --json").stdout);
    let files = |set: &str| -> Vec<String> { serde_json::from_value(data["files"][set].clone()).unwrap() };
    let counts = ["training", "validation", "test"].map(|set| files(set).len());
    assert_eq!(counts, [48, 6, 6]);
    let mut all = ["training", "validation", "test"].map(files).concat();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 60);
    let of_idx = json(&sandbox.succeed("data data --json").stdout);
    assert!(of_idx.get("files").is_none(), "{of_idx}");
}

#[test]
fn one_set_is_told_as_one_and_what_is_broken_once() {
    let sandbox = mixed();
    fs::write(sandbox.path("mixed/red/broken.png"), b"x").unwrap();
    let outcome = sandbox.succeed("evaluate run --data mixed --device cpu");
    assert!(
        outcome.stderr.contains("Pictures: 60 of 3 classes as coloured images of 32x32; all of them\n"),
        "{outcome:?}"
    );
    assert_eq!(outcome.stderr.matches("cannot be read and are left out").count(), 1, "{outcome:?}");
    assert!(!outcome.stderr.contains("80 %"), "{outcome:?}");
    let own = sandbox.succeed("evaluate run --device cpu").stderr;
    assert!(own.contains("Pictures: 60 of 3 classes") && own.contains("80 % train"), "{own}");
    let there = sandbox.succeed("evaluate run --data photos --device cpu").stderr;
    assert!(!there.contains("not the test set") && there.contains("80 % train"), "{there}");
    let json = sandbox.succeed("evaluate run --device cpu --json").stderr;
    assert!(!json.contains("Pictures"), "{json}");
    for flag in ["--quiet", "--json"] {
        let outcome =
            sandbox.succeed(&format!("train --data photos --epochs 1 --device cpu --out run{flag} {flag}"));
        assert!(!outcome.stderr.contains("Pictures"), "{outcome:?}");
    }
    // What is left out is not counted, and `data` names it itself.
    let data = sandbox.succeed("data mixed");
    assert!(
        data.stderr.contains("Pictures: 60 of 3 classes") && !data.stderr.contains("names all"),
        "{data:?}"
    );
    assert!(data.stdout.contains("broken.png is neither PNG nor JPEG"), "{data:?}");
    let predicted = sandbox.succeed("predict run photos --recursive --device cpu");
    assert!(
        predicted.stderr.contains("note: pictures that the model was trained on may be among these"),
        "{predicted:?}"
    );
}

#[test]
fn accuracy_is_compared_with_the_largest_class() {
    let sandbox = mixed();
    let line = "\nAlways naming the largest class, blue, would give 0.3333\nTest accuracy: ";
    let trained = sandbox.succeed("train --data photos --epochs 1 --device cpu --out more");
    assert!(trained.stdout.contains(line), "{trained:?}");
    assert_eq!(sandbox.json("more/result.json")["baseline_accuracy"], 2.0 / 6.0);
    let evaluated = sandbox.succeed("evaluate run --device cpu");
    assert!(evaluated.stdout.contains(line), "{evaluated:?}");
    let figures = json(&sandbox.succeed("evaluate run --device cpu --json").stdout);
    assert_eq!(figures["baseline_accuracy"], 2.0 / 6.0);
    let quiet = sandbox.succeed("train --data photos --epochs 1 --device cpu --quiet --out quiet");
    assert!(!quiet.stdout.contains("Always naming"), "{quiet:?}");
}

#[test]
fn folders_without_pictures_are_told_plainly() {
    let sandbox = Sandbox::new();
    let make = |dir: &str| fs::create_dir_all(sandbox.path(dir)).unwrap();
    ["none/cat", "none/dog/deep", "empty"].into_iter().for_each(make);
    fs::write(sandbox.path("none/dog/deep/notes.txt"), b"x").unwrap();
    sandbox.fail(
        "train --data none --device cpu",
        1,
        &["none: cat, dog are there, but hold no pictures (.png, .jpg, .webp, .bmp); other files: 1 .txt"],
    );
    sandbox.fail("data empty", 1, &["empty: the folder is empty"]);
    // What is looked for may be further down.
    make("deep");
    fs::rename(sandbox.path("data"), sandbox.path("deep/raw")).unwrap();
    sandbox.fail("data deep", 1, &["expected IDX files"]);
}

#[test]
fn a_class_of_few_pictures_is_named() {
    let sandbox = sandbox();
    let picture = RgbImage::from_pixel(40, 36, Rgb([200, 200, 9]));
    fs::create_dir_all(sandbox.path("photos/yellow")).unwrap();
    for number in 0..2 {
        picture.save(sandbox.path(&format!("photos/yellow/{number}.png"))).unwrap();
    }
    let outcome = sandbox.succeed("train --data photos --epochs 1 --device cpu --out run");
    let said = "note: class yellow has only 2 pictures, and is not in every set; put more in, or make folders train, val and test";
    assert_eq!(outcome.stderr.matches(said).count(), 1, "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("stratify"), "{}", outcome.stderr);
}

#[test]
fn tips_name_the_flag_or_the_next_step() {
    let sandbox = sandbox();
    sandbox.fail("train photos", 2, &["unexpected argument 'photos'", "use '--data photos'"]);
    sandbox.fail("train --patience 3", 2, &["use '--early-stopping patience=N'"]);
    let help = sandbox.succeed("train --help").stdout;
    assert_eq!(help.contains("--peer-timeout"), cfg!(feature = "mpi"), "{help}");
    sandbox.succeed("train --data photos --epochs 1 --device cpu --out run");
    sandbox.fail("train --data photos --device cpu --out run", 1, &["--resume"]);
    sandbox.succeed("explain --model run/model.toml --device cpu");
    sandbox.fail(
        "explain --model photos --device cpu",
        1,
        &["`photos` cannot be read: it is a folder without a model.toml"],
    );
    // As an interruption leaves it.
    for file in ["weights.safetensors", "result.json"] {
        fs::remove_file(sandbox.path("run").join(file)).unwrap();
    }
    sandbox.fail(
        "evaluate run --device cpu",
        1,
        &["no weights.safetensors", "it was interrupted", "train --resume --out run", "its last checkpoint"],
    );
}
