//! Whether there is a recording for everything that a model file may say.
//!
//! What may be said is asked of the reader of model files: for a key or a name that it does not know, it lists those
//! that it knows. So a layer, an activation, a loss, an optimizer, a schedule or a setting that is added is asked for here.

use std::collections::BTreeSet;

use shadegrad::io::ModelFile;
use shadegrad::model::{Activation, Layer, Optimizer};

use crate::runs::model_files;

/// What needs no recording, by its words, the last of them or how that ends, and why.
const EXCEPTIONS: [(&str, &str); 9] = [
    ("name", "it changes no number"),
    (
        "_initializer",
        "recorded runs begin with given weights: those that are drawn are other ones in Keras; src/model/init.rs tests their \
         distribution",
    ),
    ("Activation activation hard_swish", "another name of hard_silu, which is recorded"),
    ("Activation activation swish", "another name of silu, which is recorded"),
    ("loss mse", "another name of mean_squared_error, which is recorded"),
    ("loss mae", "another name of mean_absolute_error, which is recorded"),
    ("loss bce", "another name of binary_crossentropy, which is recorded"),
    ("loss bce label_smoothing", "another name of binary_crossentropy, which is recorded with it"),
    (
        "loss sparse_categorical_crossentropy label_smoothing",
        "Keras smooths no labels that are numbers; with the loss's other name it is recorded",
    ),
];

/// The recorded model files, each as it is written and with its defaults written out.
fn recorded() -> Vec<toml::Table> {
    let mut files = Vec::new();
    for path in ["runs", "nets"].into_iter().flat_map(model_files) {
        assert!(path.with_extension("json").exists(), "{} has no recording", path.display());
        let parsed = ModelFile::read(&path).unwrap_or_else(|error| panic!("{error}"));
        files.push(std::fs::read_to_string(&path).unwrap().parse().unwrap());
        files.push(parsed.to_toml().unwrap().parse().unwrap());
    }
    files
}

/// A model file with this text of a layer, and this text before.
fn file(before: &str, layer: &str) -> String {
    format!("name = \"m\"\ninput_shape = [4, 4, 1]\n{before}\n[[layers]]\n{layer}\n")
}

