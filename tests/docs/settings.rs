//! Blocks of TOML and JSON.
//!
//! What a block of TOML is follows from its keys:
//! - `dependencies` or `features`: a part of a program's `Cargo.toml`;
//! - `input_shape`: a whole model file;
//! - `prefix` or `names`: a file for `import --map`;
//! - else a part of a model file, which is put into the first of three others that takes it: its layers between those of the other, its
//!   tables in their place.

use shadegrad::io::ModelFile;
use shadegrad::io::import::NameMap;
use toml::{Table, Value};

use crate::blocks::{Block, root};

/// A first layer `image` of 16 channels.
const CHANNELS: &str = r#"
name = "channels"
input_shape = [16, 16, 1]

[[layers]]
type = "Conv2D"
name = "image"
filters = 16
kernel_size = 3
padding = "same"
"#;
/// Images as they come.
const GREY: &str = "name = \"grey\"\ninput_shape = [16, 16, 1]\n";
const COLOUR: &str = "name = \"colour\"\ninput_shape = [16, 16, 3]\n";
/// What tells classes apart at the end.
const END: &str = r#"
[[layers]]
type = "Flatten"

[[layers]]
type = "Dense"
units = 10
activation = "softmax"
"#;

pub fn check_toml(block: &Block) -> Result<&'static str, String> {
    let table: Table = toml::from_str(&block.text).map_err(|error| error.to_string())?;
    let has = |keys: &[&str]| keys.iter().any(|key| table.contains_key(*key));
    if has(&["dependencies", "features", "package"]) {
        return manifest(&table).map(|()| "a part of Cargo.toml, against ours");
    }
    if has(&["input_shape"]) {
        return lowered(&block.text).map(|()| "a model file, lowered to a plan");
    }
    if has(&["prefix", "names"]) {
        let file = tempfile::NamedTempFile::new().map_err(|error| error.to_string())?;
        std::fs::write(file.path(), &block.text).map_err(|error| error.to_string())?;
        return NameMap::read(file.path()).map(|_| "a map of names, read").map_err(|error| error.to_string());
    }
    let mut problems = Vec::new();
    for base in [GREY, COLOUR, CHANNELS] {
        match joined(base, &table).and_then(|text| lowered(&text)) {
            Ok(()) => return Ok("a part of a model file, lowered to a plan"),
            Err(problem) => problems.push(problem),
        }
    }
    Err(format!("in a model of grey images, of images in colour, of 16 channels: {}", problems.join("; ")))
}

/// A model file with these layers between its own, and these tables in place of its own.
fn joined(base: &str, part: &Table) -> Result<String, String> {
    let parse = |text: &str| toml::from_str::<Table>(text).map_err(|error| error.to_string());
    let (mut whole, mut end) = (parse(base)?, parse(END)?);
    let layers = |table: &Table| match table.get("layers") {
        Some(Value::Array(layers)) => Ok(layers.clone()),
        Some(other) => Err(format!("layers are {other}")),
        None => Ok(Vec::new()),
    };
    let mut all = layers(&whole)?;
    all.extend(layers(part)?);
    all.extend(layers(&end)?);
    end.insert("layers".to_owned(), Value::Array(all));
    whole.extend(part.clone());
    whole.extend(end);
    toml::to_string(&whole).map_err(|error| error.to_string())
}

fn lowered(text: &str) -> Result<(), String> {
    let file = ModelFile::parse("block", text).map_err(|error| error.to_string())?;
    file.plan(4).map(drop).map_err(|error| error.to_string())
}

/// Each dependency on this crate names it as it is called, and features that it has.
fn manifest(table: &Table) -> Result<(), String> {
    let ours = std::fs::read_to_string(root().join("Cargo.toml")).map_err(|error| error.to_string())?;
    let ours: Table = toml::from_str(&ours).map_err(|error| error.to_string())?;
    let known = ours["features"].as_table().ok_or("Cargo.toml has no features")?;
    let dependencies = table.get("dependencies").and_then(Value::as_table);
    let dependencies = dependencies.ok_or("a part of Cargo.toml that has no dependencies")?;
    let crates = dependencies.iter().filter(|(name, _)| name.starts_with("shadegrad"));
    let mut found = 0;
    for (name, value) in crates {
        let settings = value.as_table().ok_or_else(|| format!("{name} is {value}, not a table"))?;
        for (key, value) in settings {
            let fits = match (key.as_str(), value) {
                ("path", Value::String(path)) => path.ends_with(name.as_str()),
                ("default-features", Value::Boolean(_))
                | ("git" | "rev" | "tag" | "version", Value::String(_)) => true,
                ("features", Value::Array(features)) => features
                    .iter()
                    .all(|feature| feature.as_str().is_some_and(|name| known.contains_key(name))),
                _ => false,
            };
            if !fits {
                return Err(format!("{name}: {key} = {value}"));
            }
        }
        found += 1;
    }
    if found == 0 { Err("no dependency is this crate".to_owned()) } else { Ok(()) }
}

/// One value, or one on each line.
pub fn check_json(block: &Block) -> Result<&'static str, String> {
    let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text);
    if parse(&block.text).is_ok() {
        return Ok("read");
    }
    match block.text.lines().find_map(|line| parse(line).err()) {
        Some(error) => Err(error.to_string()),
        None => Ok("read line by line"),
    }
}

#[test]
fn wrong_settings_are_found() {
    let block = |text: &str| Block {
        file: "x.md".to_owned(),
        line: 1,
        language: "toml".to_owned(),
        text: text.to_owned(),
        source: None,
    };
    let rows = [
        ("[[layers]]\ntype = \"Flattn\"\n", "Flatten"),
        ("[training]\nepoch = 3\n", "epochs"),
        ("name = \"a\"\ninput_shape = [8, 8, 1]\n", "layers"),
        ("prefix = 3\n", "string"),
        ("[dependencies]\nshadegrad = { path = \"../shadegrad\", features = [\"gpu\"] }\n", "gpu"),
        ("[dependencies]\nother = \"1\"\n", "no dependency"),
        ("a = \n", "TOML"),
    ];
    for (text, expected) in rows {
        let problem = check_toml(&block(text)).expect_err(text);
        assert!(problem.contains(expected), "{text}: {problem}");
    }
    assert!(check_toml(&block("[training]\nepochs = 3\n")).is_ok());
    assert_eq!(check_json(&block("{\"a\": 1}\n[2]\n")), Ok("read line by line"));
    assert!(check_json(&block("{\"a\": 1,}\n")).is_err());
}
