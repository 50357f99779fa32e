//! The cells of a CSV file, as numbers.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::cells::is_missing;
use super::columns::Columns;
use super::lines::{Lines, Row};
use crate::data::error::DataError;
use crate::data::form_error::FormError;

/// A file, read.
pub(super) struct Table {
    pub(super) file: PathBuf,
    pub(super) columns: Columns,
    /// `[rows, features]`, row-major.
    pub(super) features: Vec<f32>,
    pub(super) target: Target,
}

/// The cells of the columns that are targets.
pub(super) enum Target {
    /// Of one column: each text that there is, and the number of the text in each row.
    Texts { texts: Vec<String>, rows: Vec<u32> },
    /// Of several columns, `[rows, columns]`, row-major.
    Numbers(Vec<f32>),
}

impl Table {
    /// Reads a file; `targets` are the columns that are no features, by name or number, or none for the last.
    ///
    /// Errors: [`FormError`] with the line and the column of the first cell that is none.
    pub(super) fn read(path: &Path, targets: &[String]) -> Result<Self, DataError> {
        let mut lines = Lines::open(path)?;
        let no_rows = |found| FormError::NoRows { file: path.to_owned(), found };
        let first = lines.next()?.ok_or_else(|| no_rows("none"))?;
        let second = lines.next()?;
        let columns = Columns::new(path, &first.cells, second.as_ref().map(|row| &row.cells), targets)?;
        let start = if columns.names.is_some() { None } else { Some(first) };
        let mut table = Filling::new(path, columns);
        for row in start.into_iter().chain(second) {
            table.add(&row)?;
        }
        while let Some(row) = lines.next()? {
            table.add(&row)?;
        }
        match table.rows {
            0 => Err(no_rows("one with names, and none after it").into()),
            _ => Ok(table.finish()),
        }
    }
}

/// A table to which rows are added.
struct Filling {
    file: PathBuf,
    columns: Columns,
    rows: usize,
    features: Vec<f32>,
    target: Target,
    numbers_of_texts: HashMap<String, u32>,
}

impl Filling {
    fn new(path: &Path, columns: Columns) -> Self {
        let target = match columns.targets.len() {
            1 => Target::Texts { texts: Vec::new(), rows: Vec::new() },
            _ => Target::Numbers(Vec::new()),
        };
        let (file, features) = (path.to_owned(), Vec::new());
        Filling { file, columns, rows: 0, features, target, numbers_of_texts: HashMap::new() }
    }

    fn add(&mut self, row: &Row) -> Result<(), FormError> {
        self.columns.check(&self.file, row)?;
        for (at, cell) in row.cells.iter().enumerate() {
            if !self.columns.targets.contains(&at) {
                self.features.push(self.columns.number(&self.file, row.line, at, cell)?);
            }
        }
        for place in 0..self.columns.targets.len() {
            let at = self.columns.targets[place];
            self.add_target(row.line, at, &row.cells[at])?;
        }
        self.rows += 1;
        Ok(())
    }

    fn add_target(&mut self, line: u64, at: usize, cell: &[u8]) -> Result<(), FormError> {
        if matches!(self.target, Target::Numbers(_)) {
            let number = self.columns.number(&self.file, line, at, cell)?;
            if let Target::Numbers(numbers) = &mut self.target {
                numbers.push(number);
            }
            return Ok(());
        }
        if is_missing(cell) {
            return Err(self.columns.refused(&self.file, line, at, cell));
        }
        let text = String::from_utf8_lossy(cell);
        if let Target::Texts { texts, rows } = &mut self.target {
            let number = match self.numbers_of_texts.get(&*text) {
                Some(&number) => number,
                None => {
                    let number = texts.len() as u32;
                    texts.push(text.clone().into_owned());
                    self.numbers_of_texts.insert(text.into_owned(), number);
                    number
                }
            };
            rows.push(number);
        }
        Ok(())
    }

    fn finish(self) -> Table {
        let Filling { file, columns, features, target, .. } = self;
        Table { file, columns, features, target }
    }
}