/// What the reader lists as known when it finds the word or key `?`; nothing where it takes no words at all.
fn known(text: &str) -> Vec<String> {
    let error = ModelFile::parse("m.toml", text).unwrap_err().to_string();
    let Some((_, list)) = error.split_once("`?`") else { return Vec::new() };
    // Further lines say where the word stands.
    list.lines().next().unwrap_or_default().split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// All that is recorded, as words `Conv2D`, `Conv2D padding`, `Conv2D padding same`, `optimizer adam beta_1`, ...
fn said(files: &[toml::Table]) -> BTreeSet<String> {
    let mut said = BTreeSet::new();
    for file in files {
        for layer in file["layers"].as_array().unwrap() {
            let class = layer["type"].as_str().unwrap();
            note(&mut said, class, layer);
        }
        let no_table = toml::Value::Table(toml::Table::new());
        let optimizer = file.get("optimizer").unwrap_or(&no_table);
        let name = optimizer.get("name").and_then(toml::Value::as_str).unwrap_or("rmsprop");
        note(&mut said, &format!("optimizer {name}"), optimizer);
        let schedule = optimizer.get("schedule").unwrap_or(&no_table);
        let name = schedule.get("type").and_then(toml::Value::as_str).unwrap_or("constant");
        note(&mut said, &format!("schedule {name}"), schedule);
        let target = file.get("target").and_then(toml::Value::as_str).unwrap_or("classes");
        said.insert(format!("target {target}"));
        match file.get("loss") {
            Some(toml::Value::String(name)) => {
                said.insert(format!("loss {name}"));
            }
            Some(table) => note(&mut said, &format!("loss {}", table["name"].as_str().unwrap()), table),
            None => {}
        }
    }
    said
}

/// Notes what a table of this kind says: its keys, and values that are words or tables with their own.
fn note(said: &mut BTreeSet<String>, kind: &str, table: &toml::Value) {
    said.insert(kind.to_owned());
    for (key, value) in table.as_table().unwrap() {
        said.insert(format!("{kind} {key}"));
        match value {
            toml::Value::String(word) => {
                said.insert(format!("{kind} {key} {word}"));
            }
            toml::Value::Table(inner) => {
                said.extend(inner.keys().map(|inner| format!("{kind} {key} {inner}")));
            }
            _ => {}
        }
    }
}

/// All that a layer's table may say, in the words of `said`.
fn of_layers() -> Vec<String> {
    let mut all = Vec::new();
    for class in Layer::CLASSES {
        let typed = format!("type = \"{class}\"");
        all.push((*class).to_owned());
        let keys = known(&file("", &format!("{typed}\n\"?\" = 0")));
        assert!(keys.iter().any(|key| key == "name"), "{class}: {keys:?}");
        for key in keys {
            all.push(format!("{class} {key}"));
            // Layers apply their activations alike, and draw their weights alike: those are asked for apart.
            let apart = key == "activation" && *class != "Activation";
            if apart || key == "name" || key.ends_with("_initializer") {
                continue;
            }
            let words = known(&file("", &format!("{typed}\n{key} = \"?\"")));
            let inner = known(&file("", &format!("{typed}\n{key} = {{ \"?\" = 0 }}")));
            all.extend([words, inner].concat().iter().map(|word| format!("{class} {key} {word}")));
        }
    }
    all
}

/// All that may be said of targets, of a loss, an optimizer or a schedule.
fn of_training() -> Vec<String> {
    let layer = "type = \"Flatten\"";
    let targets = known(&file("target = \"?\"", layer));
    assert_eq!(targets.len(), 3, "{targets:?}");
    let mut all: Vec<String> = targets.iter().map(|target| format!("target {target}")).collect();
    for loss in known(&file("loss = \"?\"", layer)) {
        let settings = known(&file(&format!("loss = {{ name = \"{loss}\", \"?\" = 0 }}"), layer));
        all.extend(settings.iter().map(|setting| format!("loss {loss} {setting}")));
        all.push(format!("loss {loss}"));
    }
    for optimizer in Optimizer::NAMES {
        let settings = known(&file(&format!("[optimizer]\nname = \"{optimizer}\"\n\"?\" = 0"), layer));
        all.extend(settings.iter().map(|setting| format!("optimizer {optimizer} {setting}")));
    }
    for schedule in known(&file("[optimizer.schedule]\ntype = \"?\"", layer)) {
        let settings =
            known(&file(&format!("[optimizer.schedule]\ntype = \"{schedule}\"\n\"?\" = 0"), layer));
        let settings = settings.iter().filter(|setting| *setting != "type");
        all.extend(settings.map(|setting| format!("schedule {schedule} {setting}")));
        all.push(format!("schedule {schedule}"));
    }
    all
}

/// Settings that are computed in the same way for every optimizer: recorded with one of them.
const OF_EVERY_OPTIMIZER: [&str; 7] = [
    "weight_decay",
    "clipvalue",
    "clipnorm",
    "global_clipnorm",
    "use_ema",
    "ema_momentum",
    "ema_overwrite_frequency",
];

/// Keys that mean the same for every layer: recorded with one of them.
const OF_EVERY_LAYER: [&str; 2] = ["inputs", "trainable"];

/// Whether an exception names these words.
fn names(exception: &str, wanted: &str) -> bool {
    let ends = exception.starts_with('_');
    wanted.strip_suffix(exception).is_some_and(|before| ends || before.is_empty() || before.ends_with(' '))
}

#[test]
fn everything_that_a_model_file_may_say_is_recorded() {
    let said = said(&recorded());
    let is_said = |wanted: &String| match wanted.split(' ').collect::<Vec<_>>()[..] {
        ["optimizer", _, setting] if OF_EVERY_OPTIMIZER.contains(&setting) => {
            Optimizer::NAMES.iter().any(|name| said.contains(&format!("optimizer {name} {setting}")))
        }
        // One of batch normalization that is not trained computes something else.
        [class, key]
            if OF_EVERY_LAYER.contains(&key) && [class, key] != ["BatchNormalization", "trainable"] =>
        {
            Layer::CLASSES.iter().any(|class| said.contains(&format!("{class} {key}")))
        }
        _ => said.contains(wanted) || EXCEPTIONS.iter().any(|(exception, _)| names(exception, wanted)),
    };
    let all = [of_layers(), of_training()].concat();
    // Lists that the reader would not give would ask for nothing.
    let asked = ["Conv2D padding same", "loss huber delta", "optimizer adam beta_2", "schedule step values"];
    for asked in asked.into_iter().chain(["Dense type", "Dense inputs", "Dense trainable"]) {
        assert!(all.contains(&asked.to_owned()), "{asked} is not asked for");
    }
    println!("{} words of model files are asked for", all.len());
    let missing: Vec<String> = all.into_iter().filter(|wanted| !is_said(wanted)).collect();
    assert!(missing.is_empty(), "nothing is recorded with: {}", missing.join(", "));
    // As an argument of a layer with weights; as a layer of its own it is one of the words above.
    for activation in Activation::ALL {
        let name = activation.name();
        let recorded = ["Conv2D", "Dense"].map(|class| said.contains(&format!("{class} activation {name}")));
        assert_ne!(recorded, [false; 2], "no Conv2D and no Dense is recorded with activation {name}");
    }
}

#[test]
fn exceptions_are_made_only_for_what_is_asked_for() {
    let all = [of_layers(), of_training()].concat();
    for (exception, why) in EXCEPTIONS {
        assert!(
            all.iter().any(|wanted| names(exception, wanted)),
            "{exception} ({why}) is asked for nowhere"
        );
    }
}
