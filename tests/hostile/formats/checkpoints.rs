//! Checkpoints: their texts, their weights, their names.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use shadegrad::Device;
use shadegrad::data::Dataset;
use shadegrad::io::checkpoint::{CHECKPOINTS, RunSettings, SavedCheckpoint, bring_back, load_last, save};
use shadegrad::train::{Callback, CallbackError, Checkpoint, Checkpoints as When, Compile, StepRecord};

use super::models::small;
use super::{Player, Taken, told};
use crate::damage;
use crate::dice::Dice;
use crate::place::{Place, put_something_odd, remove};

const FILES: [&str; 6] = [
    "model.toml",
    "state.toml",
    "weights.safetensors",
    "best.safetensors",
    "optimizer.safetensors",
    "manifest.toml",
];
const LAST: &str = "step-00000008";
const NAMES: [&str; 9] = [
    "step-00000004",
    "step-00000099",
    "step-99999999999999999999999",
    "step-",
    "step-8",
    "step--0000001",
    ".step-00000008.replaced",
    ".step-00000004.replaced",
    ".step-00000008.77.tmp",
];
/// Steps for which a resumed run may train.
const STEPS: usize = 6;
/// Larger batches are read, but not trained.
const MOST_BATCH: usize = 1000;

/// Saves each checkpoint as `train` does.
struct Saver(PathBuf, String);

impl Callback for Saver {
    fn checkpoints(&self) -> When {
        When::Epochs
    }

    fn on_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), CallbackError> {
        let kernels = [("conv2d".to_owned(), "twin".to_owned())].into();
        let settings =
            RunSettings { seed: "0".to_owned(), data: "mnist".to_owned(), kernels, ..Default::default() };
        save(&self.0, &self.1, &settings, checkpoint, 9)?;
        Ok(())
    }
}

/// Stops a resumed run after enough steps.
struct Stopper(usize);

impl Callback for Stopper {
    fn on_step(&mut self, _: &StepRecord) -> Result<(), CallbackError> {
        self.0 += 1;
        Ok(())
    }

    fn interrupted(&self) -> bool {
        self.0 >= STEPS
    }
}

fn data() -> Dataset {
    let pixels = (0..20 * 36).map(|at| (at * 31 % 251) as u8).collect();
    Dataset::new(pixels, (0..20).map(|at| at % 3).collect(), [6, 6, 1], 3).unwrap()
}

/// A run of two epochs of four steps: every file below its folder.
pub fn whole_run() -> BTreeMap<PathBuf, Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let file = small();
    let compile = Compile { loss: file.loss, optimizer: file.optimizer, ..Compile::default() };
    let mut model = file.model.compile(&Device::cpu(), compile).unwrap();
    let mut saver = Saver(folder.path().to_owned(), file.to_toml().unwrap());
    model.fit(&data(), &file.training, &mut saver).unwrap();
    let mut files = BTreeMap::new();
    for name in fs::read_dir(folder.path().join(CHECKPOINTS)).unwrap() {
        let name = PathBuf::from(CHECKPOINTS).join(name.unwrap().file_name());
        for file in fs::read_dir(folder.path().join(&name)).unwrap() {
            let file = file.unwrap();
            files.insert(name.join(file.file_name()), fs::read(file.path()).unwrap());
        }
    }
    files
}

pub struct Checkpoints {
    whole: BTreeMap<PathBuf, Vec<u8>>,
}

impl Checkpoints {
    pub fn new() -> Self {
        Checkpoints { whole: whole_run() }
    }
}

/// Damages some files of a checkpoint.
fn damage_files(dir: &Path, place: &Place, dice: &mut Dice) {
    for _ in 0..=dice.below(2) {
        let name = *dice.pick(&FILES);
        let path = dir.join(name);
        if dice.once_in(10) {
            put_something_odd(&path, place, dice);
        } else if path.is_file() && !path.is_symlink() {
            let bytes = fs::read(&path).unwrap();
            let text = String::from_utf8_lossy(&bytes);
            let bytes =
                if name.ends_with(".toml") { damage::text(&text, dice) } else { damage::bytes(&bytes, dice) };
            fs::write(&path, bytes).unwrap();
        }
    }
    if dice.below(3) > 0 {
        write_sums(dir);
    }
}

/// Updates the manifest with the checksums of the files as they are now, as a deliberate edit would.
fn write_sums(dir: &Path) {
    let mut text = "format = 1\n\n[sha256]\n".to_owned();
    for name in &FILES[..5] {
        let path = dir.join(name);
        if path.is_file() && !path.is_symlink() {
            let sum = Sha256::digest(fs::read(&path).unwrap());
            let sum: String = sum.iter().map(|byte| format!("{byte:02x}")).collect();
            text += &format!("\"{name}\" = \"{sum}\"\n");
        }
    }
    let manifest = dir.join("manifest.toml");
    remove(&manifest);
    fs::write(manifest, text).unwrap();
}

impl Player for Checkpoints {
    fn play(&self, place: &Place, dice: &mut Dice) -> Taken {
        let run = place.clear();
        let checkpoints = run.join(CHECKPOINTS);
        for (path, bytes) in self.whole.iter().filter(|(path, _)| path.iter().any(|part| part == LAST)) {
            fs::create_dir_all(run.join(path).parent().unwrap()).unwrap();
            fs::write(run.join(path), bytes).unwrap();
        }
        damage_files(&checkpoints.join(LAST), place, dice);
        if dice.once_in(4) {
            let other = checkpoints.join(dice.pick(&NAMES));
            match dice.below(3) {
                0 => put_something_odd(&other, place, dice),
                1 => fs::rename(checkpoints.join(LAST), other).unwrap(),
                _ => fs::create_dir(other).unwrap(),
            }
        }
        if dice.once_in(50) {
            put_something_odd(&checkpoints, place, dice);
        }
        let back = told(bring_back(&run));
        let loaded = load_last(&run);
        if let Ok((saved, _)) = &loaded
            && back
        {
            go_on(saved.clone());
        }
        told(loaded)
    }
}

/// It resumes, or is refused with a message.
fn go_on(saved: SavedCheckpoint) {
    let SavedCheckpoint { file, checkpoint, .. } = saved;
    if file.training.batch_size > MOST_BATCH || file.model.network().unwrap().parameter_count() > MOST_BATCH {
        return;
    }
    let compile = Compile { loss: file.loss, optimizer: file.optimizer, ..Compile::default() };
    match file.model.compile(&Device::cpu(), compile) {
        Ok(mut model) => {
            told(model.resume(&data(), &file.training, checkpoint, &mut Stopper(0)));
        }
        Err(error) => {
            told::<(), _>(Err(error));
        }
    }
}
