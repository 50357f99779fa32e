//! The host's part of a training step.

use shadegrad::profile::Sampling;
use shadegrad::train::{Compile, FitOptions, NoCallback};

use crate::common::{mnist_train, software_gpu, tutorial};

/// Most of a step's time that the host may take to encode it, copy its samples where they are streamed, and submit it.
const SHARE: f64 = 0.05;
/// Between batches that are measured step by step there is one submission, given to an idle device. One that is not idle
/// may hold the host until it has run what came before, which is no work of the host's.
const PERIOD: usize = 4;

#[test]
fn the_host_is_idle_most_of_a_step() {
    let data = mnist_train().take(64 * 80).unwrap();
    for stream in [false, true] {
        let mut model =
            tutorial().compile(&software_gpu(), Compile { stream, ..Compile::default() }).unwrap();
        let options =
            FitOptions { epochs: 1, profile: Some(Sampling::Every(PERIOD)), ..FitOptions::default() };
        let profile = model.fit(&data, &options, &mut NoCallback).unwrap().profile.unwrap();
        let [whole, encode, submit] =
            [profile.whole(), profile.encode(), profile.submit()].map(Option::unwrap);
        let share = (encode + submit) / whole;
        println!(
            "stream {stream}: {:.1} us to encode, {:.1} to submit, of {:.1}: {:.2} %",
            encode * 1e6,
            submit * 1e6,
            whole * 1e6,
            share * 100.0
        );
        assert!(share <= SHARE, "stream {stream}: {:.1} % of a step", share * 100.0);
    }
}
