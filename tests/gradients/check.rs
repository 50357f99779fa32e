//! Central differences in f64, and the bound of their error.
//!
//! For an objective `f = sum_i r_i y_i` and a step h, `D(h) = (f(x + h) - f(x - h)) / 2h` differs from the derivative
//! - by truncation, c h^2 to first order: `|D(2h) - D(h)|` is three times that, and is taken as the bound;
//! - by rounding: the outputs that change carry an error each, twice, divided by 2h.
//!
//! Both come from the forward pass alone, so an error in a backward pass cannot widen its own bound.

/// The step of the differences: truncation grows with its square, 2^-28, and rounding with 2^-53 / h = 2^-39.
pub const H: f64 = 1.0 / (1 << 14) as f64;

/// A bound above this share of the largest gradient would hide mistakes.
const SHARPEST: f64 = 1e-5;

/// A derivative taken by differences.
#[derive(Debug, Clone, Copy)]
pub struct Slope {
    pub value: f64,
    pub bound: f64,
}

/// The slope of `sum_i r[i] * y(offset)[i]` at offset 0; `rounding` bounds the error of each `y[i]`.
pub fn slope(h: f64, r: &[f64], rounding: f64, mut y: impl FnMut(f64) -> Vec<f64>) -> Slope {
    let mut difference = |h: f64| {
        let (above, below) = (y(h), y(-h));
        let mut sum = 0.0;
        let mut error = 0.0;
        for ((r, above), below) in r.iter().zip(above).zip(below) {
            if above != below {
                sum += r * (above - below);
                error += r.abs() * rounding;
            }
        }
        (sum / (2.0 * h), error / h)
    };
    let ((near, error), (far, _)) = (difference(h), difference(2.0 * h));
    Slope { value: near, bound: error + (far - near).abs() }
}

/// Compares a gradient with its slopes; `Ok` is the largest error as a share of its bound.
pub fn compare(gradient: &[f64], slopes: &[Slope]) -> Result<f64, String> {
    if gradient.len() != slopes.len() {
        return Err(format!("{} elements, but {} slopes", gradient.len(), slopes.len()));
    }
    let largest = slopes.iter().fold(0.0f64, |m, slope| m.max(slope.value.abs()));
    if largest == 0.0 {
        return Err(": every slope is 0, which shows nothing".to_owned());
    }
    let mut worst = 0.0f64;
    for (at, (&ours, slope)) in gradient.iter().zip(slopes).enumerate() {
        let error = (ours - slope.value).abs();
        // A comparison with NaN is false, and so fails.
        let sharp = slope.bound <= SHARPEST * largest;
        let right = error <= slope.bound;
        if !sharp {
            return Err(format!(
                "[{at}]: bound {:.1e} is not sharp, gradients up to {largest:.1e}",
                slope.bound
            ));
        }
        if !right {
            return Err(format!(
                "[{at}] is {ours}, but the slope is {}, +- {:.1e}",
                slope.value, slope.bound
            ));
        }
        if error > 0.0 {
            worst = worst.max(error / slope.bound);
        }
    }
    Ok(worst)
}
