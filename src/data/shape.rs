//! The shape of one sample.

use std::fmt;

/// The shape of one sample, as data sets hold it and as it passes between layers.
///
/// It is made from its sizes: `[h, w, c]`; `[h, w]`, which is an image of one channel; or `[features]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Height, width, channels.
    Image([usize; 3]),
    /// A row of features.
    Flat(usize),
}

impl Shape {
    /// Number of values.
    pub fn len(&self) -> usize {
        match self {
            Shape::Image([h, w, c]) => h * w * c,
            Shape::Flat(features) => *features,
        }
    }

    /// Number of values; `None` where it exceeds what can be addressed.
    pub fn checked_len(&self) -> Option<usize> {
        let len = self.dims().iter().try_fold(1usize, |len, &size| len.checked_mul(size))?;
        (len <= isize::MAX as usize).then_some(len)
    }

    /// Whether there is no value at all; neither data sets nor models have such a shape.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The sizes, outermost first.
    pub fn dims(&self) -> Vec<usize> {
        match self {
            Shape::Image(dims) => dims.to_vec(),
            Shape::Flat(features) => vec![*features],
        }
    }

    /// Height, width, channels; `None` of a row of features.
    pub fn image(&self) -> Option<[usize; 3]> {
        match *self {
            Shape::Image(dims) => Some(dims),
            Shape::Flat(_) => None,
        }
    }
}

impl fmt::Display for Shape {
    /// The sizes in brackets, such as `[28, 28, 1]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.dims())
    }
}

impl From<[usize; 3]> for Shape {
    fn from(dims: [usize; 3]) -> Self {
        Shape::Image(dims)
    }
}

impl From<[usize; 2]> for Shape {
    fn from([height, width]: [usize; 2]) -> Self {
        Shape::Image([height, width, 1])
    }
}

impl From<[usize; 1]> for Shape {
    fn from([features]: [usize; 1]) -> Self {
        Shape::Flat(features)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_make_shapes() {
        let rows = [
            (Shape::from([4, 5, 3]), Shape::Image([4, 5, 3]), 60, "[4, 5, 3]"),
            (Shape::from([4, 5]), Shape::Image([4, 5, 1]), 20, "[4, 5, 1]"),
            (Shape::from([7]), Shape::Flat(7), 7, "[7]"),
        ];
        for (shape, expected, len, text) in rows {
            assert_eq!((shape, shape.len(), shape.to_string().as_str()), (expected, len, text));
            assert_eq!(shape.checked_len(), Some(len));
        }
        assert_eq!(Shape::from([usize::MAX, 2]).checked_len(), None);
        assert_eq!(Shape::from([isize::MAX as usize, 2]).checked_len(), None);
    }
}
