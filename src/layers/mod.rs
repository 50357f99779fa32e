//! Layers: what a model is made of, in the words of Keras.
//!
//! A layer has one file. There stand its value with its defaults, what it makes of the shapes of its inputs, its weights by name,
//! its steps both ways, its ONNX nodes, and the settings that it shares with its Keras class. `kit` is what all of that is
//! written with; it knows no layer. `list` names all layers; nothing else does.

mod activation;
mod conv2d;
mod dense;
mod dropout;
mod flatten;
pub(crate) mod kit;
mod leaky_re_lu;
mod list;
mod max_pooling2d;
mod re_lu;
mod softmax;

pub use activation::ActivationLayer;
pub use conv2d::Conv2D;
pub use dense::Dense;
pub use dropout::Dropout;
pub use flatten::Flatten;
pub use kit::{Applied, Initializer, Padding, Pair, Shape, WeightSpec, WeightTensor};
pub use leaky_re_lu::LeakyReLU;
pub use list::Layer;
pub use max_pooling2d::MaxPooling2D;
pub use re_lu::ReLU;
pub use softmax::Softmax;
