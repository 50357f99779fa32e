//! Shapes of samples, and windows over images.

use serde::{Deserialize, Serialize};

/// The shape of one sample as it passes between layers.
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

    /// Whether there is no value at all; inference never gives such a shape.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The dimensions after the batch dimension.
    pub fn dims(&self) -> Vec<usize> {
        match self {
            Shape::Image(dims) => dims.to_vec(),
            Shape::Flat(features) => vec![*features],
        }
    }
}

/// A height and a width: of a kernel, a stride or a pooling window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "PairForm", into = "(usize, usize)")]
pub struct Pair {
    /// Along the height axis.
    pub height: usize,
    /// Along the width axis.
    pub width: usize,
}

/// How a pair may be written in a model file: `3` or `[3, 3]`.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "kernel_size, pool_size and strides are a size such as 3, or height and width such as [3, 5]"
)]
enum PairForm {
    Both(usize),
    Each(usize, usize),
}

impl From<PairForm> for Pair {
    fn from(form: PairForm) -> Pair {
        match form {
            PairForm::Both(size) => size.into(),
            PairForm::Each(height, width) => (height, width).into(),
        }
    }
}

impl From<usize> for Pair {
    fn from(size: usize) -> Pair {
        (size, size).into()
    }
}

impl From<(usize, usize)> for Pair {
    fn from((height, width): (usize, usize)) -> Pair {
        Pair { height, width }
    }
}

impl From<Pair> for (usize, usize) {
    fn from(pair: Pair) -> (usize, usize) {
        (pair.height, pair.width)
    }
}

impl std::fmt::Display for Pair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}", self.height, self.width)
    }
}

/// What surrounds an image before a window slides over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Padding {
    /// Nothing: windows lie wholly inside, `out = (in - window) / stride + 1`.
    #[default]
    Valid,
}

/// The only input of a layer that takes one.
pub(crate) fn single(inputs: &[Shape]) -> Result<Shape, String> {
    match inputs {
        [input] => Ok(*input),
        _ => Err(format!("it takes one input, but gets {}", inputs.len())),
    }
}

/// The dimensions of an image.
pub(crate) fn image(input: Shape) -> Result<[usize; 3], String> {
    match input {
        Shape::Image(dims) => Ok(dims),
        Shape::Flat(features) => {
            Err(format!("it needs images, but gets a row of {features} features; put it before Flatten"))
        }
    }
}

/// Output height and width of a window that slides over an image.
pub(crate) fn slide(
    what: &str,
    [h, w]: [usize; 2],
    window: Pair,
    strides: Pair,
    padding: Padding,
) -> Result<[usize; 2], String> {
    let Padding::Valid = padding;
    for (name, pair) in [(what, window), ("strides", strides)] {
        if pair.height == 0 || pair.width == 0 {
            return Err(format!("{name} is {pair}, but both must be at least 1"));
        }
    }
    if window.height > h || window.width > w {
        return Err(format!(
            "{what} {window} is larger than its {h}x{w} input; make it smaller or remove pooling before it"
        ));
    }
    Ok([(h - window.height) / strides.height + 1, (w - window.width) / strides.width + 1])
}
