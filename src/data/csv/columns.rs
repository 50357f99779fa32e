//! Which columns of a CSV file there are, and which of them are targets.

use std::collections::HashMap;
use std::path::Path;

use csv::ByteRecord;

use super::cells::{is_missing, is_number};
use super::lines::Row;
use crate::data::class_names::is_name;
use crate::data::form_error::{Column, FormError, shortened};

/// The most columns that a message lists.
const LISTED: usize = 12;

/// The columns of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) count: usize,
    /// In the first line, if they stand there.
    pub(super) names: Option<Vec<String>>,
    /// Those that are no features, counted from 0, in the order asked for.
    pub(super) targets: Vec<usize>,
}

impl Columns {
    /// Those of a file with these first lines. `targets` names the columns that are targets, or gives their numbers, counted
    /// from 1; without any it is the last.
    pub(super) fn new(
        path: &Path,
        first: &ByteRecord,
        second: Option<&ByteRecord>,
        targets: &[String],
    ) -> Result<Self, FormError> {
        let texts = texts(first);
        let count = texts.len();
        if count < 2 {
            let found = shortened(texts.first().map_or("", String::as_str));
            return Err(FormError::OneColumn { file: path.to_owned(), found });
        }
        let named = targets.iter().any(|target| texts.contains(target) && !is_number(target.as_bytes()));
        let names = (named || is_header(first, second)).then_some(texts);
        let mut columns = Columns { count, names, targets: Vec::new() };
        for target in targets {
            columns.targets.push(columns.place(path, target)?);
        }
        if targets.is_empty() {
            columns.targets.push(count - 1);
        }
        let mut different = columns.targets.clone();
        different.sort_unstable();
        different.dedup();
        if different.len() < columns.targets.len() || different.len() == count {
            let found = shortened(&targets.join(", "));
            return Err(FormError::Targets { file: path.to_owned(), found, columns: count });
        }
        Ok(columns)
    }

    /// The column of this name, or else of this number.
    fn place(&self, path: &Path, target: &str) -> Result<usize, FormError> {
        let named = self.names.as_ref().and_then(|names| names.iter().position(|name| name == target));
        let number = || target.parse().ok().filter(|number| (1..=self.count).contains(number));
        named.or_else(|| number().map(|number| number - 1)).ok_or_else(|| FormError::NoColumn {
            file: path.to_owned(),
            found: shortened(target),
            columns: self.listed(),
        })
    }

    /// The names, or the numbers, of the first columns.
    fn listed(&self) -> Vec<String> {
        let Some(names) = &self.names else {
            return vec![format!("columns without names, 1 to {}", self.count)];
        };
        let mut listed: Vec<_> = names.iter().take(LISTED).map(|name| shortened(name)).collect();
        if self.count > LISTED {
            listed.push(format!("and {} more", self.count - LISTED));
        }
        listed
    }

    /// The column at this place, for a message.
    pub(super) fn column(&self, at: usize) -> Column {
        let name = self.names.as_ref().and_then(|names| names.get(at)).map(|name| shortened(name));
        Column { number: at + 1, name }
    }

    /// Refuses a line of more or fewer cells.
    pub(super) fn check(&self, path: &Path, row: &Row) -> Result<(), FormError> {
        let (expected, found) = (self.count, row.cells.len());
        match expected == found {
            true => Ok(()),
            false => Err(FormError::Cells { file: path.to_owned(), line: row.line, expected, found }),
        }
    }

    /// A cell that must be a finite number.
    pub(super) fn number(&self, path: &Path, line: u64, at: usize, cell: &[u8]) -> Result<f32, FormError> {
        let number = std::str::from_utf8(cell).ok().and_then(|text| text.parse::<f32>().ok());
        number.filter(|number| number.is_finite()).ok_or_else(|| self.refused(path, line, at, cell))
    }

