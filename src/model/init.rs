//! Initial weights: the same bits for the same seed on every device.

use rayon::prelude::*;

use super::{Network, Weights};
use crate::layers::Initializer;
use crate::random::{Purpose, Stream};

impl Network {
    /// Fresh weights for `seed`; each tensor has a stream of its own, so that one layer's size does not
    /// change another layer's start.
    pub fn initial_weights(&self, seed: u64) -> Weights {
        let values = self
            .weights()
            .enumerate()
            .map(|(index, spec)| {
                if let Some(given) = &spec.given {
                    return given.clone();
                }
                let mut stream = Stream::new(seed, Purpose::Initialization, index as u32);
                initial_values(spec.initializer, &spec.shape, &mut stream)
            })
            .collect();
        Weights::from_values(self, values)
    }
}

/// The standard deviation of the standard normal distribution once it is cut at -2 and 2.
const CUT_STDDEV: f64 = 0.879_625_661_034_239_8;

/// What a tensor of this shape starts as.
fn initial_values(initializer: Initializer, shape: &[usize], stream: &mut Stream) -> Vec<f32> {
    let len = shape.iter().product();
    let [fan_in, fan_out] = fans(shape);
    let both = (fan_in + fan_out) / 2.0;
    let of_variance = |scale: f64, fan: f64| (scale / fan.max(1.0)).sqrt() / CUT_STDDEV;
    match initializer {
        Initializer::Zeros => vec![0.0; len],
        Initializer::Ones => vec![1.0; len],
        Initializer::Constant { value } => vec![value as f32; len],
        Initializer::RandomNormal { mean, stddev } => normal(len, mean, stddev, f64::INFINITY, stream),
        Initializer::RandomUniform { minval, maxval } => {
            (0..len).map(|_| (minval + (maxval - minval) * f64::from(stream.unit_f32())) as f32).collect()
        }
        Initializer::TruncatedNormal { mean, stddev } => normal(len, mean, stddev, 2.0, stream),
        Initializer::GlorotUniform => symmetric(len, 1.0, both, stream),
        Initializer::GlorotNormal => normal(len, 0.0, of_variance(1.0, both), 2.0, stream),
        Initializer::HeUniform => symmetric(len, 2.0, fan_in, stream),
        Initializer::HeNormal => normal(len, 0.0, of_variance(2.0, fan_in), 2.0, stream),
        Initializer::LecunUniform => symmetric(len, 1.0, fan_in, stream),
        Initializer::LecunNormal => normal(len, 0.0, of_variance(1.0, fan_in), 2.0, stream),
        Initializer::Orthogonal { gain } => orthogonal(shape, gain, stream),
    }
}

/// Inputs that reach one output, and outputs that one input reaches, as Keras counts them.
fn fans(shape: &[usize]) -> [f64; 2] {
    match *shape {
        [] => [1.0, 1.0],
        [n] => [n as f64, n as f64],
        [ref field @ .., a, b] => {
            let field = field.iter().map(|&size| size as f64).product::<f64>();
            [field * a as f64, field * b as f64]
        }
    }
}

/// Uniform in `[-limit, limit)`, of variance `scale / fan`.
fn symmetric(len: usize, scale: f64, fan: f64, stream: &mut Stream) -> Vec<f32> {
    let limit = (3.0 * scale / fan.max(1.0)).sqrt();
    (0..len).map(|_| (limit * (2.0 * f64::from(stream.unit_f32()) - 1.0)) as f32).collect()
}

/// Normal; what is `cut` standard deviations or more from the mean is drawn again.
fn normal(len: usize, mean: f64, stddev: f64, cut: f64, stream: &mut Stream) -> Vec<f32> {
    let mut values = Vec::with_capacity(len + 1);
    while values.len() < len {
        let kept = stream.normals().into_iter().filter(|draw| draw.abs() < cut);
        values.extend(kept.map(|draw| (mean + stddev * draw) as f32));
    }
    values.truncate(len);
    values
}

