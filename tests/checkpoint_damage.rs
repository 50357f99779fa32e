//! A thousand damaged checkpoints: each is refused with a message that names the file and the problem, the one before
//! it is used, and nothing is changed.

use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use shadegrad::Device;
use shadegrad::data::Dataset;
use shadegrad::io::SavedRun;
use shadegrad::io::checkpoint::{CHECKPOINTS, RunSettings, SavedCheckpoint, load_last, save, to_files};
use shadegrad::io::{ModelFile, TUTORIAL};
use shadegrad::random::philox4x32;
use shadegrad::train::{Callback, CallbackError, Checkpoint, Checkpoints, Compile, NoCallback};

const CASES: u64 = 1000;
const FILES: [&str; 6] = [
    "model.toml",
    "state.toml",
    "weights.safetensors",
    "best.safetensors",
    "optimizer.safetensors",
    "manifest.toml",
];

/// Numbers that depend only on the case.
struct Dice {
    case: u64,
    thrown: u32,
}

impl Dice {
    /// Below `limit`, which is at least 1.
    fn below(&mut self, limit: usize) -> usize {
        self.thrown += 1;
        let block = philox4x32([self.thrown, 0, 0, 0], [self.case as u32, 7]);
        ((u64::from(block[0]) << 32 | u64::from(block[1])) % limit as u64) as usize
    }
}

/// Saves each checkpoint as `train` does.
struct Saver {
    run: PathBuf,
    model_toml: String,
    keep: usize,
}

impl Callback for Saver {
    fn checkpoints(&self) -> Checkpoints {
        Checkpoints::Steps(2)
    }

    fn on_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), CallbackError> {
        let settings =
            RunSettings { seed: "0".to_owned(), data: "mnist".to_owned(), ..RunSettings::default() };
        save(&self.run, &self.model_toml, &settings, checkpoint, self.keep)?;
        Ok(())
    }
}

fn data() -> Dataset {
    let pixels = (0..40 * 784).map(|at| (at * 31 % 251) as u8).collect();
    let labels = (0..40u8).map(|at| at % 10).collect();
    Dataset::new(pixels, labels, [28, 28, 1], 10).unwrap()
}

fn file() -> ModelFile {
    let text = TUTORIAL.replace("filters = 32", "filters = 2").replace("units = 64", "units = 3");
    let training = "[training]\nepochs = 2\nbatch_size = 8\nvalidation_split = 0.2\n\
                    early_stopping = { patience = 5, restore_best_weights = true }\n\n[[layers]]";
    ModelFile::parse("model.toml", &text.replacen("[[layers]]", training, 1)).unwrap()
}

/// A run of two epochs of four steps, with checkpoints after 0, 2, 4, 6 and 8.
fn write_run(run: &Path) {
    let file = file();
    let mut saver = Saver { run: run.to_owned(), model_toml: file.to_toml().unwrap(), keep: 9 };
    let mut model = file.model.compile(&Device::cpu(), Compile::default()).unwrap();
    model.fit(&data(), &file.training, &mut saver).unwrap();
}

/// Every file in a folder and below.
fn content(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(content(&path));
        } else {
            found.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    found
}