    /// Why a cell is no number.
    pub(super) fn refused(&self, path: &Path, line: u64, at: usize, cell: &[u8]) -> FormError {
        let (file, column) = (path.to_owned(), self.column(at));
        let found = shortened(&String::from_utf8_lossy(cell));
        match () {
            _ if is_missing(cell) && self.targets.contains(&at) => {
                FormError::MissingTarget { file, line, column, found }
            }
            _ if is_missing(cell) => FormError::Missing { file, line, column, found },
            _ if is_number(cell) => FormError::Infinite { file, line, column, found },
            _ => FormError::Text { file, line, column, found },
        }
    }

    /// The columns that are targets, for a message.
    pub(super) fn target_names(&self) -> String {
        let name = |&at: &usize| match &self.names {
            Some(names) => format!("`{}`", shortened(&names[at])),
            None => format!("column {}", at + 1),
        };
        self.targets.iter().map(name).collect::<Vec<_>>().join(", ")
    }

    /// The names of the columns that are targets; none where columns have no names.
    pub(super) fn output_names(&self) -> Vec<String> {
        let names = self.names.as_deref().unwrap_or_default();
        self.targets.iter().filter_map(|&at| names.get(at)).cloned().collect()
    }

    /// What columns are found by: their names, and `column 2` where that is no name, or the name of others too, since nobody can say
    /// which of them is meant. None where columns have no names.
    pub(super) fn known_names(&self) -> Vec<String> {
        let names = self.names.as_deref().unwrap_or_default();
        let mut times = HashMap::new();
        names.iter().for_each(|name| *times.entry(name).or_insert(0) += 1);
        let known = |(at, name): (usize, &String)| match is_name(name) && times[name] == 1 {
            true => name.clone(),
            false => format!("column {}", at + 1),
        };
        names.iter().enumerate().map(known).collect()
    }

    /// The [known names](Self::known_names) of the columns that are no targets; none where columns have no names.
    pub(super) fn feature_names(&self) -> Vec<String> {
        let names = self.known_names().into_iter().enumerate();
        names.filter(|(at, _)| !self.targets.contains(at)).map(|(_, name)| name).collect()
    }

    /// How many columns are features.
    pub(super) fn features(&self) -> usize {
        self.count - self.targets.len()
    }

    /// Refuses columns that are not those of the training set.
    pub(super) fn check_like(
        &self,
        path: &Path,
        train: &Columns,
        train_path: &Path,
    ) -> Result<(), FormError> {
        let said = |columns: &Columns, at: Option<usize>| match (at, &columns.names) {
            (Some(at), Some(names)) => format!("column {} named {:?}", at + 1, shortened(&names[at])),
            (Some(at), None) => format!("column {} without a name", at + 1),
            (None, _) => columns.count.to_string(),
        };
        let at = match (&self.names, &train.names) {
            _ if self.count != train.count => None,
            (Some(mine), Some(theirs)) => match (0..self.count).find(|&at| mine[at] != theirs[at]) {
                Some(at) => Some(at),
                None => return Ok(()),
            },
            _ if self.targets == train.targets => return Ok(()),
            _ => self.targets.first().copied(),
        };
        Err(FormError::OtherColumns {
            file: path.to_owned(),
            train_file: train_path.to_owned(),
            expected: said(train, at),
            found: said(self, at),
        })
    }
}

/// The names of the columns, if the first line holds them. It does where it has all the names that are wanted, even if these are
/// numbers, as pandas calls columns that were given no names.
#[cfg(feature = "cli")]
pub(super) fn names_of(
    first: &ByteRecord,
    second: Option<&ByteRecord>,
    wanted: &[String],
) -> Option<Vec<String>> {
    let names = texts(first);
    let found: std::collections::HashSet<&String> = names.iter().collect();
    let has_all = !wanted.is_empty() && wanted.iter().all(|name| found.contains(name));
    (has_all || is_header(first, second)).then_some(names)
}

fn texts(cells: &ByteRecord) -> Vec<String> {
    cells.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect()
}

