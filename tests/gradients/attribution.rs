//! The gradients of scores by the input and by the outputs of layers, in prediction.

use shadegrad::data::DataForm;
use shadegrad::layers::Padding;
use shadegrad::model::{
    Activation, Add, BatchNormalization, Conv2D, Dense, DepthwiseConv2D, Dropout, GlobalAveragePooling2D,
    MaxPooling2D, Network, Node, RandomFlip, ReLU, Rescaling, Sequential,
};
use shadegrad::ops::Access;
use shadegrad::plan::{Attribution, Goal, Stage, Tensor};

use crate::bench::Bench;
use crate::check::{H, compare, slope};
use crate::common::{Noise, activation_models};
use crate::loss_and_network::rounding;

const SAMPLES: usize = 2;

/// A plan on the f64 twins whose forward steps are those before and those behind what the scores are derived by.
struct Derived {
    bench: Bench,
    values: Tensor,
    gradient: Tensor,
    scores: Tensor,
    before: Vec<usize>,
    behind: Vec<usize>,
    back: Vec<usize>,
    /// 1 at the score of each sample's class.
    one_hot: Vec<f64>,
}

impl Derived {
    fn new(network: &Network, goal: Goal) -> Derived {
        let form = DataForm::default();
        let Attribution { plan, d_scores, values, gradient } =
            Attribution::build(network, goal, SAMPLES, form).unwrap();
        let scores = plan.logits.clone();
        let mut bench = Bench::of_prediction(plan, SAMPLES);
        let forward = bench.steps(Stage::Forward, "");
        let writes = |step: usize| {
            let step = &bench.plan.steps[step];
            let specs = step.op.args();
            let mut args = specs.iter().zip(&step.args);
            args.any(|(spec, tensor)| spec.access != Access::In && tensor.buffer == values.buffer)
        };
        let first = forward.iter().rposition(|&step| writes(step)).map_or(0, |at| at + 1);
        let (before, behind) = forward.split_at(first);
        let (before, behind) = (before.to_vec(), behind.to_vec());
        let back = bench.steps(Stage::Output, "");
        let (columns, mut one_hot) = (network.outputs(), vec![0.0; scores.len()]);
        (0..SAMPLES).for_each(|row| one_hot[row * columns + (row + 1) % columns] = 1.0);
        bench.set(&d_scores, &one_hot);
        Derived { bench, values, gradient, scores, before, behind, back, one_hot }
    }

    /// Weights, and outputs of a layer that is the goal, for which nothing behind it is near a kink; returns these outputs, or the input.
    /// Variances are above 0. Outputs are any numbers: behind ReLU many are 0, where the next layer may bend.
    fn away_from_kinks(&mut self, network: &Network, goal: Goal) -> Vec<f64> {
        let places = self.bench.plan.parameters.clone();
        for seed in 0..1000 {
            let mut noise = Noise(seed);
            for (place, weight) in places.iter().zip(network.weights()) {
                let values = noise.vector(place.len()).into_iter().map(|w| 0.5 * w);
                let is_variance = weight.name.ends_with("variance");
                let values: Vec<f64> = values.map(|w| if is_variance { 0.5 + w.abs() } else { w }).collect();
                self.bench.set(place, &values);
            }
            self.bench.run(&self.before);
            let mut start = self.bench.get(&self.values);
            if goal != Goal::Input {
                start = noise.vector(start.len());
                self.bench.set(&self.values, &start);
            }
            if self.bench.run(&self.behind).margin > 16.0 * H {
                return start;
            }
        }
        panic!("no seed keeps the network away from its kinks");
    }
}

/// Two branches, of which one is normalized; dropout and mirroring do nothing in prediction.
fn residual() -> Sequential {
    let same = |filters| Conv2D::new(filters, 3).padding(Padding::Same).use_bias(false);
    Sequential::new([5, 4, 2])
        .add(Rescaling::new(1.0 / 64.0).offset(-1.0))
        .add(RandomFlip::default())
        .add(same(3).name("stem"))
        .add(BatchNormalization::new().name("norm"))
        .add(ReLU::new().name("relu"))
        .add(Dropout::new(0.5))
        .add(DepthwiseConv2D::new(2).padding(Padding::Same).name("depthwise"))
        .add(BatchNormalization::new().scale(false).epsilon(0.1))
        .add(Node::new(Add::new().name("sum")).inputs(["batch_normalization", "relu"]))
        .add(MaxPooling2D::new((1, 2)))
        .add(GlobalAveragePooling2D::new())
        .add(Dense::new(3).activation(Activation::Softmax))
}

