//! A layer that only tests have: the example of `docs/adding-an-op.md`, which shows this file from the first `use` on.

use serde::{Deserialize, Serialize};

use super::kit::*;
use crate::ops::{BiasAdd, Copy};
use crate::optimizers::Regularizer;

/// `y[.., c] = x[.., c] + bias[c]`. Bias: zeros.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct ChannelBias {
    /// Name in weight files and messages; by default `channel_bias`, `channel_bias_1`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

named!(ChannelBias);

impl LayerKind for ChannelBias {
    const CLASS: &'static str = "ChannelBias";
    const STEM: &'static str = "channel_bias";
    const SETTINGS: &'static [&'static str] = &[];

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, String> {
        let output = single(inputs)?;
        let channels = output.dims().last().copied().unwrap_or(1);
        let weights = vec![WeightSpec::trainable("bias", vec![channels], Initializer::Zeros)];
        Ok(Inferred { output, weights })
    }

    fn applied(&self) -> Applied {
        Applied::Linear
    }

    fn penalties(&self) -> Vec<(&'static str, Regularizer)> {
        Vec::new()
    }

    fn keeps_sign(&self) -> bool {
        false
    }

    fn filters(&self) -> Option<&'static str> {
        None
    }

    fn forward(&self, place: &Place<'_>, b: &mut Builder, x: &[Tensor]) -> Result<Tensor, PlanError> {
        let (y, columns) = (b.output(place), place.channels());
        let op = Copy { len: y.len() };
        b.step(Stage::Forward, place.step("copy"), op, vec![x[0].clone(), y.clone()])?;
        let op = BiasAdd { rows: y.len() / columns, columns };
        b.step(Stage::Forward, place.step("bias_add"), op, vec![b.weight(place, "bias"), y.clone()])?;
        Ok(y)
    }

    fn backward(
        &self,
        place: &Place<'_>,
        b: &mut Builder,
        x: &[Tensor],
        dy: Tensor,
        _: &[bool],
    ) -> Result<Vec<Option<Tensor>>, PlanError> {
        bias_gradient(place, b, &place.step("backward_bias"), &dy)?;
        Ok(reshaped(x, dy))
    }

    fn onnx(&self, place: &Place<'_>, graph: &mut Graph<'_>) {
        graph.turn(Layout::Last, place.name);
        let bias = graph.weight(place, "bias").into_iter().collect();
        graph.node(&place.step("add"), "Add", bias, Vec::new());
    }
}

#[test]
fn the_example_has_a_bias_for_each_channel() {
    let layer = ChannelBias::default().name("offset");
    assert_eq!(layer.given_name(), Some("offset"));
    for (input, channels) in [(Shape::from([4, 4, 3]), 3), (Shape::from([7]), 7)] {
        let inferred = layer.infer(&[input]).unwrap();
        assert_eq!((inferred.output, inferred.weights.len()), (input, 1));
        assert_eq!(inferred.weights[0].shape, [channels]);
    }
    assert!(layer.infer(&[]).is_err());
}
