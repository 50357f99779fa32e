//! Numbers from numbers: what houses cost, learnt from what is known of them, saved, and asked of one more.
//!
//!     cargo run --release --example regression                # or `-- software` for another device

use std::error::Error;
use std::path::Path;

use shadegrad::Device;
use shadegrad::data::{Dataset, Samples, TargetKind, Targets};
use shadegrad::model::{Activation, Adam, Dense, Loss, Normalization, Sequential};
use shadegrad::train::{Compile, EarlyStopping, FitOptions, Model, ValueReport, on_epoch_end};

/// What is known of a house: area in square metres, rooms, kilometres to the station; and its price in thousands. Here a formula in
/// place of a file; `data::load` reads tables.
fn house(number: u32) -> ([f32; 3], [f32; 1]) {
    // Spread evenly over 0 to 1, each in another order.
    let spread = |step: f64| (f64::from(number) * step).fract() as f32;
    let area = 40.0 + 160.0 * spread(0.618_034);
    let rooms = (area / 25.0 + 2.0 * spread(0.754_878)).round();
    let distance = 6.0 * spread(0.569_840);
    ([area, rooms, distance], [2.5 * area + 15.0 * rooms - 20.0 * distance + 0.1 * area * (6.0 - distance)])
}

fn houses(numbers: std::ops::Range<u32>) -> Result<Dataset, Box<dyn Error>> {
    let houses: Vec<_> = numbers.map(house).collect();
    let data = Dataset::from_parts(
        Samples::from_rows(houses.iter().map(|(known, _)| known))?,
        Targets::values(houses.iter().map(|(_, price)| price), 1)?,
        [3],
    )?;
    // The names travel with the model; the program `shadegrad` finds columns of a table by them.
    let data = data.with_feature_names(["area", "rooms", "distance"].map(str::to_owned).to_vec())?;
    Ok(data.with_class_names(vec!["price".to_owned()])?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let device = match std::env::args().nth(1) {
        Some(name) => Device::open(&name.parse()?)?.0,
        None => Device::auto(),
    };
    let (train, validation, test) = (houses(0..800)?, houses(800..900)?, houses(900..1000)?);

    // Columns differ in size: `Normalization` takes mean and variance of each from the training samples. The last layer has one
    // output and no activation, since a price may be any number.
    let mut model = Sequential::new([3])
        .name("prices")
        .target(TargetKind::Values)
        .add(Normalization::new())
        .add(Dense::new(32).activation(Activation::Relu))
        .add(Dense::new(1))
        .compile(
            &device,
            Compile {
                loss: Loss::MeanSquaredError,
                optimizer: Adam { learning_rate: 0.03, ..Adam::default() }.into(),
                ..Compile::default()
            },
        )?;
    let options = FitOptions {
        epochs: 150,
        batch_size: 32,
        validation: Some(validation),
        early_stopping: Some(EarlyStopping {
            patience: 20,
            restore_best_weights: true,
            ..Default::default()
        }),
        ..FitOptions::default()
    };
    let mut progress = on_epoch_end(|record| {
        if record.epoch % 10 == 1 {
            let validation = record.val_loss.unwrap_or_default();
            println!("Epoch {:3} - loss: {:.1} - validation: {validation:.1}", record.epoch, record.loss);
        }
        Ok(())
    });
    model.fit(&train, &options, &mut progress)?;

    let report = ValueReport::new(&model.predict_data(&test)?, test.target_rows(), 1)?;
    println!("Wrong by {:.1} thousand on average, R2 {:.4}", report.mae, report.r2.unwrap_or_default());

    let saved = Path::new("runs/prices");
    model.save(saved)?;
    let mut model = Model::open(saved, &device)?;
    let (known, [price]) = house(1234);
    let found = model.predict_values(&known)?[0];
    println!("{known:?} costs {price:.1}, estimated {found:.1}");

    if report.r2.is_none_or(|r2| r2 < 0.99) || (found - price).abs() > 50.0 {
        return Err("the model has not learnt what houses cost".into());
    }
    Ok(())
}
