//! The gradient of the loss by its logits, and of a whole network by every weight.

use shadegrad::model::{
    Activation, Add, BinaryCrossentropy, Conv2D, Dense, Flatten, GlobalAveragePooling2D, Huber, Loss,
    MaxPooling2D, Multiply, Node, Regularizer, Sequential,
};
use shadegrad::plan::Stage;

use crate::bench::Bench;
use crate::check::{H, compare, slope};
use crate::common::{Noise, activation_models};

/// Bounds the rounding error of a mean loss: a logit, an exponential, a logarithm and the sums over classes and rows
/// take some dozens of roundings of numbers of the loss's own size or, near a loss of 0, of size 1.
pub fn rounding(loss: f64) -> f64 {
    64.0 * 2f64.powi(-53) * (1.0 + loss)
}

#[test]
fn the_loss_agrees_with_central_differences() {
    let [categorical, binary] =
        [(Loss::default(), Activation::Softmax), (BinaryCrossentropy::default().into(), Activation::Sigmoid)];
    // (loss and activation, capacity, filled, classes, largest logit, soft targets)
    let rows = [
        (categorical, 1, 1, 2, 1.0, false),
        (categorical, 4, 4, 10, 3.0, false),
        (categorical, 4, 3, 10, 3.0, false),
        (categorical, 5, 1, 3, 8.0, false),
        (categorical, 4, 2, 7, 2.0, true),
        (binary, 1, 1, 1, 1.0, false),
        (binary, 4, 3, 1, 8.0, true),
        (binary, 4, 4, 10, 3.0, false),
        (binary, 5, 3, 7, 2.0, true),
    ];
    for ((loss, activation), capacity, filled, classes, size, soft) in rows {
        let name = format!("{loss:?}, {filled} of {capacity} rows, {classes} classes, soft {soft}");
        let model =
            Sequential::new([1, 1, 2]).add(Flatten::new()).add(Dense::new(classes).activation(activation));
        let mut bench = Bench::new(&model, loss, capacity, filled);
        let steps = bench.steps(Stage::Loss, "loss/");
        let mut noise = Noise(5);
        let logits: Vec<f64> = noise.vector(capacity * classes).iter().map(|z| size * z).collect();
        let (logits_at, target_at) = (bench.plan.logits.clone(), bench.plan.target.clone());
        bench.set(&logits_at, &logits);
        if soft {
            let mut target: Vec<f64> = noise.vector(capacity * classes).iter().map(|t| t.abs()).collect();
            for row in target.chunks_mut(classes).filter(|_| loss == Loss::default()) {
                let sum = row.iter().sum::<f64>();
                row.iter_mut().for_each(|t| *t /= sum);
            }
            bench.set(&target_at, &target);
        }
        bench.run(&steps);
        let gradient = bench.get(&bench.loss_gradient());
        let error = rounding(bench.loss());
        let slopes: Vec<_> = (0..logits.len())
            .map(|element| {
                slope(H, &[1.0], error, |offset| {
                    bench.executor.values_mut(&logits_at)[element] = logits[element] + offset;
                    bench.run(&steps);
                    bench.executor.values_mut(&logits_at)[element] = logits[element];
                    vec![bench.loss()]
                })
            })
            .collect();
        match compare(&gradient, &slopes) {
            Ok(share) => println!("loss, {name}: at worst {share:.3} of the bound"),
            Err(problem) => panic!("{name}: dlogits{problem}"),
        }
        let past = &gradient[filled as usize * classes..];
        assert!(past.iter().all(|&g| g == 0.0), "{name}: rows past the batch's size have a gradient");
    }
}

