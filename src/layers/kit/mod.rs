//! What layers are written with; nothing here knows any layer.

mod applied;
mod border;
mod builder;
mod convolution;
mod forms;
mod initializer;
mod kind;
mod merging;
mod onnx;
pub mod onnx_schema;
mod place;
mod shape;
mod step;
mod torch;
mod weights;

pub use crate::data::Shape;
pub use crate::ops::Applied;
pub(crate) use border::Border;
pub(crate) use builder::{ALIGNMENT, Builder, PARTIALS};
pub(crate) use convolution::{Convolution, Motion, bias, bias_gradient, depthwise_oihw, oihw, outputs};
pub(crate) use forms::{is_no, is_one, is_one_by_one, is_yes, one, one_by_one, two_by_two, yes};
pub use initializer::Initializer;
pub(crate) use kind::{Inferred, LayerKind, Samples, check, check_epsilon, named, of_kernel, reshaped};
pub(crate) use merging::{all_stretched, gathered, is_stretched, stretch_all, stretched};
pub(crate) use onnx::{Graph, Layout, float, int, ints, pads, pair};
pub(crate) use place::Place;
pub use shape::{Padding, Pair};
pub(crate) use shape::{Windows, image, several, single, slide};
pub use step::{Buffer, Phase, PlanError, Role, Stage, Step, Tensor};
pub(crate) use torch::{Axes, OfTorch, TORCH_BIAS};
pub use weights::{WeightSpec, WeightTensor};
