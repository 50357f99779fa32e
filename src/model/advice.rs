//! Whether a loss can make sense of what a network gives.

use super::{Applied, Loss, Network, NetworkLayer};
use crate::ops::Function;

impl Network {
    /// What is wrong with the outputs under this loss, and how to mend it; `None` where they suit it.
    ///
    /// Categorical cross-entropy takes outputs for probabilities, which softmax gives, and sigmoid and softplus once they are
    /// divided by their sum. After any other activation an output may be negative or a row may sum to 0: the loss is then NaN, or it is
    /// clipped and nothing is learnt. Keras trains such a model too, so that it is no error;
    /// [`compile`](crate::Sequential::compile) warns of it. Binary cross-entropy takes each output for a probability, which sigmoid
    /// and softmax give. Squared and absolute errors and Huber take any outputs.
    ///
    /// ```
    /// use shadegrad::model::{Activation, Dense, Flatten, Loss, Sequential};
    ///
    /// let ends_with = |activation| {
    ///     let model = Sequential::new([8, 8, 1]).add(Flatten::new()).add(Dense::new(10).activation(activation));
    ///     Ok::<_, shadegrad::model::ModelError>(model.network()?)
    /// };
    /// let loss = Loss::default();
    /// assert!(ends_with(Activation::Relu)?.loss_advice(loss).unwrap().contains("softmax"));
    /// assert_eq!(ends_with(Activation::Softmax)?.loss_advice(loss), None);
    /// # Ok::<(), shadegrad::model::ModelError>(())
    /// ```
    pub fn loss_advice(&self, loss: Loss) -> Option<String> {
        let last = self.layers.last()?;
        let (model, layer, activation) = (&self.name, &last.name, last.layer.applied().name());
        match loss {
            Loss::CategoricalCrossentropy(_) if self.is_binary() => Some(format!(
                "model `{model}` ends with a single sigmoid unit (layer `{layer}`), but the loss \
                 categorical_crossentropy divides outputs by their sum, so that a single one is always 1: nothing is \
                 learnt; use the loss binary_crossentropy, or two units with activation = \"softmax\""
            )),
            Loss::CategoricalCrossentropy(_) if !gives(&self.layers, positive) => Some(format!(
                "model `{model}` ends with {activation} outputs (layer `{layer}`), but the loss \
                 categorical_crossentropy reads outputs as probabilities: nothing is learnt, or the loss becomes NaN; \
                 give the last layer activation = \"softmax\" (in Rust `.activation(Activation::Softmax)`), or add a \
                 layer Softmax after it; the loss mean_squared_error takes any outputs"
            )),
            Loss::BinaryCrossentropy(_) if !gives(&self.layers, probable) => Some(format!(
                "model `{model}` ends with {activation} outputs (layer `{layer}`), but the loss binary_crossentropy \
                 reads each output as a probability: nothing is learnt from one that is not from 0 to 1; give the \
                 last layer activation = \"sigmoid\" (in Rust `.activation(Activation::Sigmoid)`); the loss \
                 mean_squared_error takes any outputs"
            )),
            _ => None,
        }
    }
}

/// Whether what the last of these layers gives is of this kind, or was so before layers that only choose, arrange or bend
/// values: those leave the outputs of a softmax, sigmoid or softplus fit for a loss.
fn gives(layers: &[NetworkLayer], kind: fn(Applied) -> bool) -> bool {
    let mut given: Vec<bool> = Vec::new();
    for NetworkLayer { layer, sources, .. } in layers {
        let before = |source: &Option<usize>| source.is_none_or(|at| given[at]);
        given.push(kind(layer.applied()) || layer.keeps_sign() && sources.iter().all(before));
    }
    given.pop().unwrap_or(true)
}

fn positive(applied: Applied) -> bool {
    match applied {
        Applied::Softmax => true,
        Applied::Each(function) => function.positive(),
        Applied::Linear => false,
    }
}

/// From 0 to 1.
fn probable(applied: Applied) -> bool {
    matches!(applied, Applied::Softmax | Applied::Each(Function::Sigmoid(_)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        Activation, ActivationLayer, BinaryCrossentropy, Dense, Dropout, Flatten, Layer, LeakyReLU, ReLU,
        Sequential, Softmax,
    };

    #[test]
    fn what_no_loss_can_read_is_told() {
        use Activation::{LeakyRelu, Linear, Relu, Sigmoid, Tanh};
        let (entropy, squares) = (Loss::default(), Loss::MeanSquaredError);
        let binary = BinaryCrossentropy::default().into();
        let dense = |activation| -> Layer { Dense::new(3).activation(activation).into() };
        let one: Layer = Dense::new(1).activation(Sigmoid).into();
        // The last layers, the loss, and what is named, if anything is.
        let rows: [(Vec<Layer>, Loss, Option<&str>); 26] = [
            (vec![dense(Activation::Softmax)], entropy, None),
            (vec![dense(Sigmoid)], entropy, None),
            (vec![dense(Activation::Softplus)], entropy, None),
            (vec![dense(Activation::Silu)], entropy, Some("silu outputs")),
            (vec![dense(Activation::HardSigmoid)], entropy, Some("hard_sigmoid outputs")),
            (vec![dense(Linear), Softmax::new().into()], entropy, None),
            (vec![dense(Linear), ActivationLayer::new(Sigmoid).into()], entropy, None),
            (vec![dense(Activation::Softmax), Dropout::new(0.1).into()], entropy, None),
            (vec![dense(Sigmoid), ReLU::new().into()], entropy, None),
            (vec![dense(Linear)], entropy, Some("linear outputs (layer `dense`)")),
            (vec![dense(Relu)], entropy, Some("relu outputs (layer `dense`)")),
            (vec![dense(LeakyRelu)], entropy, Some("leaky_relu outputs")),
            (vec![dense(Tanh)], entropy, Some("tanh outputs")),
            (vec![dense(Activation::Softmax), dense(Relu)], entropy, Some("relu outputs (layer `dense_1`)")),
            (vec![dense(Linear), LeakyReLU::new().into()], entropy, Some("(layer `leaky_re_lu`)")),
            (vec![dense(Relu), Dropout::new(0.1).into()], entropy, Some("(layer `dropout`)")),
            (vec![dense(Linear)], squares, None),
            (vec![dense(Relu)], squares, None),
            (vec![dense(Tanh)], squares, None),
            (vec![dense(Sigmoid)], binary, None),
            (vec![dense(Activation::Softmax)], binary, None),
            (vec![dense(Sigmoid), ReLU::new().into()], binary, None),
            (vec![dense(Activation::Softplus)], binary, Some("softplus outputs")),
            (vec![dense(Tanh)], binary, Some("tanh outputs (layer `dense`)")),
            (vec![one.clone()], binary, None),
            (vec![one], entropy, Some("a single sigmoid unit (layer `dense`)")),
        ];
        for (row, (layers, loss, expected)) in rows.into_iter().enumerate() {
            let mut model = Sequential::new([2, 2, 1]).add(Flatten::new());
            model.layers.extend(layers.into_iter().map(crate::model::Node::new));
            let found = model.network().unwrap().loss_advice(loss);
            match (&found, expected) {
                (None, None) => {}
                (Some(text), Some(part)) => {
                    let remedy = if loss == binary { "\"sigmoid\"" } else { "\"softmax\"" };
                    assert!(text.contains(part) && text.contains(remedy), "row {row}: {text}")
                }
                _ => panic!("row {row}: {found:?}, expected {expected:?}"),
            }
        }
    }
}
