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
#[derive(Debug, Clone, Default, PartialEq)]
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
        let mut columns = Columns {
            count: first.cells.len(),
            names: names_of(&first.cells, under, wanted.names),
            targets: Vec::new(),
        };
        let places = match &columns.names {
            Some(_) if !wanted.names.is_empty() => places_of(wanted.names, &columns.known_names())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    /// All rows, read so many at a time, and what ended them.
    fn rows(text: &str, wanted: &Wanted<'_>, most: usize) -> (SomeRows, Option<String>) {
        let mut all = SomeRows::default();
        let reader = Box::new(std::io::Cursor::new(text.as_bytes().to_vec()));
        let mut rows = match CsvRows::read(Path::new("t.csv"), reader, wanted) {
            Ok(rows) => rows,
            Err(error) => return (all, Some(error.to_string())),
        };
        loop {
            match rows.next(most) {
                Ok(some) if some.lines.is_empty() => return (all, None),
                Ok(some) => {
                    assert!(some.lines.len() <= most, "{text:?}");
                    all.values.extend(some.values);
                    all.lines.extend(some.lines);
                }
                Err(error) => return (all, Some(error.to_string())),
            }
        }
    }

    #[test]
    fn features_are_found_with_and_without_names() {
        // The names that the model knows, its targets, a table, the numbers of its rows, and the line of the first.
        type Case = (&'static [&'static str], &'static [&'static str], &'static str, &'static [f32], u64);
        let cases: [Case; 14] = [
            (&["a", "b"], &[], "a,b\n1,2\n3,4\n", &[1.0, 2.0, 3.0, 4.0], 2),
            (&["a", "b"], &[], "b,a\n1,2\n3,4\n", &[2.0, 1.0, 4.0, 3.0], 2),
            (&["a", "b"], &[], "x,b,y,a\nu,1,,2\n,3,?,4\n", &[2.0, 1.0, 4.0, 3.0], 2),
            (&["a", "b"], &[], ",a,b\n7,1,2\n8,3,4\n", &[1.0, 2.0, 3.0, 4.0], 2),
            (&["a", "b"], &[], "c,a,c,b\n7,1,8,2\n", &[1.0, 2.0], 2),
            (&["column 1", "b"], &[], ",b\n1,2\n", &[1.0, 2.0], 2),
            (&["a", "b"], &[], "1,2\n3,4\n", &[1.0, 2.0, 3.0, 4.0], 1),
            (&["a", "b"], &[], "1,2,x\n3,4,y\n", &[1.0, 2.0, 3.0, 4.0], 1),
            (&["a", "b"], &["2"], "1,9,2\n", &[1.0, 2.0], 1),
            // Columns that were given no names are numbered by what writes them.
            (&["0", "1"], &[], "0,1\n5,6\n", &[5.0, 6.0], 2),
            (&["0", "1"], &[], "1,0\n5,6\n", &[6.0, 5.0], 2),
            (&["0", "1"], &[], "2,3\n5,6\n", &[2.0, 3.0, 5.0, 6.0], 1),
            (&[], &["y"], "a,y,b\n1,9,2\n", &[1.0, 2.0], 2),
            (&[], &[], "a,b\n1,2\n", &[1.0, 2.0], 2),
        ];
        for (known, targets, text, values, first) in cases {
            let (known, targets) = (names(known), names(targets));
            let wanted = Wanted { features: 2, names: &known, targets: &targets };
            let lines = (first..).take(values.len() / 2).collect();
            let expected = SomeRows { values: values.to_vec(), lines };
            for most in [1, 2, 3, 4096] {
                assert_eq!(rows(text, &wanted, most), (expected.clone(), None), "{text:?}");
            }
        }
    }

    #[test]
    fn rows_before_one_that_is_refused_are_given() {
        // A table, how many rows are before, and the message.
        let cases: [(&str, usize, &str); 9] = [
            ("a,b\n1,2\n3,4\nx,6\n7,8\n", 2, "t.csv: line 4, column 1 (a): expected a number, found \"x\""),
            ("b,a\n1,2\n3,\n", 1, "line 3, column 2 (a): expected a number, found \"\", a missing one"),
            ("1,2\n3,1e39\n", 1, "line 2, column 2: expected a finite number"),
            ("1,2\n3,4,5\n", 1, "line 2: expected 2 cells"),
            ("a,c\n1,2\n", 0, "t.csv: expected the features `b`, found `a`, `c`"),
            ("a,b,a\n1,2,3\n", 0, "expected the features `a`, found `column 1`, `b`, `column 3`"),
            ("1,2,3,4\n", 0, "expected 2 columns"),
            ("a,b\n", 0, "found one with names, and none after it"),
            ("", 0, "expected lines of numbers"),
        ];
        let known = names(&["a", "b"]);
        let wanted = Wanted { features: 2, names: &known, targets: &[] };
        for (text, before, expected) in cases {
            for most in [1, 2, 4096] {
                let (some, refused) = rows(text, &wanted, most);
                let refused = refused.unwrap_or_default();
                assert!(refused.contains(expected), "{text:?}: {refused}");
                assert_eq!((some.lines.len(), some.values.len()), (before, 2 * before), "{text:?}");
            }
        }
    }
}
