//! One layer at a time, for random upstream gradients `r`: the objective is `sum_i r_i y_i`.

use shadegrad::model::{
    Activation, ActivationLayer, AveragePooling2D, BatchNormalization, Conv2D, Conv2DTranspose, Dense,
    DepthwiseConv2D, Dropout, FillMode, Flatten, FlipMode, GlobalAveragePooling2D, GlobalMaxPooling2D,
    Interpolation, Layer, LayerNormalization, LeakyReLU, Loss, MaxPooling2D, Normalization, Padding,
    RandomFlip, RandomTranslation, ReLU, Rescaling, SeparableConv2D, Sequential, Softmax, ZeroPadding2D,
};
use shadegrad::plan::{Access, Stage, Tensor};

use crate::bench::Bench;
use crate::check::{H, Slope, compare, slope};
use crate::common::Noise;

/// The layer under test.
const NAME: &str = "looked_at";

struct Case {
    name: &'static str,
    /// Of the layer's input.
    shape: [usize; 3],
    layer: Layer,
    /// Products in the longest sum of its forward pass.
    terms: usize,
    /// Its input's values lie in `(-reach, reach)`.
    reach: f64,
}

/// A convolution with `filters`, a kernel and strides.
fn conv(filters: usize, kernel: (usize, usize), strides: (usize, usize)) -> Conv2D {
    Conv2D::new(filters, kernel).strides(strides).name(NAME)
}

/// Every activation as an argument and as a layer, there as far out as any bends, and dropout. A factor of 4 terms covers the
/// roundings of an activation.
fn activations() -> Vec<Case> {
    let mut cases = Vec::new();
    for &activation in Activation::ALL {
        let name = activation.name();
        let dense = Dense::new(6).activation(activation).name(NAME);
        cases.push(Case { name, shape: [1, 1, 9], layer: dense.into(), terms: 9, reach: 1.0 });
        let filters = conv(4, (3, 3), (1, 1)).activation(activation);
        cases.push(Case { name, shape: [5, 5, 2], layer: filters.into(), terms: 18, reach: 1.0 });
        if activation != Activation::Linear {
            for reach in [1.0, 8.0] {
                let layer = ActivationLayer::new(activation).name(NAME).into();
                cases.push(Case { name, shape: [3, 2, 5], layer, terms: 4, reach });
            }
        }
    }
    let case = |name, layer: Layer| Case { name, shape: [3, 4, 3], layer, terms: 4, reach: 1.0 };
    cases.extend([
        case("ReLU", ReLU::new().name(NAME).into()),
        case("LeakyReLU", LeakyReLU::new().name(NAME).into()),
        case("LeakyReLU, slope 1.5", LeakyReLU::new().negative_slope(1.5).name(NAME).into()),
        case("Softmax", Softmax::new().name(NAME).into()),
        case("Dropout", Dropout::new(0.4).name(NAME).into()),
    ]);
    cases
}

