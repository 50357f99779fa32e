//! The targets of a data set as a model knows them.

use std::collections::HashMap;

use super::dataset::Dataset;
use super::error::DataError;
use super::form_error::shortened;
use super::samples::Samples;
use super::targets::{TargetKind, Targets};

/// The most names that a message lists.
const LISTED: usize = 20;

impl Dataset {
    /// The same samples with the number of each class replaced by the place of its name among `names`, which become the names of
    /// the classes. So a set whose classes were numbered by themselves, as those of a table are, is read as another was.
    ///
    /// Errors: [`DataError::UnknownClass`] where a class has another name; [`DataError::Names`] of targets that are no classes;
    /// [`DataError::Name`] as of [`with_class_names`](Self::with_class_names).
    pub fn renumbered(&self, names: &[String]) -> Result<Self, DataError> {
        if self.target() != TargetKind::Classes {
            return Err(DataError::Names { expected: 0, found: names.len() });
        }
        let place = |found: &String| {
            names.iter().position(|name| name == found).map(|place| place as u32).ok_or_else(|| {
                let known = names.iter().take(LISTED).cloned().collect();
                DataError::UnknownClass { found: found.clone(), known }
            })
        };
        let places = self.class_names().iter().map(place).collect::<Result<Vec<_>, _>>()?;
        let number = |&label: &u32| places.get(label as usize).copied().unwrap_or(label);
        let labels: Vec<u32> = self.labels().iter().map(number).collect();
        let targets = Targets::Classes { labels, classes: names.len() };
        targets.check()?;
        self.with_targets(targets).with_class_names(names.to_vec())
    }

    /// The same samples, rows whose numbers have names, with the numbers of these names, in this order; others are left out.
    ///
    /// ```
    /// use shadegrad::data::{Dataset, Samples, Targets};
    ///
    /// let named = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    /// let rows = Samples::from_rows([[1.0f32, 2.0, 3.0]])?;
    /// let data = Dataset::from_parts(rows, Targets::classes([0], 2)?, [3])?.with_feature_names(named(&["a", "b", "c"]))?;
    /// assert_eq!(data.arranged(&named(&["c", "a"]))?.values(), [3.0, 1.0]);
    /// # Ok::<(), shadegrad::data::DataError>(())
    /// ```
    ///
    /// Errors: [`DataError::MissingFeatures`] where no number has one of these names; [`DataError::Name`] where one is asked for twice.
    pub fn arranged(&self, names: &[String]) -> Result<Self, DataError> {
        let own = self.feature_names();
        if own == names {
            return Ok(self.clone());
        }
        let places = places_of(names, own)?;
        let features = self.shape().len().max(1);
        let samples: Samples = match self.form().values {
            true => picked(self.values(), features, &places).into(),
            false => picked(self.images(), features, &places).into(),
        };
        self.with_rows(samples, names.len())?.with_feature_names(names.to_vec())
    }

    /// The same samples with their numbers as targets of another kind; `None` where they cannot be that.
    ///
    /// | kind | numbers |
    /// |---|---|
    /// | classes | whole numbers below `classes`, one of each sample; or as many as classes, one of them 1 and the others 0 |
    /// | labels | from 0 to 1 |
    ///
    /// ```
    /// use shadegrad::data::{Dataset, TargetKind, Targets};
    ///
    /// let targets = Targets::values([[2.0f32], [0.0]], 1)?;
    /// let data = Dataset::from_parts(vec![0u8; 2], targets, [1])?;
    /// assert_eq!(data.values_as(TargetKind::Classes, 3).unwrap().labels(), [2, 0]);
    /// assert!(data.values_as(TargetKind::Classes, 2).is_none());
    /// # Ok::<(), shadegrad::data::DataError>(())
    /// ```
    pub fn values_as(&self, kind: TargetKind, classes: usize) -> Option<Self> {
        let (rows, columns) = (self.target_rows(), self.classes());
        if rows.is_empty() {
            return None;
        }
        let targets = match kind {
            TargetKind::MultiLabel if rows.iter().all(|value| (0.0..=1.0).contains(value)) => {
                Targets::Rows { kind, values: rows.to_vec(), columns }
            }
            TargetKind::Classes if columns == 1 => {
                let label = |&value: &f32| {
                    (value >= 0.0 && value.fract() == 0.0 && (value as usize) < classes)
                        .then_some(value as u32)
                };
                Targets::Classes { labels: rows.iter().map(label).collect::<Option<_>>()?, classes }
            }
            TargetKind::Classes if columns == classes => {
                let labels = rows.chunks_exact(columns).map(one_hot).collect::<Option<_>>()?;
                Targets::Classes { labels, classes }
            }
            _ => return None,
        };
        Some(self.with_targets(targets))
    }
}

/// The numbers at these places of each row of `features` numbers, row-major.
fn picked<V: Copy>(numbers: &[V], features: usize, places: &[usize]) -> Vec<V> {
    numbers.chunks_exact(features).flat_map(|row| places.iter().map(|&place| row[place])).collect()
}

/// Where these names are among those that are there.
///
/// Errors: [`DataError::MissingFeatures`].
pub(super) fn places_of(names: &[String], found: &[String]) -> Result<Vec<usize>, DataError> {
    let places: HashMap<&String, usize> = found.iter().zip(0..).collect();
    let missing: Vec<String> = names.iter().filter(|name| !places.contains_key(name)).cloned().collect();
    if missing.is_empty() {
        return Ok(names.iter().filter_map(|name| places.get(name).copied()).collect());
    }
    Err(DataError::MissingFeatures { missing: listed(&missing), found: listed(found) })
}

