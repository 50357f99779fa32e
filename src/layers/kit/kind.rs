//! What a layer says of itself.

use super::builder::Builder;
use super::onnx::Graph;
use super::place::Place;
use super::step::{PlanError, Tensor};
use super::torch::OfTorch;
use super::weights::WeightSpec;
use crate::data::Shape;
use crate::numbers::shown;
use crate::ops::Applied;
use crate::optimizers::Regularizer;

/// What a layer makes of the shapes of its inputs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Inferred {
    /// Shape of one sample of the output.
    pub(crate) output: Shape,
    /// Its weights, by its own names for them.
    pub(crate) weights: Vec<WeightSpec>,
}

/// Calls what it is given with one sample after the other, always in the same order.
pub(crate) type Samples<'a> = dyn Fn(&mut dyn FnMut(&[f32])) + 'a;

/// A layer as a value. Each implementation is all that is said of the layer; [`Layer`](crate::layers::Layer) is the list of
/// all.
pub(crate) trait LayerKind {
    /// The class name, as in Keras.
    const CLASS: &'static str;

    /// The class name in snake case: the stem of default names.
    const STEM: &'static str;

    /// The settings that the Keras class has too, by the same names and with the same values.
    const SETTINGS: &'static [&'static str];

    /// The name given by the user, if any.
    fn given_name(&self) -> Option<&str>;

    /// Output shape and weights for inputs of these shapes.
    ///
    /// # Errors
    /// What cannot be, and what to change.
    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, String>;

    /// Whether it gets bytes as they are where the model's input reaches it, over layers that leave values in their range at most.
    /// Layers that prepare data do; others get bytes divided by 255.
    fn takes_bytes(&self) -> bool {
        false
    }

    /// Whether some of its weights come from the data before training.
    fn adapts(&self) -> bool {
        false
    }

    /// These weights, by its own names for them, from all samples that enter it.
    ///
    /// # Errors
    /// When f32 does not hold them.
    fn adapt(&self, _: &Place<'_>, _: &Samples<'_>) -> Result<Vec<(&'static str, Vec<f32>)>, String> {
        Ok(Vec::new())
    }

    /// What it makes of a sample in prediction, on the host, for layers behind it that adapt to data; `None` where that is too much
    /// for it, as for all with weights.
    fn on_host(&self, _: &Place<'_>, _: Vec<f32>) -> Option<Vec<f32>> {
        None
    }

    /// What is applied to its output.
    fn applied(&self) -> Applied;

    /// Penalties of weights, by the layer's own names for them; part of the loss.
    fn penalties(&self) -> Vec<(&'static str, Regularizer)>;

    /// Whether no value changes its sign before what is applied to the output: the layer only chooses, scales or arranges
    /// values.
    fn keeps_sign(&self) -> bool;

    /// The weight `[h, w, c, filters]` that shows what the layer looks for, if it has one.
    fn filters(&self) -> Option<&'static str>;

    /// Its weights as PyTorch has them, those that PyTorch has.
    fn of_torch(&self) -> &'static [OfTorch] {
        &[]
    }

    /// Adds its steps forward, up to what is applied to the output; returns the output.
    ///
    /// # Errors
    /// When a step is too large.
    fn forward(&self, place: &Place<'_>, b: &mut Builder, x: &[Tensor]) -> Result<Tensor, PlanError>;

    /// Adds its steps back, from the gradient of what [`LayerKind::forward`] returned; returns the gradient of each input that
    /// wants one. dy may be changed in place.
    ///
    /// # Errors
    /// When a step is too large.
    fn backward(
        &self,
        place: &Place<'_>,
        b: &mut Builder,
        x: &[Tensor],
        dy: Tensor,
        wants: &[bool],
    ) -> Result<Vec<Option<Tensor>>, PlanError>;

    /// Adds its nodes, up to what is applied to the output.
    fn onnx(&self, place: &Place<'_>, graph: &mut Graph<'_>);
}

/// `name` on a layer that has the field.
macro_rules! named {
    ($class:ident) => {
        impl $class {
            /// Sets the name.
            pub fn name(mut self, name: impl Into<String>) -> Self {
                self.name = Some(name.into());
                self
            }
        }
    };
}
pub(crate) use named;

/// The same elements, in the dimensions of the only input: the gradient of a layer that moves no data.
pub(crate) fn reshaped(x: &[Tensor], dy: Tensor) -> Vec<Option<Tensor>> {
    vec![Some(Tensor { shape: x[0].shape.clone(), ..dy })]
}

/// A penalty of the kernel where there is one.
pub(crate) fn of_kernel(regularizer: Option<Regularizer>) -> Vec<(&'static str, Regularizer)> {
    regularizer.filter(|regularizer| !regularizer.is_none()).map(|one| ("kernel", one)).into_iter().collect()
}

/// Refuses what is added to a variance, unless f32 can hold it above 0.
///
/// # Errors
/// When it is 0 or less there, or no number.
pub(crate) fn check_epsilon(epsilon: f64) -> Result<(), String> {
    match epsilon as f32 {
        held if held > 0.0 && held.is_normal() => Ok(()),
        _ => Err(format!("epsilon is {}, but must be above 0 as a 32-bit float", shown(epsilon))),
    }
}

/// Refuses a penalty, set as `what`, whose factors are wrong.
///
/// # Errors
/// What is wrong with its factors.
pub(crate) fn check(what: &str, regularizer: Option<Regularizer>) -> Result<(), String> {
    let problem = regularizer.and_then(|regularizer| regularizer.problem());
    problem.map_or(Ok(()), |problem| Err(format!("{what}: {problem}")))
}
