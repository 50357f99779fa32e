//! Runs every example as a user does, and reads what it prints.
//!
//! `cargo test` builds the examples before the tests, into the folder `examples` beside the folder `deps` in which this program lies. With
//! `--test examples` it builds this program alone: then what lies there may be missing, or be made of other sources, and a test that
//! finds it so says what to do.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::SystemTime;

use tempfile::TempDir;

const HOW: &str = "run `cargo test --release`, or first `cargo build --release --examples`";

/// The program of an example, which is as new as each file that it was made of.
fn built(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("a test knows where it lies");
    let profile = own.parent().and_then(Path::parent).expect("a test lies in target/PROFILE/deps");
    let program = profile.join("examples").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let changed = |path: &Path| -> SystemTime {
        let metadata =
            fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}; {HOW}", path.display()));
        metadata.modified().expect("files know when they changed")
    };
    // Cargo writes beside it what it is made of: `PROGRAM: FILE FILE...`, blanks in names after a backslash.
    let list = program.with_extension("d");
    let text = fs::read_to_string(&list).unwrap_or_else(|error| panic!("{}: {error}; {HOW}", list.display()));
    let (_, files) = text.split_once(": ").expect("a list of files");
    let files = files.trim().replace("\\ ", "\0");
    for file in files.split(' ').map(|file| PathBuf::from(file.replace('\0', " "))) {
        assert!(changed(&file) <= changed(&program), "{} is newer than {name}; {HOW}", file.display());
    }
    program
}

