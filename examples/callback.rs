//! A callback of one's own: it prints, keeps the weights of the best epoch, slows training down and ends it. Then the model is saved,
//! loaded and used.
//!
//!     cargo run --release --example callback                  # or `-- software` for another device

use std::error::Error;
use std::path::Path;

use shadegrad::Device;
use shadegrad::model::{Activation, Dense, Flatten, Sequential, Weights};
use shadegrad::train::{
    Callback, CallbackError, Checkpoint, Compile, EpochRecord, FitOptions, Model, Requests, Schedule,
};

/// Halves the learning rate after an epoch that was no better than the best one, and ends training after `patience` of them in a row.
struct KeepBest {
    patience: usize,
    /// The best epoch and its validation loss.
    best: Option<(usize, f64)>,
    /// The weights after it.
    weights: Option<Weights>,
    /// Epochs since then.
    waited: usize,
    /// What `fit` is asked for next.
    requests: Requests,
}

impl Callback for KeepBest {
    fn on_train_begin(&mut self, schedule: &Schedule) -> Result<(), CallbackError> {
        println!("At most {} epochs of {} steps", schedule.epochs, schedule.steps_per_epoch);
        Ok(())
    }

    fn on_epoch_end(&mut self, record: &EpochRecord) -> Result<(), CallbackError> {
        // An error of a callback ends training, and `fit` returns it.
        let loss =
            record.val_loss.ok_or("give `fit` a validation set: there is no best epoch without one")?;
        println!(
            "Epoch {} - loss: {:.4} - validation: {loss:.4} - rate: {:.5}",
            record.epoch, record.loss, record.learning_rate
        );
        match self.best {
            Some((best, least)) if loss >= least => {
                self.waited += 1;
                self.requests.rate_factor = Some(0.5);
                if self.waited >= self.patience {
                    self.requests.stop = Some(format!("no epoch was better than epoch {best}"));
                }
            }
            _ => {
                (self.best, self.waited) = (Some((record.epoch, loss)), 0);
                self.requests.checkpoint = true;
            }
        }
        Ok(())
    }

    /// `fit` asks this after each batch and each epoch.
    fn requests(&mut self) -> Requests {
        std::mem::take(&mut self.requests)
    }

    /// A checkpoint is all that training needs to go on; here its weights are enough.
    fn on_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), CallbackError> {
        self.weights = Some(checkpoint.weights.clone());
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let device = match std::env::args().nth(1) {
        Some(name) => Device::open(&name.parse()?)?.0,
        None => Device::auto(),
    };
    // Few images, which the model soon learns by heart: then it gets no better on others.
    let mnist = shadegrad::data::mnist()?;
    let (train, validation) = (mnist.train.slice(0..1000)?, mnist.train.slice(1000..2000)?);

    let mut model = Sequential::new([28, 28, 1])
        .add(Flatten::new())
        .add(Dense::new(64).activation(Activation::Relu))
        .add(Dense::new(10).activation(Activation::Softmax))
        .compile(&device, Compile::default())?;
    let options = FitOptions { epochs: 60, validation: Some(validation.clone()), ..FitOptions::default() };
    let mut keep =
        KeepBest { patience: 3, best: None, weights: None, waited: 0, requests: Requests::default() };
    let history = model.fit(&train, &options, &mut keep)?;
    if let Some(stopped) = &history.stopped {
        println!("Training ended {stopped}");
    }

    // The weights of the best epoch in place of the last.
    let (epoch, least) = keep.best.ok_or("no epoch was trained")?;
    model.set_weights(keep.weights.ok_or("no weights were kept")?)?;
    let loss = model.evaluate(&validation)?.loss;
    println!("Epoch {epoch} was the best: {loss:.4}");

    let saved = Path::new("runs/best");
    model.save(saved)?;
    let mut model = Model::open(saved, &device)?;
    let probabilities = model.predict(mnist.test.image(0).ok_or("there is no first image")?)?;
    let digit = (0..10).max_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b])).unwrap_or_default();
    println!("The first image of the test set shows a {digit} ({:.4})", probabilities[digit]);

    // Held against what `fit` said of that epoch, but for rounding: batches are added up alike.
    if (loss - least).abs() > 1e-9 || digit != 7 {
        return Err("these are not the weights of the best epoch".into());
    }
    Ok(())
}
