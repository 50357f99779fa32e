//! Samples with their targets.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::class_names::check_names;
use super::error::DataError;
use super::form::{DataForm, DataPart, Records};
use super::sample_names::SampleNames;
use super::samples::Samples;
use super::shape::Shape;
use super::targets::{TargetKind, Targets};

/// Samples, what a model is to give for each of them, and, where they do not count alike, their weights.
///
/// The inputs of a sample are bytes, as of an image, or f32, in one of the forms of [`Shape`]; its target is a class, several
/// labels, or numbers, as [`Targets`] says. A data set is never empty. Clones and [`slice`](Self::slice)s share the numbers
/// and cost nothing.
///
/// ```
/// use shadegrad::data::{Dataset, Samples, Targets};
///
/// // Two images of 2x2 bytes, of classes 1 and 0.
/// let images = Dataset::new(vec![0, 50, 100, 255, 9, 9, 9, 9], vec![1, 0], [2, 2, 1], 2)?;
/// // Rows of numbers, and a number to be estimated of each.
/// let rows = vec![([0.5f32, -1.0, 2.0], [10.0f32]), ([1.5, 0.0, 1.0], [12.5])];
/// let houses = Dataset::from_parts(
///     Samples::from_rows(rows.iter().map(|(x, _)| x))?,
///     Targets::values(rows.iter().map(|(_, y)| y), 1)?,
///     [3],
/// )?
/// .with_sample_weights(vec![1.0, 0.5])?;
/// assert_eq!((images.len(), houses.len()), (2, 2));
/// # Ok::<(), shadegrad::data::DataError>(())
/// ```
#[derive(Clone)]
pub struct Dataset {
    samples: Arc<Samples>,
    targets: Arc<Targets>,
    weights: Option<Arc<Vec<f32>>>,
    names: Arc<Vec<String>>,
    features: Arc<Vec<String>>,
    sample_names: Option<Arc<SampleNames>>,
    /// The samples of this part, by their index in the shared targets, weights and names.
    part: Range<usize>,
    /// Shared inputs before those of the first of the shared targets.
    skipped: usize,
    shape: Shape,
}

impl Dataset {
    /// Images with a class each, both as bytes: the usual [`from_parts`](Self::from_parts).
    ///
    /// `images` is `[labels.len(), h, w, c]`, row-major; labels count from 0.
    ///
    /// Errors: those of [`from_parts`](Self::from_parts).
    pub fn new(
        images: Vec<u8>,
        labels: Vec<u8>,
        shape: impl Into<Shape>,
        classes: usize,
    ) -> Result<Self, DataError> {
        Dataset::from_parts(images, Targets::classes(labels, classes)?, shape)
    }

    /// Samples with their targets: the inputs of as many samples of this shape as there are targets.
    ///
    /// Errors: [`DataError::Empty`], [`DataError::Classes`], [`DataError::Shape`], [`DataError::SampleLength`] where samples
    /// and targets do not agree, [`DataError::LabelOutOfRange`] with the index of the first label that is not below the number
    /// of classes, [`DataError::TargetLength`] for rows that are not whole, [`DataError::Sample`] and [`DataError::Target`] with
    /// the first number that is not finite, or is no target of a label.
    pub fn from_parts(
        samples: impl Into<Samples>,
        targets: Targets,
        shape: impl Into<Shape>,
    ) -> Result<Self, DataError> {
        let (samples, shape) = (samples.into(), shape.into());
        targets.check()?;
        samples.check(shape, targets.len())?;
        let part = 0..targets.len();
        Ok(Dataset {
            samples: Arc::new(samples),
            targets: Arc::new(targets),
            weights: None,
            names: Arc::default(),
            features: Arc::default(),
            sample_names: None,
            part,
            skipped: 0,
            shape,
        })
    }

    /// Images with one-hot labels, as `keras.utils.to_categorical` makes them.
    ///
    /// `one_hot` is `[images, classes]`, row-major: in each row a 1 at the image's class and 0 elsewhere.
    ///
    /// Errors: those of [`new`](Self::new), [`DataError::TargetLength`] where the numbers do not make whole rows,
    /// [`DataError::OneHot`] with the index of the first row that is not one-hot.
    pub fn from_one_hot(
        images: Vec<u8>,
        one_hot: &[f32],
        shape: impl Into<Shape>,
        classes: usize,
    ) -> Result<Self, DataError> {
        // Of no classes there are no rows.
        if !one_hot.len().is_multiple_of(classes.max(1)) {
            return Err(DataError::TargetLength { columns: classes, found: one_hot.len() });
        }
        let labels = one_hot.chunks(classes.max(1)).enumerate().map(|(index, row)| {
            let mut ones = (0u32..).zip(row).filter(|(_, value)| **value != 0.0);
            match (ones.next(), ones.next()) {
                (Some((class, &1.0)), None) => Ok(class),
                _ => Err(DataError::OneHot { index }),
            }
        });
        let labels = labels.collect::<Result<Vec<u32>, _>>()?;
        Dataset::from_parts(images, Targets::classes(labels, classes)?, shape)
    }

