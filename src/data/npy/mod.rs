//! NumPy arrays in a folder: `x_train.npy`, `y_train.npy`, `x_test.npy`, `y_test.npy`, and `x_val.npy`, `y_val.npy`.

mod array;
mod header;

use std::path::Path;

use array::{Array, Element};

use super::dataset::Dataset;
use super::error::DataError;
use super::folder::LoadOptions;
use super::form_error::FormError;
use super::samples::Samples;
use super::shape::Shape;
use super::targets::{TargetKind, Targets};

/// The least number of classes: with one there is nothing to classify.
const MIN_CLASSES: usize = 2;
/// Labels above are numbers.
const MOST_CLASSES: i128 = 1 << 24;

/// The arrays of one set, by the end of their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Train,
    Validation,
    Test,
}

impl Part {
    pub(super) const ALL: [Part; 3] = [Part::Train, Part::Validation, Part::Test];

    fn name(self) -> &'static str {
        match self {
            Part::Train => "train",
            Part::Validation => "val",
            Part::Test => "test",
        }
    }
}

/// Whether a folder has arrays of this part.
pub(super) fn is_there(dir: &Path, part: Part) -> bool {
    ['x', 'X'].iter().any(|axis| dir.join(file_name(*axis, part)).is_file())
}

/// Reads the arrays of these parts; those of the first decide what the others must be like.
pub(super) fn read(dir: &Path, parts: &[Part], options: &LoadOptions) -> Result<Vec<Dataset>, DataError> {
    let sets = parts.iter().map(|&part| Set::open(dir, part)).collect::<Result<Vec<_>, _>>()?;
    if let Some((first, others)) = sets.split_first() {
        others.iter().try_for_each(|other| other.check_like(first))?;
    }
    let mut read = Vec::with_capacity(sets.len());
    for mut set in sets {
        read.push((samples(&mut set.x)?, set.targets(options)?, set.shape));
    }
    // As many classes as all of them have, and numbers in all where one has numbers that are no classes.
    let classes = read.iter().map(|(_, targets, _)| targets.columns()).max().unwrap_or(0);
    let numbers = read.iter().any(|(_, targets, _)| targets.kind() == TargetKind::Values);
    let made = read.into_iter().map(|(samples, targets, shape)| {
        let as_numbers = targets.classes_as(TargetKind::Values, 1).filter(|_| numbers);
        let targets = match targets {
            Targets::Classes { labels, .. } => as_numbers.unwrap_or(Targets::Classes { labels, classes }),
            rows => rows,
        };
        Dataset::from_parts(samples, targets, shape)
    });
    made.collect()
}

/// The array of inputs (x) or targets (y).
pub(super) fn file_name(axis: char, part: Part) -> String {
    format!("{axis}_{}.npy", part.name())
}

/// The two arrays of a set, opened.
struct Set {
    x: Array,
    y: Array,
    shape: Shape,
    /// Numbers of a target.
    columns: usize,
}

impl Set {
    fn open(dir: &Path, part: Part) -> Result<Self, DataError> {
        let [x, y] = ['x', 'y'].map(|axis| {
            let tried = [axis, axis.to_ascii_uppercase()].map(|axis| file_name(axis, part));
            let found = tried.iter().map(|name| dir.join(name)).find(|path| path.is_file());
            found.ok_or_else(|| DataError::MissingFile { dir: dir.to_owned(), tried: tried.to_vec() })
        });
        let (x, y) = (Array::open(x?)?, Array::open(y?)?);
        let shape = shape(&x)?;
        let columns = columns(&y)?;
        let [images, labels] = [&x, &y].map(|array| array.shape()[0] as usize);
        if images != labels {
            return Err(DataError::LabelCount { images_file: x.path, labels_file: y.path, images, labels });
        }
        Ok(Set { x, y, shape, columns })
    }

