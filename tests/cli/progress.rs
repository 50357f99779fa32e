//! The progress bar on a terminal.

#![cfg(target_os = "linux")]

use std::process::Command;

use crate::sandbox::{Sandbox, outcome, program};

const TRAIN: &str =
    "train --model model.toml --data data --device cpu --batch-size 1 --epochs 2 --validation-split 0.2";

/// The output on a terminal, which `script` (util-linux) provides.
fn on_a_terminal(sandbox: &Sandbox, args: &str, no_color: bool) -> String {
    on_terminal_of(sandbox, args, no_color, "xterm")
}

/// The same on a terminal of this type.
fn on_terminal_of(sandbox: &Sandbox, args: &str, no_color: bool, term: &str) -> String {
    shell_on_terminal(sandbox, &format!("{} {args}", program().display()), no_color, term)
}

/// The same on a terminal of so many columns.
fn on_columns(sandbox: &Sandbox, args: &str, columns: usize) -> String {
    let line = format!("stty cols {columns} rows 24; {} {args}", program().display());
    shell_on_terminal(sandbox, &line, true, "xterm")
}

/// What commands of a shell print on a terminal.
fn shell_on_terminal(sandbox: &Sandbox, args: &str, no_color: bool, term: &str) -> String {
    let mut script = Command::new("script");
    script.args(["-qec", args, "/dev/null"]);
    script.current_dir(sandbox.path("")).env("TERM", term).env_remove("NO_COLOR");
    if no_color {
        script.env("NO_COLOR", "1");
    }
    let outcome = outcome(args, script);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    outcome.stdout
}

/// The columns of a line, without codes of the terminal.
fn columns(line: &str) -> usize {
    let mut plain = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain += before;
        rest = after.split_once(|c: char| c.is_ascii_alphabetic()).map_or("", |(_, rest)| rest);
    }
    (plain + rest).trim_end().chars().count()
}

#[test]
fn a_bar_shows_figures_rate_and_time_left() {
    let sandbox = Sandbox::new();
    let text = on_a_terminal(&sandbox, &format!("{TRAIN} --out run"), false);
    let shown = |pattern: &str| predicates::str::is_match(pattern).unwrap();
    let running = r"\d+/32 .* left - [\d,]+ images/s - loss: \d\.\d{4} - accuracy: [01]\.\d{4}";
    let done = r"32/32 [\d.]+s [\d.]+ms/step - loss: .* - accuracy: .* - val_loss: \d\.\d{4}(\s+| - )val_accuracy: [01]\.\d{4}";
    for pattern in [running, done, "Epoch 1/2", "Epoch 2/2", "Test accuracy: "] {
        assert!(predicates::Predicate::eval(&shown(pattern), &text), "{pattern}: {text:?}");
    }
    assert!(text.contains("\u{1b}[32m"), "a bar is green: {text:?}");
    assert!(sandbox.path("run/result.json").exists());
}

/// At the end of an epoch, where it differs from that of the epoch before.
#[test]
fn a_rate_that_changes_is_told() {
    let sandbox = Sandbox::new();
    let schedule = "--schedule type=step,boundaries=[32],values=[0.01,0.005]";
    let text = on_terminal_of(&sandbox, &format!("{TRAIN} {schedule} --out run"), false, "dumb");
    let epochs: Vec<&str> = text.lines().filter(|line| line.starts_with("Epoch ")).collect();
    let ends: Vec<bool> = epochs.iter().map(|line| line.ends_with(" - learning_rate: 5.0000e-3")).collect();
    assert_eq!(ends, [false, true], "{text:?}");
    assert!(!epochs[0].contains("learning_rate"), "{text:?}");
}

/// Before a batch has ended nothing is known of the time that is left.
#[test]
fn no_time_is_left_before_the_first_batch() {
    let sandbox = Sandbox::new();
    let text = on_a_terminal(&sandbox, &format!("{TRAIN} --out run"), true);
    let begun: Vec<&str> = text.split(['\r', '\n']).filter(|line| line.contains(" 0/32 ")).collect();
    assert!(!begun.is_empty() && begun.iter().all(|line| !line.contains("left")), "{text:?}");
}

#[test]
fn no_color_and_quiet_are_heeded() {
    let sandbox = Sandbox::new();
    let text = on_a_terminal(&sandbox, &format!("{TRAIN} --out plain"), true);
    assert!(text.contains(" images/s - loss: ") && !text.contains("\u{1b}[32m"), "{text:?}");
    let text = on_a_terminal(&sandbox, &format!("{TRAIN} --out quiet --quiet"), false);
    assert_eq!(text.lines().count(), 2, "{text:?}");
    let text = on_a_terminal(&sandbox, &format!("{TRAIN} --out json --json"), false);
    let events: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.iter().map(|line| &line["event"]).collect::<Vec<_>>(), ["epoch", "epoch", "result"]);
}

