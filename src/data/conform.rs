//! The targets of a data set as a model knows them.

use super::dataset::Dataset;
use super::error::DataError;
use super::form_error::shortened;
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
    /// Errors: [`DataError::MissingFeatures`] where one has none of these names; [`DataError::FeatureNames`] of samples whose numbers
    /// have no names, or that are no rows of f32.
    pub fn arranged(&self, names: &[String]) -> Result<Self, DataError> {
        let own = self.feature_names();
        if own == names {
            return Ok(self.clone());
        }
        let places = places_of(names, own)?;
        let rows = self.values().chunks_exact(self.shape().len().max(1));
        let values: Vec<f32> = rows.flat_map(|row| places.iter().map(|&place| row[place])).collect();
        self.with_rows(values, names.len())?.with_feature_names(names.to_vec())
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

/// Where these names are among those that are there.
///
/// Errors: [`DataError::MissingFeatures`].
pub(super) fn places_of(names: &[String], found: &[String]) -> Result<Vec<usize>, DataError> {
    let place = |name: &String| found.iter().position(|found| found == name);
    let missing: Vec<String> = names.iter().filter(|name| place(name).is_none()).cloned().collect();
    if missing.is_empty() {
        return Ok(names.iter().filter_map(place).collect());
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
