//! Numbers in messages and files.

use std::fmt::{Display, LowerExp};

/// From here on, and below here, a number is said with an exponent: `1e300`, not 301 digits.
const LARGE: f64 = 1e16;
const SMALL: f64 = 1e-5;

/// A number as messages say it: with an exponent where it is very large or very small.
pub(crate) fn shown<N: Copy + Display + LowerExp + Into<f64>>(number: N) -> String {
    let magnitude = number.into().abs();
    let plain = magnitude == 0.0 || !magnitude.is_finite() || (SMALL..LARGE).contains(&magnitude);
    if plain { number.to_string() } else { format!("{number:e}") }
}

/// Whether a number is 0, its default, so that it need not be written.
pub(crate) fn is_zero<N: Default + PartialEq>(number: &N) -> bool {
    *number == N::default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_long_numbers_have_an_exponent() {
        let rows = [
            (0.0, "0"),
            (-0.5, "-0.5"),
            (1e-5, "0.00001"),
            (9.5e-6, "9.5e-6"),
            (1e-50, "1e-50"),
            (-1e300, "-1e300"),
            (123456789.0, "123456789"),
            (1e16, "1e16"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-inf"),
        ];
        for (number, expected) in rows {
            assert_eq!(shown(number), expected);
        }
        assert_eq!(shown(0.1f32), "0.1");
        assert_eq!(shown(3e38f32), "3e38");
    }
}
