//! Trying learning rates leaves a model as it was.

use shadegrad::model::{Activation, Adam, BatchNormalization, Dense, Flatten, Sequential};
use shadegrad::train::{Compile, CurveEnd, FitOptions, NoCallback, RateRange};

use crate::common::{devices, random_data};

#[test]
fn weights_state_and_counters_stay() {
    // Moving statistics are weights, too; Adam has state.
    let model = Sequential::new([6, 6, 1])
        .add(Flatten::new())
        .add(Dense::new(8).activation(Activation::Relu))
        .add(BatchNormalization::new())
        .add(Dense::new(3).activation(Activation::Softmax));
    let data = random_data(80, [6, 6, 1], 3, 1);
    let options = FitOptions { epochs: 1, batch_size: 4, ..FitOptions::default() };
    let compile = || Compile { optimizer: Adam::default().into(), seed: 3, ..Compile::default() };
    // (greatest rate, end)
    let rows = [(1e-5, CurveEnd::AllTried), (1e38, CurveEnd::NotFinite)];
    for (name, device) in devices() {
        for (max_learning_rate, end) in rows {
            let place = format!("{name}, up to {max_learning_rate:e}");
            let range = RateRange { max_learning_rate, ..RateRange::default() };
            let mut tried = model.compile(&device, compile()).unwrap();
            let mut other = model.compile(&device, compile()).unwrap();
            for _ in 0..2 {
                let (weights, state) = (tried.weights().unwrap(), *tried.training_state());
                let curve = tried.try_learning_rates(&data, &options, &range).unwrap();
                assert!(
                    curve.end == end || end == CurveEnd::NotFinite && curve.end == CurveEnd::Diverged,
                    "{place}"
                );
                let all = if curve.end == CurveEnd::AllTried { 100..=100 } else { 1..=100 };
                assert!(all.contains(&curve.points.len()), "{place}: five passes of 20 batches");
                assert!(tried.weights().unwrap() == weights, "{place}");
                assert_eq!(*tried.training_state(), state, "{place}");
                assert_eq!(
                    tried.try_learning_rates(&data, &options, &range).unwrap(),
                    curve,
                    "{place}: the same again"
                );
                // What follows is what would have been.
                tried.fit(&data, &options, &mut NoCallback).unwrap();
                other.fit(&data, &options, &mut NoCallback).unwrap();
                assert!(tried.weights().unwrap() == other.weights().unwrap(), "{place}");
            }
        }
    }
}
