//! What layers are written with; nothing here knows any layer.

mod applied;
mod builder;
mod kind;
mod onnx;
pub mod onnx_schema;
mod place;
mod shape;
mod step;
mod weights;

pub use crate::ops::Applied;
pub(crate) use builder::{ALIGNMENT, Builder, PARTIALS};
pub(crate) use kind::{Inferred, LayerKind, check, named, of_kernel, reshaped};
pub(crate) use onnx::{Graph, Layout, int, pair};
pub(crate) use place::Place;
pub use shape::{Padding, Pair, Shape};
pub(crate) use shape::{image, single, slide};
pub use step::{Buffer, Phase, PlanError, Role, Stage, Step, Tensor};
pub(crate) use weights::kernel_and_bias;
pub use weights::{Initializer, WeightSpec, WeightTensor};