/// The input reaches two layers.
fn forked() -> Sequential {
    let conv = |name: &str| Conv2D::new(2, 2).activation(Activation::Tanh).name(name);
    Sequential::new([4, 4, 1])
        .add(conv("a"))
        .add(Node::new(conv("b")).inputs(["input"]))
        .add(Node::new(Add::new().name("sum")).inputs(["a", "b"]))
        .add(GlobalAveragePooling2D::new())
        .add(Dense::new(1).activation(Activation::Sigmoid))
}

#[test]
fn scores_agree_with_central_differences() {
    let own = [("residual", residual()), ("forked", forked())];
    let others = activation_models().into_iter().map(|(what, model, _)| (what, model));
    for (what, model) in own.into_iter().chain(others) {
        let network = model.network().unwrap();
        let images = network.layers.iter().filter(|layer| layer.output.image().is_some());
        let goals: Vec<(String, Goal)> = std::iter::once(("input".to_owned(), Goal::Input))
            .chain(images.map(|layer| (layer.name.clone(), Goal::Layer(layer.index))))
            .collect();
        for (name, goal) in goals {
            let name = format!("{what}, by {name}");
            let mut derived = Derived::new(&network, goal);
            let start = derived.away_from_kinks(&network, goal);
            let Derived { mut bench, values, gradient, scores, before, behind, back, one_hot } = derived;
            bench.run(&before);
            bench.set(&values, &start);
            let kinks = bench.run(&behind);
            let error = bench.get(&scores).iter().fold(0.0, |most: f64, z| most.max(rounding(z.abs())));
            bench.run(&back);
            let found = bench.get(&gradient);
            assert_eq!(bench.get(&values), start, "{name}: the way there changes what it is derived by");
            let slopes: Vec<_> = (0..start.len())
                .map(|element| {
                    slope(H, &one_hot, error, |offset| {
                        bench.run(&before);
                        bench.set(&values, &start);
                        bench.executor.values_mut(&values)[element] += offset;
                        let there = bench.run(&behind);
                        assert!(there.pattern == kinks.pattern, "{name}: [{element}] is near a kink");
                        bench.get(&scores)
                    })
                })
                .collect();
            match compare(&found, &slopes) {
                Ok(share) => println!("{name}: at worst {share:.3} of the bound"),
                Err(problem) => panic!("{name}{problem}"),
            }
        }
    }
}

/// Frozen weights cost nothing: no step computes a gradient of a weight, a loss, or an update.
#[test]
fn no_gradient_of_a_weight_is_computed() {
    let network = residual().network().unwrap();
    let conv = network.layers.iter().find(|layer| layer.name == "depthwise").unwrap().index;
    // (goal, the layers that the way back takes)
    let rows = [
        (
            Goal::Layer(conv),
            vec!["dense", "global_average_pooling2d", "max_pooling2d", "batch_normalization"],
        ),
        (
            Goal::Input,
            vec![
                "dense",
                "global_average_pooling2d",
                "max_pooling2d",
                "sum",
                "batch_normalization",
                "depthwise",
                "dropout",
                "relu",
                "norm",
                "stem",
                "random_flip",
                "rescaling",
            ],
        ),
    ];
    for (goal, expected) in rows {
        let plan = Attribution::build(&network, goal, 4, DataForm::default()).unwrap().plan;
        let stages = [Stage::Input, Stage::Forward, Stage::Output];
        assert!(plan.steps.iter().all(|step| stages.contains(&step.stage)), "{goal:?}");
        let back = plan.steps.iter().filter(|step| step.stage == Stage::Output);
        let mut layers: Vec<_> = back.clone().filter_map(|step| step.name.split('/').next()).collect();
        layers.dedup();
        assert_eq!(layers, expected, "{goal:?}");
        let of_weights = ["kernel", "bias", "gamma", "beta"];
        assert!(back.clone().all(|step| !of_weights.iter().any(|what| step.name.contains(what))), "{goal:?}");
        assert!(plan.gradients.is_empty() && plan.state.is_none(), "{goal:?}");
    }
}
