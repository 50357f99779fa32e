//! The page.

use toml::Table;

use super::rows::{Row, listed, rows, rows_of, table, without_default};
use super::source::item;
use crate::data::Augmentation;
use crate::layers::{Initializer, Layer};
use crate::model::{Activation, BinaryCrossentropy, CategoricalCrossentropy, Huber, Optimizer, Regularizer};
use crate::train::{
    CosineDecay, EarlyStopping, ExponentialDecay, FitOptions, OneCycle, ReduceOnPlateau, StepDecay,
};

/// All of it, below the introduction.
pub(super) fn page() -> String {
    [
        whole_file(),
        layers(),
        activations(),
        initializers(),
        regularizers(),
        losses(),
        optimizers(),
        schedules(),
        training(),
        augmentation(),
    ]
    .concat()
}

/// What docs say first, without their source.
fn first_words(docs: &str) -> String {
    let first = docs.split('\n').next().unwrap_or_default();
    let first = first.split(" Source: ").next().unwrap_or_default().trim();
    let open = [":", ", with"].iter().find_map(|end| first.strip_suffix(end));
    open.map_or(first.to_owned(), |whole| format!("{whole}."))
}

fn whole_file() -> String {
    let keys = item("FileForm").members;
    for key in &keys {
        assert!(!key.docs.is_empty(), "FileForm.{} has no docs", key.name);
    }
    let read = |table: Table| crate::io::model_file::keys(table);
    format!("\n## The file\n\n{}", table(&rows("FileForm", &read)))
}

/// Class names in files, with the names of their structs.
fn structs() -> Vec<(&'static str, String)> {
    let list = include_str!("../../layers/mod.rs").split_once("\nlayers! {\n").expect("the list of layers").1;
    let lines = list.lines().take_while(|line| *line != "}").map(|line| line.trim().trim_end_matches("),"));
    let named = |(line, class): (&str, &&'static str)| {
        let (variant, name) = line.split_once('(').expect("a layer");
        assert_eq!(variant, *class, "the list of layers");
        (*class, name.to_owned())
    };
    let structs: Vec<_> = lines.zip(Layer::CLASSES).map(named).collect();
    assert_eq!(structs.len(), Layer::CLASSES.len());
    structs
}

fn layers() -> String {
    let node = |key: &str| {
        let members = item("Node").members;
        members.into_iter().find(|member| member.name == key).expect("a key of any layer").docs
    };
    let any = [
        Row::new("type", "text", "needed", "Class of the layer in Keras, one of those below."),
        Row::new(
            "name",
            "text",
            "the class in snake case",
            "Name in weight files and messages, unique in the model. The default names of further layers of a class end with `_1`, `_2` and so on.",
        ),
        Row::new("inputs", "list of texts", "the layer before", &node("inputs")),
        Row::new("trainable", "`true` or `false`", "`true`", &without_default(&node("trainable"), "true")),
    ];
    let mut page = format!("## Layers\n\nOf every layer:\n\n{}", table(&any));
    for (class, name) in structs() {
        let read = |settings: Table| {
            let layer = Layer::parse(class, settings).expect("a class").map_err(|error| error.to_string())?;
            Table::try_from(layer).map_err(|error| error.to_string())
        };
        let mut rows = rows(&name, &read);
        rows.retain(|row| row.key != "name");
        page += &format!("### {class}\n\n{}\n\n{}", first_words(&item(&name).docs), table(&rows));
    }
    page
}

fn activations() -> String {
    let names: Vec<String> = Activation::ALL.iter().map(|activation| activation.name().to_owned()).collect();
    let mut page = format!(
        "## Activations\n\n{}. `swish` is `silu`, and `hard_swish` is `hard_silu`.\n\n",
        listed(&names)
    );
    page += "Their formulas are in [numerics](numerics.md#activations-losses-dropout).\n\n";
    page
}

fn initializers() -> String {
    let variants = item("Initializer").members;
    let mut page = "## Initializers\n\nA name, or a table of the name and its settings: `{ name = \"random_normal\", stddev = 0.1 }`.\n\n\
                    | name | settings | |\n|---|---|---|\n"
        .to_owned();
    assert_eq!(variants.len(), Initializer::ALL.len());
    for (known, variant) in Initializer::ALL.iter().zip(variants) {
        assert!(!variant.docs.is_empty(), "{} has no docs", known.name());
        let setting = |setting: &super::source::Member| {
            assert!(
                setting.docs.contains("efault "),
                "{}.{}: docs name no default",
                known.name(),
                setting.name
            );
            format!("`{}`: {}", setting.name, setting.docs.trim_end_matches('.'))
        };
        let settings: Vec<String> = variant.members.iter().map(setting).collect();
        page +=
            &format!("| `{}` | {} | {} |\n", known.name(), settings.join("; "), first_words(&variant.docs));
    }
    page + "\n"
}

