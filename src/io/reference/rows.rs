//! Rows of tables: key, how it is written, default, meaning.

use std::sync::Mutex;

use serde::Serialize;
use serde::de::DeserializeOwned;
use toml::{Table, Value};

use super::source::{Member, item};
use crate::data::TargetKind;
use crate::layers::{FillMode, FlipMode, Interpolation, Padding};
use crate::train::Monitor;

/// What the docs lack, all of it, so that one look is enough.
pub(super) static MISSING: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Notes what the docs lack.
pub(super) fn missing(what: String) -> String {
    MISSING.lock().unwrap().push(what);
    String::new()
}

/// A key of a table.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub(super) key: String,
    written: String,
    default: String,
    meaning: String,
}

impl Row {
    pub(super) fn line(&self) -> String {
        let Row { key, written, default, meaning } = self;
        format!("| `{key}` | {written} | {default} | {} |\n", meaning.replace('|', "\\|").replace('\n', " "))
    }

    /// A key that no struct has.
    pub(super) fn new(key: &str, written: &str, default: &str, meaning: &str) -> Row {
        let [key, written, default, meaning] = [key, written, default, meaning].map(str::to_owned);
        Row { key, written, default, meaning }
    }
}

/// A table of these rows.
pub(super) fn table(rows: &[Row]) -> String {
    if rows.is_empty() {
        return "It has no keys of its own.\n\n".to_owned();
    }
    let lines: String = rows.iter().map(Row::line).collect();
    format!("| key | is | default | |\n|---|---|---|---|\n{lines}\n")
}

/// The rows of the struct of this name, which `read` makes of a table and writes again. Held to serde: the keys are those that it knows,
/// and what docs say of a default is what it writes.
pub(super) fn rows(name: &str, read: &dyn Fn(Table) -> Result<Table, String>) -> Vec<Row> {
    let of = item(name);
    let keys: Vec<&Member> =
        of.members.iter().filter(|key| !key.attributes.contains("serde(skip)")).collect();
    let all_default = of.attributes.contains("serde(default");
    let needed = |key: &Member| {
        !all_default && !key.attributes.contains("default") && !key.of_type.starts_with("Option<")
    };
    let unknown = read(Table::from_iter([("?".to_owned(), Value::Boolean(true))])).unwrap_err();
    let known: Vec<&str> = unknown.split('`').skip(3).step_by(2).collect();
    let found: Vec<&str> = keys.iter().map(|key| key.name.as_str()).collect();
    assert_eq!(found, known, "{name}: the fields in its source, and the keys that serde knows");
    let least = keys.iter().filter(|key| needed(key)).map(|key| (key.name.clone(), sample(&key.of_type)));
    let written = read(least.collect()).unwrap_or_else(|error| panic!("{name}: {error}"));
    let row = |key: &&Member| {
        let place = format!("{name}.{}", key.name);
        if key.docs.is_empty() {
            missing(format!("{place} has no docs"));
        }
        let default = match needed(key) {
            true => "needed".to_owned(),
            false => default(&place, &key.docs, written.get(&key.name)),
        };
        let meaning = without_default(&key.docs, &default);
        Row { key: key.name.clone(), written: words(&key.of_type), default, meaning }
    };
    keys.iter().map(row).collect()
}

/// [`rows`] of a type that stands in a file as it is.
pub(super) fn rows_of<T: Serialize + DeserializeOwned>(name: &str) -> Vec<Row> {
    rows(name, &|table| {
        let value: T = table.try_into().map_err(|error: toml::de::Error| error.to_string())?;
        Table::try_from(value).map_err(|error| error.to_string())
    })
}

/// What docs say of the default, held to what serde writes where it does.
fn default(place: &str, docs: &str, written: Option<&Value>) -> String {
    let Some((_, rest)) = docs.split_once("efault ") else {
        return missing(format!("{place}: docs name no default"));
    };
    let ends = [". ", "; ", ", which", ", the ", " ("].iter().filter_map(|end| rest.find(end)).min();
    let said = rest[..ends.unwrap_or(rest.len())].trim_end_matches('.').trim_end_matches("...").trim_end();
    if let Some(written) = written {
        let shown = shown(written);
        let number = |text: &str| text.parse::<f64>().ok();
        let same = match (number(said), number(&shown)) {
            (Some(said), Some(written)) => said == written,
            _ => said == shown || said.starts_with(&format!("{shown},")),
        };
        if !same {
            return missing(format!(
                "{place}: docs say that the default is {said:?}, and it is written as {shown:?}"
            ));
        }
    }
    let is_open = written.is_none() && said.ends_with(',');
    if is_open { said.trim_end_matches(',').to_owned() + ", ..." } else { said.to_owned() }
}

