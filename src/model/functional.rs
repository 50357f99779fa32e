//! Models with several branches, put together call by call.

use super::node::INPUT;
use super::wiring::default_names;
use super::{ModelError, Node, Sequential};
use crate::data::{Shape, TargetKind};

/// What a layer of a [`Functional`] model gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output(String);

/// A model with several branches, put together as in Keras's functional API.
///
/// ```
/// use shadegrad::model::{Activation, Add, Conv2D, Dense, Functional, GlobalAveragePooling2D, Padding};
///
/// let mut model = Functional::new([32, 32, 3]);
/// let x = model.input();
/// let x = model.call(Conv2D::new(16, 3).padding(Padding::Same), [&x]);
/// let y = model.call(Conv2D::new(16, 3).padding(Padding::Same).activation(Activation::Relu), [&x]);
/// let y = model.call(Conv2D::new(16, 3).padding(Padding::Same), [&y]);
/// let x = model.call(Add::new(), [&x, &y]);
/// let x = model.call(GlobalAveragePooling2D::new(), [&x]);
/// let x = model.call(Dense::new(10).activation(Activation::Softmax), [&x]);
/// let model = model.output(&x)?;
/// assert_eq!(model.network()?.layers[3].name, "add");
/// # Ok::<(), shadegrad::model::ModelError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Functional {
    model: Sequential,
}

impl Functional {
    /// A model without layers; see [`Sequential::new`].
    pub fn new(input_shape: impl Into<Shape>) -> Self {
        Functional { model: Sequential::new(input_shape).name("functional") }
    }

    /// Sets the model's name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.model.name = name.into();
        self
    }

    /// Sets what the target of a sample is: data sets must have targets of this kind.
    pub fn target(mut self, target: TargetKind) -> Self {
        self.model.target = target;
        self
    }

    /// The model's input.
    pub fn input(&self) -> Output {
        Output(INPUT.to_owned())
    }

    /// Adds a layer that takes these outputs; returns its own.
    pub fn call<'a>(
        &mut self,
        layer: impl Into<Node>,
        inputs: impl IntoIterator<Item = &'a Output>,
    ) -> Output {
        let node = layer.into().inputs(inputs.into_iter().map(|output| output.0.clone()));
        self.model.layers.push(node);
        let name = default_names(&self.model.layers).pop().unwrap_or_default();
        Output(name)
    }

    /// The model that gives this.
    ///
    /// # Errors
    /// When it is not what the last layer gives: a layer behind it would be of no use.
    pub fn output(self, output: &Output) -> Result<Sequential, ModelError> {
        let names = default_names(&self.model.layers);
        if names.last() == Some(&output.0) {
            return Ok(self.model);
        }
        let problem = format!(
            "its output is that of `{}`, but layers come after it; leave out `{}`",
            output.0,
            names.last().map_or("", String::as_str)
        );
        Err(ModelError::Model { model: self.model.name, problem })
    }
}
