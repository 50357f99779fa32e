use super::*;
use crate::io::ModelFile;
use crate::ops::Activation;

fn run(text: &str) -> SavedRun {
    let file = ModelFile::parse("model.toml", text).unwrap();
    let network = file.model.network().unwrap();
    let weights = network.initial_weights(5);
    SavedRun { file, network, weights }
}

fn written(text: &str) -> (SavedRun, Model) {
    let run = run(text);
    let bytes = to_onnx(&run).unwrap();
    assert_eq!(bytes, to_onnx(&run).unwrap(), "equal runs give equal bytes");
    (run, Model::decode(bytes.as_slice()).unwrap())
}

fn ops(model: &Model) -> Vec<&str> {
    model.graph.as_ref().unwrap().node.iter().map(|node| node.op_type.as_str()).collect()
}

#[test]
fn the_tutorial_has_its_nodes_in_order() {
    let (run, model) = written(crate::io::TUTORIAL);
    assert_eq!(
        ops(&model),
        ["Transpose", "Conv", "Relu", "MaxPool", "Transpose", "Flatten", "Gemm", "Relu", "Gemm", "Softmax"]
    );
    assert_eq!((model.ir_version, model.opset_import[0].version), (8, 17));
    let graph = model.graph.unwrap();
    // Each node takes what the one before gave.
    let mut value = INPUT;
    for node in &graph.node {
        assert_eq!(node.input[0], value);
        value = &node.output[0];
    }
    assert_eq!(value, OUTPUT);
    let perms: Vec<_> = graph
        .node
        .iter()
        .filter(|node| node.op_type == "Transpose")
        .map(|node| &node.attribute[0].ints[..])
        .collect();
    assert_eq!(perms, [[0, 3, 1, 2], [0, 2, 3, 1]]);
    let dims: Vec<_> =
        graph.initializer.iter().map(|tensor| (tensor.name.as_str(), tensor.dims.clone())).collect();
    assert_eq!(
        dims,
        [
            ("conv2d.kernel", vec![32, 1, 3, 3]),
            ("conv2d.bias", vec![32]),
            ("dense.kernel", vec![5408, 64]),
            ("dense.bias", vec![64]),
            ("dense_1.kernel", vec![64, 10]),
            ("dense_1.bias", vec![10]),
        ]
    );
    let bytes: usize = graph.initializer.iter().map(|tensor| tensor.raw_data.len()).sum();
    assert_eq!(bytes, 4 * run.network.parameter_count());
}

#[test]
fn the_batch_is_free_and_the_rest_is_not() {
    let (_, model) = written(crate::io::TUTORIAL);
    let graph = model.graph.unwrap();
    let sizes = |info: &ValueInfo| {
        let shape = info.r#type.clone().unwrap().tensor_type.unwrap().shape.unwrap();
        shape.dim.into_iter().map(|dim| dim.value.unwrap()).collect::<Vec<_>>()
    };
    let free = Size::Free("N".to_owned());
    let value = Size::Value;
    assert_eq!(sizes(&graph.input[0]), [free.clone(), value(28), value(28), value(1)]);
    assert_eq!(sizes(&graph.output[0]), [free, value(10)]);
}

#[test]
fn images_that_are_flattened_at_once_are_not_turned() {
    let (_, model) = written(
        "name = \"mlp\"\ninput_shape = [4, 5, 2]\nclass_names = [\"no\", \"yes\"]\n[[layers]]\ntype = \"Flatten\"\n\
         [[layers]]\ntype = \"Dense\"\nunits = 2\n",
    );
    assert_eq!(ops(&model), ["Flatten", "Gemm"], "the outputs are linear");
    assert_eq!(model.metadata_props[0].key, "class_names");
    assert_eq!(model.metadata_props[0].value, "[\"no\",\"yes\"]");
}