/// Losses of outputs that are not logits: errors of any numbers for any targets, and cross-entropy of numbers far from
/// where a share of their sum is clipped, some of them below that.
#[test]
fn losses_of_outputs_agree_with_central_differences() {
    let (cross_entropy, binary) = (Loss::default(), Loss::from(BinaryCrossentropy::default()));
    let huber = |delta| Loss::from(Huber { delta });
    let rows = [
        (Loss::MeanSquaredError, 1, 1, 1),
        (Loss::MeanSquaredError, 4, 3, 10),
        (Loss::MeanAbsoluteError, 1, 1, 1),
        (Loss::MeanAbsoluteError, 4, 3, 10),
        (huber(1.0), 1, 1, 1),
        (huber(1.0), 5, 4, 7),
        (huber(0.3), 4, 3, 10),
        (binary, 1, 1, 1),
        (binary, 4, 3, 10),
        (cross_entropy, 1, 1, 4),
        (cross_entropy, 4, 3, 10),
        (cross_entropy, 5, 5, 3),
    ];
    for (loss, capacity, filled, classes) in rows {
        let name = format!("{loss:?}, {filled} of {capacity} rows, {classes} classes");
        let model = Sequential::new([1, 1, 2]).add(Flatten::new()).add(Dense::new(classes));
        let mut bench = Bench::new(&model, loss, capacity, filled);
        let steps = bench.steps(Stage::Loss, "loss/");
        let mut noise = Noise(6);
        let mut outputs = noise.vector(capacity * classes);
        let mut target = noise.vector(capacity * classes);
        if loss == binary {
            // Far from where a probability is clipped, and some of them clipped.
            outputs.iter_mut().for_each(|y| *y = 0.5 + 0.4 * *y);
            outputs.iter_mut().skip(1).step_by(classes + 2).for_each(|y| *y = 1.2);
        }
        if loss == cross_entropy {
            target.iter_mut().for_each(|t| *t = t.abs());
            for row in target.chunks_mut(classes) {
                let sum = row.iter().sum::<f64>();
                row.iter_mut().for_each(|t| *t /= sum);
            }
            outputs.iter_mut().for_each(|y| *y = 0.2 + y.abs());
            // A share below 0 is clipped, and with it the gradient, whatever the target.
            outputs.iter_mut().skip(1).step_by(classes + 2).for_each(|y| *y = -0.1);
        }
        let (outputs_at, target_at) = (bench.plan.logits.clone(), bench.plan.target.clone());
        bench.set(&outputs_at, &outputs);
        bench.set(&target_at, &target);
        let kinks = bench.run(&steps);
        assert!(kinks.margin > 4.0 * H, "{name}: an output is near a kink");
        let gradient = bench.get(&bench.loss_gradient());
        let error = rounding(bench.loss());
        let slopes: Vec<_> = (0..outputs.len())
            .map(|element| {
                slope(H, &[1.0], error, |offset| {
                    bench.executor.values_mut(&outputs_at)[element] = outputs[element] + offset;
                    let there = bench.run(&steps);
                    bench.executor.values_mut(&outputs_at)[element] = outputs[element];
                    assert_eq!(there.pattern, kinks.pattern, "{name}: [{element}] is near a kink");
                    vec![bench.loss()]
                })
            })
            .collect();
        match compare(&gradient, &slopes) {
            Ok(share) => println!("{name}: at worst {share:.3} of the bound"),
            Err(problem) => panic!("{name}: gradient{problem}"),
        }
        let past = &gradient[filled as usize * classes..];
        assert!(past.iter().all(|&g| g == 0.0), "{name}: rows past the batch's size have a gradient");
    }
}

fn network() -> Sequential {
    Sequential::new([9, 8, 2])
        .add(Conv2D::new(3, (2, 3)).activation(Activation::Relu))
        .add(Conv2D::new(4, 2).strides((2, 1)).activation(Activation::Relu))
        .add(MaxPooling2D::new(2).strides(1))
        .add(Flatten::new())
        .add(Dense::new(5).activation(Activation::Relu))
        .add(Dense::new(3).activation(Activation::Softmax))
}

/// The same with penalties of all kernels.
fn penalised() -> Sequential {
    let (l1, l2, both) = (Regularizer::l1(0.3), Regularizer::l2(0.2), Regularizer::l1_l2(0.05, 0.4));
    Sequential::new([9, 8, 2])
        .add(Conv2D::new(3, (2, 3)).activation(Activation::Relu).kernel_regularizer(l1))
        .add(Conv2D::new(4, 2).strides((2, 1)).activation(Activation::Relu).kernel_regularizer(both))
        .add(MaxPooling2D::new(2).strides(1))
        .add(Flatten::new())
        .add(Dense::new(5).activation(Activation::Relu).kernel_regularizer(l2))
        .add(Dense::new(3).activation(Activation::Softmax).kernel_regularizer(l1))
}

