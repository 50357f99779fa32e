//! Whether a loss can make sense of what a network gives.

use super::{Applied, Loss, Network, NetworkLayer};

impl Network {
    /// What is wrong with the outputs under this loss, and how to mend it; `None` where they suit it.
    ///
    /// Cross-entropy takes outputs for probabilities, which softmax gives, and sigmoid and softplus once they are divided by
    /// their sum. After any other activation an output may be negative or a row may sum to 0: the loss is then NaN, or it is
    /// clipped and nothing is learnt. Keras trains such a model too, so that it is no error;
    /// [`compile`](crate::Sequential::compile) warns of it. Squared errors take any outputs.
    ///
    /// ```
    /// use shadegrad::model::{Activation, Dense, Flatten, Loss, Sequential};
    ///
    /// let ends_with = |activation| {
    ///     let model = Sequential::new([8, 8, 1]).add(Flatten::new()).add(Dense::new(10).activation(activation));
    ///     Ok::<_, shadegrad::model::ModelError>(model.network()?)
    /// };
    /// let loss = Loss::CategoricalCrossentropy;
    /// assert!(ends_with(Activation::Relu)?.loss_advice(loss).unwrap().contains("softmax"));
    /// assert_eq!(ends_with(Activation::Softmax)?.loss_advice(loss), None);
    /// # Ok::<(), shadegrad::model::ModelError>(())
    /// ```
    pub fn loss_advice(&self, loss: Loss) -> Option<String> {
        if loss != Loss::CategoricalCrossentropy || gives_shares(&self.layers) {
            return None;
        }
        let last = self.layers.last()?;
        Some(format!(
            "model `{}` ends with {} outputs (layer `{}`), but the loss categorical_crossentropy takes outputs for \
             probabilities: training stays at chance or comes to NaN; give the last layer activation = \"softmax\" \
             (in Rust `.activation(Activation::Softmax)`), or let a layer Softmax follow it; the loss \
             mean_squared_error takes any outputs",
            self.name,
            last.layer.applied().name(),
            last.name
        ))
    }
}

/// Whether what the last of these layers gives is positive, or was so before layers that only choose, arrange or bend values:
/// those leave the outputs of a softmax, sigmoid or softplus fit for the loss.
fn gives_shares(layers: &[NetworkLayer]) -> bool {
    let Some((last, before)) = layers.split_last() else { return true };
    let positive = match last.layer.applied() {
        Applied::Softmax => true,
        Applied::Each(function) => function.positive(),
        Applied::Linear => false,
    };
    positive || last.layer.keeps_sign() && gives_shares(before)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        Activation, ActivationLayer, Dense, Dropout, Flatten, Layer, LeakyReLU, ReLU, Sequential, Softmax,
    };

    #[test]
    fn what_no_loss_can_read_is_told() {
        use Activation::{LeakyRelu, Linear, Relu, Sigmoid, Tanh};
        let (entropy, squares) = (Loss::CategoricalCrossentropy, Loss::MeanSquaredError);
        let dense = |activation| -> Layer { Dense::new(3).activation(activation).into() };
        // The last layers, the loss, and what is named, if anything is.
        let rows: [(Vec<Layer>, Loss, Option<&str>); 19] = [
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
        ];
        for (row, (layers, loss, expected)) in rows.into_iter().enumerate() {
            let mut model = Sequential::new([2, 2, 1]).add(Flatten::new());
            model.layers.extend(layers);
            let found = model.network().unwrap().loss_advice(loss);
            match (&found, expected) {
                (None, None) => {}
                (Some(text), Some(part)) => {
                    assert!(text.contains(part) && text.contains("\"softmax\""), "row {row}: {text}")
                }
                _ => panic!("row {row}: {found:?}, expected {expected:?}"),
            }
        }
    }
}