/// An empty folder in which an example runs.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Place(tempfile::tempdir().expect("a folder for a test"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn output(&self, name: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new(built(name));
        command.args(arguments).current_dir(self.0.path()).env("XDG_RUNTIME_DIR", self.0.path());
        command.output().unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// What it prints; it must end well.
    fn run(&self, name: &str, arguments: &[&str]) -> String {
        let output = self.output(name, arguments);
        let [printed, complained] =
            [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
        assert!(output.status.success(), "{name} {arguments:?} failed:\n{printed}\n{complained}");
        printed.into_owned()
    }

    /// What it complains of; it must fail with exit code 1.
    fn fail(&self, name: &str, arguments: &[&str]) -> String {
        let output = self.output(name, arguments);
        assert_eq!(output.status.code(), Some(1), "{name} {arguments:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }
}

/// The first number after this text.
fn number_after(printed: &str, text: &str) -> f64 {
    let (_, rest) = printed.split_once(text).unwrap_or_else(|| panic!("no `{text}` in:\n{printed}"));
    let number: String = rest.trim_start().chars().take_while(|c| "+-.0123456789".contains(*c)).collect();
    number.trim_end_matches('.').parse().unwrap_or_else(|_| panic!("no number after `{text}` in:\n{printed}"))
}

/// Every file in `examples` has a test here.
#[test]
fn every_example_is_run() {
    let tests = include_str!("examples.rs");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut found = 0;
    for entry in fs::read_dir(folder).expect("the folder of examples") {
        let name =
            entry.expect("an example").path().file_stem().expect("a name").to_string_lossy().into_owned();
        assert!(tests.contains(&format!("run(\"{name}\",")), "no test runs {name}");
        found += 1;
    }
    assert!(found >= 10, "{found} examples");
}

/// Photographs in folders, drawn here: dark ones and light ones.
#[test]
fn pictures() {
    let place = Place::new();
    for (class, ground) in [("dark", 20u8), ("light", 200)] {
        fs::create_dir_all(place.path("photos").join(class)).expect("a folder");
        for number in 0..20u8 {
            let shade = |x: u32, y: u32| {
                image::Rgb([ground + (x * 3) as u8, ground + (y * 3) as u8, ground + number])
            };
            let picture = image::RgbImage::from_fn(12, 10, shade);
            picture.save(place.path("photos").join(class).join(format!("{number}.png"))).expect("a picture");
        }
    }
    image::RgbImage::from_pixel(30, 20, image::Rgb([225, 230, 220]))
        .save(place.path("new.png"))
        .expect("a picture");
    let printed = place.run("pictures", &["photos", "new.png", "photos/dark/1.png"]);
    assert!(number_after(&printed, "right:") > 0.5, "{printed}");
    let named: Vec<&str> = printed.lines().skip(1).collect();
    assert!(
        named[0].starts_with("new.png: light (") && named[1].starts_with("photos/dark/1.png: dark ("),
        "{printed}"
    );
    let complaint = place.fail("pictures", &["photos"]);
    assert!(complaint.contains("give pictures to name"), "{complaint}");
    // `main` prints what the error says, not how it is made.
    let complaint = place.fail("pictures", &["nowhere", "new.png"]);
    assert!(complaint.starts_with("Error: ") && complaint.contains("nowhere"), "{complaint}");
    assert!(!complaint.contains('{'), "{complaint}");
}

/// On the processor, and through the shaders.
const DEVICES: [&str; 2] = ["cpu", "software"];

#[test]
fn callback() {
    for device in DEVICES {
        let place = Place::new();
        let printed = place.run("callback", &[device]);
        let best = number_after(&printed, "no epoch was better than epoch");
        assert_eq!(number_after(&printed, "\nEpoch"), 1.0, "{device}:\n{printed}");
        assert!(printed.contains(&format!("Epoch {best} was the best")), "{device}:\n{printed}");
        assert!(printed.contains("shows a 7"), "{device}:\n{printed}");
        let least = printed.lines().filter(|line| line.starts_with("Epoch") && line.contains("validation:"));
        let least = least.map(|line| number_after(line, "validation:")).fold(f64::INFINITY, f64::min);
        assert_eq!(number_after(&printed, "was the best:"), least, "{device}:\n{printed}");
        assert!(place.path("runs/best/weights.safetensors").exists(), "{device}");
    }
}

#[test]
fn regression() {
    for device in DEVICES {
        let place = Place::new();
        let printed = place.run("regression", &[device]);
        assert!(number_after(&printed, "R2") > 0.99, "{device}:\n{printed}");
        let (price, found) = (number_after(&printed, "costs"), number_after(&printed, "estimated"));
        assert!((price - found).abs() < 50.0, "{device}:\n{printed}");
    }
}

#[test]
fn rgb_images() {
    for device in DEVICES {
        let printed = Place::new().run("rgb_images", &[device]);
        assert!(number_after(&printed, "Right:") > 0.95, "{device}:\n{printed}");
        assert!(printed.contains("taken for [(\"disc\", "), "{device}:\n{printed}");
    }
}

#[test]
fn own_loop() {
    for device in DEVICES {
        let printed = Place::new().run("own_loop", &[device]);
        assert!(number_after(&printed, "Good enough after") > 90.0, "{device}:\n{printed}");
        assert!(printed.contains("a 7 is taken for a 7"), "{device}:\n{printed}");
    }
}

#[test]
fn own_plan() {
    for device in DEVICES {
        let printed = Place::new().run("own_plan", &[device]);
        for word in
            ["gather_images", "softmax_cross_entropy", "rmsprop_update", "conv2d.kernel", "dense.bias"]
        {
            assert!(printed.contains(word), "{device}: no {word} in\n{printed}");
        }
        assert!((number_after(&printed, "\nloss ") - 1.1).abs() < 1.0, "{device}:\n{printed}");
    }
}

#[test]
fn one_kernel() {
    let printed = Place::new().run("one_kernel", &[]);
    assert!(
        printed.contains("@compute") && printed.contains("[-0.2, -0.1, -0.05, 0.0, 0.5, 1.0, 2.0, 3.0]"),
        "{printed}"
    );
}

/// Of one epoch; five take a user some ten seconds.
#[test]
fn keras_tutorial() {
    let printed = Place::new().run("keras_tutorial", &["1"]);
    assert!(printed.contains("Total params: 347,146"), "{printed}");
    assert!(number_after(&printed, "Test accuracy:") > 0.95, "{printed}");
}

/// A run of the program, and what reads its folder.
#[test]
fn use_model_and_predict_kinds() {
    let place = Place::new();
    let program = env!("CARGO_BIN_EXE_shadegrad");
    let model = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/models/mlp.toml");
    let train = [
        "train",
        "--model",
        model,
        "--max-steps",
        "400",
        "--device",
        "cpu",
        "--out",
        "digits",
        "--no-checkpoints",
    ];
    let trained =
        Command::new(program).args(train).current_dir(place.0.path()).output().expect("the program");
    assert!(trained.status.success(), "{}", String::from_utf8_lossy(&trained.stderr));
    let printed = place.run("use_model", &["digits"]);
    assert!(printed.starts_with("1 (0."), "{printed}");
    assert!(place.fail("use_model", &["nowhere"]).contains("nowhere"));

    let printed = place.run("predict_kinds", &[program, "digits", "kinds", "10", "clean"]);
    let row = printed
        .lines()
        .find(|line| line.starts_with("| clean | 10 |"))
        .unwrap_or_else(|| panic!("{printed}"));
    assert!(number_after(row, "| clean | 10 |") >= 8.0, "{printed}");
}
