//! A training loop of one's own: its own order of samples, its own learning rate, its own end. What `fit` does with one call is spelled
//! out here.
//!
//!     cargo run --release --example own_loop                  # or `-- software` for another device

use std::error::Error;

use shadegrad::Device;
use shadegrad::data::batches::epoch_order;
use shadegrad::model::{Activation, Adam, Dense, Flatten, Sequential};
use shadegrad::train::{Compile, Model};

const BATCH: usize = 64;
const RATE: f32 = 0.002;
/// Steps over which the learning rate rises from 0.
const WARM_UP: usize = 30;

fn main() -> Result<(), Box<dyn Error>> {
    let device = match std::env::args().nth(1) {
        Some(name) => Device::open(&name.parse()?)?.0,
        None => Device::auto(),
    };
    // Of each set a part is enough to see the loop at work.
    let mnist = shadegrad::data::mnist()?;
    let (train, validation) = (mnist.train.slice(0..4000)?, mnist.train.slice(4000..5000)?);

    let mut model = Sequential::new([28, 28, 1])
        .add(Flatten::new())
        .add(Dense::new(64).activation(Activation::Relu))
        .add(Dense::new(10).activation(Activation::Softmax))
        .compile(&device, Compile { optimizer: Adam::default().into(), ..Compile::default() })?;

    let (mut step, mut best) = (0, 0.0);
    for epoch in 0..20 {
        // The numbers of all samples, shuffled by a seed, anew in each epoch. Any other order will do: a sample may come twice.
        let order = epoch_order(train.len(), epoch, Some(7));
        let (mut loss, mut right) = (0.0, 0.0);
        for numbers in order.chunks(BATCH) {
            model.set_learning_rate(RATE * ((step + 1) as f32 / WARM_UP as f32).min(1.0))?;
            let batch = model.train_on_batch(&train.select(numbers)?)?;
            loss += batch.loss * numbers.len() as f64;
            right += batch.accuracy.unwrap_or_default() * numbers.len() as f64;
            step += 1;
        }
        // A step says when its loss or a gradient is not finite, but not when its update makes a weight so.
        model.check_weights()?;
        let [loss, right] = [loss, right].map(|sum| sum / train.len() as f64);
        let judged = model.evaluate(&validation)?;
        best = judged.accuracy.unwrap_or_default();
        println!("Epoch {} - loss: {loss:.4} - accuracy: {right:.4} - validation: {best:.4}", epoch + 1);
        if best >= 0.92 {
            println!("Good enough after {step} steps");
            break;
        }
    }

    // What is predicted of a batch: a row of probabilities for each sample.
    let few = mnist.test.take(5)?;
    let probabilities = model.predict_data(&few)?;
    for (row, label) in probabilities.chunks(10).zip(few.labels()) {
        let largest = (0..10).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap_or_default();
        println!("a {label} is taken for a {largest} ({:.4})", row[largest]);
    }

    // Saved as after `fit`.
    let saved = std::path::Path::new("runs/own-loop");
    model.save(saved)?;
    let again = Model::open(saved, &device)?.evaluate(&validation)?.accuracy.unwrap_or_default();
    if best < 0.92 || again != best {
        return Err(format!("the loop ended at an accuracy of {best}, and {again} once loaded").into());
    }
    Ok(())
}