#[test]
fn a_dumb_terminal_gets_plain_lines() {
    let sandbox = Sandbox::new();
    let text = on_terminal_of(&sandbox, &format!("{TRAIN} --out run"), false, "dumb");
    let line =
        predicates::str::is_match(r"(?m)^Epoch 2/2 - 32 steps - .* - loss: \d.* - val_loss: \d").unwrap();
    assert!(predicates::Predicate::eval(&line, &text), "{text:?}");
    assert!(!text.contains('\u{1b}') && text.matches("Epoch 1/2").count() == 1, "{text:?}");
    assert!(!text.contains("learning_rate"), "a rate that stays is not told: {text:?}");
}

/// The table of the model becomes a list, the bar loses what has no room, metrics at its end go on in the next line.
#[test]
fn all_fits_into_80_and_40_columns() {
    let rows = [
        (80, " images/s - loss: ", "\u{2501}", "Layer (type)"),
        (62, " left - loss: ", "\u{2501}", " dense (Dense)"),
        (40, " left - loss: ", " left - loss: ", " dense (Dense)"),
    ];
    for (width, metrics, bar, model) in rows {
        let sandbox = Sandbox::new();
        let text = on_columns(&sandbox, &format!("{TRAIN} --out run"), width);
        let lines: Vec<&str> = text.split(['\r', '\n']).collect();
        // The device, the memory and the end are told in sentences, which terminals wrap.
        let layout = lines.iter().skip_while(|line| !line.starts_with("Model: "));
        let layout = layout.take_while(|line| !line.contains("Training ended"));
        let layout = layout.filter(|line| !line.starts_with("Memory: "));
        let wide: Vec<_> = layout.filter(|line| columns(line) > width).collect();
        assert!(wide.is_empty(), "{width}: {wide:?}");
        for expected in [metrics, bar, model, "val_accuracy: "] {
            assert!(text.contains(expected), "{width}, {expected}: {text:?}");
        }
        assert_eq!(text.contains(" images/s"), width == 80, "{text:?}");
        let running = lines.iter().filter(|line| line.contains(" left - "));
        assert!(running.clone().count() > 0, "{text:?}");
        assert!(running.clone().all(|line| line.contains("accuracy") == (width > 40)), "{text:?}");
    }
}

/// Help is wrapped at words.
#[test]
fn help_fits_into_the_terminal() {
    let sandbox = Sandbox::new();
    for width in [80, 60] {
        let text = on_columns(&sandbox, "train --help", width);
        let wide: Vec<_> = text.lines().filter(|line| columns(line) > width).collect();
        assert!(wide.is_empty(), "{width}: {wide:?}");
        assert!(text.contains("--early-stopping"), "{text}");
    }
}

/// Lines of epochs stand where the result stands, which stays last.
#[test]
fn a_pipe_gets_lines_of_epochs() {
    let sandbox = Sandbox::new();
    let outcome = sandbox.succeed(&format!("{TRAIN} --out run"));
    let from = outcome.stdout.lines().position(|line| line.starts_with("Epoch 1/2 - 32 steps - ")).unwrap();
    let lines: Vec<&str> = outcome.stdout.lines().skip(from).collect();
    let begins = ["Epoch 1/2 - ", "Epoch 2/2 - ", "Training ended ", "Run: run", "Test accuracy: "];
    assert_eq!(lines.len(), begins.len(), "{outcome:?}");
    for (line, begin) in lines.iter().zip(begins) {
        assert!(line.starts_with(begin), "{line}");
    }
    assert!(!outcome.stderr.contains("Epoch "), "{outcome:?}");
    for mode in ["--quiet", "--json"] {
        let outcome = sandbox.succeed(&format!("{TRAIN} --out run{mode} {mode}"));
        assert!(!(outcome.stdout + &outcome.stderr).contains("Epoch "), "{mode}");
    }
}

/// A bar on the terminal beside the lines of a file; but none beside a pipe, whose reader may write to the same terminal.
#[test]
fn a_file_gets_lines_and_the_terminal_a_bar() {
    let sandbox = Sandbox::new();
    let train = format!("{} {TRAIN}", program().display());
    let text = shell_on_terminal(&sandbox, &format!("{train} --out run > log"), true, "xterm");
    assert!(text.contains(" left - ") && text.contains("Epoch 1/2"), "{text:?}");
    assert!(!text.contains("Training ended"), "{text:?}");
    let log = sandbox.text("log");
    assert_eq!(log.matches(" - 32 steps - ").count(), 2, "{log}");
    assert!(log.lines().last().is_some_and(|line| line.starts_with("Test accuracy: ")), "{log}");
    let text = shell_on_terminal(&sandbox, &format!("{train} --out piped | tee log"), true, "xterm");
    assert!(!text.contains(" left - ") && text.matches(" - 32 steps - ").count() == 2, "{text:?}");
}