fn restore(run: &Path, whole: &BTreeMap<PathBuf, Vec<u8>>) {
    fs::remove_dir_all(run.join(CHECKPOINTS)).unwrap();
    for (path, bytes) in whole {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// Updates the manifest with the checksums of the files as they are now, as a deliberate edit would.
fn write_sums(dir: &Path) {
    let mut text = "format = 1\n\n[sha256]\n".to_owned();
    for name in FILES.iter().filter(|name| **name != "manifest.toml") {
        if let Ok(bytes) = fs::read(dir.join(name)) {
            let sum: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            text += &format!("\"{name}\" = \"{sum}\"\n");
        }
    }
    fs::write(dir.join("manifest.toml"), text).unwrap();
}

/// Changes bytes of a file; returns what was done.
fn change(path: &Path, dice: &mut Dice) -> String {
    let mut bytes = fs::read(path).unwrap();
    let at = dice.below(bytes.len());
    let done = match dice.below(4) {
        0 => {
            bytes.truncate(at);
            format!("cut after {at} bytes")
        }
        1 => {
            let digits: Vec<usize> =
                (0..bytes.len().min(1500)).filter(|&at| bytes[at].is_ascii_digit()).collect();
            let at = digits[dice.below(digits.len())];
            bytes[at] = b'0' + (bytes[at] - b'0' + 1 + dice.below(9) as u8) % 10;
            format!("digit at {at} changed")
        }
        _ => {
            let bit = dice.below(8);
            bytes[at] ^= 1 << bit;
            format!("bit {bit} of byte {at} flipped")
        }
    };
    fs::write(path, bytes).unwrap();
    done
}

/// Damages the last checkpoint; returns what was done, and the file that the error must name, if the damage is sure
/// to be noticed.
fn damage(checkpoints: &Path, dice: &mut Dice) -> (String, Option<&'static str>) {
    let last = checkpoints.join("step-00000008");
    let file = FILES[dice.below(FILES.len())];
    let path = last.join(file);
    match dice.below(8) {
        0..3 => {
            // A manifest may be equal except for whitespace.
            let done = change(&path, dice);
            (format!("{file}: {done}"), (file != "manifest.toml").then_some(file))
        }
        3..5 => {
            let done = change(&path, dice);
            write_sums(&last);
            (format!("{file}: {done}, with new sums"), None)
        }
        5 => {
            fs::remove_file(&path).unwrap();
            (format!("{file} is missing"), Some(file))
        }
        6 => {
            // From another checkpoint: at least the counters differ.
            let other = checkpoints.join("step-00000004");
            let state = "state.toml";
            fs::copy(other.join(state), last.join(state)).unwrap();
            if dice.below(2) == 0 {
                return ("the state of another step".to_owned(), Some(state));
            }
            write_sums(&last);
            ("the state of another step with new sums".to_owned(), Some("its state is that after step 4"))
        }
        _ => {
            fs::write(last.join("notes.txt"), "mine").unwrap();
            fs::write(&path, "").unwrap();
            (format!("{file} is empty, and there is one more"), Some(file))
        }
    }
}

/// Whether training can be resumed from it to its end.
fn goes_on(saved: SavedCheckpoint) -> Result<(), String> {
    let SavedCheckpoint { file, checkpoint, .. } = saved;
    let compile = Compile { loss: file.loss, optimizer: file.optimizer, ..Compile::default() };
    let mut model = file.model.compile(&Device::cpu(), compile).map_err(|error| error.to_string())?;
    let ended = model.resume(&data(), &file.training, checkpoint, &mut NoCallback);
    ended.map(drop).map_err(|error| error.to_string())
}

#[test]
fn damaged_checkpoints_are_refused_or_still_checkpoints() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path();
    write_run(run);
    let whole = content(run);
    let (original, damaged) = load_last(run).unwrap();
    assert_eq!((original.name.as_str(), damaged.len()), ("step-00000008", 0));
    assert!(goes_on(original.clone()).is_ok());
    let [mut refused, mut unharmed, mut other] = [0; 3];
    for case in 0..CASES {
        restore(run, &whole);
        let (done, named) = damage(&run.join(CHECKPOINTS), &mut Dice { case, thrown: 0 });
        let before = content(run);
        let read =
            catch_unwind(|| load_last(run)).unwrap_or_else(|_| panic!("case {case}: {done}: panicked"));
        let (saved, damaged) = read.unwrap_or_else(|error| panic!("case {case}: {done}: {error}"));
        assert_eq!(content(run), before, "case {case}: {done}: something was changed");
        match damaged.first() {
            Some(one) => {
                let text = one.to_string();
                assert_eq!((damaged.len(), saved.name.as_str()), (1, "step-00000006"), "case {case}: {done}");
                assert!(text.contains("step-00000008` is not used: "), "case {case}: {done}: {text}");
                let named = named.map_or(FILES.to_vec(), |file| vec![file]);
                let vague = ["layer ", "model `", "optimizer", "its state is", "epochs", "of format"];
                let names = |text: &str, words: &[&str]| words.iter().any(|word| text.contains(word));
                assert!(
                    names(&text, &named) || named.len() > 1 && names(&text, &vague),
                    "case {case}: {done}: {text}"
                );
                refused += 1;
            }
            None => {
                assert_eq!(named, None, "case {case}: {done}: accepted");
                if saved == original {
                    unharmed += 1;
                    continue;
                }
                // A change with an updated checksum is deliberate: it trains, or the error says what does not fit.
                let gone = catch_unwind(AssertUnwindSafe(|| goes_on(saved)));
                assert!(gone.is_ok(), "case {case}: {done}: panicked");
                other += 1;
            }
        }
    }
    println!("{refused} refused, {unharmed} unharmed, {other} with other values");
    assert!(refused > 700 && other > 5, "{refused} refused, {unharmed} unharmed, {other} other");
}

#[test]
fn damaged_checkpoints_do_not_push_out_whole_ones() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path();
    write_run(run);
    for name in ["step-00000004", "step-00000006"] {
        fs::remove_file(run.join(CHECKPOINTS).join(name).join("weights.safetensors")).unwrap();
    }
    // A file in place of a checkpoint.
    fs::remove_dir_all(run.join(CHECKPOINTS).join("step-00000008")).unwrap();
    fs::write(run.join(CHECKPOINTS).join("step-00000008"), "").unwrap();
    let (saved, damaged) = load_last(run).unwrap();
    assert_eq!((saved.name.as_str(), damaged.len()), ("step-00000002", 3));
    let SavedCheckpoint { file, checkpoint, settings, .. } = saved;
    // Anything after it stays, since it is the only one left.
    save(run, &file.to_toml().unwrap(), &settings, &checkpoint, 1).unwrap();
    let (again, damaged) = load_last(run).unwrap();
    assert_eq!((again.checkpoint, damaged.len()), (checkpoint, 0));
}