#[test]
fn every_activation_has_its_operator() {
    let dense = |activation: &str| {
        format!("[[layers]]\ntype = \"Dense\"\nunits = 3\nactivation = \"{activation}\"\n")
    };
    let layers = [
        "[[layers]]\ntype = \"Conv2D\"\nfilters = 2\nkernel_size = 1\nactivation = \"softmax\"\n".to_owned(),
        "[[layers]]\ntype = \"LeakyReLU\"\n[[layers]]\ntype = \"Dropout\"\nrate = 0.5\n".to_owned(),
        "[[layers]]\ntype = \"Flatten\"\n".to_owned(),
        dense("sigmoid"),
        dense("leaky_relu"),
        dense("tanh"),
        "[[layers]]\ntype = \"Softmax\"\n".to_owned(),
    ];
    let (_, model) = written(&format!("name = \"all\"\ninput_shape = [4, 5, 2]\n{}", layers.concat()));
    let expected = [
        "Transpose",
        "Conv",
        "Softmax",
        "LeakyRelu",
        "Transpose",
        "Flatten",
        "Gemm",
        "Sigmoid",
        "Gemm",
        "LeakyRelu",
        "Gemm",
        "Tanh",
        "Softmax",
    ];
    assert_eq!(ops(&model), expected);
    let nodes = model.graph.unwrap().node;
    let slopes: Vec<f32> =
        nodes.iter().filter(|node| node.op_type == "LeakyRelu").map(|node| node.attribute[0].f).collect();
    assert_eq!(slopes, [0.3, 0.2]);
    let axes: Vec<i64> =
        nodes.iter().filter(|node| node.op_type == "Softmax").map(|node| node.attribute[0].i).collect();
    assert_eq!(axes, [1, -1], "channels are the second axis of NCHW");
    assert_eq!(nodes[12].output, [OUTPUT]);
}

/// A function that is a product: of what went in, and an operator of it.
#[test]
fn a_gate_multiplies_its_input() {
    let rest =
        "[[layers]]\ntype = \"Flatten\"\n[[layers]]\ntype = \"Dense\"\nunits = 3\nactivation = \"silu\"\n";
    let (_, model) = written(&format!("name = \"gate\"\ninput_shape = [2, 2, 1]\n{rest}"));
    assert_eq!(ops(&model), ["Flatten", "Gemm", "Sigmoid", "Mul"]);
    let nodes = model.graph.unwrap().node;
    assert_eq!(nodes[2].input, nodes[1].output);
    assert_eq!([&nodes[3].input[0], &nodes[3].input[1]], [&nodes[2].output[0], &nodes[1].output[0]]);
    assert_eq!(nodes[3].output, [OUTPUT]);
}

/// A function of several operators: each takes what the one before gave, and then x or constants of its own.
#[test]
fn several_operators_make_a_function() {
    let conv = |activation: &str| {
        format!(
            "[[layers]]\ntype = \"Conv2D\"\nfilters = 2\nkernel_size = 1\nactivation = \"{activation}\"\n"
        )
    };
    let flatten = "[[layers]]\ntype = \"Flatten\"\n";
    let layers = [conv("gelu"), conv("relu6"), flatten.to_owned()].concat();
    let (_, model) = written(&format!("name = \"several\"\ninput_shape = [2, 2, 1]\n{layers}"));
    let expected =
        ["Transpose", "Conv", "Div", "Erf", "Add", "Mul", "Mul", "Conv", "Clip", "Transpose", "Flatten"];
    assert_eq!(ops(&model), expected);
    let graph = model.graph.unwrap();
    for pair in graph.node.windows(2) {
        assert_eq!(pair[0].output[0], pair[1].input[0]);
    }
    assert_eq!(graph.node[5].input[1], graph.node[1].output[0], "the input of the function");
    let constant = |name: &String| {
        let tensor = graph.initializer.iter().find(|tensor| tensor.name == *name).unwrap();
        assert_eq!(tensor.dims, [0i64; 0]);
        f32::from_le_bytes(tensor.raw_data[..].try_into().unwrap())
    };
    let numbers =
        [(2, 1), (4, 1), (6, 1), (8, 1), (8, 2)].map(|(node, at)| constant(&graph.node[node].input[at]));
    assert_eq!(numbers, [std::f32::consts::SQRT_2, 1.0, 0.5, 0.0, 6.0]);
}

/// Whatever the last activation is, the graph ends with it, and its output has the name that runtimes ask for.
#[test]
fn all_activations_can_be_last() {
    for activation in Activation::ALL {
        let dense =
            format!("[[layers]]\ntype = \"Dense\"\nunits = 3\nactivation = \"{}\"\n", activation.name());
        let flatten = "[[layers]]\ntype = \"Flatten\"\n";
        let (_, model) = written(&format!("name = \"one\"\ninput_shape = [2, 2, 1]\n{flatten}{dense}"));
        let added = ops(&model).len() - ["Flatten", "Gemm"].len();
        assert_eq!(added > 0, *activation != Activation::Linear, "{activation:?}");
        assert_eq!(model.graph.unwrap().node.last().unwrap().output, [OUTPUT], "{activation:?}");
    }
}