    /// The same samples with a weight each: the loss and the gradient of a sample count so many times, while means are still
    /// over the number of samples, as with `sample_weight` in Keras. Accuracy and other metrics count samples alike.
    ///
    /// Errors: [`DataError::WeightCount`], [`DataError::Weight`] with the index of the first weight that is negative or not
    /// finite.
    pub fn with_sample_weights(mut self, weights: Vec<f32>) -> Result<Self, DataError> {
        if weights.len() != self.len() {
            return Err(DataError::WeightCount { samples: self.len(), found: weights.len() });
        }
        if let Some(index) = weights.iter().position(|weight| !(weight.is_finite() && *weight >= 0.0)) {
            return Err(DataError::Weight { index, weight: weights[index] });
        }
        // The shared numbers of a part may begin before it.
        let mut all = vec![0.0; self.part.start];
        all.extend(weights);
        self.weights = Some(Arc::new(all));
        Ok(self)
    }

    /// The same samples with a name each, by which people find them again: those of a folder of pictures have the path of the file
    /// within the folder. They are no part of what is trained on, nor of [`digest`](Self::digest).
    ///
    /// ```
    /// use shadegrad::data::Dataset;
    ///
    /// let data = Dataset::new(vec![7, 8, 9], vec![0, 1, 1], [1, 1, 1], 2)?.with_sample_names(["a/0.png", "b/1.png", "b/2.png"])?;
    /// assert_eq!(data.select(&[2, 0])?.sample_name(0), Some("b/2.png"));
    /// # Ok::<(), shadegrad::data::DataError>(())
    /// ```
    ///
    /// Errors: [`DataError::SampleNames`] where there are more or fewer names than samples.
    pub fn with_sample_names<N: AsRef<str>>(
        mut self,
        names: impl IntoIterator<Item = N>,
    ) -> Result<Self, DataError> {
        let own: SampleNames = names.into_iter().collect();
        if own.len() != self.len() {
            return Err(DataError::SampleNames { samples: self.len(), found: own.len() });
        }
        // The shared numbers of a part may begin before it.
        let before = std::iter::repeat_n("", self.part.start);
        let all = before.chain((0..own.len()).filter_map(|at| own.get(at))).collect();
        self.sample_names = Some(Arc::new(all));
        Ok(self)
    }

    /// The same samples, whose classes, labels or outputs have these names, in order; an empty list takes the names away.
    ///
    /// Errors: [`DataError::Names`], and [`DataError::Name`] where one is empty, has control characters or is there twice.
    pub fn with_class_names(mut self, names: Vec<String>) -> Result<Self, DataError> {
        if !names.is_empty() && names.len() != self.classes() {
            return Err(DataError::Names { expected: self.classes(), found: names.len() });
        }
        check_names("class_names", "class", &names).map_err(|problem| DataError::Name { problem })?;
        self.names = Arc::new(names);
        Ok(self)
    }

    /// The same samples, rows whose numbers have these names, in order; an empty list takes the names away.
    ///
    /// Errors: [`DataError::FeatureNames`], also of images, and [`DataError::Name`] where one is empty, has control characters or
    /// is there twice.
    pub fn with_feature_names(mut self, names: Vec<String>) -> Result<Self, DataError> {
        if !names.is_empty() && self.shape != Shape::Flat(names.len()) {
            return Err(DataError::FeatureNames { shape: self.shape, found: names.len() });
        }
        check_names("feature_names", "feature", &names).map_err(|problem| DataError::Name { problem })?;
        self.features = Arc::new(names);
        Ok(self)
    }

    /// The number of samples, at least 1.
    pub fn len(&self) -> usize {
        self.part.len()
    }

    /// Always false: a data set has at least one sample.
    pub fn is_empty(&self) -> bool {
        self.part.is_empty()
    }

    /// Of one sample.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// What kind of targets the samples have.
    pub fn target(&self) -> TargetKind {
        self.targets.kind()
    }

    /// The number of classes, and every label is below it; of targets that are no classes, the numbers of one of them.
    pub fn classes(&self) -> usize {
        self.targets.columns()
    }

    /// The names of the classes, in order; empty where they have none.
    pub fn class_names(&self) -> &[String] {
        &self.names
    }

    /// The names of the numbers of a sample that is a row, in order; empty where they have none.
    pub fn feature_names(&self) -> &[String] {
        &self.features
    }