/// Random weights for which no ReLU, no window and no error of a loss is near its kink in these steps, and no weight is near 0, where `|w|` has one.
fn away_from_kinks(bench: &mut Bench, steps: &[usize]) {
    let parameters = bench.plan.parameters.clone();
    for seed in 0..1000 {
        let mut noise = Noise(seed);
        for tensor in &parameters {
            let values: Vec<f64> = noise.vector(tensor.len()).iter().map(|w| 0.5 * w).collect();
            bench.set(tensor, &values);
        }
        let smallest =
            parameters.iter().flat_map(|tensor| bench.get(tensor)).fold(1.0, |m: f64, w| m.min(w.abs()));
        if smallest > 4.0 * H && bench.run(steps).margin > 16.0 * H {
            return;
        }
    }
    panic!("no seed keeps the network away from its kinks");
}

/// Inputs of several shapes, joined: features and one channel stand for all positions and channels.
fn gated() -> Sequential {
    let tanh = Activation::Tanh;
    Sequential::new([4, 3, 1])
        .add(Conv2D::new(3, 2).activation(tanh).name("image"))
        .add(GlobalAveragePooling2D::new().name("mean"))
        .add(Dense::new(3).activation(Activation::Sigmoid).name("gate"))
        .add(Node::new(Multiply::new().name("gated")).inputs(["image", "gate"]))
        .add(Conv2D::new(1, 1).activation(tanh).name("map"))
        .add(Node::new(GlobalAveragePooling2D::new().keepdims(true).name("whole")).inputs(["gated"]))
        .add(Node::new(Add::new().name("sum")).inputs(["whole", "map"]))
        .add(Node::new(Multiply::new().name("product")).inputs(["map", "sum", "gate"]))
        .add(Flatten::new())
        .add(Dense::new(3).activation(Activation::Softmax))
}

#[test]
fn a_whole_network_agrees_with_central_differences() {
    let plain = [
        ("network", network(), 4),
        ("network", network(), 3),
        ("penalised", penalised(), 3),
        ("gated", gated(), 4),
    ]
    .map(|(what, model, filled)| (what, model, Loss::default(), filled));
    // Full batches: in a row of zeros every window is a tie, unless ReLU closes it.
    let others = activation_models().into_iter().map(|(what, model, loss)| (what, model, loss, 4));
    for (what, model, loss, filled) in plain.into_iter().chain(others) {
        let mut bench = Bench::new(&model, loss, 4, filled);
        let [forward, loss, backward] =
            [Stage::Forward, Stage::Loss, Stage::Backward].map(|stage| bench.steps(stage, ""));
        let judged = [forward, loss].concat();
        away_from_kinks(&mut bench, &judged);
        let kinks = bench.run(&judged);
        bench.run(&backward);
        let error = rounding(bench.loss());
        let names: Vec<String> = bench.plan.network.weights().map(|weight| weight.name.clone()).collect();
        assert!(names.len() >= 4, "{what}");
        for name in names {
            let (weight, gradient) = bench.weight(&name).unwrap();
            let (start, gradient) = (bench.get(&weight), bench.get(&gradient));
            let slopes: Vec<_> = (0..start.len())
                .map(|element| {
                    slope(H, &[1.0], error, |offset| {
                        bench.executor.values_mut(&weight)[element] = start[element] + offset;
                        let there = bench.run(&judged);
                        bench.executor.values_mut(&weight)[element] = start[element];
                        assert_eq!(there.pattern, kinks.pattern, "{what}: {name} [{element}] is near a kink");
                        vec![bench.loss()]
                    })
                })
                .collect();
            match compare(&gradient, &slopes) {
                Ok(share) => {
                    println!("{what}, {filled} of 4, {name}: at worst {share:.3} of the bound")
                }
                Err(problem) => panic!("{what}, {filled} of 4 rows, {name}{problem}"),
            }
        }
    }
}
