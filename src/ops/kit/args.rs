//! What a step takes: its arguments in binding order.

/// How a step uses an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Read only.
    In,
    /// Every element is written; what was there before is not read.
    Out,
    /// Read and written.
    InOut,
}

/// What the elements of an argument are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dtype {
    /// 32-bit floats.
    F32,
    /// 32-bit unsigned integers.
    U32,
    /// Bytes, four to a 32-bit word, the first in the lowest bits.
    Bytes,
}

impl Dtype {
    /// Size of one element in bytes.
    pub fn bytes(self) -> u64 {
        match self {
            Dtype::F32 | Dtype::U32 => 4,
            Dtype::Bytes => 1,
        }
    }
}

/// A dimension whose size belongs to the data set or the pass, and not to the plan.
pub const DATA: usize = 0;

/// What decides the dimension of an argument that is [`DATA`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Nothing: the plan knows all dimensions.
    Plan,
    /// Samples of the data set.
    Samples,
    /// Samples of the pass, in the order in which they are taken.
    Order,
    /// Samples of the pass, each with its transform.
    Transforms,
    /// Batches of the pass.
    Batches,
}

/// One argument of an op.
#[derive(Debug, Clone, PartialEq)]
pub struct ArgSpec {
    /// Its name in the shader and in messages.
    pub name: &'static str,
    /// How the step uses it.
    pub access: Access,
    /// What its elements are.
    pub dtype: Dtype,
    /// Its dimensions; [`DATA`] for one that [`ArgSpec::extent`] decides.
    pub shape: Vec<usize>,
    /// What decides an open dimension.
    pub extent: Extent,
}

impl ArgSpec {
    /// The same argument with an open dimension, which this decides.
    pub(crate) fn by(self, extent: Extent) -> Self {
        ArgSpec { extent, ..self }
    }

    /// Number of elements; 0 where a dimension is open.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether a dimension is open.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Floats that are read.
pub(crate) fn read(name: &'static str, shape: &[usize]) -> ArgSpec {
    arg(name, Access::In, Dtype::F32, shape)
}

/// Floats that are written.
pub(crate) fn written(name: &'static str, shape: &[usize]) -> ArgSpec {
    arg(name, Access::Out, Dtype::F32, shape)
}

/// Floats that are read and written.
pub(crate) fn changed(name: &'static str, shape: &[usize]) -> ArgSpec {
    arg(name, Access::InOut, Dtype::F32, shape)
}

/// An argument of any type.
pub(crate) fn arg(name: &'static str, access: Access, dtype: Dtype, shape: &[usize]) -> ArgSpec {
    ArgSpec { name, access, dtype, shape: shape.to_vec(), extent: Extent::Plan }
}

/// Loss and number of correct predictions of each batch of the pass, of which a step writes one element each.
pub(crate) fn metrics() -> [ArgSpec; 2] {
    [("loss", Dtype::F32), ("correct", Dtype::U32)]
        .map(|(name, dtype)| arg(name, Access::InOut, dtype, &[DATA]).by(Extent::Batches))
}

/// The indices of the element with this number in a tensor of these dimensions, the first of which may be unknown.
pub(crate) fn indices(shape: &[usize], at: usize) -> Vec<usize> {
    let mut left = at;
    let mut indices: Vec<usize> = Vec::new();
    for &dim in shape.iter().skip(1).rev() {
        indices.push(left % dim.max(1));
        left /= dim.max(1);
    }
    indices.push(left);
    indices.reverse();
    indices
}

/// Bytes from one image of a data set to the next: images begin at whole words.
pub fn image_stride(pixels: usize) -> usize {
    pixels.next_multiple_of(size_of::<u32>())
}
