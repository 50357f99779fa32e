//! Initial weights: the same bits for the same seed on every device.

use crate::random::{Purpose, Stream};

use super::{Network, Weights};
use crate::layers::Initializer;

impl Network {
    /// Fresh weights for `seed`; each tensor has a stream of its own, so that one layer's size does not
    /// change another layer's start.
    pub fn initial_weights(&self, seed: u64) -> Weights {
        let values = self
            .weights()
            .enumerate()
            .map(|(index, spec)| match spec.initializer {
                Initializer::Ones => vec![1.0; spec.len()],
                Initializer::Zeros => vec![0.0; spec.len()],
                Initializer::GlorotUniform { fan_in, fan_out } => {
                    let limit = (6.0 / (fan_in as f64 + fan_out as f64)).sqrt();
                    let mut stream = Stream::new(seed, Purpose::Initialization, index as u32);
                    (0..spec.len())
                        .map(|_| (limit * (2.0 * f64::from(stream.unit_f32()) - 1.0)) as f32)
                        .collect()
                }
            })
            .collect();
        Weights::from_values(self, values)
    }
}

#[cfg(test)]
mod tests {
    use crate::io::ModelFile;

    #[test]
    fn kernels_are_glorot_uniform_and_biases_zero() {
        let network = ModelFile::tutorial().unwrap().model.network().unwrap();
        let weights = network.initial_weights(0);
        // (tensor, limit): sqrt(6 / (fan_in + fan_out)), fans of the convolution times 9.
        let rows = [
            ("conv2d.kernel", (6.0f64 / (9.0 + 288.0)).sqrt()),
            ("dense.kernel", (6.0f64 / (5408.0 + 64.0)).sqrt()),
            ("dense_1.kernel", (6.0f64 / (64.0 + 10.0)).sqrt()),
        ];
        for (name, limit) in rows {
            let values = &weights.get(name).unwrap().values;
            let n = values.len() as f64;
            let largest = values.iter().fold(0.0, |m: f64, &v| m.max(f64::from(v).abs()));
            let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
            let square = values.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>() / n;
            assert!(
                largest <= limit * 1.000_001 && largest > 0.95 * limit,
                "{name}: largest {largest} of {limit}"
            );
            // Five standard errors of the mean and of the mean square of a uniform variable.
            assert!(mean.abs() < 5.0 * limit / (3.0 * n).sqrt(), "{name}: mean {mean}");
            let spread = 5.0 * limit.powi(2) * (4.0f64 / 45.0 / n).sqrt();
            assert!((square - limit.powi(2) / 3.0).abs() < spread, "{name}: mean square {square}");
        }
        for name in ["conv2d.bias", "dense.bias", "dense_1.bias"] {
            assert!(weights.get(name).unwrap().values.iter().all(|&v| v == 0.0), "{name}");
        }
    }

    #[test]
    fn the_seed_decides() {
        let network = ModelFile::tutorial().unwrap().model.network().unwrap();
        assert_eq!(network.initial_weights(3), network.initial_weights(3));
        assert_ne!(network.initial_weights(3), network.initial_weights(4));
    }
}
