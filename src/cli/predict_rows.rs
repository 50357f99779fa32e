//! `shadegrad predict` on tables and arrays.

use std::path::Path;
use std::{fmt, io};

use serde_json::{Map, Value, json};

use super::messages::message;
use super::output::{Output, note, shown};
use super::path_text::to_text;
use super::predicted::Predicted;
use crate::data::{CsvRows, DataError, Samples, Wanted, read_inputs};
use crate::io::SavedRun;
use crate::train::Model;

/// Rows that are predicted at once.
const AT_ONCE: usize = 4096;
/// The argument that is standard input.
const STDIN: &str = "-";

/// Whether an argument is an array of NumPy, which may hold samples of any shape.
pub fn is_array(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("npy"))
}

/// Predicts the samples of tables and arrays.
pub struct RowJudge<'a> {
    pub saved: &'a SavedRun,
    /// The columns that the run was trained towards, as it recorded them.
    pub targets: &'a [String],
    pub json: bool,
}

/// Which sample of a file.
enum Place {
    /// Of a table.
    Line(u64),
    /// Of an array.
    Index(usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Line(line) => write!(f, ":{line}"),
            Place::Index(index) => write!(f, "[{index}]"),
        }
    }
}

impl RowJudge<'_> {
    /// Prints what the model says of each sample of a file, or of standard input; what is wrong with it, if anything is, after the samples
    /// before. Returns whether all is well.
    pub fn file(&self, path: &Path, model: &mut Model, output: &mut Output) -> anyhow::Result<bool> {
        let read = match is_array(path) {
            true => self.array(path, model, output)?,
            false => self.table(path, model, output)?,
        };
        let Err(error) = read else { return Ok(true) };
        let text = message(&error.into());
        if self.json {
            output.line(json!({ "file": to_text(path), "error": text }))?;
        }
        note(format_args!("error: {text}"));
        Ok(false)
    }

    /// The outer error ends the program, the inner one is of the file.
    fn table(
        &self,
        path: &Path,
        model: &mut Model,
        output: &mut Output,
    ) -> anyhow::Result<Result<(), DataError>> {
        let wanted = Wanted {
            features: self.saved.network.input_shape.len(),
            names: &self.saved.file.feature_names,
            targets: self.targets,
        };
        let opened = match path == Path::new(STDIN) {
            true => CsvRows::read(path, Box::new(io::stdin()), &wanted),
            false => CsvRows::open(path, &wanted),
        };
        let mut rows = match opened {
            Ok(rows) => rows,
            Err(error) => return Ok(Err(error)),
        };
        loop {
            let some = match rows.next(AT_ONCE) {
                Ok(some) if some.lines.is_empty() => return Ok(Ok(())),
                Ok(some) => some,
                Err(error) => return Ok(Err(error)),
            };
            let outputs = model.predict_values(&some.values)?;
            self.print(path, some.lines.into_iter().map(Place::Line), &outputs, output)?;
            if output.is_closed() {
                return Ok(Ok(()));
            }
        }
    }

    fn array(
        &self,
        path: &Path,
        model: &mut Model,
        output: &mut Output,
    ) -> anyhow::Result<Result<(), DataError>> {
        let (samples, shape) = match read_inputs(path) {
            Ok(read) => read,
            Err(error) => return Ok(Err(error)),
        };
        let takes = self.saved.network.input_shape;
        if shape != takes {
            let (file, expected, found) = (path.to_owned(), takes, shape);
            return Ok(Err(DataError::Inputs { file, expected, found }));
        }
        let size = takes.len() * AT_ONCE;
        let count = match &samples {
            Samples::Bytes(bytes) => bytes.len(),
            Samples::Values(values) => values.len(),
        };
        for (piece, begin) in (0..count).step_by(size).enumerate() {
            let part = begin..(begin + size).min(count);
            let outputs = match &samples {
                Samples::Bytes(bytes) => model.predict(&bytes[part])?,
                Samples::Values(values) => model.predict_values(&values[part])?,
            };
            self.print(path, (piece * AT_ONCE..).map(Place::Index), &outputs, output)?;
            if output.is_closed() {
                break;
            }
        }
        Ok(Ok(()))
    }

    fn print(
        &self,
        path: &Path,
        places: impl Iterator<Item = Place>,
        outputs: &[f32],
        output: &mut Output,
    ) -> anyhow::Result<()> {
        let line = |(place, row): (Place, &[f32])| {
            let predicted = Predicted { run: self.saved, row };
            if self.json {
                let place = match place {
                    Place::Line(line) => ("line".to_owned(), json!(line)),
                    Place::Index(index) => ("index".to_owned(), json!(index)),
                };
                let mut line = Map::from_iter([("file".to_owned(), json!(to_text(path))), place]);
                line.extend(predicted.json());
                Value::Object(line).to_string()
            } else {
                format!("{}{place}: {}", shown(path), predicted.text())
            }
        };
        let lines: Vec<String> =
            places.zip(outputs.chunks_exact(self.saved.network.classes())).map(line).collect();
        output.line(lines.join("\n"))
    }
}
