//! `lr-find`: what it prints and writes, and that it leaves everything else alone.

use std::fs;

use serde_json::Value;

use crate::sandbox::{MODEL, Sandbox};

/// Batches of one sample, 40 to a pass. An optimizer that learns the small set in one pass.
const FIND: &str = "lr-find --model model.toml --data data --batch-size 1 --optimizer adam --max-rate 10";

fn found(sandbox: &Sandbox, args: &str) -> Value {
    serde_json::from_str(&sandbox.succeed(args).stdout).unwrap()
}

#[test]
fn a_rate_is_suggested_and_can_be_trained_with() {
    let sandbox = Sandbox::new();
    let before = sandbox.list(".");
    let found = found(&sandbox, &format!("{FIND} --device cpu --seed 3 --json"));
    assert_eq!(sandbox.list("."), before, "no file is written");
    let points = found["points"].as_array().unwrap();
    let suggestion = &found["suggestion"];
    assert!(points.len() > 20, "{found}");
    let [rate, steepest, bound] =
        ["learning_rate", "steepest", "bound"].map(|key| suggestion[key].as_f64().unwrap());
    assert!((rate / steepest.min(bound) - 1.0).abs() < 0.06, "{suggestion}");
    assert!((1e-6..1.0).contains(&rate), "{suggestion}");
    // Rates begin at the least one and grow by one factor.
    let rates: Vec<f64> = points.iter().map(|point| point["learning_rate"].as_f64().unwrap()).collect();
    assert!((rates[0] / 1e-7 - 1.0).abs() < 1e-6, "{rates:?}");
    for three in rates.windows(3) {
        assert!((three[0] * three[2] / three[1].powi(2) - 1.0).abs() < 1e-5, "{rates:?}");
    }
    // The first loss is that of a training with the same seed.
    sandbox.train("--batch-size 1 --optimizer adam --device cpu --seed 3 --max-steps 1 --out run");
    assert_eq!(points[0]["loss"], sandbox.json_lines("run/steps.jsonl")[0]["loss"]);
    // The command is one that `train` understands.
    let command = found["command"].as_str().unwrap();
    let (_, args) = command.split_once(" train ").unwrap();
    for part in ["--model model.toml", "--data data", "--seed 3", "--batch-size 1", "--optimizer adam"] {
        assert!(args.contains(part), "{command}: {part}");
    }
    sandbox.succeed(&format!("train {args} --max-steps 2 --out again"));
    let used = sandbox.text("again/model.toml");
    assert!(used.contains(&format!("learning_rate = {rate}")), "{used}");
}

#[test]
fn text_tells_the_same_on_every_device() {
    let sandbox = Sandbox::new();
    for device in ["cpu", "software"] {
        let text = sandbox.succeed(&format!("{FIND} --device {device} --plot {device}.svg")).stdout;
        for part in ["Batch", "Smoothed", "Suggested learning rate: ", "Train with it: ", ".svg"] {
            assert!(text.contains(part), "{device}: {part}: {text}");
        }
        let svg = sandbox.text(&format!("{device}.svg"));
        assert!(svg.starts_with("<svg ") && svg.contains("suggested"), "{svg}");
    }
    sandbox.fail(&format!("{FIND} --device cpu --plot cpu.svg"), 1, &["already exists", "--force"]);
    sandbox.succeed(&format!("{FIND} --device cpu --plot cpu.svg --force"));
    // Only a plot of ours is replaced.
    sandbox.fail(&format!("{FIND} --plot model.toml --force"), 1, &["model.toml"]);
    assert_eq!(sandbox.text("model.toml"), MODEL);
    let svg = sandbox.succeed(&format!("{FIND} --device cpu --plot -")).stdout;
    assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"), "{svg}");
}

