//! Shape inference: from layers as values to layers with names, shapes and weights.

use super::network::{Network, NetworkLayer};
use super::wiring::{layer_names, sources};
use super::{ModelError, Node, Sequential};
use crate::layers::kit::Inferred;
use crate::layers::{Shape, WeightSpec};

/// No tensor of one sample and no weight tensor may have more elements than this: sizes are 32-bit on the device.
const MAX_ELEMENTS: usize = 1 << 30;

impl Network {
    pub(super) fn infer(model: &Sequential) -> Result<Network, ModelError> {
        let whole = |problem: String| ModelError::Model { model: model.name.clone(), problem };
        if checked_len(&model.input_shape.dims()).is_none() {
            return Err(whole(format!(
                "input_shape {} must be height, width, channels, or a number of features, each at least 1 and \
                 together at most {MAX_ELEMENTS} values",
                model.input_shape
            )));
        }
        if model.layers.is_empty() {
            return Err(whole("it has no layers; add at least one Dense".to_owned()));
        }
        let names = layer_names(model)?;
        let sources = sources(model, &names)?;
        let mut layers: Vec<NetworkLayer> = Vec::new();
        for (index, ((node, name), sources)) in model.layers.iter().zip(names).zip(sources).enumerate() {
            let is_last = index + 1 == model.layers.len();
            let fail = |problem: String| ModelError::Layer {
                index,
                layer: name.clone(),
                class: node.layer.class(),
                problem,
            };
            let input = model.input_shape;
            let inputs = sources.iter().map(|&source| source.map_or(input, |at| layers[at].output)).collect();
            let inferred = infer_layer(index, node, &name, sources, inputs).map_err(fail)?;
            if let (true, Shape::Image(dims)) = (is_last, inferred.output) {
                return Err(fail(format!(
                    "the last layer must give one row with a value per class, but gives {dims:?}; \
                     add a Flatten and a Dense after it"
                )));
            }
            layers.push(inferred);
        }
        if !layers.iter().any(|layer| layer.weights.iter().any(|weight| weight.trainable)) {
            return Err(whole(nothing_to_train(model, &layers)));
        }
        let Sequential { ref name, input_shape, target, .. } = *model;
        let network = Network { name: name.clone(), input_shape, target, layers };
        let wishes = network.wishes();
        if wishes.contains(&true) && wishes.contains(&false) {
            return Err(whole(
                "its input goes to a Rescaling or a Normalization, which takes bytes as they are, and also to a layer \
                 that takes them divided by 255; let all branches begin after the Rescaling or Normalization"
                    .to_owned(),
            ));
        }
        Ok(network)
    }
}

/// Why no weight is trained, and what to change.
fn nothing_to_train(model: &Sequential, layers: &[NetworkLayer]) -> String {
    let frozen =
        model.layers.iter().zip(layers).any(|(node, layer)| !node.trainable && !layer.weights.is_empty());
    let problem = match frozen {
        true => {
            "no weight is left to train: the layers that have some are `trainable = false`; let one of them be trained"
        }
        false => "no layer has weights to train; add at least one Dense",
    };
    problem.to_owned()
}

/// The product, when every dimension is at least 1 and the product within the limit.
fn checked_len(dims: &[usize]) -> Option<usize> {
    let len = dims.iter().try_fold(1usize, |len, &dim| len.checked_mul(dim))?;
    (1..=MAX_ELEMENTS).contains(&len).then_some(len)
}

fn infer_layer(
    index: usize,
    node: &Node,
    name: &str,
    sources: Vec<Option<usize>>,
    inputs: Vec<Shape>,
) -> Result<NetworkLayer, String> {
    let Inferred { output, mut weights } = node.layer.infer(&inputs)?;
    for weight in &mut weights {
        weight.name = format!("{name}.{}", weight.name);
        weight.trainable &= node.trainable;
    }
    check_sizes(output, &weights)?;
    for weight in &weights {
        if let Some(problem) = weight.initializer.problem(&weight.shape) {
            return Err(format!("{}: {problem}", weight.name));
        }
    }
    let (name, layer, trainable) = (name.to_owned(), node.layer.clone(), node.trainable);
    Ok(NetworkLayer { index, name, layer, sources, inputs, output, weights, trainable })
}

