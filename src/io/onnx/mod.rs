//! Models as ONNX files. `docs/onnx.md` describes them for users.
//!
//! Images come in as everywhere here, NHWC. ONNX convolves and pools NCHW, so the graph turns the axes before the first
//! such layer, and back before a layer that gives up the image's form: features keep the order in which dense kernels
//! were trained.

mod schema;

use prost::Message;

pub use schema::*;

use super::SavedRun;
use crate::model::{
    Activation, LayerGeometry, ModelError, Network, NetworkLayer, Pair, WeightTensor, Weights,
};
use crate::ops::OnnxForm;

/// Version of ONNX's operators that the graph is written in; newer runtimes keep to it.
pub const OPSET: i64 = 17;
/// Version of the file format that came with it.
const IR_VERSION: i64 = 8;
/// Name of the graph's input, `[N, h, w, c]`.
pub const INPUT: &str = "images";
/// Name of the graph's output, `[N, classes]`.
pub const OUTPUT: &str = "probabilities";
/// Name of the dimension that is free.
const BATCH: &str = "N";
/// Readers take no protobuf file of 2 GiB or more; some is left for all but the weights.
const MOST_WEIGHTS: usize = (1 << 31) - (1 << 24);

/// The bytes of an ONNX file that predicts what [`Model::predict`](crate::train::Model::predict) does, up to rounding.
///
/// Input `images`, f32 `[N, h, w, c]` of values from 0 to 1 (bytes by 255), output `probabilities`, f32
/// `[N, classes]`; `N` is free. Opset 17. The metadata hold `class_names`, a JSON list. Equal runs give equal bytes.
///
/// # Errors
/// When the weights take 2 GiB or more, which the format cannot hold.
pub fn to_onnx(run: &SavedRun) -> Result<Vec<u8>, ModelError> {
    let bytes = run.network.parameter_count().saturating_mul(size_of::<f32>());
    if bytes >= MOST_WEIGHTS {
        let problem = format!("its weights take {bytes} bytes, but an ONNX file holds less than 2 GiB");
        return Err(ModelError::Model { model: run.network.name.clone(), problem });
    }
    Ok(model(run).encode_to_vec())
}

fn model(run: &SavedRun) -> Model {
    let network = &run.network;
    let names: Vec<String> = (0..network.classes()).map(|class| run.class_name(class)).collect();
    let entry = |key: &str, value: String| StringEntry { key: key.to_owned(), value };
    Model {
        ir_version: IR_VERSION,
        producer_name: "shadegrad".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        doc_string: format!("{INPUT}: NHWC, bytes divided by 255. {OUTPUT}: one row per image."),
        graph: Some(graph(network, &run.weights)),
        opset_import: vec![OperatorSet { domain: String::new(), version: OPSET }],
        metadata_props: vec![entry("class_names", serde_json::json!(names).to_string())],
    }
}

fn graph(network: &Network, weights: &Weights) -> Graph {
    let mut writer = Writer::new(weights);
    for layer in &network.layers {
        writer.layer(layer);
    }
    writer.output();
    let mut images = vec![Size::Free(BATCH.to_owned())];
    images.extend(network.input_shape.map(|size| Size::Value(size as i64)));
    let rows = vec![Size::Free(BATCH.to_owned()), Size::Value(network.classes() as i64)];
    Graph {
        name: network.name.clone(),
        node: writer.nodes,
        initializer: writer.initializers,
        input: vec![value_info(INPUT, images)],
        output: vec![value_info(OUTPUT, rows)],
    }
}

/// Which axis of the value at hand is which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// `[n, h, w, c]`, or `[n, features]`: what is classified lies along the last axis.
    Last,
    /// `[n, c, h, w]`.
    First,
}

/// A graph under construction: one node after the other, each taking what the one before gave.
struct Writer<'a> {
    weights: &'a Weights,
    nodes: Vec<Node>,
    initializers: Vec<Tensor>,
    /// Name of the last node's output.
    value: String,
    layout: Layout,
}

impl<'a> Writer<'a> {
    fn new(weights: &'a Weights) -> Self {
        Writer {
            weights,
            nodes: Vec::new(),
            initializers: Vec::new(),
            value: INPUT.to_owned(),
            layout: Layout::Last,
        }
    }

    /// Values are named `<layer>/<what>`: no layer's name holds a slash, so none can be taken for the graph's input or
    /// output.
    fn layer(&mut self, layer: &NetworkLayer) {
        let name = layer.name.as_str();
        match layer.geometry {
            LayerGeometry::Conv2D { kernel, strides } => {
                self.turn(Layout::First, name);
                let inputs = self.constants(layer);
                self.node(
                    &format!("{name}/conv"),
                    "Conv",
                    inputs,
                    vec![pair("kernel_shape", kernel), pair("strides", strides)],
                );
            }
            LayerGeometry::MaxPooling2D { pool, strides } => {
                self.turn(Layout::First, name);
                self.node(
                    &format!("{name}/max_pool"),
                    "MaxPool",
                    Vec::new(),
                    vec![pair("kernel_shape", pool), pair("strides", strides)],
                );
            }
            LayerGeometry::Flatten => {
                self.turn(Layout::Last, name);
                self.node(&format!("{name}/flatten"), "Flatten", Vec::new(), vec![int("axis", 1)]);
            }
            LayerGeometry::Dense => {
                let inputs = self.constants(layer);
                self.node(&format!("{name}/gemm"), "Gemm", inputs, Vec::new());
            }
            // Nothing is dropped in prediction.
            LayerGeometry::Activation | LayerGeometry::Dropout { .. } => {}
        }
        self.activation(layer);
    }

