//! The executor with a plan of one's own: a training step is lowered to a list, looked at, run, and its gradient read back and held
//! against finite differences. `fit` drives an executor in the same way.
//!
//!     cargo run --release --example own_plan                  # or `-- software` for another device

use std::error::Error;
use std::ops::ControlFlow;

use shadegrad::Device;
use shadegrad::data::Dataset;
use shadegrad::executor::{DataSlot, Executor, Pass};
use shadegrad::model::{Activation, Conv2D, Dense, Flatten, Loss, Optimizer, Sequential};
use shadegrad::plan::{BatchParams, Phase, Plan};

/// Runs one batch of the first `samples` samples and returns its mean loss.
fn run(executor: &mut dyn Executor, phase: Phase, samples: usize) -> Result<f32, Box<dyn Error>> {
    let order: Vec<u32> = (0..samples as u32).collect();
    // A learning rate of 0: the gradients are computed, and the update leaves the weights as they are.
    let batch = BatchParams { learning_rate: 0.0, ..BatchParams::of_samples(samples) };
    let pass = Pass { phase, data: DataSlot::Training, order: &order, batches: &[batch], transforms: &[] };
    let mut loss = f32::NAN;
    executor.run(&pass, &mut |_, metrics| {
        loss = metrics.loss;
        ControlFlow::Continue(())
    })?;
    Ok(loss)
}

fn main() -> Result<(), Box<dyn Error>> {
    let device = match std::env::args().nth(1) {
        Some(name) => Device::open(&name.parse()?)?.0,
        None => Device::auto(),
    };
    // Four images of 6 x 6 bytes.
    let pixels = (0..4 * 36).map(|at: u32| (at * 97 % 256) as u8).collect();
    let data = Dataset::new(pixels, vec![0, 1, 2, 1], [6, 6, 1], 3)?;

    // A model becomes a network (shapes and names), a network becomes a plan (steps over buffers), and a device makes an executor of
    // it (memory, and on an adapter pipelines). Without `device.prepare(plan)` no steps are fused, so every gradient is stored.
    let network = Sequential::new([6, 6, 1])
        .add(Conv2D::new(2, 3).activation(Activation::Sigmoid))
        .add(Flatten::new())
        .add(Dense::new(3).activation(Activation::Softmax))
        .network()?;
    let plan = Plan::build(&network, Loss::default(), Optimizer::default(), data.len())?;
    for (_, step) in plan.steps_of(Phase::Train) {
        println!("{:28} {:24} {}", step.name, step.op.kind(), device.kernel(&step.op));
    }
    let mut executor = device.executor(plan.clone())?;
    executor.set_data(DataSlot::Training, &data)?;
    let weights = network.initial_weights(0);
    for (place, tensor) in plan.parameters.iter().zip(weights.tensors()) {
        executor.write(place, &tensor.values)?;
    }

    // One training step, and what it says of the first weights of each tensor.
    let loss = run(executor.as_mut(), Phase::Train, data.len())?;
    println!("loss {loss:.6}");
    let step = 1.0 / 64.0;
    let mut worst = 0.0f32;
    for ((gradient, place), tensor) in plan.gradients.iter().zip(&plan.parameters).zip(weights.tensors()) {
        run(executor.as_mut(), Phase::Train, data.len())?;
        let computed = executor.read(gradient)?[0];
        // (loss(w + h) - loss(w - h)) / 2h
        let mut beside = [0.0; 2];
        for (beside, by) in beside.iter_mut().zip([step, -step]) {
            let mut moved = tensor.values.clone();
            moved[0] += by;
            executor.write(place, &moved)?;
            *beside = run(executor.as_mut(), Phase::Evaluate, data.len())?;
        }
        executor.write(place, &tensor.values)?;
        let difference = (beside[0] - beside[1]) / (2.0 * step);
        println!("{:16} gradient {computed:9.6}, by finite differences {difference:9.6}", tensor.name);
        worst = worst.max((computed - difference).abs());
    }

    // Losses near 1 are rounded to 2^-24, which makes 2^-24 / h of their quotient, here 4e-6 for each of a few roundings; the rest is
    // the h^2 / 6 of the third derivative, 4e-5 where that is 1.
    if worst.is_nan() || worst > 2e-4 {
        return Err(format!("a gradient is wrong by {worst}").into());
    }
    Ok(())
}