#[test]
fn a_layer_may_be_called_as_the_input_or_the_output() {
    for name in [INPUT, OUTPUT] {
        let named = format!(
            "name = \"mlp\"\ninput_shape = [4, 4, 1]\n[[layers]]\ntype = \"Flatten\"\nname = \"{name}\"\n\
             [[layers]]\ntype = \"Dense\"\nunits = 2\nactivation = \"softmax\"\n"
        );
        let (_, model) = written(&named);
        let graph = model.graph.unwrap();
        let mut values: Vec<_> =
            graph.node.iter().map(|node| node.output[0].as_str()).chain([INPUT]).collect();
        values.sort_unstable();
        values.dedup();
        assert_eq!(values.len(), graph.node.len() + 1, "{values:?}");
    }
}

#[test]
fn a_single_sigmoid_unit_gives_both_classes() {
    let (run, model) = written(
        "name = \"binary\"\ninput_shape = [4, 5, 2]\nloss = \"binary_crossentropy\"\nclass_names = [\"no\", \"yes\"]\n\
         [[layers]]\ntype = \"Flatten\"\n[[layers]]\ntype = \"Dense\"\nunits = 1\nactivation = \"sigmoid\"\n",
    );
    assert_eq!((run.network.outputs(), run.network.classes()), (1, 2));
    assert_eq!(ops(&model), ["Flatten", "Gemm", "Sigmoid", "Neg", "Add", "Concat"]);
    assert_eq!(model.metadata_props[0].value, "[\"no\",\"yes\"]");
    let graph = model.graph.unwrap();
    let [p, both] = [&graph.node[2], &graph.node[5]];
    assert_eq!(both.input[1], p.output[0], "p is the second");
    let shape = graph.output[0].r#type.clone().unwrap().tensor_type.unwrap().shape.unwrap();
    assert_eq!(shape.dim[1].value, Some(Size::Value(2)));
}

/// Channels are the last axis where they are normalized, with ones and zeros where the layer has no gamma or beta.
#[test]
fn layers_are_normalized_along_the_last_axis() {
    let normalization = "[[layers]]\ntype = \"LayerNormalization\"\nscale = false\nepsilon = 0.01\n";
    let layers = [
        "[[layers]]\ntype = \"Conv2D\"\nfilters = 2\nkernel_size = 1\n",
        normalization,
        "[[layers]]\ntype = \"Flatten\"\n",
        normalization,
        "[[layers]]\ntype = \"Dense\"\nunits = 3\n",
    ];
    let (_, model) = written(&format!("name = \"norm\"\ninput_shape = [2, 2, 1]\n{}", layers.concat()));
    let expected =
        ["Transpose", "Conv", "Transpose", "LayerNormalization", "Flatten", "LayerNormalization", "Gemm"];
    assert_eq!(ops(&model), expected);
    let graph = model.graph.unwrap();
    for (node, channels, name) in [(3, 2, "layer_normalization"), (5, 8, "layer_normalization_1")]
        .map(|(at, channels, name)| (&graph.node[at], channels, name))
    {
        assert_eq!(node.input[1..], [format!("{name}.gamma"), format!("{name}.beta")]);
        assert_eq!((node.attribute[0].i, node.attribute[1].f), (-1, 0.01));
        let gamma = graph.initializer.iter().find(|tensor| tensor.name == node.input[1]).unwrap();
        assert_eq!(gamma.dims, [channels]);
        assert_eq!(gamma.raw_data, 1f32.to_le_bytes().repeat(channels as usize));
    }
}

/// What only training does is not there.
#[test]
fn images_are_neither_mirrored_nor_moved() {
    let layers = "[[layers]]\ntype = \"RandomFlip\"\n[[layers]]\ntype = \"RandomTranslation\"\nheight_factor = 0.1\n\
                  width_factor = [0, 0.2]\n[[layers]]\ntype = \"Flatten\"\n[[layers]]\ntype = \"Dense\"\nunits = 3\n";
    let (_, model) = written(&format!("name = \"still\"\ninput_shape = [2, 2, 1]\n{layers}"));
    assert_eq!(ops(&model), ["Flatten", "Gemm"]);
}
