//! `Model::save` and `Model::load` are a pair.

use std::fs;

use shadegrad::Device;
use shadegrad::data::Augmentation;
use shadegrad::model::{Adam, CategoricalCrossentropy};
use shadegrad::train::{Compile, EarlyStopping, FitOptions, Model, Monitor, NoCallback};
use tempfile::TempDir;

use crate::common::{devices, random_data, small, unusual_models};
use crate::steps::{compile, flat};

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn a_saved_model_is_loaded_as_it_was() {
    let (samples, classes) = (40, 10);
    let data = random_data(samples, [28, 28, 1], classes, 5);
    for (name, device) in devices() {
        let settings = Compile {
            loss: CategoricalCrossentropy { label_smoothing: 0.1 }.into(),
            optimizer: Adam { learning_rate: 0.02, ..Adam::default() }.into(),
            augmentation: Some(Augmentation { rotation_range: 5.0, ..Augmentation::default() }),
            seed: 3,
            ..Compile::default()
        };
        let mut model = small().name("of-mine").compile(&device, settings).unwrap();
        let names: Vec<String> = ('a'..='j').map(|letter| letter.to_string()).collect();
        model.set_class_names(names.clone()).unwrap();
        let options = FitOptions {
            epochs: 2,
            batch_size: 16,
            validation: Some(data.clone()),
            early_stopping: Some(EarlyStopping { monitor: Monitor::Loss, ..EarlyStopping::default() }),
            ..FitOptions::default()
        };
        model.fit(&data, &options, &mut NoCallback).unwrap();

        let parent = folder();
        let dir = parent.path().join("not").join("there yet");
        model.save(&dir).unwrap();
        let mut loaded = Model::open(&dir, &device).unwrap();
        assert_eq!(flat(&loaded.weights().unwrap()), flat(&model.weights().unwrap()), "{name}");
        assert_eq!(loaded.predict(data.images()).unwrap(), model.predict(data.images()).unwrap(), "{name}");
        assert_eq!(loaded.class_names(), names, "{name}");
        let file = loaded.file();
        assert_eq!(file, model.file(), "{name}");
        let trained = FitOptions { validation: None, ..options.clone() };
        assert_eq!((file.model.name.as_str(), file.training), ("of-mine", trained), "{name}");

        // Saving again replaces what was there, and equal models give equal files.
        let bytes = || ["model.toml", "weights.safetensors"].map(|file| fs::read(dir.join(file)).unwrap());
        let before = bytes();
        loaded.save(&dir).unwrap();
        assert!(bytes() == before, "{name}: the files of equal models differ");
        loaded.fit(&data, &options, &mut NoCallback).unwrap();
        loaded.save(&dir).unwrap();
        assert!(bytes() != before, "{name}: training changed nothing that is saved");
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 2, "{name}: something else was left there");
    }
}

#[test]
fn other_files_are_not_mixed_with_a_model() {
    let (_, model) = unusual_models().swap_remove(4);
    let mut model = compile(&model, &Device::cpu(), 0);
    let rows: [(&str, bool); 6] = [
        ("result.json", false),
        ("checkpoints", true),
        ("weights.safetensors", true),
        ("weights.safetensors", false),
        ("model.toml", false),
        ("notes.txt", false),
    ];
    for (found, is_folder) in rows {
        let dir = folder();
        let path = dir.path().join(found);
        if is_folder {
            fs::create_dir(&path).unwrap()
        } else {
            fs::write(&path, "mine").unwrap()
        }
        let error = model.save(dir.path()).unwrap_err().to_string();
        assert!(error.contains(found) && error.contains("empty"), "{found}: {error}");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "{found}: something was written");
    }
}

#[test]
fn what_cannot_be_saved_is_said() {
    let (_, sequential) = unusual_models().swap_remove(4);
    let dir = folder();
    let mut unnamed = compile(&sequential.clone().name("no/path"), &Device::cpu(), 0);
    let error = unnamed.save(&dir.path().join("a")).unwrap_err().to_string();
    assert!(error.contains("no/path") && !dir.path().join("a").exists(), "{error}");

    let mut model = compile(&sequential, &Device::cpu(), 0);
    fs::write(dir.path().join("file"), "").unwrap();
    let error = model.save(&dir.path().join("file")).unwrap_err().to_string();
    assert!(error.contains("file` cannot be written"), "{error}");

    let classes = model.network().classes();
    let names = |name: &str| vec![name.to_owned(); classes];
    for (names, expected) in
        [(names("a")[1..].to_vec(), "names"), (names("twice"), "twice"), (names(""), "text on one line")]
    {
        let error = model.set_class_names(names).unwrap_err().to_string();
        assert!(error.contains(expected), "{error:?} lacks {expected:?}");
    }
    assert!(model.class_names().is_empty());
}