fn check_sizes(output: Shape, weights: &[WeightSpec]) -> Result<(), String> {
    let tensors = weights
        .iter()
        .map(|weight| (weight.name.as_str(), weight.shape.clone()))
        .chain([("its output", output.dims())]);
    for (what, dims) in tensors {
        if checked_len(&dims).is_none() {
            return Err(format!(
                "{what} of shape {dims:?} has more than {MAX_ELEMENTS} values; make the layer smaller"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::model::{
        Activation, Add, BatchNormalization, Concatenate, Conv2D, Dense, Dropout, Flatten, Initializer,
        LayerNormalization, LeakyReLU, MaxPooling2D, Nested, Normalization, Padding, RandomFlip, Rescaling,
        Reshape,
    };

    use super::*;

    #[test]
    fn the_tutorial_has_the_shapes_keras_prints() {
        let network = crate::io::ModelFile::tutorial().unwrap().model.network().unwrap();
        let rows: Vec<_> = network
            .layers
            .iter()
            .map(|l| {
                let parameters: usize = l.weights.iter().map(WeightSpec::len).sum();
                (l.name.as_str(), l.output.dims(), parameters)
            })
            .collect();
        assert_eq!(
            rows,
            [
                ("conv2d", vec![26, 26, 32], 320),
                ("max_pooling2d", vec![13, 13, 32], 0),
                ("flatten", vec![5408], 0),
                ("dense", vec![64], 346_176),
                ("dense_1", vec![10], 650),
            ]
        );
    }

    #[test]
    fn every_impossible_model_names_its_layer() {
        let relu = Activation::Relu;
        let base = || Sequential::new([9, 7, 2]);
        let rows: Vec<(Sequential, &str)> = vec![
            (base(), "no layers"),
            (Sequential::new([0, 7, 2]).add(Flatten::new()), "input_shape"),
            (base().add(Dense::new(3)), "layer 0 `dense` (Dense): it needs one row of features"),
            (base().add(Flatten::new()), "no layer has weights to train"),
            (
                base().add(Flatten::new()).add(Node::new(Dense::new(2)).trainable(false)),
                "the layers that have some are `trainable = false`",
            ),
            (
                base()
                    .add(MaxPooling2D::new(usize::MAX).padding(Padding::Same))
                    .add(Flatten::new())
                    .add(Dense::new(2)),
                "pool_size is 18446744073709551615x18446744073709551615, but both may be at most 32768",
            ),
            (
                base().add(Conv2D::new(1, 2).padding(Padding::Same).dilation_rate(40_000)),
                "kernel_size 2x2 with its dilation_rate spans 40001x40001, but may span at most 32768",
            ),
            (base().add(Conv2D::new(2, 3)), "layer 0 `conv2d` (Conv2D): the last layer must give one row"),
            (
                base().add(Flatten::new()).add(LeakyReLU::new().negative_slope(-0.1)).add(Dense::new(2)),
                "layer 1 `leaky_re_lu` (LeakyReLU): negative_slope is -0.1",
            ),
            (
                base().add(Dropout::new(1.0)).add(Flatten::new()).add(Dense::new(2)),
                "layer 0 `dropout` (Dropout): rate is 1, but must be at least 0 and below 1",
            ),
            (base().add(Flatten::new()).add(Dense::new(0)), "`dense` (Dense): units"),
            (base().add(Conv2D::new(0, 3)), "`conv2d` (Conv2D): filters"),
            (base().add(Conv2D::new(4, (3, 0))), "kernel_size is 3x0"),
            (base().add(Conv2D::new(4, 3).strides(0)), "strides is 0x0"),
            (base().add(Conv2D::new(4, (3, 8))), "kernel_size 3x8 is larger than its 9x7 input"),
            (
                base().add(MaxPooling2D::new(5)).add(MaxPooling2D::new(2)),
                "layer 1 `max_pooling2d_1` (MaxPooling2D): pool_size 2x2 is larger than its 1x1 input",
            ),
            (
                base().add(Flatten::new()).add(Conv2D::new(1, 1).activation(relu)),
                "layer 1 `conv2d` (Conv2D): it needs images",
            ),
            (
                base().add(Flatten::new()).add(Dense::new(2).name("a")).add(Dense::new(2).name("a")),
                "layer 2 `a` (Dense): another layer has the same name",
            ),
            (base().add(Flatten::new()).add(Dense::new(2).name("a.b")), "must not be empty nor contain"),
            (base().add(Flatten::new()).add(Dense::new(usize::MAX / 2)), "more than"),
            (
                base()
                    .add(Flatten::new())
                    .add(Node::new(Rescaling::new(0.1)))
                    .add(Node::new(Dense::new(126).name("a")).inputs(["flatten"]))
                    .add(Node::new(Add::new()).inputs(["a", "rescaling"])),
                "its input goes to a Rescaling",
            ),
            (
                base()
                    .add(Flatten::new())
                    .add(Dense::new(2).bias_initializer(Initializer::Orthogonal { gain: 1.0 })),
                "layer 1 `dense` (Dense): dense.bias: orthogonal needs two dimensions or more",
            ),
        ];
        check(rows);
    }

    #[test]
    fn settings_out_of_range_name_their_layer() {
        let base = || Sequential::new([9, 7, 2]);
        check(vec![
            (
                base().add(Reshape::new([0, 126])),
                "[0, 126] holds a size of 0, but the 126 values of its input",
            ),
            (
                base().add(Reshape::new([1 << 32, 1 << 32, 1])),
                "has more values than can be counted; its input has 126",
            ),
            (
                base().add(BatchNormalization::new().epsilon(1e-60)).add(Flatten::new()).add(Dense::new(2)),
                "`batch_normalization` (BatchNormalization): epsilon is 1e-60",
            ),
            (
                base().add(LayerNormalization::new().epsilon(1e-60)).add(Flatten::new()).add(Dense::new(2)),
                "layer 0 `layer_normalization` (LayerNormalization): epsilon is 1e-60, but must be above 0",
            ),
            (
                Sequential::new([8192, 8192, 1])
                    .add(Normalization::new().axis([1, 2, 3]).mean_and_variance(0.0, 1.0))
                    .add(Flatten::new())
                    .add(Dense::new(1)),
                "layer 0 `normalization` (Normalization): axis keeps 67108864 numbers",
            ),
            (
                base().add(Flatten::new()).add(RandomFlip::default()).add(Dense::new(2)),
                "layer 1 `random_flip` (RandomFlip): it needs images",
            ),
            (
                base().add(Normalization::new().axis(4)).add(Flatten::new()).add(Dense::new(2)),
                "layer 0 `normalization` (Normalization): axis 4 is not an axis of a sample; it must be from 1 to 3",
            ),
            (
                base().add(Normalization::new().axis(0)).add(Flatten::new()).add(Dense::new(2)),
                "axis 0 is not an axis of a sample",
            ),
            (
                base().add(Normalization::new().axis([1, -3])).add(Flatten::new()).add(Dense::new(2)),
                "axis names axis 1 twice",
            ),
            (
                base()
                    .add(Normalization { mean: Some(1.0.into()), ..Normalization::new() })
                    .add(Flatten::new())
                    .add(Dense::new(2)),
                "only one of mean and variance is given",
            ),
            (
                base()
                    .add(Normalization::new().mean_and_variance([0.0; 9], [1.0; 9]))
                    .add(Flatten::new())
                    .add(Dense::new(2)),
                "mean has shape [9], which cannot be broadcast to",
            ),
            (
                base()
                    .add(Normalization::new().mean_and_variance(0.0, -1.0))
                    .add(Flatten::new())
                    .add(Dense::new(2)),
                "variance holds -1, but must not be negative",
            ),
            (
                base()
                    .add(Normalization::new().axis([1, 3]).mean_and_variance(
                        Nested::List(vec![[0.0].into(), 1.0.into()]),
                        Nested::List(vec![[0.0].into(), 1.0.into()]),
                    ))
                    .add(Flatten::new())
                    .add(Dense::new(2)),
                "mean holds lists of different lengths",
            ),
        ]);
    }

    fn check(rows: Vec<(Sequential, &str)>) {
        for (model, expected) in rows {
            let message = model.network().unwrap_err().to_string();
            assert!(message.contains(expected), "{message:?} lacks {expected:?}");
        }
    }

    #[test]
    fn bytes_reach_a_rescaling_as_they_are() {
        let base = || Sequential::new([4, 4, 1]);
        let end = |model: Sequential| model.add(Flatten::new()).add(Dense::new(2)).network().unwrap();
        let rows = [
            (end(base()), false),
            (end(base().add(Rescaling::new(0.5))), true),
            (end(base().add(RandomFlip::default()).add(Rescaling::new(0.5))), true),
            (end(base().add(Conv2D::new(1, 1)).add(Rescaling::new(0.5))), false),
            (end(base().add(RandomFlip::default()).add(Normalization::new())), true),
        ];
        for (network, expected) in rows {
            assert_eq!(network.takes_bytes(), expected, "{network:?}");
            assert_eq!(network.byte_table()[255], if expected { 255.0 } else { 1.0 });
        }
    }

    /// Each level doubles the ways from the input to the end.
    #[test]
    fn many_ways_through_a_model_are_not_walked_one_by_one() {
        let with_levels = |mut model: Sequential| {
            for level in 0..28 {
                let dropout =
                    |name: &str| Node::new(Dropout::new(0.1).name(name)).inputs([format!("x{level}")]);
                let [a, b] = [format!("a{level}"), format!("b{level}")];
                let both = Concatenate::new().name(format!("x{}", level + 1));
                model = model.add(dropout(&a)).add(dropout(&b)).add(Node::new(both).inputs([a, b]));
            }
            model
        };
        let base = || Sequential::new([1, 1, 1]);
        let behind_the_input = with_levels(base().add(Flatten::new().name("x0"))).add(Dense::new(2));
        assert!(!behind_the_input.network().unwrap().takes_bytes());
        let softmax = Dense::new(1).activation(Activation::Softmax).name("x0");
        let before_the_end = with_levels(base().add(Flatten::new()).add(softmax)).network().unwrap();
        assert_eq!(before_the_end.loss_advice(crate::model::Loss::default()), None);
    }

    #[test]
    fn odd_sizes_and_strides_follow_the_valid_rule() {
        let model = Sequential::new([11, 10, 3])
            .add(Conv2D::new(5, (2, 3)).strides((2, 1)))
            .add(MaxPooling2D::new(3).strides(2))
            .add(Flatten::new())
            .add(Dense::new(4));
        let network = model.network().unwrap();
        // (11-2)/2+1 = 5, (10-3)/1+1 = 8; then (5-3)/2+1 = 2, (8-3)/2+1 = 3.
        assert_eq!(network.layers[0].output, Shape::Image([5, 8, 5]));
        assert_eq!(network.layers[1].output, Shape::Image([2, 3, 5]));
        assert_eq!(network.layers[2].output, Shape::Flat(30));
    }
}