    fn activation(&mut self, layer: &NetworkLayer) {
        let node = |what: &str| format!("{}/{what}", layer.name);
        let Some(function) = layer.function() else {
            if layer.activation == Activation::Softmax {
                let axis = if self.layout == Layout::Last { -1 } else { 1 };
                self.node(&node("softmax"), "Softmax", Vec::new(), vec![int("axis", axis)]);
            }
            return;
        };
        let (form, alpha) = function.onnx();
        let attributes = alpha.map(|alpha| float("alpha", alpha)).into_iter().collect();
        match form {
            OnnxForm::Operator(operator) => {
                self.node(&node(function.name()), operator, Vec::new(), attributes);
            }
            OnnxForm::Gate(operator) => {
                let x = self.value.clone();
                let gate = node(&format!("{}.gate", function.name()));
                self.node(&gate, operator, Vec::new(), attributes);
                self.node(&node(function.name()), "Mul", vec![x], Vec::new());
            }
        }
    }

    /// Gives what the last node computes the name of the graph's output.
    fn output(&mut self) {
        if let Some(last) = self.nodes.last_mut() {
            last.name = OUTPUT.to_owned();
            last.output = vec![OUTPUT.to_owned()];
        }
    }

    /// Turns the axes of images unless they are as wanted.
    fn turn(&mut self, wanted: Layout, layer: &str) {
        if self.layout == wanted {
            return;
        }
        self.layout = wanted;
        let (name, order) = match wanted {
            Layout::First => ("nchw", [0, 3, 1, 2]),
            Layout::Last => ("nhwc", [0, 2, 3, 1]),
        };
        self.node(&format!("{layer}/{name}"), "Transpose", Vec::new(), vec![ints("perm", order.to_vec())]);
    }

    /// A node that takes the value at hand and then `more`; its output, of the same name, is the value from now on.
    fn node(&mut self, name: &str, op_type: &str, more: Vec<String>, attribute: Vec<Attribute>) {
        let mut input = vec![std::mem::replace(&mut self.value, name.to_owned())];
        input.extend(more);
        let output = vec![name.to_owned()];
        self.nodes.push(Node {
            input,
            output,
            name: name.to_owned(),
            op_type: op_type.to_owned(),
            attribute,
        });
    }

    /// Stores a layer's weights as ONNX wants them, and gives their names.
    fn constants(&mut self, layer: &NetworkLayer) -> Vec<String> {
        let tensors = layer.weights.iter().filter_map(|spec| self.weights.get(&spec.name));
        let stored: Vec<Tensor> = tensors.map(constant).collect();
        let names = stored.iter().map(|tensor| tensor.name.clone()).collect();
        self.initializers.extend(stored);
        names
    }
}

/// A weight tensor: convolution kernels HWIO become OIHW, all others stay.
fn constant(tensor: &WeightTensor) -> Tensor {
    let WeightTensor { name, shape, values } = tensor;
    let (dims, values) = match shape[..] {
        [h, w, i, o] => {
            let at = |[o_, i_, y, x]: [usize; 4]| values[((y * w + x) * i + i_) * o + o_];
            let mut turned = Vec::with_capacity(values.len());
            for o_ in 0..o {
                for i_ in 0..i {
                    for y in 0..h {
                        turned.extend((0..w).map(|x| at([o_, i_, y, x])));
                    }
                }
            }
            (vec![o, i, h, w], turned)
        }
        _ => (shape.clone(), values.clone()),
    };
    Tensor {
        name: name.clone(),
        data_type: FLOAT,
        dims: dims.into_iter().map(|size| size as i64).collect(),
        raw_data: values.iter().flat_map(|value| value.to_le_bytes()).collect(),
    }
}

fn value_info(name: &str, sizes: Vec<Size>) -> ValueInfo {
    let dim = sizes.into_iter().map(|size| Dimension { value: Some(size) }).collect();
    let tensor_type = TensorType { elem_type: FLOAT, shape: Some(Shape { dim }) };
    ValueInfo {
        name: name.to_owned(),
        r#type: Some(Type { tensor_type: Some(tensor_type) }),
        doc_string: String::new(),
    }
}

fn int(name: &str, i: i64) -> Attribute {
    Attribute { name: name.to_owned(), i, r#type: AttributeType::Int.into(), ..Attribute::default() }
}

fn float(name: &str, f: f32) -> Attribute {
    Attribute { name: name.to_owned(), f, r#type: AttributeType::Float.into(), ..Attribute::default() }
}

fn ints(name: &str, ints: Vec<i64>) -> Attribute {
    Attribute { name: name.to_owned(), ints, r#type: AttributeType::Ints.into(), ..Attribute::default() }
}

fn pair(name: &str, pair: Pair) -> Attribute {
    ints(name, vec![pair.height as i64, pair.width as i64])
}

#[cfg(test)]
mod tests;
