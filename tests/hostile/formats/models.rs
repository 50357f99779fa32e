//! Model files.

use std::fs;

use shadegrad::Device;
use shadegrad::io::{ModelFile, TUTORIAL};
use shadegrad::plan::Plan;
use shadegrad::train::Compile;

use super::{Player, Taken, told};
use crate::damage;
use crate::dice::Dice;
use crate::place::{Place, put_something_odd};

/// Models with more weights than this are read, but not built.
const MOST_WEIGHTS: usize = 200_000;

/// A model file with every possible setting.
pub const FULL: &str = r#"name = "full"
input_shape = [6, 6, 1]
class_names = ["zero", "one", "two"]
loss = { name = "categorical_crossentropy", label_smoothing = 0.1 }

[optimizer]
name = "rmsprop"
learning_rate = 0.001
rho = 0.9
momentum = 0.5
epsilon = 1e-7
centered = true
weight_decay = 0.004
clipnorm = 1.0

[optimizer.schedule]
type = "cosine"
decay_steps = 100
warmup_steps = 3
warmup_target = 0.002

[augmentation]
rotation_range = 10
height_shift_range = 0.1
width_shift_range = 0.1
zoom_range = 0.1

[training]
epochs = 2
batch_size = 4
validation_split = 0.2
until_loss = 0.01
early_stopping = { monitor = "val_loss", patience = 3, restore_best_weights = true }

[[layers]]
type = "Conv2D"
filters = 2
kernel_size = [3, 3]
strides = [1, 1]
activation = "relu"

[[layers]]
type = "MaxPooling2D"
pool_size = [2, 2]
strides = [2, 2]

[[layers]]
type = "Dropout"
rate = 0.25

[[layers]]
type = "Flatten"

[[layers]]
type = "Dense"
units = 3
kernel_regularizer = { l1 = 1e-5, l2 = 1e-4 }
activation = "softmax"
"#;

pub fn small() -> ModelFile {
    ModelFile::parse("model.toml", FULL).unwrap()
}

pub struct ModelFiles;

impl Player for ModelFiles {
    fn play(&self, place: &Place, dice: &mut Dice) -> Taken {
        let path = place.clear().join("model.toml");
        let text = if dice.once_in(5) { TUTORIAL } else { FULL };
        if dice.once_in(20) {
            put_something_odd(&path, place, dice);
        } else {
            fs::write(&path, damage::text(text, dice)).unwrap();
        }
        let read = ModelFile::read(&path);
        if let Ok(file) = &read {
            use_it(file);
        }
        told(read)
    }
}

/// A model that was read can be written, read again and built, or is refused with a message.
fn use_it(file: &ModelFile) {
    let text = file.to_toml().unwrap();
    let again = ModelFile::parse("again", &text).unwrap();
    assert_eq!(again, *file, "it was read in another way from\n{text}");
    told(file.model.summary());
    let Ok(network) = file.model.network() else { panic!("a model without a network was read") };
    if network.parameter_count() > MOST_WEIGHTS {
        return;
    }
    told(Plan::build(&network, file.loss, file.optimizer, file.training.batch_size));
    let (loss, optimizer) = (file.loss, file.optimizer);
    let compile = Compile { loss, optimizer, augmentation: file.augmentation, ..Compile::default() };
    told(file.model.compile(&Device::cpu(), compile).map_err(|error| error.to_string()));
}
