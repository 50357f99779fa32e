//! Layers: what a model is made of, in the words of Keras.
//!
//! A layer has one file. There stand its value with its defaults, what it makes of the shapes of its inputs, its weights by name,
//! its steps both ways, its ONNX nodes, and the settings that it shares with its Keras class. `kit` is what all of that is
//! written with; it knows no layer. A new layer is a file here, and its name in this one: as a module, for others to use, and in
//! the list. Nothing else names layers.

mod activation;
mod add;
mod average_pooling2d;
mod batch_normalization;
#[cfg(test)]
mod channel_bias;
mod concatenate;
mod conv2d;
mod conv2d_transpose;
mod dense;
mod depthwise_conv2d;
mod dropout;
mod flatten;
mod global_average_pooling2d;
mod global_max_pooling2d;
pub(crate) mod kit;
mod layer_normalization;
mod leaky_re_lu;
mod max_pooling2d;
mod multiply;
mod normalization;
mod random_flip;
mod random_translation;
mod re_lu;
mod rescaling;
mod reshape;
mod separable_conv2d;
mod softmax;
mod zero_padding2d;

pub use activation::ActivationLayer;
pub use add::Add;
pub use average_pooling2d::AveragePooling2D;
pub use batch_normalization::BatchNormalization;
pub use concatenate::Concatenate;
pub use conv2d::Conv2D;
pub use conv2d_transpose::Conv2DTranspose;
pub use dense::Dense;
pub use depthwise_conv2d::DepthwiseConv2D;
pub use dropout::Dropout;
pub use flatten::Flatten;
pub use global_average_pooling2d::GlobalAveragePooling2D;
pub use global_max_pooling2d::GlobalMaxPooling2D;
pub use kit::{Applied, Initializer, Padding, Pair, Shape, WeightSpec, WeightTensor};
pub use layer_normalization::LayerNormalization;
pub use leaky_re_lu::LeakyReLU;
pub use max_pooling2d::MaxPooling2D;
pub use multiply::Multiply;
pub use normalization::{Axes, Nested, Normalization};
pub use random_flip::{FlipMode, RandomFlip};
pub use random_translation::{Factor, Interpolation, RandomTranslation};
pub use re_lu::ReLU;
pub use rescaling::Rescaling;
pub use reshape::Reshape;
pub use separable_conv2d::SeparableConv2D;
pub use softmax::Softmax;
pub use zero_padding2d::{Sides, ZeroPadding2D};

pub use crate::ops::FillMode;

use serde::Serialize;

use crate::optimizers::Regularizer;
use kit::{Builder, Graph, Inferred, LayerKind, OfTorch, Place, PlanError, Samples, Tensor};

