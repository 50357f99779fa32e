//! The cells of a CSV file, as numbers.

use std::collections::HashMap;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use csv::{ByteRecord, Reader, ReaderBuilder, Trim};

use super::cells::{is_missing, is_number};
use super::columns::Columns;
use crate::data::error::DataError;
use crate::data::form_error::{FormError, shortened};
use crate::files;

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

/// A line of cells.
struct Row {
    cells: ByteRecord,
    line: u64,
}

/// The lines of a file.
struct Lines {
    path: PathBuf,
    reader: Reader<BufReader<File>>,
}

impl Lines {
    fn open(path: &Path) -> Result<Self, FormError> {
        let io = |cause| FormError::Io { file: path.to_owned(), cause };
        let file = files::open(path).map_err(io)?;
        let mut builder = ReaderBuilder::new();
        let reader = builder.has_headers(false).flexible(true).trim(Trim::All);
        Ok(Lines { path: path.to_owned(), reader: reader.from_reader(BufReader::new(file)) })
    }

    fn next(&mut self) -> Result<Option<Row>, FormError> {
        let mut cells = ByteRecord::new();
        let read = self.reader.read_byte_record(&mut cells).map_err(|error| {
            let cause = match error.into_kind() {
                csv::ErrorKind::Io(cause) => cause,
                other => std::io::Error::other(format!("{other:?}")),
            };
            FormError::Io { file: self.path.clone(), cause }
        })?;
        let line = cells.position().map_or(0, csv::Position::line);
        Ok(read.then_some(Row { cells, line }))
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
        let (expected, found) = (self.columns.count, row.cells.len());
        if expected != found {
            return Err(FormError::Cells { file: self.file.clone(), line: row.line, expected, found });
        }
        for (at, cell) in row.cells.iter().enumerate() {
            if !self.columns.targets.contains(&at) {
                let number = self.number(row.line, at, cell)?;
                self.features.push(number);
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
            let number = self.number(line, at, cell)?;
            if let Target::Numbers(numbers) = &mut self.target {
                numbers.push(number);
            }
            return Ok(());
        }
        if is_missing(cell) {
            return Err(self.refused(line, at, cell));
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

    /// A cell that must be a finite number.
    fn number(&self, line: u64, at: usize, cell: &[u8]) -> Result<f32, FormError> {
        let number = std::str::from_utf8(cell).ok().and_then(|text| text.parse::<f32>().ok());
        number.filter(|number| number.is_finite()).ok_or_else(|| self.refused(line, at, cell))
    }

    /// Why a cell is no number.
    fn refused(&self, line: u64, at: usize, cell: &[u8]) -> FormError {
        let (file, column) = (self.file.clone(), self.columns.column(at));
        let found = shortened(&String::from_utf8_lossy(cell));
        match () {
            _ if is_missing(cell) => FormError::Missing { file, line, column, found },
            _ if is_number(cell) => FormError::Infinite { file, line, column, found },
            _ => FormError::Text { file, line, column, found },
        }
    }

    fn finish(self) -> Table {
        let Filling { file, columns, features, target, .. } = self;
        Table { file, columns, features, target }
    }
}