fn regularizers() -> String {
    let docs = first_words(&item("Regularizer").docs);
    format!("## Regularizers\n\n{docs} A table:\n\n{}", table(&rows_of::<Regularizer>("Regularizer")))
}

fn losses() -> String {
    let mut page = "## Losses\n\nA name, or a table of the name and its settings: `{ name = \"huber\", delta = 0.5 }`. The default is \
                    `categorical_crossentropy`; `sparse_categorical_crossentropy` is another name for it. As in Keras, `mse`, \
                    `mae` and `bce` are short names.\n\n"
        .to_owned();
    let plain = "mean_squared_error, mean_absolute_error";
    for (name, of, rows) in [
        (
            "categorical_crossentropy",
            "CategoricalCrossentropy",
            rows_of::<CategoricalCrossentropy>("CategoricalCrossentropy"),
        ),
        ("binary_crossentropy", "BinaryCrossentropy", rows_of::<BinaryCrossentropy>("BinaryCrossentropy")),
        ("huber", "Huber", rows_of::<Huber>("Huber")),
    ] {
        page += &format!("### {name}\n\n{}\n\n{}", first_words(&item(of).docs), table(&rows));
    }
    page + &format!(
        "### {plain}\n\nThe mean over the batch and the outputs of the squares, or the magnitudes, of the errors. {}",
        table(&[])
    )
}

fn optimizers() -> String {
    let named = |name: &'static str| {
        let variant = item("Optimizer").members.into_iter().map(|variant| variant.name);
        let of = variant.into_iter().find(|variant| variant.to_lowercase() == name).expect("an optimizer");
        let read = move |mut settings: Table| {
            settings.insert("name".to_owned(), name.into());
            let optimizer: Optimizer =
                settings.try_into().map_err(|error: toml::de::Error| error.to_string())?;
            Table::try_from(optimizer).map_err(|error| error.to_string())
        };
        (first_words(&item(&of).docs), rows(&of, &read))
    };
    let all: Vec<_> = Optimizer::NAMES.iter().map(|name| (name, named(name))).collect();
    let is_common = |row: &&Row| all.iter().all(|(_, (_, rows))| rows.contains(row));
    let common: Vec<Row> = all[0].1.1.iter().filter(is_common).cloned().collect();
    let names: Vec<String> = Optimizer::NAMES.map(str::to_owned).to_vec();
    let mut any = vec![
        Row::new(
            "name",
            &listed(&names),
            "`rmsprop`",
            "Which optimizer; needed if `[optimizer]` has other keys.",
        ),
        Row::new(
            "schedule",
            "[table](#schedules)",
            "constant",
            "How the learning rate changes from step to step.",
        ),
    ];
    any.extend(common.iter().cloned());
    let mut page =
        format!("## Optimizers\n\nThe table `[optimizer]`. Of every optimizer:\n\n{}", table(&any));
    for (name, (docs, mut rows)) in all {
        rows.retain(|row| !common.contains(row));
        page += &format!("### {name}\n\n{docs}\n\n{}", table(&rows));
    }
    page
}

fn schedules() -> String {
    let of = |name: &str, of: &str, rows: Vec<Row>| {
        format!("### {name}\n\n{}\n\n{}", first_words(&item(of).docs), table(&rows))
    };
    let names = ["constant", "step", "exponential", "cosine", "one_cycle"].map(str::to_owned);
    let variants = item("LearningRateSchedule").members.len();
    assert_eq!(variants, names.len(), "schedules");
    let any = [Row::new("type", &listed(&names), "needed", "Which schedule.")];
    [
        format!("## Schedules\n\nThe table `[optimizer.schedule]`.\n\n{}", table(&any)),
        of("step", "StepDecay", rows_of::<StepDecay>("StepDecay")),
        of("exponential", "ExponentialDecay", rows_of::<ExponentialDecay>("ExponentialDecay")),
        of("cosine", "CosineDecay", rows_of::<CosineDecay>("CosineDecay")),
        of("one_cycle", "OneCycle", rows_of::<OneCycle>("OneCycle")),
    ]
    .concat()
}

fn training() -> String {
    let of = |name: &str, of: &str, rows: Vec<Row>| {
        format!("### {name}\n\n{}\n\n{}", first_words(&item(of).docs), table(&rows))
    };
    [
        format!("## Training\n\nThe table `[training]`.\n\n{}", table(&rows_of::<FitOptions>("FitOptions"))),
        of("early_stopping", "EarlyStopping", rows_of::<EarlyStopping>("EarlyStopping")),
        of("reduce_lr_on_plateau", "ReduceOnPlateau", rows_of::<ReduceOnPlateau>("ReduceOnPlateau")),
    ]
    .concat()
}

fn augmentation() -> String {
    let docs = first_words(&item("Augmentation").docs);
    let rows = table(&rows_of::<Augmentation>("Augmentation"));
    format!("## Augmentation\n\nThe table `[augmentation]`. {docs}\n\n{}\n", rows.trim_end())
}