/// The docs without the default that the table has in its own column, where they end with it and say more.
pub(super) fn without_default(docs: &str, default: &str) -> String {
    let tail = |start: &str| docs.strip_suffix(&format!("{start}{default}."));
    let rest = tail("; default ").or_else(|| tail("; by default ")).or_else(|| tail(", default "));
    match (rest, tail(" Default ")) {
        (Some(rest), _) => format!("{rest}."),
        (_, Some(rest)) => rest.to_owned(),
        _ => docs.to_owned(),
    }
}

/// A value as docs say it: a list of equals is one of them.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("`{text}`"),
        Value::Array(list) if !list.is_empty() && list.iter().all(|one| *one == list[0]) => shown(&list[0]),
        other => other.to_string(),
    }
}

/// A value that a key of this type takes.
fn sample(of_type: &str) -> Value {
    match of_type {
        "usize" | "Pair" => Value::Integer(2),
        "f64" | "Factor" => Value::Float(0.5),
        "Activation" => Value::String("relu".to_owned()),
        "Vec<i64>" => Value::Array(vec![Value::Integer(-1)]),
        "Vec<usize>" => Value::Array(vec![Value::Integer(3)]),
        "Vec<f64>" => Value::Array(vec![Value::Float(0.1), Value::Float(0.2)]),
        "String" => Value::String("a".to_owned()),
        "[usize; 3]" => Value::Array(vec![Value::Integer(1); 3]),
        "Vec<L>" => Value::Array(Vec::new()),
        _ => panic!("say what a key of type {of_type} takes"),
    }
}

/// How a type is written in a file.
fn words(of_type: &str) -> String {
    let inner = of_type.strip_prefix("Option<").and_then(|rest| rest.strip_suffix('>'));
    let words = match inner.unwrap_or(of_type) {
        "String" => "text",
        "Vec<String>" => "list of texts",
        "usize" | "u32" => "whole number",
        "f64" => "number",
        "bool" => "`true` or `false`",
        "Vec<usize>" | "Vec<i64>" => "list of whole numbers",
        "Vec<f64>" => "list of numbers",
        "Pair" => "whole number, or two: height and width",
        "Sides" => "whole number, `[rows, columns]`, or `[[top, bottom], [left, right]]`",
        "Factor" => "number, or the least and the largest",
        "Axes" => "whole number, or a list of them",
        "Nested" => "number, or lists of numbers",
        "Activation" => "[activation](#activations)",
        "Initializer" => "[initializer](#initializers)",
        "Regularizer" => "[regularizer](#regularizers)",
        "Loss" => "[loss](#losses)",
        "Augmentation" => "[table](#augmentation)",
        "FitOptions" => "[table](#training)",
        "O" => "[table](#optimizers)",
        "Vec<L>" => "[tables](#layers)",
        "EarlyStopping" => "[table](#early_stopping)",
        "ReduceOnPlateau" => "[table](#reduce_lr_on_plateau)",
        "Padding" => return listed(&names::<Padding>()),
        "FlipMode" => return listed(&names::<FlipMode>()),
        "FillMode" => return listed(&names::<FillMode>()),
        "Interpolation" => return listed(&names::<Interpolation>()),
        "Monitor" => return listed(&names::<Monitor>()),
        "TargetKind" => return listed(&names::<TargetKind>()),
        other => panic!("say how a key of type {other} is written"),
    };
    words.to_owned()
}

/// The names that a type may be given, as its error lists them.
fn names<T: DeserializeOwned>() -> Vec<String> {
    let error = Value::String("?".to_owned()).try_into::<T>().err().expect("an unknown name").to_string();
    error.split('`').skip(3).step_by(2).map(str::to_owned).collect()
}

pub(super) fn listed(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
