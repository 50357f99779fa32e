//! A folder with a data set and a model, in which the program is run.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

/// Images of the training set and of the test set.
pub const TRAIN: usize = 40;
pub const TEST: usize = 12;
/// Height and width of an image.
const SIDE: usize = 8;
const CLASSES: usize = 3;

/// A model for the data set.
pub const MODEL: &str = r#"name = "small"
input_shape = [8, 8, 1]

[[layers]]
type = "Conv2D"
filters = 4
kernel_size = 3
activation = "relu"

[[layers]]
type = "MaxPooling2D"

[[layers]]
type = "Flatten"

[[layers]]
type = "Dense"
units = 3
activation = "softmax"
"#;

/// A separate folder for each test; the program runs in it.
pub struct Sandbox {
    dir: TempDir,
    environment: Vec<(String, String)>,
}

/// The outcome of the program.
#[derive(Debug)]
pub struct Outcome {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Sandbox {
    /// With `data/` and `model.toml`.
    pub fn new() -> Self {
        let sandbox = Sandbox { dir: tempfile::tempdir().unwrap(), environment: Vec::new() };
        write_data(&sandbox.path("data"));
        fs::write(sandbox.path("model.toml"), MODEL).unwrap();
        sandbox
    }

    /// Sets an environment variable for the program.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.text(name)).unwrap()
    }

    pub fn json_lines(&self, name: &str) -> Vec<Value> {
        self.text(name).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The names in a folder, sorted.
    pub fn list(&self, name: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(name)).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// The program with these arguments, separated by spaces, not yet started.
    pub fn command(&self, args: &str) -> std::process::Command {
        let mut command = std::process::Command::new(program());
        command.args(args.split_whitespace()).current_dir(self.dir.path());
        for name in ["RUST_LOG", "RUST_BACKTRACE", "WGPU_BACKEND", "SHADEGRAD_FAIL"] {
            command.env_remove(name);
        }
        // Without it a driver that finds no display says so on standard error.
        command.env("XDG_RUNTIME_DIR", self.dir.path());
        command.env("SHADEGRAD_CACHE_DIR", self.dir.path().join("cache"));
        command.envs(self.environment.iter().cloned());
        command
    }

    /// Runs the program to its end.
    pub fn run(&self, args: &str) -> Outcome {
        outcome(args, self.command(args))
    }

    /// Runs the program and expects success.
    pub fn succeed(&self, args: &str) -> Outcome {
        let outcome = self.run(args);
        assert_eq!(outcome.code, 0, "{args}: {outcome:?}");
        outcome
    }

    /// Trains the small model on the small data set.
    pub fn train(&self, args: &str) -> Outcome {
        self.succeed(&format!("train --model model.toml --data data {args}"))
    }

    /// Runs the program and expects this exit code and each of these texts on standard error.
    pub fn fail(&self, args: &str, code: i32, expected: &[&str]) {
        let outcome = self.run(args);
        assert_eq!(outcome.code, code, "{args}: {outcome:?}");
        for text in expected {
            assert!(outcome.stderr.contains(text), "{args}: {text:?} is missing from {:?}", outcome.stderr);
        }
    }
}

impl Outcome {
    pub fn last_line(&self) -> &str {
        self.stdout.lines().last().unwrap_or_default()
    }
}

/// The program under test.
pub fn program() -> &'static Path {
    assert_cmd::cargo::cargo_bin!("shadegrad")
}

/// Runs a command, and checks its output for traces of a panic.
pub fn outcome(what: &str, command: std::process::Command) -> Outcome {
    let output = assert_cmd::Command::from_std(command).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    for trace in ["panicked", "RUST_BACKTRACE"] {
        assert!(!stdout.contains(trace) && !stderr.contains(trace), "{what}: {stdout}\n{stderr}");
    }
    let code = output.status.code().unwrap_or_else(|| panic!("{what}: ended by a signal: {stderr}"));
    Outcome { code, stdout, stderr }
}

/// Four plain IDX files; the class of an image shows in which rows are bright.
fn write_data(dir: &Path) {
    fs::create_dir(dir).unwrap();
    for (stem, count) in [("train", TRAIN), ("t10k", TEST)] {
        let labels: Vec<u8> = (0..count).map(|n| (n % CLASSES) as u8).collect();
        let pixel = |n: usize, at: usize| {
            let bright = at / SIDE % CLASSES == n % CLASSES;
            (if bright { 180 } else { 20 } + (n * 31 + at * 17) % 60) as u8
        };
        let pixels: Vec<u8> = (0..count).flat_map(|n| (0..SIDE * SIDE).map(move |at| pixel(n, at))).collect();
        let side = SIDE as u32;
        fs::write(dir.join(format!("{stem}-images-idx3-ubyte")), idx(&[count as u32, side, side], &pixels))
            .unwrap();
        fs::write(dir.join(format!("{stem}-labels-idx1-ubyte")), idx(&[count as u32], &labels)).unwrap();
    }
}

/// An IDX file of bytes; the dimensions need not be true.
pub fn idx(dimensions: &[u32], elements: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, dimensions.len() as u8];
    for dimension in dimensions {
        bytes.extend(dimension.to_be_bytes());
    }
    bytes.extend(elements);
    bytes
}