/// The factor Q of a normal matrix, times `gain`; the other factor, R, has no negative number on its diagonal.
///
/// Keras takes any Q and R and changes signs until R is so; Gram and Schmidt's way gives it at once. Once is enough: what is lost
/// in f64, the condition of a normal matrix times 2^-53, is far below f32.
fn orthogonal(shape: &[usize], gain: f64, stream: &mut Stream) -> Vec<f32> {
    let columns = shape.last().copied().unwrap_or(1);
    let rows = shape.iter().product::<usize>() / columns;
    let (long, short) = (rows.max(columns), rows.min(columns));
    let mut vectors = vec![vec![0.0; long]; short];
    let mut draws = std::iter::repeat_with(|| stream.normals()).flatten();
    for at in 0..long {
        for (vector, draw) in vectors.iter_mut().zip(&mut draws) {
            vector[at] = draw;
        }
    }
    for at in 0..short {
        let (done, rest) = vectors.split_at_mut(at + 1);
        let Some(vector) = done.last_mut() else { break };
        let length = dot(vector, vector).sqrt();
        if length > 0.0 {
            vector.iter_mut().for_each(|x| *x /= length);
        }
        let vector = &*vector;
        rest.par_iter_mut().for_each(|other| {
            let share = dot(vector, other);
            other.iter_mut().zip(vector).for_each(|(o, v)| *o -= share * v);
        });
    }
    let at = |row: usize, column: usize| {
        let (vector, place) = if rows < columns { (row, column) } else { (column, row) };
        (gain * vectors[vector][place]) as f32
    };
    (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column))).map(|(r, c)| at(r, c)).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::ModelFile;

    fn draw(initializer: Initializer, shape: &[usize], index: u32) -> Vec<f32> {
        initial_values(initializer, shape, &mut Stream::new(11, Purpose::Initialization, index))
    }

    /// Mean and mean square.
    fn moments(values: impl Iterator<Item = f64> + Clone) -> [f64; 2] {
        let n = values.clone().count() as f64;
        [values.clone().sum::<f64>() / n, values.map(|value| value * value).sum::<f64>() / n]
    }

    #[test]
    fn what_is_drawn_has_its_moments_and_its_limits() {
        let shape = [3, 3, 16, 32];
        let [fan_in, fan_out] = fans(&shape);
        assert_eq!([fan_in, fan_out], [144.0, 288.0]);
        assert_eq!(fans(&[5, 7]), [5.0, 7.0]);
        assert_eq!(fans(&[6]), [6.0, 6.0]);
        let both = (fan_in + fan_out) / 2.0;
        let (uniform, cut, open) = (3f64.sqrt(), 2.0 / CUT_STDDEV, 7.0);
        let default = |name: &str| Initializer::named(name).unwrap();
        // Mean, standard deviation, and how many of them the largest magnitude may be off the mean.
        let rows = [
            (default("zeros"), 0.0, 0.0, 0.0),
            (default("ones"), 1.0, 0.0, 0.0),
            (Initializer::Constant { value: 0.25 }, 0.25, 0.0, 0.0),
            (default("random_normal"), 0.0, 0.05, open),
            (Initializer::RandomNormal { mean: -2.0, stddev: 0.5 }, -2.0, 0.5, open),
            (default("random_uniform"), 0.0, 0.05 / uniform, uniform),
            (Initializer::RandomUniform { minval: 1.0, maxval: 3.0 }, 2.0, 1.0 / uniform, uniform),
            (default("truncated_normal"), 0.0, 0.05 * CUT_STDDEV, cut),
            (Initializer::TruncatedNormal { mean: 1.0, stddev: 0.1 }, 1.0, 0.1 * CUT_STDDEV, cut),
            (default("glorot_uniform"), 0.0, (1.0 / both).sqrt(), uniform),
            (default("glorot_normal"), 0.0, (1.0 / both).sqrt(), cut),
            (default("he_uniform"), 0.0, (2.0 / fan_in).sqrt(), uniform),
            (default("he_normal"), 0.0, (2.0 / fan_in).sqrt(), cut),
            (default("lecun_uniform"), 0.0, (1.0 / fan_in).sqrt(), uniform),
            (default("lecun_normal"), 0.0, (1.0 / fan_in).sqrt(), cut),
        ];
        for (initializer, mean, stddev, reach) in rows {
            let values = draw(initializer, &shape, 0);
            assert_eq!(values.len(), 4608);
            let n = values.len() as f64;
            let off = values.iter().map(|&value| f64::from(value) - mean);
            let largest = off.clone().fold(0.0, |most: f64, value| most.max(value.abs()));
            let [first, second] = moments(off);
            // What rounding to f32 may do.
            let rounding = 1e-7 * (mean.abs() + stddev);
            assert!(largest <= reach * stddev + rounding, "{initializer:?}: {largest}");
            let least = if reach == open { 3.0 } else { 0.99 * reach };
            assert!(largest >= least * stddev, "{initializer:?}: {largest}");
            // Five standard errors; the squares of no other distribution here spread more than those of a normal one.
            assert!(
                first.abs() <= 5.0 * stddev / n.sqrt() + rounding,
                "{initializer:?}: mean off by {first}"
            );
            let spread = 5.0 * stddev.powi(2) * (2.0 / n).sqrt();
            assert!((second - stddev.powi(2)).abs() <= spread + rounding, "{initializer:?}: {second}");
        }
    }

    #[test]
    fn orthogonal_vectors_are_at_right_angles() {
        for (shape, gain) in [
            (&[8, 8][..], 1.0),
            (&[5, 3], 1.0),
            (&[3, 5], 2.0),
            (&[2, 2, 3, 7], 1.0),
            (&[1, 1], 0.5),
            (&[300, 40], 1.0),
        ] {
            let columns = *shape.last().unwrap();
            let values = draw(Initializer::Orthogonal { gain }, shape, 0);
            let rows = values.len() / columns;
            let across = rows < columns;
            let vector = |at: usize| -> Vec<f64> {
                let len = rows.max(columns);
                let place = |i: usize| if across { at * columns + i } else { i * columns + at };
                (0..len).map(|i| f64::from(values[place(i)]) / gain).collect()
            };
            for a in 0..rows.min(columns) {
                for b in 0..=a {
                    let product = dot(&vector(a), &vector(b));
                    let expected = if a == b { 1.0 } else { 0.0 };
                    // Each of the factors is rounded to f32.
                    assert!((product - expected).abs() < 2.0 * 6e-8, "{shape:?}: {a} and {b} give {product}");
                }
            }
        }
    }

    /// Without the signs that R's diagonal decides, some elements would lean to one side.
    #[test]
    fn orthogonal_directions_are_equally_likely() {
        let orthogonal = Initializer::Orthogonal { gain: 1.0 };
        let drawn: Vec<_> = (0..400).map(|index| draw(orthogonal, &[4, 4], index)).collect();
        for at in 0..16 {
            let [mean, square] = moments(drawn.iter().map(|values| f64::from(values[at])));
            // Five standard errors: of the element its variance is 1/4, of its square 3/24 - 1/16.
            assert!(mean.abs() < 5.0 * (0.25f64 / 400.0).sqrt(), "element {at}: mean {mean}");
            assert!(
                (square - 0.25).abs() < 5.0 * (0.0625f64 / 400.0).sqrt(),
                "element {at}: mean square {square}"
            );
        }
    }

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