    /// Refuses arrays that are not like those of the training set.
    fn check_like(&self, train: &Set) -> Result<(), DataError> {
        if self.shape != train.shape {
            return Err(DataError::ShapeMismatch {
                train_file: train.x.path.clone(),
                test_file: self.x.path.clone(),
                train: train.shape,
                test: self.shape,
            });
        }
        let numbers = |set: &Set| match set.columns {
            1 => "a number for each sample".to_owned(),
            many => format!("{many} numbers for each sample"),
        };
        let elements = |array: &Array| format!("elements of {}", array.kind().name());
        let of_bytes = |set: &Set| set.x.kind() == Element::U8;
        let are_values = |set: &Set| set.y.kind().is_float();
        let ([mine, theirs], found, expected) = if of_bytes(self) != of_bytes(train) {
            ([&self.x, &train.x], elements(&self.x), elements(&train.x))
        } else if are_values(self) != are_values(train) {
            ([&self.y, &train.y], elements(&self.y), elements(&train.y))
        } else if self.columns != train.columns {
            ([&self.y, &train.y], numbers(self), numbers(train))
        } else {
            return Ok(());
        };
        let (file, train_file) = (mine.path.clone(), theirs.path.clone());
        Err(FormError::Unlike { file, train_file, expected, found }.into())
    }

    /// Whole numbers from 0 on, one for each sample, are classes; all else is numbers.
    fn targets(&mut self, options: &LoadOptions) -> Result<Targets, DataError> {
        if self.columns == 1 && !self.y.kind().is_float() {
            let whole = self.y.whole()?;
            let first = options.first_label.map_or(0, i128::from);
            let range = first..first + MOST_CLASSES;
            let other = whole.iter().position(|label| !range.contains(label));
            match (other, options.first_label) {
                (None, _) => {
                    let labels: Vec<u32> = whole.iter().map(|label| (label - first) as u32).collect();
                    let largest = labels.iter().max().copied().unwrap_or(0) as usize;
                    return Targets::classes(labels, (largest + 1).max(MIN_CLASSES));
                }
                (Some(index), Some(first)) => {
                    return Err(FormError::Label {
                        file: self.y.path.clone(),
                        index,
                        first: first.into(),
                        last: u32::from(first) + MOST_CLASSES as u32 - 1,
                        found: whole[index].to_string(),
                    }
                    .into());
                }
                _ => {}
            }
        }
        let values = self.y.floats()?.to_vec();
        Ok(Targets::Rows { kind: TargetKind::Values, values, columns: self.columns })
    }
}

/// The inputs in an array without targets, and the shape of one of them.
///
/// # Errors
/// [`FormError`] where there is no such array, or its elements are none of those that are read.
#[cfg(feature = "cli")]
pub(crate) fn read_inputs(path: &Path) -> Result<(Samples, Shape), DataError> {
    let mut array = Array::open(path.to_owned())?;
    let shape = shape(&array)?;
    let samples = samples(&mut array)?;
    samples
        .check(shape, array.shape()[0] as usize)
        .map_err(|cause| DataError::InFile { file: path.to_owned(), cause: Box::new(cause) })?;
    Ok((samples, shape))
}

/// Bytes or f32.
fn samples(x: &mut Array) -> Result<Samples, DataError> {
    match x.kind() {
        Element::U8 => Ok(x.bytes()?.into()),
        Element::F32 | Element::F64 => Ok(x.floats()?.into()),
        other => Err(FormError::ElementType {
            file: x.path.clone(),
            expected: "uint8, float32 or float64",
            found: other.name().to_owned(),
            advice: "for inputs other than bytes of images save x.astype('float32')",
        }
        .into()),
    }
}

/// Of a sample.
fn shape(x: &Array) -> Result<Shape, FormError> {
    const EXPECTED: &str =
        "[n], [n, features], [n, height, width] or [n, height, width, channels], n samples";
    let found = x.shape();
    let sizes: Option<Vec<usize>> =
        found.iter().map(|&size| usize::try_from(size).ok().filter(|&size| size > 0)).collect();
    match sizes.as_deref() {
        Some([_]) => Ok(Shape::from([1])),
        Some(&[_, features]) => Ok(Shape::from([features])),
        Some(&[_, height, width]) => Ok(Shape::from([height, width])),
        Some(&[_, height, width, channels]) => Ok(Shape::from([height, width, channels])),
        _ => Err(FormError::Dimensions { file: x.path.clone(), expected: EXPECTED, found: found.to_vec() }),
    }
}

/// Numbers of a target.
fn columns(y: &Array) -> Result<usize, FormError> {
    const EXPECTED: &str = "[n] or [n, numbers of a target], n samples";
    let found = y.shape();
    let sizes: Option<Vec<usize>> =
        found.iter().map(|&size| usize::try_from(size).ok().filter(|&size| size > 0)).collect();
    match sizes.as_deref() {
        Some([_]) => Ok(1),
        Some(&[_, columns]) => Ok(columns),
        _ => Err(FormError::Dimensions { file: y.path.clone(), expected: EXPECTED, found: found.to_vec() }),
    }
}
