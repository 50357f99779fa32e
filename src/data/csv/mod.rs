//! CSV files: lines of numbers, one for each sample, of which one column or several are targets.

mod cells;
mod columns;
mod lines;
#[cfg(feature = "cli")]
mod rows;
mod table;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

#[cfg(feature = "cli")]
pub(crate) use rows::{CsvRows, Wanted};
use table::{Table, Target};

use super::dataset::Dataset;
use super::error::DataError;
use super::folder::LoadOptions;
use super::form_error::{FormError, shortened};
use super::targets::{TargetKind, Targets};

/// The files of a folder.
pub(super) const TRAIN: &str = "train.csv";
pub(super) const VALIDATION: &str = "validation.csv";
pub(super) const TEST: &str = "test.csv";

/// Reads these files, of which the first is what is trained on, and says what their columns are.
///
/// A target of one column is a class where one of its cells is no number, and then classes are the texts of all files, sorted;
/// or where they are the whole numbers from 0 (or [`LoadOptions::first_label`]) to n - 1, each of them in one of the files.
pub(super) fn read(files: &[PathBuf], options: &LoadOptions) -> Result<(Vec<Dataset>, String), DataError> {
    let tables =
        files.iter().map(|file| Table::read(file, &options.target)).collect::<Result<Vec<_>, _>>()?;
    let Some(train) = tables.first() else { return Err(DataError::Empty) };
    for table in &tables[1..] {
        table.columns.check_like(&table.file, &train.columns, &train.file)?;
    }
    let meaning = Meaning::of(&tables, options)?;
    let features = train.columns.features();
    let said = format!(
        "{features} feature{}, target {}: {}",
        if features == 1 { "" } else { "s" },
        train.columns.target_names(),
        meaning.said(train.columns.targets.len())
    );
    let outputs = train.columns.output_names();
    let mut sets = Vec::with_capacity(tables.len());
    for table in tables {
        let targets = meaning.targets(&table)?;
        let set = Dataset::from_parts(table.features, targets, [features])?;
        // Two columns may still be known by one name, where one is called `column 2`; then none has names.
        let set = set.clone().with_feature_names(table.columns.feature_names()).unwrap_or(set);
        sets.push(match &meaning {
            Meaning::Names(names) => set.with_class_names(names.clone())?,
            Meaning::Numbers { .. } => set,
            // A name that no output can have is left out.
            Meaning::Values => set.clone().with_class_names(outputs.clone()).unwrap_or(set),
        });
    }
    Ok((sets, said))
}

/// What the cells of the target mean.
enum Meaning {
    /// Classes of these names.
    Names(Vec<String>),
    /// Classes by their numbers, so many, from this one on.
    Numbers { classes: usize, first: u32 },
    /// Numbers.
    Values,
}

impl Meaning {
    fn of(tables: &[Table], options: &LoadOptions) -> Result<Self, DataError> {
        let mut texts = BTreeSet::new();
        for table in tables {
            match &table.target {
                Target::Texts { texts: own, .. } => texts.extend(own.iter().map(String::as_str)),
                Target::Numbers(_) => return Ok(Meaning::Values),
            }
        }
        let file = || tables[0].file.clone();
        let numbers: Option<Vec<f64>> = texts.iter().map(|text| text.parse().ok()).collect();
        let Some(numbers) = numbers else {
            return Ok(Meaning::Names(texts.into_iter().map(str::to_owned).collect()));
        };
        let first = options.first_label.map_or(0, u32::from);
        let label = |number: f64| {
            let label = number - f64::from(first);
            ((0.0..f64::from(u32::MAX)).contains(&label) && label.fract() == 0.0).then_some(label as u32)
        };
        let labels: Option<BTreeSet<u32>> = numbers.iter().map(|&number| label(number)).collect();
        let classes = labels.as_ref().and_then(|labels| labels.last()).map_or(0, |&last| last as usize + 1);
        let all = labels.as_ref().is_some_and(|labels| labels.len() == classes && classes > 1);
        match (labels, options.first_label) {
            (Some(_), _) if all => Ok(Meaning::Numbers { classes, first }),
            (Some(_), Some(_)) => Ok(Meaning::Numbers { classes: classes.max(2), first }),
            (None, Some(_)) => {
                let other = numbers.iter().position(|&number| label(number).is_none()).unwrap_or(0);
                let found = texts.iter().nth(other).map_or(String::new(), |text| shortened(text));
                Err(FormError::LabelText { file: file(), first, found }.into())
            }
            (_, None) => Ok(Meaning::Values),
        }
    }

    /// The targets of a file.
    fn targets(&self, table: &Table) -> Result<Targets, DataError> {
        let (texts, rows) = match &table.target {
            Target::Numbers(values) => {
                let columns = table.columns.targets.len();
                return Ok(Targets::Rows { kind: TargetKind::Values, values: values.clone(), columns });
            }
            Target::Texts { texts, rows } => (texts, rows),
        };
        // What each text stands for, and then each row.
        let class = |text: &String| match self {
            Meaning::Names(names) => names.binary_search(text).unwrap_or(0) as u32,
            Meaning::Numbers { first, .. } => {
                text.parse().map_or(0, |number: f64| (number - f64::from(*first)) as u32)
            }
            Meaning::Values => 0,
        };
        let classes = match self {
            Meaning::Names(names) => names.len(),
            Meaning::Numbers { classes, .. } => *classes,
            Meaning::Values => {
                let value = |text: &String| text.parse::<f32>().ok().filter(|value| value.is_finite());
                let of_texts: Vec<_> = texts.iter().map(value).collect();
                if let Some(other) = of_texts.iter().position(Option::is_none) {
                    let (file, found) = (table.file.clone(), shortened(&texts[other]));
                    return Err(FormError::TargetText { file, found }.into());
                }
                let values = rows.iter().filter_map(|&row| of_texts[row as usize]).collect();
                return Ok(Targets::Rows { kind: TargetKind::Values, values, columns: 1 });
            }
        };
        let of_texts: Vec<u32> = texts.iter().map(class).collect();
        Targets::classes(rows.iter().map(|&row| of_texts[row as usize]), classes)
    }

    /// In words.
    fn said(&self, columns: usize) -> String {
        match self {
            Meaning::Names(names) => {
                const LISTED: usize = 6;
                let some: Vec<_> = names.iter().take(LISTED).map(|name| shortened(name)).collect();
                let more = if names.len() > LISTED { ", ..." } else { "" };
                format!("{} classes ({}{more})", names.len(), some.join(", "))
            }
            Meaning::Numbers { classes, first } => {
                format!("{classes} classes, {first} to {}", u64::from(*first) + *classes as u64 - 1)
            }
            Meaning::Values if columns == 1 => "a number".to_owned(),
            Meaning::Values => format!("{columns} numbers"),
        }
    }
}

/// Whether a path is called like a CSV file.
pub(super) fn is_name(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"))
}