/// The enum of all layers, and what each says of itself.
macro_rules! layers {
    ($($class:ident($value:ident)),* $(,)?) => {
        /// One layer of a [`Sequential`](crate::Sequential) model.
        #[derive(Debug, Clone, PartialEq, Serialize)]
        #[serde(tag = "type")]
        pub enum Layer {
            $(#[doc = concat!("See [`", stringify!($value), "`].")] $class($value),)*
        }

        $(impl From<$value> for Layer {
            fn from(layer: $value) -> Layer {
                Layer::$class(layer)
            }
        })*

        impl Layer {
            /// The class names that a model file may give as `type`, as in Keras.
            pub const CLASSES: &[&str] = &[$($value::CLASS),*];

            /// The layer of this class whose settings these are; `None` for an unknown class.
            pub(crate) fn parse(class: &str, settings: toml::Table) -> Option<Result<Layer, toml::de::Error>> {
                match class {
                    $(stringify!($class) => Some(settings.try_into().map(Layer::$class)),)*
                    _ => None,
                }
            }

            /// Each class, with the stem of its default names and the settings that it shares with its Keras class.
            pub fn table() -> Vec<(&'static str, &'static str, &'static [&'static str])> {
                vec![$(($value::CLASS, $value::STEM, $value::SETTINGS)),*]
            }

            /// The class name, as in Keras.
            pub fn class(&self) -> &'static str {
                match self { $(Layer::$class(_) => $value::CLASS,)* }
            }

            /// The class name in snake case: the stem of the default names.
            pub(crate) fn stem(&self) -> &'static str {
                match self { $(Layer::$class(_) => $value::STEM,)* }
            }

            /// The name given by the user, if any.
            pub(crate) fn given_name(&self) -> Option<&str> {
                match self { $(Layer::$class(layer) => layer.given_name(),)* }
            }

            /// Output shape and weights for inputs of these shapes.
            ///
            /// # Errors
            /// What cannot be, and what to change.
            pub(crate) fn infer(&self, inputs: &[Shape]) -> Result<Inferred, String> {
                match self { $(Layer::$class(layer) => layer.infer(inputs),)* }
            }

            /// Whether it gets bytes as they are where the model's input reaches it; others get them divided by 255.
            pub(crate) fn takes_bytes(&self) -> bool {
                match self { $(Layer::$class(layer) => layer.takes_bytes(),)* }
            }

            /// Whether some of its weights come from the data before training.
            pub(crate) fn adapts(&self) -> bool {
                match self { $(Layer::$class(layer) => layer.adapts(),)* }
            }

            /// These weights, by its own names for them, from all samples that enter it.
            ///
            /// # Errors
            /// When f32 does not hold them.
            pub(crate) fn adapt(
                &self,
                place: &Place<'_>,
                samples: &Samples<'_>,
            ) -> Result<Vec<(&'static str, Vec<f32>)>, String> {
                match self { $(Layer::$class(layer) => layer.adapt(place, samples),)* }
            }

            /// What it makes of a sample in prediction, on the host; `None` where that is too much for it.
            pub(crate) fn on_host(&self, place: &Place<'_>, sample: Vec<f32>) -> Option<Vec<f32>> {
                match self { $(Layer::$class(layer) => layer.on_host(place, sample),)* }
            }

            /// What is applied to the output.
            pub fn applied(&self) -> Applied {
                match self { $(Layer::$class(layer) => layer.applied(),)* }
            }

            /// Penalties of weights, by the layer's own names for them.
            pub(crate) fn penalties(&self) -> Vec<(&'static str, Regularizer)> {
                match self { $(Layer::$class(layer) => layer.penalties(),)* }
            }

            /// Whether no value changes its sign before what is applied to the output.
            pub(crate) fn keeps_sign(&self) -> bool {
                match self { $(Layer::$class(layer) => layer.keeps_sign(),)* }
            }

            /// The weight `[h, w, c, filters]` that shows what the layer looks for, if it has one.
            pub fn filters(&self) -> Option<&'static str> {
                match self { $(Layer::$class(layer) => layer.filters(),)* }
            }

            /// Its weights as PyTorch has them.
            pub(crate) fn of_torch(&self) -> &'static [OfTorch] {
                match self { $(Layer::$class(layer) => layer.of_torch(),)* }
            }

            /// Adds the steps forward, up to what is applied to the output.
            pub(crate) fn forward(
                &self,
                place: &Place<'_>,
                builder: &mut Builder,
                x: &[Tensor],
            ) -> Result<Tensor, PlanError> {
                match self { $(Layer::$class(layer) => layer.forward(place, builder, x),)* }
            }

            /// Adds the steps back; returns the gradient of each input that wants one.
            pub(crate) fn backward(
                &self,
                place: &Place<'_>,
                builder: &mut Builder,
                x: &[Tensor],
                dy: Tensor,
                wants: &[bool],
            ) -> Result<Vec<Option<Tensor>>, PlanError> {
                match self { $(Layer::$class(layer) => layer.backward(place, builder, x, dy, wants),)* }
            }

            /// Adds the ONNX nodes, those of what is applied to the output among them.
            pub(crate) fn onnx(&self, place: &Place<'_>, graph: &mut Graph<'_>) {
                match self { $(Layer::$class(layer) => layer.onnx(place, graph),)* }
                self.applied().onnx(place, graph);
            }
        }
    };
}

layers! {
    Conv2D(Conv2D),
    MaxPooling2D(MaxPooling2D),
    Flatten(Flatten),
    Dense(Dense),
    Activation(ActivationLayer),
    ReLU(ReLU),
    LeakyReLU(LeakyReLU),
    Softmax(Softmax),
    Dropout(Dropout),
    DepthwiseConv2D(DepthwiseConv2D),
    SeparableConv2D(SeparableConv2D),
    Conv2DTranspose(Conv2DTranspose),
    AveragePooling2D(AveragePooling2D),
    GlobalAveragePooling2D(GlobalAveragePooling2D),
    GlobalMaxPooling2D(GlobalMaxPooling2D),
    ZeroPadding2D(ZeroPadding2D),
    Reshape(Reshape),
    Rescaling(Rescaling),
    BatchNormalization(BatchNormalization),
    Add(Add),
    Multiply(Multiply),
    Concatenate(Concatenate),
    LayerNormalization(LayerNormalization),
    RandomFlip(RandomFlip),
    RandomTranslation(RandomTranslation),
    Normalization(Normalization),
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a model file may say of a layer but Keras says otherwise.
    const OWN: [&str; 14] = [
        "name",
        "kernel_initializer",
        "bias_initializer",
        "kernel_regularizer",
        "depthwise_initializer",
        "pointwise_initializer",
        "depthwise_regularizer",
        "pointwise_regularizer",
        "beta_initializer",
        "gamma_initializer",
        "moving_mean_initializer",
        "moving_variance_initializer",
        "beta_regularizer",
        "gamma_regularizer",
    ];

    /// The class of a file's `type` is that of the enum, and the settings are those that a file may have.
    #[test]
    fn settings_are_those_of_the_file() {
        for (class, stem, settings) in Layer::table() {
            let unknown = toml::Table::from_iter([("?".to_owned(), toml::Value::Boolean(true))]);
            let error = Layer::parse(class, unknown).unwrap().unwrap_err().to_string();
            let known: Vec<&str> =
                error.split('`').skip(3).step_by(2).filter(|key| !OWN.contains(key)).collect();
            assert_eq!(known, settings, "{class} ({stem}): {error}");
        }
    }
}