    /// How the numbers are held, which decides how a plan reads them.
    pub fn form(&self) -> DataForm {
        DataForm { values: matches!(*self.samples, Samples::Values(_)), weighted: self.weights.is_some() }
    }

    /// All inputs that are bytes, `[len, shape...]`, row-major; none where they are f32.
    pub fn images(&self) -> &[u8] {
        match &*self.samples {
            Samples::Bytes(bytes) => &bytes[self.of_samples()],
            Samples::Values(_) => &[],
        }
    }

    /// All inputs that are f32, `[len, shape...]`, row-major; none where they are bytes.
    pub fn values(&self) -> &[f32] {
        match &*self.samples {
            Samples::Values(values) => &values[self.of_samples()],
            Samples::Bytes(_) => &[],
        }
    }

    /// The class of each sample, `[len]`; none where targets are no classes.
    pub fn labels(&self) -> &[u32] {
        match &*self.targets {
            Targets::Classes { labels, .. } => &labels[self.part.clone()],
            Targets::Rows { .. } => &[],
        }
    }

    /// The rows of targets that are no classes, `[len, classes()]`, row-major; none where they are classes.
    pub fn target_rows(&self) -> &[f32] {
        match &*self.targets {
            Targets::Rows { values, columns, .. } => {
                &values[self.part.start * columns..self.part.end * columns]
            }
            Targets::Classes { .. } => &[],
        }
    }

    /// The weight of each sample, `[len]`; `None` where they count alike.
    pub fn sample_weights(&self) -> Option<&[f32]> {
        self.weights.as_ref().map(|weights| &weights[self.part.clone()])
    }

    /// The name of one sample; `None` beyond the last, and where they have none.
    pub fn sample_name(&self, index: usize) -> Option<&str> {
        let names = self.sample_names.as_ref()?;
        names.get(self.part.clone().nth(index)?)
    }

    /// The names of the samples, in order; `None` where they have none.
    pub fn sample_names(&self) -> Option<impl Iterator<Item = &str>> {
        let names = self.sample_names.as_ref()?;
        Some(self.part.clone().filter_map(|at| names.get(at)))
    }

    /// The bytes of one image, `[h, w, c]`; `None` beyond the last, and where inputs are f32.
    pub fn image(&self, index: usize) -> Option<&[u8]> {
        self.images().chunks_exact(self.shape.len()).nth(index)
    }

    /// The class of one sample; `None` beyond the last, and where targets are no classes.
    pub fn label(&self, index: usize) -> Option<u32> {
        self.labels().get(index).copied()
    }

    /// The samples of `range`, sharing the numbers. The number of classes stays.
    ///
    /// Errors: [`DataError::Range`] where the range is empty or goes beyond the last sample.
    pub fn slice(&self, range: Range<usize>) -> Result<Self, DataError> {
        if range.is_empty() || range.end > self.len() {
            return Err(DataError::Range { start: range.start, end: range.end, len: self.len() });
        }
        let first = self.part.start;
        Ok(Self { part: first + range.start..first + range.end, ..self.clone() })
    }

    /// The samples with these numbers, in this order; what they are made of is copied. The number of classes stays.
    ///
    /// Inputs that lie in a mapped file stay out of memory: from 64 MiB on the copy is written to a file without a name, which is
    /// mapped. It is in the folder that the environment variable `TMPDIR` names, else in `/var/tmp` on Unix, else in
    /// [`std::env::temp_dir`], and its room is free again when the last part of it is dropped.
    ///
    /// Errors: [`DataError::Range`] where there are none or one is beyond the last sample; [`DataError::Copy`] where that file
    /// cannot be written.
    pub fn select(&self, numbers: &[u32]) -> Result<Self, DataError> {
        let len = self.len();
        if numbers.is_empty() {
            return Err(DataError::Range { start: 0, end: 0, len });
        }
        if let Some(&beyond) = numbers.iter().find(|&&number| number as usize >= len) {
            let start = beyond as usize;
            return Err(DataError::Range { start, end: start + 1, len });
        }
        let places: Vec<usize> = numbers.iter().map(|&number| self.part.start + number as usize).collect();
        let weights = self.weights.as_ref().map(|all| places.iter().map(|&at| all[at]).collect());
        Ok(Self {
            samples: Arc::new(self.samples.select(&places, self.skipped, self.shape.len())?),
            targets: Arc::new(self.targets.select(&places)),
            weights: weights.map(Arc::new),
            names: Arc::clone(&self.names),
            features: Arc::clone(&self.features),
            sample_names: self.names_at(places.iter().copied()),
            part: 0..places.len(),
            skipped: 0,
            shape: self.shape,
        })
    }

