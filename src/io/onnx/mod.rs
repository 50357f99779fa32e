//! Models as ONNX files. `docs/onnx.md` describes them for users.
//!
//! Images come in as everywhere here, NHWC. ONNX convolves and pools NCHW, so the graph turns the axes before the first
//! such layer, and back before a layer that gives up the image's form: features keep the order in which dense kernels
//! were trained.

use prost::Message;

pub use crate::layers::kit::onnx_schema::*;

use super::SavedRun;
use crate::data::TargetKind;
use crate::layers::kit::{Graph as Nodes, Place, int};
use crate::model::{ModelError, Network, Weights};

/// Version of ONNX's operators that the graph is written in; newer runtimes keep to it.
pub const OPSET: i64 = 17;
/// Version of the file format that came with it.
const IR_VERSION: i64 = 8;
/// Name of the graph's input where it is `[N, h, w, c]`.
pub const INPUT: &str = "images";
/// Name of the graph's input where it is `[N, features]`.
pub const FEATURES: &str = "features";
/// Name of the graph's output where targets are classes or labels, `[N, classes]`.
pub const OUTPUT: &str = "probabilities";
/// Name of the graph's output where targets are numbers, `[N, outputs]`.
pub const VALUES: &str = "values";
/// Name of the dimension that is free.
const BATCH: &str = "N";
/// Readers take no protobuf file of 2 GiB or more; some is left for all but the weights.
const MOST_WEIGHTS: usize = (1 << 31) - (1 << 24);

/// The bytes of an ONNX file that predicts what [`Model::predict`](crate::train::Model::predict) does, up to rounding.
///
/// Input `images`, f32 `[N, h, w, c]` of values from 0 to 1 (bytes by 255), or `features`, `[N, features]`; output
/// `probabilities`, f32 `[N, classes]`, of both classes where the last layer is a single sigmoid unit that tells two apart, or, where
/// targets are numbers, `values`; `N` is free. Opset 17. The metadata hold `class_names`, a JSON list. Equal runs give equal bytes.
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
    let bytes = if network.takes_bytes() { "bytes as they are" } else { "bytes divided by 255" };
    let [input, output] = ends(network);
    let entry = |key: &str, value: String| StringEntry { key: key.to_owned(), value };
    Model {
        ir_version: IR_VERSION,
        producer_name: "shadegrad".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        doc_string: match network.input_shape.image() {
            Some(_) => format!("{input}: NHWC, {bytes}. {output}: one row per image."),
            None => format!("{input}: numbers as they are, or {bytes}. {output}: one row per sample."),
        },
        graph: Some(graph(network, &run.weights)),
        opset_import: vec![OperatorSet { domain: String::new(), version: OPSET }],
        metadata_props: vec![entry("class_names", serde_json::json!(names).to_string())],
    }
}

fn graph(network: &Network, weights: &Weights) -> Graph {
    let [input, output] = ends(network);
    let mut nodes = Nodes::new(weights.tensors(), input);
    for layer in &network.layers {
        layer.onnx(&mut nodes);
    }
    if let (true, Some(last)) = (network.is_binary(), network.layers.last()) {
        both_classes(&mut nodes, &last.place());
    }
    nodes.output(output);
    let mut images = vec![Size::Free(BATCH.to_owned())];
    images.extend(network.input_shape.dims().into_iter().map(|size| Size::Value(size as i64)));
    let rows = vec![Size::Free(BATCH.to_owned()), Size::Value(network.classes() as i64)];
    Graph {
        name: network.name.clone(),
        node: nodes.nodes,
        initializer: nodes.initializers,
        input: vec![value_info(input, images)],
        output: vec![value_info(output, rows)],
    }
}

/// The names of input and output.
fn ends(network: &Network) -> [&'static str; 2] {
    let input = if network.input_shape.image().is_some() { INPUT } else { FEATURES };
    let output = if network.target == TargetKind::Values { VALUES } else { OUTPUT };
    [input, output]
}

/// From the probability p of class 1, `[N, 1]`, to those of both classes: 1 - p and p, `[N, 2]`.
fn both_classes(nodes: &mut Nodes<'_>, place: &Place<'_>) {
    let p = nodes.value().to_owned();
    let one = nodes.floats(place.weight("one"), &[1.0]);
    nodes.node(&place.step("negative"), "Neg", Vec::new(), Vec::new());
    nodes.node(&place.step("other_class"), "Add", vec![one], Vec::new());
    nodes.node(&place.step("both_classes"), "Concat", vec![p], vec![int("axis", 1)]);
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

#[cfg(test)]
mod tests;
