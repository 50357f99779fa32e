//! The rows of a CSV file whose targets nobody needs.

use std::collections::VecDeque;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::columns::{Columns, names_of};
use super::lines::{Lines, Row};
use crate::data::conform::places_of;
use crate::data::error::DataError;
use crate::data::form_error::FormError;

/// What a model takes of the lines of a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// How many numbers.
    pub(crate) features: usize,
    /// Their names, if they have any.
    pub(crate) names: &'a [String],
    /// The columns that the model was trained towards, as [`LoadOptions::target`](crate::data::LoadOptions::target) has them.
    pub(crate) targets: &'a [String],
}

/// A table that is read some rows at a time.
pub(crate) struct CsvRows {
    path: PathBuf,
    lines: Lines,
    /// What was read to tell whether there are names.
    begun: VecDeque<Row>,
    columns: Columns,
    /// The columns of the features, in the order of the model.
    places: Vec<usize>,
    /// What ends the rows.
    refused: Option<DataError>,
}

/// Rows of numbers, row-major, and the line of each in its file.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct SomeRows {
    pub(crate) values: Vec<f32>,
    pub(crate) lines: Vec<u64>,
}

impl CsvRows {
    /// The table in a file.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub(crate) fn open(path: &Path, wanted: &Wanted<'_>) -> Result<Self, DataError> {
        CsvRows::begin(path, Lines::open(path)?, wanted)
    }

    /// The table that is read from here; `path` names it in errors.
    ///
    /// Columns of the names that the model knows are its features, whatever others there are. Where the table or the model has no names,
    /// the columns are the features in their order, without those of the targets, if these are there too.
    ///
    /// # Errors
    /// Those of the system; where there is no line, a column is not there, or there are more or fewer than the features.
    pub(crate) fn read(path: &Path, reader: Box<dyn Read>, wanted: &Wanted<'_>) -> Result<Self, DataError> {
        CsvRows::begin(path, Lines::of(path, reader), wanted)
    }

    fn begin(path: &Path, mut lines: Lines, wanted: &Wanted<'_>) -> Result<Self, DataError> {
        let no_rows = |found| FormError::NoRows { file: path.to_owned(), found };
        let first = lines.next()?.ok_or_else(|| no_rows("none"))?;
        let second = lines.next()?;
        let under = second.as_ref().map(|row| &row.cells);
        let mut columns =
            Columns { count: first.cells.len(), names: names_of(&first.cells, under), targets: Vec::new() };
        let places = match &columns.names {
            Some(names) if !wanted.names.is_empty() => places_of(wanted.names, names)
                .map_err(|cause| DataError::InFile { file: path.to_owned(), cause: Box::new(cause) })?,
            _ if columns.count == wanted.features => (0..columns.count).collect(),
            _ => {
                let all = Columns::new(path, &first.cells, under, wanted.targets);
                let all = all.ok().filter(|all| all.features() == wanted.features);
                columns = all.ok_or_else(|| FormError::Features {
                    file: path.to_owned(),
                    expected: wanted.features,
                    found: columns.count,
                })?;
                (0..columns.count).filter(|at| !columns.targets.contains(at)).collect()
            }
        };
        let begun: VecDeque<Row> =
            if columns.names.is_some() { None } else { Some(first) }.into_iter().chain(second).collect();
        if begun.is_empty() {
            return Err(no_rows("one with names, and none after it").into());
        }
        Ok(CsvRows { path: path.to_owned(), lines, begun, columns, places, refused: None })
    }

    /// The next rows, at most so many; none at the end.
    ///
    /// # Errors
    /// [`FormError`] with the line and the column of the first cell that is no number, after all rows before it were given.
    pub(crate) fn next(&mut self, most: usize) -> Result<SomeRows, DataError> {
        let mut some = SomeRows::default();
        while some.lines.len() < most && self.refused.is_none() {
            match self.add(&mut some) {
                Ok(true) => {}
                Ok(false) => return Ok(some),
                Err(error) => self.refused = Some(error),
            }
        }
        match self.refused.take_if(|_| some.lines.is_empty()) {
            Some(error) => Err(error),
            None => Ok(some),
        }
    }

    /// Whether there was another row.
    fn add(&mut self, some: &mut SomeRows) -> Result<bool, DataError> {
        let row = match self.begun.pop_front() {
            Some(row) => row,
            None => match self.lines.next()? {
                Some(row) => row,
                None => return Ok(false),
            },
        };
        self.columns.check(&self.path, &row)?;
        let number = |&at: &usize| self.columns.number(&self.path, row.line, at, &row.cells[at]);
        let numbers = self.places.iter().map(number).collect::<Result<Vec<f32>, _>>()?;
        some.values.extend(numbers);
        some.lines.push(row.line);
        Ok(true)
    }
}