/// The first of these names, for a message.
fn listed(names: &[String]) -> Vec<String> {
    let mut listed: Vec<String> =
        names.iter().take(LISTED).map(|name| format!("`{}`", shortened(name))).collect();
    if names.len() > LISTED {
        listed.push(format!("and {} more", names.len() - LISTED));
    }
    listed
}

/// The place of the only number that is not 0, if that is 1.
fn one_hot(row: &[f32]) -> Option<u32> {
    let mut others = (0u32..).zip(row).filter(|(_, value)| **value != 0.0);
    match (others.next(), others.next()) {
        (Some((place, &1.0)), None) => Some(place),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn classes_get_the_numbers_of_their_names() {
        let data = Dataset::new(vec![1, 2, 3], vec![0, 1, 1], [1, 1, 1], 2).unwrap();
        let data = data.with_class_names(names(&["cat", "dog"])).unwrap();
        let known = names(&["ant", "dog", "cat"]);
        let found = data.renumbered(&known).unwrap();
        assert_eq!((found.labels(), found.classes(), found.images()), (&[2, 1, 1][..], 3, data.images()));
        assert_eq!(found.class_names(), known);
        assert_eq!(data.slice(1..3).unwrap().renumbered(&known).unwrap().labels(), [1, 1]);
        let message = data.renumbered(&names(&["ant", "cat"])).unwrap_err().to_string();
        assert_eq!(message, "class \"dog\" is not one of ant, cat");
    }

    #[test]
    fn numbers_are_found_by_their_names() {
        let targets = || Targets::classes([0, 1, 1], 2).unwrap();
        let bytes = Dataset::from_parts(vec![1u8, 2, 3, 4, 5, 6], targets(), [2]).unwrap();
        let values = Dataset::from_parts(vec![1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0], targets(), [2]).unwrap();
        for data in [bytes, values] {
            let data = data.with_class_names(names(&["no", "yes"])).unwrap();
            let data = data.with_feature_names(names(&["a", "b"])).unwrap();
            // The samples, the names asked for, and the numbers or the error.
            type Row<'a> = (Dataset, &'a [&'a str], Result<&'a [f32], &'a str>);
            let rows: [Row<'_>; 7] = [
                (data.clone(), &["a", "b"], Ok(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])),
                (data.clone(), &["b", "a"], Ok(&[2.0, 1.0, 4.0, 3.0, 6.0, 5.0])),
                (data.clone(), &["b"], Ok(&[2.0, 4.0, 6.0])),
                (data.slice(1..3).unwrap(), &["b", "a"], Ok(&[4.0, 3.0, 6.0, 5.0])),
                (data.select(&[2, 0]).unwrap(), &["b"], Ok(&[6.0, 2.0])),
                (data.clone(), &["c", "a"], Err("expected the features `c`, found `a`, `b`")),
                (data.clone(), &["a", "a"], Err("feature_names: \"a\" is there twice")),
            ];
            for (data, asked, expected) in rows {
                match (data.arranged(&names(asked)), expected) {
                    (Ok(found), Ok(expected)) => {
                        let of_bytes = found.images().iter().map(|&byte| f32::from(byte));
                        let numbers: Vec<f32> = of_bytes.chain(found.values().iter().copied()).collect();
                        assert_eq!(numbers, expected, "{asked:?}");
                        assert_eq!((found.labels(), found.form()), (data.labels(), data.form()), "{asked:?}");
                        assert_eq!(found.class_names(), data.class_names(), "{asked:?}");
                        assert_eq!(found.feature_names(), names(asked), "{asked:?}");
                    }
                    (Err(error), Err(expected)) => {
                        assert!(error.to_string().contains(expected), "{asked:?}: {error}");
                    }
                    (found, _) => panic!("{asked:?}: {found:?}"),
                }
            }
        }
    }

    #[test]
    fn numbers_are_classes_or_labels_where_they_can_be() {
        use TargetKind::{Classes, MultiLabel};
        // The numbers of two samples, as what, of how many classes, and the labels or rows.
        type Row = ([[f32; 2]; 2], TargetKind, usize, Option<&'static [f32]>);
        let rows: [Row; 6] = [
            ([[0.0, 1.0], [1.0, 0.0]], Classes, 2, Some(&[1.0, 0.0])),
            ([[0.0, 1.0], [1.0, 1.0]], Classes, 2, None),
            ([[0.0, 1.0], [0.5, 0.0]], Classes, 2, None),
            ([[0.0, 1.0], [1.0, 0.0]], Classes, 3, None),
            ([[0.0, 1.0], [1.0, 1.0]], MultiLabel, 2, Some(&[0.0, 1.0, 1.0, 1.0])),
            ([[0.0, 1.0], [1.0, 1.5]], MultiLabel, 2, None),
        ];
        for (values, kind, classes, expected) in rows {
            let targets = Targets::values(values, 2).unwrap();
            let data = Dataset::from_parts(vec![0u8; 2], targets, [1]).unwrap();
            let found = data.values_as(kind, classes).map(|found| {
                let labels = found.labels().iter().map(|&label| label as f32);
                labels.chain(found.target_rows().iter().copied()).collect::<Vec<_>>()
            });
            assert_eq!(found.as_deref(), expected, "{values:?} as {kind}");
        }
        for value in [-1.0, 0.5, 3.0] {
            let targets = Targets::values([[value]], 1).unwrap();
            let data = Dataset::from_parts(vec![0u8; 1], targets, [1]).unwrap();
            assert!(data.values_as(Classes, 3).is_none(), "{value}");
        }
    }
}