    /// The same samples with their classes as targets of another kind, in so many columns, or as many as there are classes, where
    /// those are more: rows that are one-hot, or, of one column of values, the numbers of the classes. Targets that are no classes
    /// stay what they are.
    ///
    /// ```
    /// use shadegrad::data::{Dataset, TargetKind};
    ///
    /// let data = Dataset::new(vec![0; 3], vec![2, 0, 1], [1, 1, 1], 3)?;
    /// assert_eq!(data.classes_as(TargetKind::Values, 1).target_rows(), [2.0, 0.0, 1.0]);
    /// assert_eq!(data.classes_as(TargetKind::MultiLabel, 3).target_rows()[..3], [0.0, 0.0, 1.0]);
    /// # Ok::<(), shadegrad::data::DataError>(())
    /// ```
    pub fn classes_as(&self, kind: TargetKind, columns: usize) -> Self {
        let Targets::Classes { labels, classes } = &*self.targets else { return self.clone() };
        // What this is a part of may be much larger.
        let own = Targets::Classes { labels: labels[self.part.clone()].to_vec(), classes: *classes };
        own.classes_as(kind, columns).map_or_else(|| self.clone(), |targets| self.with_targets(targets))
    }

    /// The same samples with rows of so many numbers as their inputs.
    pub(super) fn with_rows(&self, rows: Samples, features: usize) -> Result<Self, DataError> {
        let own: Vec<usize> = self.part.clone().collect();
        let weights = self.sample_weights().map(|weights| Arc::new(weights.to_vec()));
        let rows = Dataset::from_parts(rows, self.targets.select(&own), [features])?;
        let sample_names = self.names_at(self.part.clone());
        Ok(Self { weights, names: Arc::clone(&self.names), sample_names, ..rows })
    }

    /// The same samples with other targets, of which there are as many.
    pub(super) fn with_targets(&self, targets: Targets) -> Self {
        let weights = self.sample_weights().map(|weights| Arc::new(weights.to_vec()));
        let skipped = self.skipped + self.part.start;
        let sample_names = self.names_at(self.part.clone());
        let part = 0..self.len();
        Self { targets: Arc::new(targets), weights, sample_names, part, skipped, ..self.clone() }
    }

    /// The names of the samples with these numbers among the shared ones.
    fn names_at(&self, places: impl Iterator<Item = usize>) -> Option<Arc<SampleNames>> {
        self.sample_names.as_ref().map(|names| Arc::new(names.select(places)))
    }

    /// The first `count` samples: [`slice`](Self::slice) of `0..count`.
    pub fn take(&self, count: usize) -> Result<Self, DataError> {
        self.slice(0..count)
    }

    /// The data set with weights where `weighted` asks for them: 1 each, if it has none.
    pub(crate) fn weighed(&self, weighted: bool) -> Cow<'_, Self> {
        if !weighted || self.weights.is_some() {
            return Cow::Borrowed(self);
        }
        Cow::Owned(Self { weights: Some(Arc::new(vec![1.0; self.part.end])), ..self.clone() })
    }

    /// The bytes of a part, in the order of the machine.
    pub fn records(&self, part: DataPart) -> Records<'_> {
        let bytes: &[u8] = match part {
            DataPart::Samples if self.form().values => bytemuck::cast_slice(self.values()),
            DataPart::Samples => self.images(),
            DataPart::Targets if self.labels().is_empty() => bytemuck::cast_slice(self.target_rows()),
            DataPart::Targets => bytemuck::cast_slice(self.labels()),
            DataPart::Weights => bytemuck::cast_slice(self.sample_weights().unwrap_or_default()),
        };
        Records { bytes, size: bytes.len() / self.len() }
    }

    fn of_samples(&self) -> Range<usize> {
        let size = self.shape.len();
        (self.skipped + self.part.start) * size..(self.skipped + self.part.end) * size
    }
}

impl PartialEq for Dataset {
    /// Whether samples, targets, weights, names and the number of classes are equal, wherever they are stored.
    fn eq(&self, other: &Self) -> bool {
        let small = |set: &Self| (set.shape, set.classes(), set.target(), set.form());
        small(self) == small(other)
            && (&self.names, &self.features) == (&other.names, &other.features)
            && self.labels() == other.labels()
            && self.target_rows() == other.target_rows()
            && self.sample_weights() == other.sample_weights()
            && (0..self.len()).all(|at| self.sample_name(at) == other.sample_name(at))
            && self.images() == other.images()
            && self.values() == other.values()
    }
}

impl fmt::Debug for Dataset {
    /// Leaves out the numbers: there are millions of them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dataset")
            .field("len", &self.len())
            .field("shape", &self.shape)
            .field("target", &self.target())
            .field("classes", &self.classes())
            .field("form", &self.form())
            .finish_non_exhaustive()
    }
}
