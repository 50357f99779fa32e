//! Mistakes are refused before hours of work: nothing is trained or evaluated first.

use std::fs;

use shadegrad::io::ModelFile;
use shadegrad::io::run::weights_metadata;
use shadegrad::io::weights_to_bytes;

use crate::sandbox::{MODEL, Sandbox};

#[test]
fn a_top_k_of_too_many_classes_is_refused_before_the_first_step() {
    let sandbox = Sandbox::new();
    let expected = ["--top-k is 4, but must be from 1 to 3, the number of classes"];
    sandbox.fail("train --model model.toml --data data --device cpu --top-k 4 --out run", 1, &expected);
    assert!(!sandbox.path("run").exists(), "the run was begun");
    sandbox.train("--device cpu --max-steps 1 --out run");
    // A missing data set would be reported first if the set were read before the flag is checked.
    sandbox.fail("evaluate run --device cpu --data nonesuch --top-k 4", 1, &expected);
    sandbox.fail("train --resume --out run --epochs 9 --report --top-k 4", 1, &expected);
    assert_eq!(sandbox.json_lines("run/steps.jsonl").len(), 1, "the run went on");
    let outcome = sandbox.succeed("evaluate run --device cpu --top-k 2");
    assert!(outcome.stdout.contains("Top-2 accuracy: "), "{}", outcome.stdout);
    let outcome = sandbox.succeed("evaluate run --device cpu --top-k 3");
    assert!(outcome.stderr.contains("the top-3 accuracy is left out"), "{}", outcome.stderr);
    assert!(!outcome.stdout.contains("Top-"), "{}", outcome.stdout);
}

#[test]
fn a_place_for_tensorboard_that_cannot_be_written_costs_no_earlier_run() {
    let sandbox = Sandbox::new();
    sandbox.train("--device cpu --epochs 1 --out run");
    let kept =
        ["weights.safetensors", "result.json", "steps.jsonl"].map(|name| sandbox.path("run").join(name));
    for place in ["model.toml", "model.toml/inside", "/dev/null/inside"] {
        let args = format!(
            "train --model model.toml --data data --device cpu --out run --force --tensorboard {place}"
        );
        sandbox.fail(&args, 1, &["--tensorboard: ", place, "cannot be written"]);
        assert!(kept.iter().all(|file| file.exists()), "{place}: the run is gone");
    }
    assert!(sandbox.list("").iter().all(|name| !name.contains("probe")), "{:?}", sandbox.list(""));
}

#[test]
fn a_place_for_plots_is_looked_at_before_anything_is_judged() {
    let sandbox = Sandbox::new();
    sandbox.train("--device cpu --max-steps 1 --out run");
    fs::create_dir(sandbox.path("plots")).unwrap();
    fs::write(sandbox.path("plots/step_loss.svg"), "mine").unwrap();
    // The missing data set would be reported first if it were read before.
    let rows = [
        ("plots", "`plots/step_loss.svg` already exists"),
        ("plots --force", "is not a plot of `report`"),
        ("/dev/null/inside", "--plots: `/dev/null/inside` cannot be written"),
    ];
    for (plots, expected) in rows {
        sandbox.fail(&format!("report run --device cpu --data nonesuch --plots {plots}"), 1, &[expected]);
    }
}

#[test]
fn the_last_model_of_a_cross_validation_is_looked_at_before_the_first_is_trained() {
    let sandbox = Sandbox::new();
    let bad = MODEL.replace("name = \"small\"", "name = \"bad\"");
    let huge = bad.replace("filters = 4", "filters = 1200000");
    // Of 26 or 27 samples nothing is left.
    let split = format!("{bad}\n[training]\nvalidation_split = 0.97\n");
    let rows: [(&str, &str, &[&str]); 2] = [
        ("split.toml", &split, &["model `bad`", "`validation_split` is 0.97 of 26", "both sides"]),
        ("huge.toml", &huge, &["model `bad`", "conv2d", "in a batch of 26 samples", "smaller batch size"]),
    ];
    for (name, text, expected) in rows {
        fs::write(sandbox.path(name), text).unwrap();
        let args = format!(
            "crossval --model model.toml --model {name} --data data --folds 3 --device cpu --epochs 1 --out out"
        );
        sandbox.fail(&args, 1, expected);
        let outcome = sandbox.run(&args);
        assert!(!outcome.stderr.contains("fold 1 of 3"), "{name}: {}", outcome.stderr);
    }
}

#[test]
fn images_that_no_picture_can_show_are_refused_before_any_is_judged() {
    let sandbox = Sandbox::new();
    let two_channels = MODEL.replace("[8, 8, 1]", "[8, 8, 2]");
    let weights = ModelFile::parse("two", &two_channels).unwrap().model.network().unwrap().initial_weights(0);
    fs::create_dir(sandbox.path("run")).unwrap();
    fs::write(sandbox.path("run/model.toml"), two_channels).unwrap();
    let bytes = weights_to_bytes(&weights, &weights_metadata("small")).unwrap();
    fs::write(sandbox.path("run/weights.safetensors"), bytes).unwrap();
    let outcome = sandbox.run("predict run nonesuch.png --device cpu --show=seen.png");
    let refused = "error: --show=FILE writes images of 1 or 3 channels, but those of this model have 2";
    assert!(outcome.stderr.starts_with(refused) && !outcome.stderr.contains("nonesuch"), "{outcome:?}");
}
