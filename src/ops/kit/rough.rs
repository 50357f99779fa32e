//! Arithmetic with the errors that WGSL allows it.

use std::ops::{Add, Mul, Neg, Sub};

use super::accuracy::{DIVISION, FLUSHED, HALF_ULP, SQUARE_ROOT, ULP, exp_error};

/// A number, and how far from it a shader's may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rough {
    pub(crate) value: f64,
    pub(crate) error: f64,
}

impl Rough {
    /// A number that the shader reads.
    pub(crate) fn exact(value: impl Into<f64>) -> Rough {
        Rough { value: value.into(), error: 0.0 }
    }

    /// A constant of the shader, rounded to f32.
    pub(crate) fn constant(value: f64) -> Rough {
        Rough { value, error: value.abs() * HALF_ULP }
    }

    /// A result whose arguments are off by `error`, after an operation of this relative accuracy.
    fn after(value: f64, error: f64, accuracy: f64) -> Rough {
        Rough { value, error: error + (value.abs() + error) * accuracy + FLUSHED }
    }

    pub(crate) fn abs(self) -> Rough {
        Rough { value: self.value.abs(), ..self }
    }

    /// Its square root; of what may be below 0, from 0 on.
    pub(crate) fn sqrt(self) -> Rough {
        let [low, value, high] =
            [self.value - self.error, self.value, self.value + self.error].map(|x| x.max(0.0).sqrt());
        Rough::after(value, (value - low).max(high - value), SQUARE_ROOT)
    }

    /// One over its square root; it must be larger than its error. WGSL allows 2 ULP.
    pub(crate) fn inverse_sqrt(self) -> Rough {
        let value = 1.0 / self.value.sqrt();
        let least = (self.value - self.error).max(f64::MIN_POSITIVE);
        Rough::after(value, 1.0 / least.sqrt() - value, 2.0 * ULP)
    }

    /// Its exponential.
    pub(crate) fn exp(self) -> Rough {
        let value = self.value.exp();
        let farthest = value * self.error.exp_m1();
        Rough::after(value, farthest, exp_error(self.value.abs() + self.error))
    }

    /// The sum of `c[i] * x^i`, computed from the last coefficient on.
    pub(crate) fn polynomial(c: &[Rough], x: Rough) -> Rough {
        let Some((&last, before)) = c.split_last() else { return Rough::exact(0.0) };
        before.iter().rfold(last, |sum, &c| c + x * sum)
    }

    /// Where it stands for something that is off by this share of it besides.
    pub(crate) fn missed(self, share: f64) -> Rough {
        Rough { error: self.error + share * self.value.abs(), ..self }
    }

    /// The quotient; the divisor must be larger than its error.
    pub(crate) fn over(self, divisor: Rough) -> Rough {
        let value = self.value / divisor.value;
        let least = (divisor.value.abs() - divisor.error).max(0.0);
        Rough::after(value, (self.error + value.abs() * divisor.error) / least, DIVISION)
    }
}

impl Add for Rough {
    type Output = Rough;

    fn add(self, other: Rough) -> Rough {
        Rough::after(self.value + other.value, self.error + other.error, ULP)
    }
}

impl Sub for Rough {
    type Output = Rough;

    fn sub(self, other: Rough) -> Rough {
        Rough::after(self.value - other.value, self.error + other.error, ULP)
    }
}

impl Neg for Rough {
    type Output = Rough;

    fn neg(self) -> Rough {
        Rough { value: -self.value, ..self }
    }
}

impl Mul for Rough {
    type Output = Rough;

    fn mul(self, other: Rough) -> Rough {
        let error = self.error * (other.value.abs() + other.error) + self.value.abs() * other.error;
        Rough::after(self.value * other.value, error, ULP)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_bounds_its_worst_case() {
        let (x, y) = (Rough { value: 3.0, error: 0.5 }, Rough { value: 2.0, error: 0.25 });
        // The operation, and the values where it is farthest off.
        let rows = [
            (x + y, 5.75),
            (x - y, 1.75),
            (x * y, 3.5 * 2.25),
            (x.over(y), 3.5 / 1.75),
            (x.sqrt(), 2.5f64.sqrt()),
            (x.inverse_sqrt(), 1.0 / 2.5f64.sqrt()),
            (x.exp(), 3.5f64.exp()),
            (Rough::polynomial(&[1.0, 0.0, 2.0].map(Rough::exact), x), 1.0 + 2.0 * 3.5 * 3.5),
            (Rough { value: 0.0, error: 1e-6 }.sqrt(), 1e-3),
        ];
        for (at, (result, farthest)) in rows.into_iter().enumerate() {
            let error = (farthest - result.value).abs();
            assert!(result.error > error && result.error < error * 1.2 + 1e-6, "row {at}: {result:?}");
        }
        assert_eq!(Rough::exact(0.1).error, 0.0);
        assert!(Rough::constant(0.1).error >= (f64::from(0.1f32) - 0.1).abs());
    }
}