/// Without a folder: from what is in memory, as a browser has it.
#[test]
fn a_checkpoint_goes_through_the_contents_of_its_files() {
    let folder = tempfile::tempdir().unwrap();
    write_run(folder.path());
    let (saved, _) = load_last(folder.path()).unwrap();
    let SavedCheckpoint { name, file, settings, checkpoint } = &saved;
    let files = to_files(&file.to_toml().unwrap(), settings, checkpoint).unwrap();
    let mut files: BTreeMap<String, Vec<u8>> =
        files.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect();
    assert_eq!(SavedCheckpoint::from_files(name, &files).unwrap(), saved);
    let weights = &files["weights.safetensors"];
    let run = SavedRun::from_bytes(&file.to_toml().unwrap(), weights).unwrap();
    assert_eq!((&run.file, &run.weights), (file, &checkpoint.weights));
    let error = SavedRun::from_bytes(&file.to_toml().unwrap(), &weights[..100]).unwrap_err();
    assert!(error.to_string().contains("weights.safetensors"), "{error}");

    let error = SavedCheckpoint::from_files("step-00000001", &files).unwrap_err();
    assert!(error.to_string().contains("after step 8"), "{error}");
    files.get_mut("optimizer.safetensors").unwrap()[200] ^= 1;
    let error = SavedCheckpoint::from_files(name, &files).unwrap_err();
    assert!(error.to_string().contains("`optimizer.safetensors` is damaged"), "{error}");
    files.get_mut("optimizer.safetensors").unwrap()[200] ^= 1;
    files.remove("state.toml");
    let error = SavedCheckpoint::from_files(name, &files).unwrap_err();
    assert!(error.to_string().contains("cannot be read"), "{error}");
}