fn cases() -> Vec<Case> {
    let relu = Activation::Relu;
    let pool =
        |size: (usize, usize), strides: (usize, usize)| MaxPooling2D::new(size).strides(strides).name(NAME);
    let average = |size: (usize, usize), strides: (usize, usize)| {
        AveragePooling2D::new(size).strides(strides).name(NAME)
    };
    let transposed = |kernel: (usize, usize), strides: (usize, usize)| {
        Conv2DTranspose::new(4, kernel).strides(strides).name(NAME)
    };
    let same = Padding::Same;
    let unscaled = BatchNormalization::new().scale(false).epsilon(0.1).name(NAME);
    let twice = DepthwiseConv2D::new((2, 3)).depth_multiplier(2).padding(same).name(NAME);
    let moved = |fill_mode| RandomTranslation::new(0.6, [-0.9, 0.4]).fill_mode(fill_mode).name(NAME);
    let whole = moved(FillMode::Nearest).interpolation(Interpolation::Nearest);
    let plain = LayerNormalization::new().epsilon(0.1).name(NAME);
    let case = |name, shape, layer: Layer, terms| Case { name, shape, layer, terms, reach: 1.0 };
    vec![
        case("conv 1x1, one channel", [3, 3, 1], conv(1, (1, 1), (1, 1)).into(), 1),
        case("conv 3x3, four filters", [5, 6, 1], conv(4, (3, 3), (1, 1)).into(), 9),
        case("conv 2x3, odd channels", [5, 5, 3], conv(5, (2, 3), (1, 1)).into(), 18),
        case("conv 2x2, many channels", [3, 4, 6], conv(8, (2, 2), (1, 1)).into(), 24),
        case("conv, strides 2x3 that leave a border", [6, 9, 2], conv(3, (3, 2), (2, 3)).into(), 12),
        case("conv, strides over its kernel", [7, 7, 2], conv(2, (1, 2), (3, 4)).into(), 4),
        case("conv over the whole image", [4, 3, 2], conv(3, (4, 3), (1, 1)).into(), 24),
        case("conv with relu", [5, 5, 2], conv(4, (3, 3), (1, 1)).activation(relu).into(), 18),
        case("conv same, even kernel", [5, 6, 2], conv(3, (2, 4), (1, 1)).padding(same).into(), 16),
        case("conv same, strides", [7, 6, 3], conv(4, (3, 3), (2, 3)).padding(same).into(), 27),
        case("conv dilated", [7, 8, 2], conv(4, (3, 2), (1, 1)).dilation_rate((2, 3)).into(), 12),
        case(
            "conv same, dilated",
            [5, 5, 2],
            conv(3, (3, 3), (1, 1)).dilation_rate(2).padding(same).into(),
            18,
        ),
        case("conv in groups", [5, 6, 6], conv(9, (3, 2), (2, 1)).groups(3).into(), 12),
        case("conv without bias", [4, 4, 2], conv(4, (2, 2), (1, 1)).use_bias(false).into(), 8),
        case("depthwise", [5, 6, 4], DepthwiseConv2D::new(3).name(NAME).into(), 9),
        case("depthwise, two of each, same", [5, 4, 3], twice.into(), 9),
        case("separable", [5, 6, 3], SeparableConv2D::new(4, 3).padding(same).name(NAME).into(), 12),
        case("transposed", [3, 4, 2], transposed((3, 3), (2, 2)).into(), 18),
        case("transposed, same", [3, 3, 3], transposed((3, 4), (2, 1)).padding(same).into(), 36),
        case("transposed, gaps", [3, 3, 2], transposed((2, 1), (3, 2)).use_bias(false).into(), 4),
        case("average 2x2", [4, 7, 3], average((2, 2), (2, 2)).into(), 4),
        case("average, overlapping, same", [5, 6, 4], average((3, 3), (2, 1)).padding(same).into(), 9),
        case("global average", [4, 3, 5], GlobalAveragePooling2D::new().name(NAME).into(), 12),
        case(
            "global average, kept",
            [2, 3, 4],
            GlobalAveragePooling2D::new().keepdims(true).name(NAME).into(),
            6,
        ),
        case("global maximum", [4, 3, 5], GlobalMaxPooling2D::new().name(NAME).into(), 1),
        case("pool 3x3, same", [5, 6, 4], pool((3, 3), (2, 2)).padding(same).into(), 1),
        case("zeros around", [3, 4, 3], ZeroPadding2D::new([[1, 0], [2, 1]]).name(NAME).into(), 1),
        case("batch normalization", [3, 4, 3], BatchNormalization::new().name(NAME).into(), 36),
        case("batch normalization of features", [1, 1, 5], unscaled.into(), 3),
        case("rescaled", [2, 3, 2], Rescaling::new(-0.7).offset(0.2).name(NAME).into(), 1),
        case("dense without bias", [1, 1, 7], Dense::new(5).use_bias(false).name(NAME).into(), 7),
        case("pool 2x2", [4, 6, 3], pool((2, 2), (2, 2)).into(), 1),
        case("pool 2x2 of an odd image", [5, 7, 4], pool((2, 2), (2, 2)).into(), 1),
        case("pool 3x3, overlapping", [7, 7, 2], pool((3, 3), (2, 2)).into(), 1),
        case("pool 3x2, step 1", [5, 5, 2], pool((3, 2), (1, 1)).into(), 1),
        case("pool 1x2 with gaps", [5, 8, 1], pool((1, 2), (2, 3)).into(), 1),
        case("pool 1x1", [2, 3, 2], pool((1, 1), (1, 1)).into(), 1),
        case("dense", [1, 1, 7], Dense::new(5).name(NAME).into(), 7),
        case("dense, one input, one output", [1, 1, 1], Dense::new(1).name(NAME).into(), 1),
        case("dense, four by eight", [2, 2, 1], Dense::new(8).name(NAME).into(), 4),
        case("dense, a sum in parts", [1, 1, 1030], Dense::new(2).name(NAME).into(), 1030),
        case("dense with relu", [1, 1, 9], Dense::new(6).activation(relu).name(NAME).into(), 9),
        case("layer normalization", [3, 4, 5], LayerNormalization::new().name(NAME).into(), 60),
        case("layer normalization, unscaled", [1, 1, 8], plain.clone().scale(false).into(), 16),
        case("layer normalization, uncentered", [1, 1, 7], plain.center(false).into(), 14),
        case("flipped", [4, 5, 3], RandomFlip::new(FlipMode::Horizontal).name(NAME).into(), 1),
        case("flipped both ways", [3, 4, 4], RandomFlip::default().name(NAME).into(), 1),
        case("moved, reflected", [5, 6, 2], moved(FillMode::Reflect).into(), 8),
        case("moved, the nearest outside", [6, 4, 4], moved(FillMode::Nearest).into(), 8),
        case("moved, 0.5 outside", [4, 7, 3], moved(FillMode::Constant).fill_value(0.5).into(), 8),
        case("moved by whole pixels", [6, 5, 1], whole.into(), 8),
        case(
            "normalized by channel",
            [3, 2, 4],
            Normalization::new()
                .mean_and_variance([0.1, -0.2, 0.3, 0.0], [1.5, 2.0, 1.0, 4.0])
                .name(NAME)
                .into(),
            2,
        ),
        case(
            "normalized by row and column",
            [2, 2, 3],
            Normalization::new()
                .axis([1, 2])
                .mean_and_variance([[0.1, -0.2], [0.3, 0.0]], [[1.5, 2.0], [1.0, 4.0]])
                .name(NAME)
                .into(),
            2,
        ),
        case(
            "normalized, the other way",
            [3, 2, 3],
            Normalization::new().axis([]).mean_and_variance(0.3, 0.25).invert(true).name(NAME).into(),
            2,
        ),
        case("moved down", [7, 3, 2], RandomTranslation::new([0.1, 0.9], 0.0).name(NAME).into(), 8),
    ]
}