#[test]
fn rates_that_diverge_end_the_curve() {
    let sandbox = Sandbox::new();
    // (flags, end, whether there may be a suggestion)
    let rows = [
        ("--min-rate 1e30 --max-rate 1e38 --optimizer sgd", ["not_finite", "diverged"], false),
        ("--min-rate 1e-7 --max-rate 1e35 --optimizer sgd", ["not_finite", "diverged"], true),
        ("--min-rate 1e-9 --max-rate 1e-8 --optimizer sgd", ["all_tried", ""], false),
        ("--batches 5", ["all_tried", ""], false),
        // One batch to a pass.
        ("--batch-size 40", ["all_tried", "diverged"], true),
    ];
    for (flags, ends, may) in rows {
        for device in ["cpu", "software"] {
            let flags = format!("--device {device} {flags}");
            let one = if flags.contains("--batch-size") { "" } else { "--batch-size 1" };
            let found =
                found(&sandbox, &format!("lr-find --model model.toml --data data {one} {flags} --json"));
            assert!(ends.contains(&found["end"].as_str().unwrap()), "{flags}: {found}");
            assert!(may || found["suggestion"].is_null() && found["command"].is_null(), "{flags}: {found}");
            let said = found["reason"].as_str().unwrap();
            assert!(may || said.starts_with("No learning rate is suggested: "), "{flags}: {said}");
        }
    }
    let text = sandbox.succeed("lr-find --model model.toml --data data --device cpu --batches 1").stdout;
    assert!(
        text.contains("One rate was tried, 1.0e-7\nNo learning rate is suggested: --batches is 1, too few"),
        "{text}"
    );
    assert!(!text.contains("Train with it"), "{text}");
    // The model's batches hold all samples: a rate is found over many passes.
    let found =
        found(&sandbox, "lr-find --model model.toml --data data --device cpu --optimizer adam --json");
    assert!(found["points"].as_array().unwrap().len() > 21 && found["command"].is_string(), "{found}");
    let few = "lr-find --model model.toml --data data --device cpu --batch-size 1 --batches 5";
    let text = sandbox.succeed(few).stdout;
    assert!(text.contains("--batches is 5, too few to tell: at least 21 are needed"), "{text}");
}

#[test]
fn mistakes_are_named() {
    let sandbox = Sandbox::new();
    let rows: [(&str, i32, &[&str]); 8] = [
        ("--min-rate 0", 2, &["--min-rate", "positive"]),
        ("--max-rate nan", 2, &["--max-rate", "positive"]),
        ("--min-rate 1 --max-rate 0.1", 1, &["--max-rate is 0.1, but must be above --min-rate, which is 1"]),
        ("--json --plot -", 1, &["--json and --plot - both write to standard output"]),
        ("--smoothing 1", 2, &["--smoothing", "below 1"]),
        ("--batches 0", 2, &["--batches", "at least 1"]),
        ("--force", 2, &["--plot"]),
        ("--optimizer adem", 2, &["adem"]),
    ];
    for (flags, code, said) in rows {
        sandbox.fail(&format!("lr-find --model model.toml --data data {flags}"), code, said);
    }
}

#[test]
fn a_schedule_that_has_its_own_rates_is_turned_off() {
    let sandbox = Sandbox::new();
    let rows = [
        ("type = \"step\"\nboundaries = [5]\nvalues = [0.1, 0.01]", true),
        ("type = \"cosine\"\ndecay_steps = 9\nwarmup_steps = 3\nwarmup_target = 0.1", true),
        ("type = \"one_cycle\"\ntotal_steps = 40", false),
    ];
    for (schedule, off) in rows {
        let table = format!("[optimizer]\nname = \"adam\"\n\n[optimizer.schedule]\n{schedule}\n\n[[layers]]");
        fs::write(sandbox.path("own.toml"), MODEL.replacen("[[layers]]", &table, 1)).unwrap();
        let args = "lr-find --model own.toml --data data --batch-size 1 --device cpu --max-rate 10 --json";
        let outcome = sandbox.succeed(args);
        let found: Value = serde_json::from_str(&outcome.stdout).unwrap();
        let command = found["command"].as_str().unwrap();
        assert_eq!(command.contains("--schedule type=constant"), off, "{command}");
        assert_eq!(outcome.stderr.contains("note: the model file's schedule"), off, "{}", outcome.stderr);
        let (_, args) = command.split_once(" train ").unwrap();
        sandbox.succeed(&format!("train {args} --max-steps 1 --no-checkpoints --out run --force"));
    }
}
