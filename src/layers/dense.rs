use serde::{Deserialize, Serialize};

use super::kit::*;
use crate::ops::{Activation, BiasAdd, Matmul, MatmulABt, MatmulAtB, MatmulShape};
use crate::optimizers::Regularizer;

/// A fully connected layer: `y[n, o] = bias[o] + sum_i x[n, i] * kernel[i, o]`.
///
/// Kernel `(in, out)`. Source: `keras/src/layers/core/dense.py`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dense {
    /// Name in weight files and messages; by default `dense`, `dense_1`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Number of outputs.
    pub units: usize,
    /// What is applied to the output; default `linear`.
    #[serde(default)]
    pub activation: Activation,
    /// How the kernel starts; default `glorot_uniform`.
    #[serde(default, skip_serializing_if = "Initializer::is_glorot_uniform")]
    pub kernel_initializer: Initializer,
    /// How the bias starts; default `zeros`.
    #[serde(default = "Initializer::zeros", skip_serializing_if = "Initializer::is_zeros")]
    pub bias_initializer: Initializer,
    /// Penalty on the kernel, which is added to the loss; default none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel_regularizer: Option<Regularizer>,
    /// Whether a bias is added; default true.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub use_bias: bool,
}

impl Dense {
    /// `units` outputs, linear.
    pub fn new(units: usize) -> Self {
        Dense {
            name: None,
            units,
            activation: Activation::Linear,
            kernel_initializer: Initializer::GlorotUniform,
            bias_initializer: Initializer::Zeros,
            kernel_regularizer: None,
            use_bias: true,
        }
    }

    /// Sets the activation.
    pub fn activation(mut self, activation: Activation) -> Self {
        self.activation = activation;
        self
    }

    /// Sets whether a bias is added.
    pub fn use_bias(mut self, use_bias: bool) -> Self {
        self.use_bias = use_bias;
        self
    }

    /// Sets how the kernel starts.
    pub fn kernel_initializer(mut self, initializer: Initializer) -> Self {
        self.kernel_initializer = initializer;
        self
    }

    /// Sets how the bias starts.
    pub fn bias_initializer(mut self, initializer: Initializer) -> Self {
        self.bias_initializer = initializer;
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
    const SETTINGS: &'static [&'static str] = &["units", "activation", "use_bias"];

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Inferred, String> {
        check("kernel_regularizer", self.kernel_regularizer)?;
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
        let kernel = WeightSpec::trainable("kernel", vec![features, self.units], self.kernel_initializer);
        let bias = bias(self.use_bias, self.units, self.bias_initializer);
        let weights = [kernel].into_iter().chain(bias).collect();
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

    fn of_torch(&self) -> &'static [OfTorch] {
        &[OfTorch { ours: "kernel", theirs: "weight", axes: Axes::Product }, TORCH_BIAS]
    }

    fn forward(&self, place: &Place<'_>, b: &mut Builder, x: &[Tensor]) -> Result<Tensor, PlanError> {
        let (m, n, k) = (b.batch, place.output.len(), place.inputs[0].len());
        let y = b.output(place);
        let kernel = b.weight(place, "kernel");
        let op = Matmul(MatmulShape { m, n, k });
        b.step_in_parts(Stage::Forward, place.step("matmul"), op, vec![x[0].clone(), kernel], y.clone())?;
        if self.use_bias {
            let op = BiasAdd { rows: m, columns: n };
            b.step(Stage::Forward, place.step("bias_add"), op, vec![b.weight(place, "bias"), y.clone()])?;
        }
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
        if self.use_bias {
            bias_gradient(place, b, &place.step("backward_bias"), &dy)?;
        }
        if let Some(gradient) = b.trained(place, "kernel") {
            let op = MatmulAtB { product: MatmulShape { m: inputs, n: outputs, k: batch }, bias: false };
            let args = vec![x[0].clone(), dy.clone()];
            b.step_in_parts(Stage::Backward, place.step("backward_kernel"), op, args, gradient)?;
        }
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