impl Case {
    /// The layer between one with weights, so that a gradient of its input is needed, and an output layer. The
    /// sigmoid keeps the next step from working in place, so that the layer's input is still there after a run.
    fn model(&self) -> Sequential {
        let before = Conv2D::new(self.shape[2], 1).activation(Activation::Sigmoid);
        let before = Sequential::new(self.shape).add(before);
        let model = match self.layer {
            Layer::Dense(_) => before.add(Flatten::new()).add(self.layer.clone()),
            _ => before.add(self.layer.clone()).add(Flatten::new()),
        };
        model.add(Dense::new(2).activation(Activation::Softmax).name("after"))
    }

    /// Bounds the rounding error of one output: every factor is at most 1, or the reach, so a sum of K products and a bias is
    /// known to 8 * 2^-53 * sqrt(K) * (K + 1) times that, the bound that the design sets for every sum.
    fn rounding(&self) -> f64 {
        let k = self.terms as f64;
        8.0 * 2f64.powi(-53) * k.sqrt() * (k + 1.0) * self.reach
    }
}

/// The tensors of a layer in a plan.
struct Places {
    x: Tensor,
    y: Tensor,
    dy: Tensor,
    forward: Vec<usize>,
    backward: Vec<usize>,
    /// Name, values and gradient of a variable of the objective.
    variables: Vec<(String, Tensor, Tensor)>,
}

fn places(bench: &Bench) -> Places {
    let prefix = format!("{NAME}/");
    let forward = bench.steps(Stage::Forward, &prefix);
    let backward = bench.steps(Stage::Backward, &prefix);
    let x = bench.plan.steps[forward[0]].args[0].clone();
    // What the layer behind it gives back.
    let behind = bench.steps(Stage::Backward, "after/backward_input");
    let dy = behind.last().and_then(|&at| bench.plan.steps[at].args.last()).expect("a gradient").clone();
    // Layers without weights change the gradient in place.
    let dx = bench.buffer(&format!("d_{NAME}.input")).unwrap_or_else(|| dy.clone());
    let mut variables = vec![("x".to_owned(), x.clone(), dx)];
    variables.extend(bench.weights_of(NAME));
    // What the layer's last step writes.
    let last = &bench.plan.steps[forward[forward.len() - 1]];
    let written = last.op.args().iter().position(|spec| spec.access != Access::In).unwrap();
    let y = last.args[written].clone();
    Places { x, y, dy, forward, backward, variables }
}

/// Distinct values in `(-1, 1)`, evenly spaced and in disorder: no pooling window has a near-tie, and with an even
/// number of values none is 0.
fn spaced(noise: &mut Noise, len: usize) -> Vec<f64> {
    let mut values: Vec<f64> = (0..len).map(|i| (2 * i + 1) as f64 / len as f64 - 1.0).collect();
    for i in (1..len).rev() {
        values.swap(i, noise.bits() as usize % (i + 1));
    }
    values
}

