//! Windows over images, and what layers ask of the shapes that they take.

use serde::{Deserialize, Serialize};

use crate::data::Shape;

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
    expecting = "kernel_size, pool_size, strides and dilation_rate are a size such as 3, or height and width such as [3, 5]"
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
    /// As many rows and columns of nothing as windows need to begin at every `stride`: `out = in / stride`, rounded up. Where
    /// their number is odd, the one more comes last.
    Same,
}

/// The only input of a layer that takes one.
pub(crate) fn single(inputs: &[Shape]) -> Result<Shape, String> {
    match inputs {
        [input] => Ok(*input),
        _ => Err(format!(
            "it takes one input, but gets {}; join them first, with Add or Concatenate",
            inputs.len()
        )),
    }
}

/// Refuses less than two inputs.
pub(crate) fn several(inputs: &[Shape]) -> Result<(), String> {
    match inputs {
        [_, _, ..] => Ok(()),
        _ => Err(format!("it takes two inputs or more, but gets {}; name them with `inputs`", inputs.len())),
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

/// Where a window is put over an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Windows {
    /// Rows and columns of windows.
    pub(crate) out: [usize; 2],
    /// Rows above the image, and columns before it.
    pub(crate) before: [usize; 2],
    /// Rows below the image, and columns after it.
    pub(crate) after: [usize; 2],
}

impl Windows {
    /// A window over an image of this height and width; as `valid` says, it must fit.
    pub(crate) fn new(
        image: [usize; 2],
        window: Pair,
        strides: Pair,
        dilation: Pair,
        padding: Padding,
    ) -> Self {
        let axes =
            [(window.height, strides.height, dilation.height), (window.width, strides.width, dilation.width)];
        let [rows, columns] = [0, 1].map(|axis| along(image[axis], axes[axis], padding));
        Windows { out: [rows[0], columns[0]], before: [rows[1], columns[1]], after: [rows[2], columns[2]] }
    }

    /// Whether it needs a border.
    pub(crate) fn has_border(&self) -> bool {
        [self.before, self.after] != [[0, 0], [0, 0]]
    }
}

/// Windows along an axis, and what is put before and after it.
fn along(len: usize, (window, stride, dilation): (usize, usize, usize), padding: Padding) -> [usize; 3] {
    let span = span(window, dilation);
    match padding {
        Padding::Valid => [len.saturating_sub(span) / stride + 1, 0, 0],
        Padding::Same => {
            let out = len.div_ceil(stride);
            let border = ((out - 1) * stride + span).saturating_sub(len);
            [out, border / 2, border - border / 2]
        }
    }
}

/// Elements from the first tap of a window to its last.
pub(crate) fn span(window: usize, dilation: usize) -> usize {
    (window - 1).saturating_mul(dilation).saturating_add(1)
}

/// Where a window slides over an image.
///
/// # Errors
/// When a size is 0, or when the window does not fit.
pub(crate) fn slide(
    what: &str,
    [h, w]: [usize; 2],
    window: Pair,
    strides: Pair,
    dilation: Pair,
    padding: Padding,
) -> Result<Windows, String> {
    for (name, pair) in [(what, window), ("strides", strides), ("dilation_rate", dilation)] {
        if pair.height == 0 || pair.width == 0 {
            return Err(format!("{name} is {pair}, but both must be at least 1"));
        }
    }
    let spans = Pair::from((span(window.height, dilation.height), span(window.width, dilation.width)));
    if padding == Padding::Valid && (spans.height > h || spans.width > w) {
        let gaps = if spans == window { String::new() } else { format!(", which spans {spans},") };
        return Err(format!(
            "{what} {window}{gaps} is larger than its {h}x{w} input; make it smaller, pad with padding = \"same\", or remove \
             pooling before it"
        ));
    }
    const MOST: usize = 1 << 15;
    let is_large = |pair: Pair| pair.height > MOST || pair.width > MOST;
    for (name, pair) in [(what, window), ("strides", strides)] {
        if is_large(pair) {
            return Err(format!("{name} is {pair}, but both may be at most {MOST}"));
        }
    }
    if is_large(spans) {
        return Err(format!(
            "{what} {window} with its dilation_rate spans {spans}, but may span at most {MOST}"
        ));
    }
    Ok(Windows::new([h, w], window, strides, dilation, padding))
}
