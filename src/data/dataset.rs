//! Images with their labels.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::error::DataError;

/// Images and their labels, as bytes.
///
/// Images are `[len, h, w, c]`, row-major, 0 to 255; labels are `[len]`, each below [`classes`](Self::classes). A data
/// set is never empty. Clones and [`slice`](Self::slice)s share the bytes and cost nothing.
#[derive(Clone)]
pub struct Dataset {
    // A Vec inside, since an Arc<[u8]> would copy the pixels once more to put its counter beside them.
    images: Arc<Vec<u8>>,
    labels: Arc<Vec<u8>>,
    /// The images of this part, by their index in the shared bytes.
    part: Range<usize>,
    shape: [usize; 3],
    classes: usize,
}

impl Dataset {
    /// A data set of `labels.len()` images.
    ///
    /// `images` is `[labels.len(), h, w, c]`, row-major; `shape` is `[h, w, c]`; labels count from 0.
    ///
    /// Errors: [`DataError::Empty`], [`DataError::Shape`], [`DataError::NoClasses`], [`DataError::ImageBytes`] where
    /// images and labels do not agree, [`DataError::LabelOutOfRange`] with the index of the first label that is not
    /// below `classes`.
    pub fn new(
        images: Vec<u8>,
        labels: Vec<u8>,
        shape: [usize; 3],
        classes: usize,
    ) -> Result<Self, DataError> {
        if labels.is_empty() {
            return Err(DataError::Empty);
        }
        if classes == 0 {
            return Err(DataError::NoClasses);
        }
        let image_len = shape
            .iter()
            .try_fold(1usize, |product, &size| product.checked_mul(size))
            .filter(|&bytes| bytes > 0 && bytes <= isize::MAX as usize)
            .ok_or(DataError::Shape { found: shape })?;
        if image_len.checked_mul(labels.len()) != Some(images.len()) {
            return Err(DataError::ImageBytes { labels: labels.len(), shape, found: images.len() });
        }
        let outside = labels.iter().position(|&label| usize::from(label) >= classes);
        if let Some(index) = outside {
            return Err(DataError::LabelOutOfRange { index, label: labels[index], classes });
        }
        Ok(Self { part: 0..labels.len(), images: Arc::new(images), labels: Arc::new(labels), shape, classes })
    }

    /// A data set of images with one-hot labels, as `keras.utils.to_categorical` makes them.
    ///
    /// `one_hot` is `[images, classes]`, row-major: in each row a 1 at the image's class and 0 elsewhere.
    ///
    /// Errors: those of [`new`](Self::new), [`DataError::OneHotLength`] where the numbers do not make whole rows,
    /// [`DataError::OneHot`] with the index of the first row that is not one-hot, [`DataError::ClassTooLarge`] for a class
    /// past 255, since labels are kept as bytes.
    pub fn from_one_hot(
        images: Vec<u8>,
        one_hot: &[f32],
        shape: [usize; 3],
        classes: usize,
    ) -> Result<Self, DataError> {
        if classes == 0 {
            return Err(DataError::NoClasses);
        }
        if !one_hot.len().is_multiple_of(classes) {
            return Err(DataError::OneHotLength { classes, found: one_hot.len() });
        }
        let labels = one_hot.chunks(classes).enumerate().map(|(index, row)| {
            let mut ones = row.iter().enumerate().filter(|(_, value)| **value != 0.0);
            match (ones.next(), ones.next()) {
                (Some((class, &1.0)), None) => {
                    u8::try_from(class).map_err(|_| DataError::ClassTooLarge { index, class })
                }
                _ => Err(DataError::OneHot { index }),
            }
        });
        let labels = labels.collect::<Result<Vec<u8>, _>>()?;
        Dataset::new(images, labels, shape, classes)
    }

    /// The number of images, at least 1.
    pub fn len(&self) -> usize {
        self.part.len()
    }

    /// Always false: a data set has at least one image.
    pub fn is_empty(&self) -> bool {
        self.part.is_empty()
    }

    /// `[h, w, c]` of one image.
    pub fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// The number of classes; every label is below it.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// All pixels, `[len, h, w, c]`, row-major.
    pub fn images(&self) -> &[u8] {
        let size = self.image_len();
        &self.images[self.part.start * size..self.part.end * size]
    }

    /// All labels, `[len]`.
    pub fn labels(&self) -> &[u8] {
        &self.labels[self.part.clone()]
    }

    /// The pixels of one image, `[h, w, c]`; `None` beyond the last.
    pub fn image(&self, index: usize) -> Option<&[u8]> {
        self.images().chunks_exact(self.image_len()).nth(index)
    }

    /// The label of one image; `None` beyond the last.
    pub fn label(&self, index: usize) -> Option<u8> {
        self.labels().get(index).copied()
    }

    /// The images of `range`, sharing the bytes. The number of classes stays.
    ///
    /// Errors: [`DataError::Range`] where the range is empty or goes beyond the last image.
    pub fn slice(&self, range: Range<usize>) -> Result<Self, DataError> {
        if range.is_empty() || range.end > self.len() {
            return Err(DataError::Range { start: range.start, end: range.end, len: self.len() });
        }
        let first = self.part.start;
        Ok(Self { part: first + range.start..first + range.end, ..self.clone() })
    }

    /// The images with these numbers, in this order; their bytes are copied. The number of classes stays.
    ///
    /// Errors: [`DataError::Range`] where there are none or one is beyond the last image.
    pub fn select(&self, numbers: &[u32]) -> Result<Self, DataError> {
        let size = self.image_len();
        let mut images = Vec::with_capacity(numbers.len() * size);
        let mut labels = Vec::with_capacity(numbers.len());
        let (all, len) = (self.images(), self.len());
        for &number in numbers {
            let at = number as usize;
            let label = self.label(at).ok_or(DataError::Range { start: at, end: at + 1, len })?;
            images.extend_from_slice(&all[at * size..(at + 1) * size]);
            labels.push(label);
        }
        if numbers.is_empty() {
            return Err(DataError::Range { start: 0, end: 0, len });
        }
        Self::new(images, labels, self.shape, self.classes)
    }

    /// The first `count` images: [`slice`](Self::slice) of `0..count`.
    pub fn take(&self, count: usize) -> Result<Self, DataError> {
        self.slice(0..count)
    }

    /// Bytes of one image: h * w * c.
    fn image_len(&self) -> usize {
        self.shape.iter().product()
    }
}

impl PartialEq for Dataset {
    /// Whether the images, their labels and the number of classes are equal, wherever they are stored.
    fn eq(&self, other: &Self) -> bool {
        (self.shape, self.classes) == (other.shape, other.classes)
            && self.labels() == other.labels()
            && self.images() == other.images()
    }
}

impl fmt::Debug for Dataset {
    /// Leaves out the pixels and labels: there are millions of them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dataset")
            .field("len", &self.len())
            .field("shape", &self.shape)
            .field("classes", &self.classes)
            .finish_non_exhaustive()
    }
}
