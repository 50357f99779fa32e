//! A thousand damaged weight files and a thousand damaged model files: each is refused with a message that names the
//! file, or has the same meaning as before; nothing panics, nothing is written.

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

use shadegrad::Device;
use shadegrad::io::run::{MODEL_FILE, WEIGHTS_FILE};
use shadegrad::io::{ModelFile, TUTORIAL};
use shadegrad::io::{SavedRun, weights_to_bytes};
use shadegrad::random::philox4x32;

const CASES: u64 = 1000;

/// Numbers that depend only on the case.
struct Dice {
    case: u64,
    thrown: u32,
}

impl Dice {
    /// Below `limit`, which is at least 1.
    fn below(&mut self, limit: usize) -> usize {
        self.thrown += 1;
        let block = philox4x32([self.thrown, 0, 0, 0], [self.case as u32, 99]);
        ((u64::from(block[0]) << 32 | u64::from(block[1])) % limit as u64) as usize
    }
}

/// Ways in which files are damaged; returns what was done.
fn damage(bytes: &mut Vec<u8>, dice: &mut Dice) -> String {
    let at = dice.below(bytes.len());
    match dice.below(7) {
        0 | 1 => {
            let bit = dice.below(8);
            bytes[at] ^= 1 << bit;
            format!("bit {bit} of byte {at} flipped")
        }
        2 => {
            bytes.truncate(at);
            format!("cut after {at} bytes")
        }
        3 => {
            bytes.insert(at, dice.below(256) as u8);
            format!("a byte put in at {at}")
        }
        4 => {
            let end = (at + 1 + dice.below(600)).min(bytes.len());
            bytes[at..end].fill(0);
            format!("{at}..{end} zero")
        }
        5 => {
            let end = (at + 1 + dice.below(600)).min(bytes.len());
            let again = bytes[at..end].to_vec();
            bytes.splice(at..at, again);
            format!("{at}..{end} twice")
        }
        _ => {
            // A digit anywhere: sizes and offsets of the header, settings of a model.
            let digits: Vec<usize> =
                (0..bytes.len().min(1200)).filter(|&at| bytes[at].is_ascii_digit()).collect();
            let at = digits[dice.below(digits.len())];
            bytes[at] = b'0' + dice.below(10) as u8;
            format!("digit at {at} changed")
        }
    }
}

fn small() -> ModelFile {
    let text = TUTORIAL.replace("filters = 32", "filters = 2").replace("units = 64", "units = 3");
    ModelFile::parse("model.toml", &text).unwrap()
}

fn write_run(dir: &Path) -> SavedRun {
    let file = small();
    let network = file.model.network().unwrap();
    let weights = network.initial_weights(3);
    fs::write(dir.join(MODEL_FILE), file.to_toml().unwrap()).unwrap();
    fs::write(dir.join(WEIGHTS_FILE), weights_to_bytes(&weights, &Default::default()).unwrap()).unwrap();
    SavedRun { file, network, weights }
}

/// Damages one file of a run in every case; `judge` checks what was read all the same.
fn for_each_damage(damaged: &str, judge: impl Fn(&SavedRun, &SavedRun) -> bool) -> [u64; 2] {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let original = write_run(dir);
    assert_eq!(SavedRun::read(dir).unwrap(), original);
    let whole = fs::read(dir.join(damaged)).unwrap();
    let mut counts = [0, 0];
    for case in 0..CASES {
        let mut bytes = whole.clone();
        let done = damage(&mut bytes, &mut Dice { case, thrown: 0 });
        fs::write(dir.join(damaged), &bytes).unwrap();
        let read =
            catch_unwind(|| SavedRun::read(dir)).unwrap_or_else(|_| panic!("case {case}: {done}: panicked"));
        match read {
            Ok(read) => {
                assert!(judge(&read, &original), "case {case}: {done}: accepted");
                counts[0] += 1;
            }
            Err(error) => {
                let text = error.to_string();
                let named = [MODEL_FILE, WEIGHTS_FILE, "layer ", "optimizer ", "model `"];
                assert!(named.iter().any(|name| text.contains(name)), "case {case}: {done}: {text}");
                counts[1] += 1;
            }
        }
        assert_eq!(fs::read(dir.join(damaged)).unwrap(), bytes, "case {case}: the file was changed");
        assert_eq!(fs::read_dir(dir).unwrap().count(), 2, "case {case}: something was written");
    }
    counts
}

#[test]
fn damaged_weights_are_refused_or_unharmed() {
    let [accepted, refused] =
        for_each_damage(WEIGHTS_FILE, |read, original| read.weights == original.weights);
    // Damage that is not noticed is in bytes that are not read: names in the metadata, whitespace, a byte that was 0
    // before.
    assert!(refused > 850, "{accepted} accepted, {refused} refused");
}

#[test]
fn damaged_model_files_are_refused_or_still_models() {
    let [accepted, refused] = for_each_damage(MODEL_FILE, |read, original| {
        let again = read.file.to_toml().and_then(|text| ModelFile::parse("again", &text)).unwrap();
        again == read.file && read.weights == original.weights && read.compile(&Device::cpu()).is_ok()
    });
    assert!(refused > 400 && accepted > 10, "{accepted} accepted, {refused} refused");
}
