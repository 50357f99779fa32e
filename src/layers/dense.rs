use serde::{Deserialize, Serialize};

use super::kit::*;
use crate::ops::{Activation, BiasAdd, ColumnSum, Matmul, MatmulABt, MatmulAtB, MatmulShape};
use crate::optimizers::Regularizer;

/// A fully connected layer: `y[n, o] = bias[o] + sum_i x[n, i] * kernel[i, o]`.
///
/// Kernel `(in, out)`: Glorot uniform, bias: zeros. Source: `keras/src/layers/core/dense.py`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dense {
    /// Name in weight files and messages; by default `dense`, `dense_1`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Number of outputs.
    pub units: usize,
    /// Default `linear`.
    #[serde(default)]
    pub activation: Activation,
    /// Penalty of the kernel, part of the loss; default none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel_regularizer: Option<Regularizer>,
}

impl Dense {
    /// `units` outputs, linear.
    pub fn new(units: usize) -> Self {
        Dense { name: None, units, activation: Activation::Linear, kernel_regularizer: None }
    }

    /// Sets the activation.
    pub fn activation(mut self, activation: Activation) -> Self {
        self.activation = activation;
        self
    }

    /// Sets the penalty of the kernel.
    pub fn kernel_regularizer(mut self, regularizer: Regularizer) -> Self {
        self.kernel_regularizer = Some(regularizer);
        self
    }
}

named!(Dense);

impl LayerKind for Dense {
    const CLASS: &'static str = "Dense";
    const STEM: &'static str = "dense";
    const SETTINGS: &'static [&'static str] = &["units", "activation"];

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, String> {
        check(self.kernel_regularizer)?;
        let input = single(inputs)?;
        let Shape::Flat(features) = input else {
            return Err(format!(
                "it needs one row of features per sample, but gets {:?}; add a Flatten before it",
                input.dims()
            ));
        };
        if self.units == 0 {
            return Err("units must be at least 1".to_owned());
        }
        let weights = kernel_and_bias(vec![features, self.units], features, self.units);
        Ok(Inferred { output: Shape::Flat(self.units), weights })
    }

    fn applied(&self) -> Applied {
        self.activation.into()
    }

    fn penalties(&self) -> Vec<(&'static str, Regularizer)> {
        of_kernel(self.kernel_regularizer)
    }

    fn keeps_sign(&self) -> bool {
        false
    }

    fn filters(&self) -> Option<&'static str> {
        None
    }

    fn forward(&self, place: &Place<'_>, b: &mut Builder, x: &[Tensor]) -> Result<Tensor, PlanError> {
        let (m, n, k) = (b.batch, place.output.len(), place.inputs[0].len());
        let y = b.output(place);
        let (kernel, bias) = (b.weight(place, "kernel"), b.weight(place, "bias"));
        let op = Matmul(MatmulShape { m, n, k });
        b.step_in_parts(Stage::Forward, place.step("matmul"), op, vec![x[0].clone(), kernel], y.clone())?;
        let op = BiasAdd { rows: m, columns: n };
        b.step(Stage::Forward, place.step("bias_add"), op, vec![bias, y.clone()])?;
        Ok(y)
    }

    fn backward(
        &self,
        place: &Place<'_>,
        b: &mut Builder,
        x: &[Tensor],
        dy: Tensor,
        wants: &[bool],
    ) -> Result<Vec<Option<Tensor>>, PlanError> {
        let (batch, inputs, outputs) = (b.batch, place.inputs[0].len(), place.output.len());
        let op = ColumnSum { rows: batch, columns: outputs };
        let sums = b.gradient(place, "bias");
        b.step_in_parts(Stage::Backward, place.step("backward_bias"), op, vec![dy.clone()], sums)?;
        let op = MatmulAtB { product: MatmulShape { m: inputs, n: outputs, k: batch }, bias: false };
        let args = vec![x[0].clone(), dy.clone()];
        let gradient = b.gradient(place, "kernel");
        b.step_in_parts(Stage::Backward, place.step("backward_kernel"), op, args, gradient)?;
        if !wants[0] {
            return Ok(vec![None]);
        }
        let dx = b.input_gradient(place, 0, &x[0]);
        let op = MatmulABt(MatmulShape { m: batch, n: inputs, k: outputs });
        let args = vec![dy, b.weight(place, "kernel")];
        b.step_in_parts(Stage::Backward, place.step("backward_input"), op, args, dx.clone())?;
        Ok(vec![Some(dx)])
    }

    fn onnx(&self, place: &Place<'_>, graph: &mut Graph<'_>) {
        let weights = [graph.weight(place, "kernel"), graph.weight(place, "bias")];
        graph.node(&place.step("gemm"), "Gemm", weights.into_iter().flatten().collect(), Vec::new());
    }
}