/// Sets the layer's input and weights so that no element is nearer to a kink than `4H`: twice what a step of `2H`
/// moves it, since no factor exceeds 1.
fn away_from_kinks(bench: &mut Bench, at: &Places, reach: f64) {
    for seed in 0..1000 {
        let mut noise = Noise(seed);
        let x: Vec<f64> = spaced(&mut noise, at.x.len()).into_iter().map(|value| value * reach).collect();
        bench.set(&at.x, &x);
        for (_, weight, _) in &at.variables[1..] {
            let values = noise.vector(weight.len());
            bench.set(weight, &values);
        }
        if bench.run(&at.forward).margin > 4.0 * H {
            return;
        }
    }
    panic!("no seed keeps every element away from the kinks");
}

/// The names of the variables of the objective: the layer's input and its weights.
fn variables(case: &Case) -> Vec<String> {
    let bench = Bench::new(&case.model(), Loss::default(), 3, 3);
    places(&bench).variables.into_iter().map(|(name, _, _)| name).collect()
}

/// The gradient that the backward steps give for a variable, and its slopes.
fn gradient_and_slopes(case: &Case, variable: &str) -> (Vec<f64>, Vec<Slope>) {
    let mut bench = Bench::new(&case.model(), Loss::default(), 3, 3);
    let at = places(&bench);
    away_from_kinks(&mut bench, &at, case.reach);
    let r = Noise(99).vector(at.dy.len());
    let kinks = bench.run(&at.forward);
    bench.set(&at.dy, &r);
    bench.run(&at.backward);
    let (_, values, gradient) =
        at.variables.iter().find(|(name, _, _)| name == variable).expect("a variable");
    let gradient = bench.get(gradient);
    let start = bench.get(values);
    let slopes = (0..start.len()).map(|element| {
        slope(H, &r, case.rounding(), |offset| {
            bench.executor.values_mut(values)[element] = start[element] + offset;
            let there = bench.run(&at.forward);
            bench.executor.values_mut(values)[element] = start[element];
            assert_eq!(there.pattern, kinks.pattern, "{}: {variable} [{element}] is near a kink", case.name);
            bench.get(&at.y)
        })
    });
    let slopes = slopes.collect();
    (gradient, slopes)
}

#[test]
fn every_layer_agrees_with_central_differences() {
    let mut failures = Vec::new();
    for case in cases().into_iter().chain(activations()) {
        let variables = variables(&case);
        let network = case.model().network().unwrap();
        let own = network.trainable_weights().filter(|weight| weight.name.starts_with(NAME)).count();
        assert_eq!(variables.len(), 1 + own, "{}: {variables:?}", case.name);
        for variable in variables {
            let (gradient, slopes) = gradient_and_slopes(&case, &variable);
            match compare(&gradient, &slopes) {
                Ok(share) => println!("{}, d{variable}: at worst {share:.3} of the bound", case.name),
                Err(problem) => failures.push(format!("{}, d{variable}{problem}", case.name)),
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn a_wrong_gradient_is_noticed() {
    let case = Case {
        name: "dense with relu",
        shape: [1, 1, 6],
        layer: Dense::new(5).activation(Activation::Relu).name(NAME).into(),
        terms: 6,
        reach: 1.0,
    };
    let (right, slopes) = gradient_and_slopes(&case, "kernel");
    compare(&right, &slopes).unwrap();
    let largest = (0..right.len()).max_by(|&a, &b| right[a].abs().total_cmp(&right[b].abs())).unwrap();
    let shut = (0..right.len()).find(|&at| right[at] == 0.0).expect("a ReLU is shut");
    let changed = |change: &dyn Fn(&mut Vec<f64>)| {
        let mut wrong = right.clone();
        change(&mut wrong);
        wrong
    };
    let rows: [(&str, Vec<f64>); 7] = [
        ("one element by 1e-5 of itself", changed(&|g| g[largest] *= 1.0 + 1e-5)),
        ("one sign", changed(&|g| g[largest] = -g[largest])),
        ("not masked by ReLU", changed(&|g| g[shut] = 0.5)),
        ("the mean over another batch size", changed(&|g| g.iter_mut().for_each(|g| *g *= 3.0 / 4.0))),
        ("shifted by one", changed(&|g| g.rotate_left(1))),
        ("not a number", changed(&|g| g[0] = f64::NAN)),
        ("too short", changed(&|g| g.truncate(1))),
    ];
    for (name, wrong) in rows {
        assert!(compare(&wrong, &slopes).is_err(), "{name} passed");
    }
    let dull = vec![Slope { value: 1.0, bound: 0.1 }; right.len()];
    assert!(compare(&vec![1.0; right.len()], &dull).is_err(), "a bound that hides mistakes passed");
}