/// Whether the first line holds names: a text stands over a number, or there are no numbers at all.
fn is_header(first: &ByteRecord, second: Option<&ByteRecord>) -> bool {
    if first.iter().all(is_number) {
        return false;
    }
    let Some(second) = second else { return true };
    let over_number =
        |(above, below): (&[u8], &[u8])| !is_number(above) && !is_missing(above) && is_number(below);
    let numbers = first.iter().chain(second).any(is_number);
    first.iter().zip(second).any(over_number) || !numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(first: &[&str], second: &[&str], targets: &[&str]) -> Result<Columns, FormError> {
        let targets: Vec<String> = targets.iter().map(|&target| target.to_owned()).collect();
        Columns::new(
            Path::new("a.csv"),
            &ByteRecord::from(first.to_vec()),
            Some(&ByteRecord::from(second.to_vec())),
            &targets,
        )
    }

    #[test]
    fn names_and_targets_are_found() {
        // The first lines, the targets asked for, whether the first line has names, and the places of targets.
        type Row = (
            &'static [&'static str],
            &'static [&'static str],
            &'static [&'static str],
            bool,
            &'static [usize],
        );
        let rows: [Row; 12] = [
            (&["a", "b"], &["1", "2"], &[], true, &[1]),
            (&["a", "b"], &["1", "x"], &[], true, &[1]),
            (&["1", "2"], &["3", "4"], &[], false, &[1]),
            (&["5.1", "setosa"], &["4.9", "setosa"], &[], false, &[1]),
            (&["setosa", "5.1"], &["setosa", "4.9"], &["1"], false, &[0]),
            (&["?", "5.1"], &["3", "4.9"], &[], false, &[1]),
            (&["label", "0", "1"], &["7", "0", "0"], &["label"], true, &[0]),
            (&["label", "0", "1"], &["7", "0", "0"], &["1"], true, &[2]),
            (&["a", "b", "c"], &["1", "2", "3"], &["c", "a"], true, &[2, 0]),
            (&["a", "b", "c"], &["1", "2", "3"], &["2"], true, &[1]),
            (&["1", "2", "3"], &["1", "2", "3"], &["2"], false, &[1]),
            (&["a", "b"], &["x", "y"], &[], true, &[1]),
        ];
        for (first, second, targets, named, places) in rows {
            let found = columns(first, second, targets).unwrap();
            assert_eq!((found.names.is_some(), &found.targets[..]), (named, places), "{first:?} {targets:?}");
        }
    }

    #[test]
    fn features_are_known_by_names_of_their_own() {
        let rows: [(&[&str], &[&str]); 5] = [
            (&["a", "b", "y"], &["a", "b"]),
            (&["", "b", "y"], &["column 1", "b"]),
            (&["a", "b", "a", "y"], &["column 1", "b", "column 3"]),
            (&["y", "b", "y"], &["column 1", "b"]),
            (&["a\nb", "b", "y"], &["column 1", "b"]),
        ];
        for (first, expected) in rows {
            let second = vec!["1"; first.len()];
            assert_eq!(columns(first, &second, &[]).unwrap().feature_names(), expected, "{first:?}");
        }
        assert!(columns(&["1", "2"], &["3", "4"], &[]).unwrap().feature_names().is_empty());
    }

    #[test]
    fn columns_that_are_not_there_are_named() {
        let rows: [(&[&str], &[&str], &str); 6] = [
            (&["a", "b"], &["c"], "a.csv: expected a column `c`, found a, b"),
            (&["a", "b"], &["3"], "expected a column `3`"),
            (&["a", "b"], &["0"], "expected a column `0`"),
            (&["1", "2"], &["3"], "columns without names, 1 to 2"),
            (&["a", "b"], &["a", "1"], "expected different columns as targets"),
            (&["a", "b"], &["a", "b"], "and at least one more, found a, b of 2"),
        ];
        for (first, targets, expected) in rows {
            let message = columns(first, &["1", "2"], targets).unwrap_err().to_string();
            assert!(message.contains(expected), "{first:?} {targets:?}: {message}");
        }
    }
}
